"""cases: what is asked of each server and what the answer must be.

SPDX-License-Identifier: Apache-2.0
"""
from proxies import PASSWORD, PROXIES, RELAY_SOURCE
from world import HAS_IPV6, users_of

DEAD = ['dead', 'no.such.person']


class Case:
    """Addresses asked in one run, and for each the sub-statuses that are right.

    options are added to the command line, pause_s is waited first, check(record) may look closer: it
    returns a complaint or None.
    """

    def __init__(self, title, expected, options=(), pause_s=0, check=None):
        self.title, self.expected, self.options = title, expected, list(options)
        self.pause_s, self.check = pause_s, check


STATUS_OF = {
    'accepted': 'deliverable', 'accepted_forward': 'deliverable', 'accepted_rate_limited': 'deliverable',
    'catch_all': 'risky', 'accepted_unconfirmed': 'risky', 'mailbox_not_found': 'undeliverable',
    'null_mx': 'undeliverable', 'no_mail_host': 'undeliverable', 'domain_not_found': 'undeliverable',
    'mx_unroutable': 'undeliverable', 'invalid_syntax': 'undeliverable', 'domain_not_hosted': 'undeliverable',
    'greylisted': 'unknown', 'temp_failure': 'unknown', 'dns_error': 'unknown', 'connect_failed': 'unknown',
    'disconnected': 'unknown', 'internal_error': 'unknown',
}


def honest(domain):
    """A server that takes its users and refuses all others."""
    live, jane = users_of(domain)
    cases = [Case(f'{domain}: {address} exists', {address: {'accepted'}}) for address in (live, jane)]
    return cases + [Case(f'{domain}: {name} does not', {f'{name}@{domain}.test': {'mailbox_not_found'}})
                    for name in DEAD]


def catch_all(domain):
    return [Case(f'{domain}: takes everything', {users_of(domain)[0]: {'catch_all'}}),
            Case(f'{domain}: takes what cannot exist', {f'no.such.person@{domain}.test': {'catch_all'}})]


def streak(domain):
    """Dead addresses first, so that the server's limit of errors is reached before the live ones."""
    expected = {f'gone{n}@{domain}.test': {'mailbox_not_found'} for n in range(8)}
    expected.update({address: {'accepted'} for address in users_of(domain)})
    return Case(f'{domain}: a streak of dead addresses, then live ones', expected, ['--timeout', '90'])


def was_encrypted(record):
    tls = (record.get('smtp') or {}).get('tls') or {}
    return None if tls.get('used') else f'tls was not used: {tls}'


def was_plain(record):
    tls = (record.get('smtp') or {}).get('tls') or {}
    return None if not tls.get('used') else f'tls was used: {tls}'


def names_retry(record):
    return None if record.get('retry_after') else 'no retry_after'


def with_check(cases, check):
    for case in cases:
        case.check = check
    return cases


def greylisting():
    live, jane = users_of('grey')
    return [
        Case('grey: dead needs no wait', {'dead@grey.test': {'mailbox_not_found'}}, ['--timeout', '60']),
        Case('grey: too little time', {live: {'greylisted'}}, ['--timeout', '2'], check=names_retry),
        Case('grey: asked again in time', {live: {'accepted'}}, ['--timeout', '60', '--fresh'], pause_s=5),
        Case('grey: waits by itself', {jane: {'accepted'}}, ['--timeout', '60']),
    ]


def in_progress():
    """reject_unverified_recipient: 450 while the front asks the server behind it, then its answer."""
    return [Case('verify: exists', {users_of('verify')[0]: {'accepted'}}, ['--timeout', '90']),
            Case('verify: does not', {'dead@verify.test': {'mailbox_not_found'}}, ['--timeout', '90'])]


ONLY_IPV6 = [Case('an exchanger with an IPv6 address only', {'live@six.test': {'accepted'}},
                  ['--allow-net', '::1/128'])] if HAS_IPV6 else []


def names():
    """Through a real name server: each kind of domain, apart from the others."""
    return [
        Case('null MX', {'live@nullmx.test': {'null_mx'}}),
        Case('neither MX nor address', {'live@nohost.test': {'no_mail_host'}}),
        Case('no such domain', {'live@nothing.test': {'domain_not_found'}}),
        Case('a zone that cannot be loaded', {'live@broken': {'dns_error', 'invalid_syntax'}}),
        Case('a zone that is broken', {'live@mail.broken': {'dns_error'}}, ['--timeout', '20']),
        Case('a name the server refuses', {'live@refused.example': {'dns_error'}}, ['--timeout', '20']),
        Case('no MX, an address', {'live@implicit.test': {'accepted'}}),
        Case('MX that is an alias', {'live@alias.test': {'accepted'}}),
        Case('the first exchanger is down', {'live@backup.test': {'accepted'}}, ['--timeout', '30']),
        Case('the first exchanger is down, dead', {'dead@backup.test': {'mailbox_not_found'}}, ['--timeout', '30']),
        Case('MX in a private network', {'live@private.test': {'mx_unroutable'}}),
        Case('MX that does not exist', {'live@nowhere.test': {'mx_unroutable', 'no_mail_host'}}),
        Case('an answer too large for a datagram', {'live@large.test': {'accepted'}}, ['--timeout', '60']),
        Case('an international domain', {'live@b\u00fccher.test': {'accepted'}}),
        Case('the same in capitals', {'live@B\u00dcCHER.test': {'accepted'}}),
        *ONLY_IPV6,
        Case('malformed', {'live..x@plain.test': {'invalid_syntax'}}),
    ]


def says(*words):
    def check(record):
        told = ' '.join(reason['detail'] for reason in record['reasons'])
        if PASSWORD in str(record):
            return f'the password stands in it: {record}'
        return None if any(word in told for word in words) else f'the reasons are: {told}'
    return check


def came_from(source):
    """Exim greets with the address that it sees."""
    def check(record):
        lines = [line['line'] for line in record['transcript'] if line['dir'] == 'S']
        return None if any(f'[{source}]' in line for line in lines) else f'the server said: {lines}'
    return check


# What a proxy leads to when nobody listens at the destination: not all of them tell why.
WITHOUT_HOST = {'microsocks': 'connect_failed', 'dante': 'connect_failed', 'squid': 'connect_failed',
                'tinyproxy': 'internal_error', 'haproxy': 'disconnected'}


def through(proxy):
    name, live, dead = proxy.name, users_of('exim')[0], 'dead@exim.test'
    way = ['--fresh', '--proxy', proxy.url()]
    cases = [
        Case(f'{name}: exists', {live: {'accepted'}}, way),
        Case(f'{name}: does not', {dead: {'mailbox_not_found'}}, way),
        Case(f'{name}: TLS to the server behind it', {users_of('tlsonly')[0]: {'accepted'}}, way, check=was_encrypted),
        Case(f'{name}: nobody listens', {'live@down.test': {WITHOUT_HOST[name]}}, way),
        Case(f'{name}: a private network is not asked for', {'live@private.test': {'mx_unroutable'}}, way),
        Case(f'{name}: is down', {dead: {'internal_error'}},
             ['--fresh', '--proxy', proxy.url().replace(f':{proxy.port}', ':9')], check=says('connection refused')),
    ]
    if proxy.has_users:
        cases += [
            Case(f'{name}: a wrong password', {dead: {'internal_error'}},
                 ['--fresh', '--transcript', '--proxy', proxy.url('open-barley')],
                 check=says('refuses the user or the password')),
            Case(f'{name}: no password', {dead: {'internal_error'}},
                 ['--fresh', '--proxy', f'{proxy.scheme}://{proxy.address}:{proxy.port}'],
                 check=says('wants a user and a password')),
            Case(f'{name}: the wrong kind', {dead: {'internal_error'}},
                 ['--fresh', '--proxy', {'socks5': 'http', 'http': 'socks5'}[proxy.scheme]
                  + f'://{proxy.address}:{proxy.port}'],
                 check=says('does not speak the protocol', 'does not answer', 'hung up', 'reset by peer')),
        ]
    else:
        cases.append(Case(f'{name}: from the source asked for', {live: {'accepted'}},
                          [*way, '--transcript', '--source', RELAY_SOURCE], check=came_from(RELAY_SOURCE)))
    return cases


CASES = {
    'postfix': honest('plain') + catch_all('catchall') + greylisting() + in_progress()
    + with_check(honest('tlsonly'), was_encrypted) + [streak('limits')] + names(),
    'exim': honest('exim') + [streak('eximlimit')],
    'opensmtpd': honest('opensmtpd') + catch_all('opensmtpdall'),
    'sendmail': honest('sendmail'),
    'qpsmtpd': with_check(honest('qpsmtpd'), was_plain),
    'aiosmtpd': honest('aiosmtpd'),
    'smtp-server': honest('smtpserver'),
    'haraka': honest('haraka'),
    **{proxy.name: through(proxy) for proxy in PROXIES},
}


def everything(rigs):
    """The addresses that have a final status, for one list: {address: status}."""
    listed = {}
    for case in (case for rig in rigs for case in CASES.get(rig.name, [])):
        for address, subs in case.expected.items():
            statuses = {STATUS_OF[sub] for sub in subs}
            if not case.pause_s and statuses <= {'deliverable', 'undeliverable', 'risky'} and len(statuses) == 1:
                listed[address] = statuses.pop()
    return listed
