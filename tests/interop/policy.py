"""policy: `heloise policy` behind Postfix and Exim: they refuse dead recipients and dead senders by it, take live ones, and
go on as configured when it is away; its socketmap asked with postmap.

Senders and recipients are those of the other server: the gate of Postfix takes mail for exim.test, that of Exim for
plain.test, which Postfix serves.
SPDX-License-Identifier: Apache-2.0
"""
import os
import pathlib
import smtplib
import subprocess
import time

from world import CLIENT_NAME, DNS, HOSTS, MAP_PORT, POLICY, POLICY_PORT, PORT, SENDER

TREE = pathlib.Path(__file__).resolve().parent.parent.parent
CLIENT = '127.0.0.8'  # not the address that Heloise asks from
LIVE, DEAD = 'live@{}', 'dead@{}'


def reply(domain, sender, recipient):
    """What the server answers at RCPT, as (code, text)."""
    with smtplib.SMTP(HOSTS[domain], int(PORT), local_hostname='sender.test', timeout=60,
                      source_address=(CLIENT, 0)) as line:
        line.ehlo()
        line.mail(sender)
        code, text = line.rcpt(recipient)
        return code, text.decode('utf-8', 'replace')


def start(args, world):
    folder = world.folder('client/policy')
    argv = [args.heloise, 'policy', '--listen', f'inet:{POLICY}:{POLICY_PORT}', '--socketmap', f'inet:{POLICY}:{MAP_PORT}',
            '--resolver', f'{DNS}:53', '--port', PORT, '--allow-net', '127.0.0.0/8', '--allow-net', '::1/128', '--store',
            folder / 'store.db', '--from', SENDER, '--helo', CLIENT_NAME, '--no-config', '--data', TREE / 'data']
    with open(world.log_path('policy'), 'ab') as log:
        child = subprocess.Popen([str(a) for a in argv], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                 env={**os.environ, 'XDG_STATE_HOME': str(folder)})
    if not world.await_port(POLICY, POLICY_PORT):
        raise RuntimeError('it does not listen: ' + world.read_log('policy')[-500:])
    return child


def postmap(world, name, key):
    run = subprocess.run(['chroot', str(world.root), '/usr/sbin/postmap', '-c', '/srv/postfix/etc', '-q', key,
                          f'socketmap:inet:{POLICY}:{MAP_PORT}:{name}'], capture_output=True, text=True, timeout=60,
                         check=False)
    return run.stdout.strip() if run.returncode == 0 else f'exit {run.returncode} {run.stderr.strip()}'.strip()


def check(report, title, seen, *wanted):
    """seen is a reply or a text; each of wanted stands in it."""
    text = seen if isinstance(seen, str) else f'{seen[0]} {seen[1]}'
    report.case(all(part in text for part in wanted), f'policy: {title}', text)


def ask_gate(report, gate, domain):
    """Postfix makes 5.1.3 of 5.1.7, and 5.1.2 of 5.1.8, where it speaks of a recipient."""
    live, dead = LIVE.format(domain), DEAD.format(domain)
    check(report, f'{gate}: a live recipient of a live sender', reply(gate, live, f'jane.roe@{domain}'), '250 ')
    check(report, f'{gate}: a dead recipient', reply(gate, live, dead), '550 5.1.1 ', 'undeliverable address')
    check(report, f'{gate}: a dead sender', reply(gate, dead, live), '550 5.1.', 'undeliverable sender address')
    check(report, f'{gate}: the null sender', reply(gate, '', live), '250 ')
    check(report, f'{gate}: a sender whose domain does not exist', reply(gate, 'a@nodomain.test', live), '550 5.1.',
          'undeliverable sender address: the domain does not exist')


def ask_maps(report, world):
    check(report, 'postmap: a dead recipient', postmap(world, 'recipient', 'dead@exim.test'), '550 5.1.1 ')
    check(report, 'postmap: a live recipient has no action', postmap(world, 'recipient', 'live@exim.test'), 'exit 1')
    check(report, 'postmap: a dead sender', postmap(world, 'sender', 'dead@exim.test'), '550 5.1.7 ')
    check(report, 'postmap: a verdict', postmap(world, 'verdict', 'live@exim.test'), 'deliverable accepted')


def ask_while_away(report):
    check(report, 'away: Postfix goes on (default_action=DUNNO)', reply('gate', 'live@exim.test', 'dead@exim.test'), '250 ')
    check(report, 'away: Postfix defers (default_action=451)', reply('gatestrict', 'live@exim.test', 'live@exim.test'),
          '451 4.3.5 ')
    check(report, 'away: Exim goes on', reply('eximgate', 'live@plain.test', 'dead@plain.test'), '250 ')


def ask_policy(args, report, world):
    child = None
    try:
        child = start(args, world)
        ask_gate(report, 'gate', 'exim.test')
        ask_gate(report, 'eximgate', 'plain.test')
        ask_maps(report, world)
        child.terminate()
        code = child.wait(20)
        report.case(code == 0, 'policy: stops at a signal', f'exit {code}')
        ask_while_away(report)
        child = start(args, world)
        time.sleep(0.1)
        check(report, 'back: a dead recipient', reply('gatestrict', 'live@exim.test', 'dead@exim.test'), '550 5.1.1 ')
    except (OSError, RuntimeError, smtplib.SMTPException, subprocess.TimeoutExpired) as error:
        report.case(False, 'policy', repr(error))
    finally:
        if child is not None and child.poll() is None:
            child.kill()
            child.wait()
