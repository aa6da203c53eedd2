"""probes: `heloise probe` against the real servers: what they offer is seen, logins work, a message arrives.
SPDX-License-Identifier: Apache-2.0
"""
import json
import time

from world import CLIENT_NAME, HOSTS, PORT, SENDER

TLS = ('plain', 'tlsonly', 'exim')  # domains whose servers shake hands
DELIVERY_SECONDS = 20


def probe(heloise, host, *more):
    """The run and its record."""
    run = heloise('probe', '--no-config', '--json', '--helo', CLIENT_NAME, '--from', SENDER, *more,
                  f'smtp://{HOSTS[host]}:{PORT}')
    return run, json.loads(run.stdout)


def check_tls(heloise, report, domain):
    run, record = probe(heloise, domain)
    host = record['hosts'][0]
    wrong = [text for good, text in (
        (host['end'] == 'done', host['end']),
        (host['tls'] and host['tls']['version'] in ('TLSv1.2', 'TLSv1.3'), str(host['tls'])),
        (host['starttls_injection'] in ('dropped', 'refused', 'answered_in_clear'), host['starttls_injection']),
        (run.returncode == 1, f'exit {run.returncode}'),  # the certificate is nobody's
        ({f['check'] for f in record['findings'] if f['level'] == 'mend'} <= {'certificate_untrusted'}, str(record['findings'])),
    ) if not good]
    report.case(not wrong, f'probe: TLS of mx.{domain}.test', '; '.join(wrong))


def check_logins(heloise, report, secret):
    login = ('--auth-user', 'jane', '--auth-password-file', secret)
    _, record = probe(heloise, 'eximlogin', *login, '--auth', '--test-logins')
    seen = {(one['mechanism'], one['worked']) for one in record['hosts'][0]['logins']}
    report.case(seen == {(name, 'yes') for name in ('PLAIN', 'LOGIN', 'CRAM-MD5')}, 'probe: each login at Exim', str(seen))
    _, record = probe(heloise, 'eximlogin', '--auth-user', 'john', '--auth-password-file', secret, '--auth')
    host = record['hosts'][0]
    report.case((host['end'], host['stage']) == ('refused', 'auth'), 'probe: a login that Exim refuses', str(host['detail']))


def check_delivery(heloise, report, world, secret):
    words = ('--auth-user', 'jane', '--auth-password-file', secret, '--auth', '--to', 'live@eximlogin.test', '--send',
             '--header', 'Subject: by probe', '--body', '.one\n..two')
    for name, more in (('DATA', ()), ('BDAT', ('--bdat',))):
        path = world.root / 'srv/eximlogin/mail/all'
        path.unlink(missing_ok=True)
        _, record = probe(heloise, 'eximlogin', *words, *more)
        host = record['hosts'][0]
        end = time.monotonic() + DELIVERY_SECONDS
        while not path.exists() and time.monotonic() < end:
            time.sleep(0.1)
        text = path.read_text() if path.exists() else ''
        good = host['end'] == 'done' and 'Subject: by probe\n' in text and '\n.one\n..two\n' in text
        report.case(good, f'probe: a message to Exim by {name}', f"{host['end']} {host['detail']}: {text[-300:]}")


def check_relay(heloise, report):
    run, record = probe(heloise, 'eximlogin', '--no-examine', '--open-relay', 'eximlogin.test')
    codes = [step['code'] for step in record['hosts'][0]['relay']['steps'] if step['stage'] == 'rcpt']
    report.case(all(code >= 500 for code in codes) and codes, 'probe: Exim relays nothing', f'{run.returncode} {codes}')


def run(heloise, report, world, rigs):
    ready = {domain for rig in rigs for domain in rig.domains}
    for domain in TLS:
        if domain in ready:
            check_tls(heloise, report, domain)
    if 'eximlogin' in ready:
        secret = world.folder('client/probe') / 'secret'
        secret.write_text('secret\n')
        check_logins(heloise, report, secret)
        check_delivery(heloise, report, world, secret)
        check_relay(heloise, report)
