#!/usr/bin/python3
"""tests/interop/run.py: Heloise against real mail servers and a real name server, on loopback.

    tests/interop/run.py --install --heloise build/src/cli/heloise [RIG...]

Needs root (chroot, port 53 of a loopback address) and Debian's package registry the first time; what
it fetches is kept in --work. Prints "ok", "not ok" or "skip" for each case. See README.md.
SPDX-License-Identifier: Apache-2.0
"""
import argparse
import concurrent.futures
import csv
import fcntl
import json
import os
import pathlib
import re
import subprocess
import sys
import time

sys.dont_write_bytecode = True

import groups
import probes
import rootfs
from cases import CASES, STATUS_OF, everything
from policy import ask_policy
from proxies import PROXIES
from rigs import RIGS
from world import CLIENT_NAME, DNS, LIVE, PORT, SENDER, World

HERE = pathlib.Path(__file__).resolve().parent
TREE = HERE.parent.parent
FORBIDDEN = {'DATA', 'BDAT', 'VRFY', 'EXPN'}
ALWAYS = ('nsd', 'eximlogin')  # what every other rig needs, and what `heloise probe` is tried at
BEHIND = {'postfix': ('postgrey', 'exim'), **{proxy.name: ('postfix', 'postgrey', 'exim') for proxy in PROXIES}}
RUN_SECONDS = 150
VERDICT_EXITS = range(4)  # deliverable, undeliverable, risky, unknown; all else is a failure of the program


class Report:
    def __init__(self):
        self.failed = 0

    def case(self, good, title, detail=''):
        self.failed += not good
        print(f'{"ok" if good else "not ok"} {title}{": " + detail if detail and not good else ""}', flush=True)


def say(text):
    print(f'# {text}', flush=True)


def heloise(args, folder, command, *more):
    argv = [args.heloise, command, '--resolver', f'{DNS}:53', '--port', PORT, '--allow-net', '127.0.0.0/8', '--allow-net', '::1/128',
            '--store', folder / 'store.db', '--from', SENDER, '--helo', CLIENT_NAME, *more]
    return run_heloise(args, folder, *argv[1:])


def run_heloise(args, folder, *words):
    return subprocess.run([str(a) for a in (args.heloise, *words)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=RUN_SECONDS, check=False,
                          env={**os.environ, 'HELOISE_DATA': str(TREE / 'data'), 'HELOISE_CONFIG': '/dev/null',
                               'XDG_STATE_HOME': str(folder)})


def ask(args, folder, case):
    """Runs `heloise verify`; its records, one for each address, in order."""
    done = heloise(args, folder, 'verify', '--json', *case.options, *case.expected)
    records = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{')]
    if len(records) != len(case.expected) or done.returncode not in VERDICT_EXITS:
        raise RuntimeError(f'{len(records)} records, exit {done.returncode}: {done.stderr[-500:]}')
    return records


def judge(case, records):
    """What is wrong with the records, or an empty string."""
    for (address, subs), record in zip(case.expected.items(), records):
        seen = record.get('sub_status')
        if record.get('email') != address:
            return f'the record of {address} is about {record.get("email")}'
        if seen not in subs or record.get('status') != STATUS_OF[seen]:
            smtp = record.get('smtp') or {}
            return (f'{address} is {record.get("status")}/{seen}, should be {" or ".join(sorted(subs))}; the server '
                    f'said at {smtp.get("stage")}: {smtp.get("code")} {smtp.get("text")}')
        complaint = case.check(record) if case.check else None
        if complaint:
            return f'{address}: {complaint}'
    return ''


def ask_cases(args, report, folder, rig):
    for case in CASES.get(rig.name, []):
        time.sleep(case.pause_s)
        try:
            trouble = judge(case, ask(args, folder, case))
        except (RuntimeError, ValueError, OSError, subprocess.TimeoutExpired) as error:
            trouble = str(error)
        report.case(not trouble, case.title, trouble)


def ask_list(args, report, folder, rigs):
    """One list with the addresses of all servers through `heloise bulk`."""
    expected = everything(rigs)
    with open(folder / 'list.csv', 'w', newline='', encoding='utf-8') as out:
        csv.writer(out).writerows([['name', 'email'], *(['someone', address] for address in expected)])
    trouble = ''
    try:
        done = heloise(args, folder, 'bulk', '--timeout', '90', folder / 'list.csv', '-o', folder / 'out.csv')
        with open(folder / 'out.csv', newline='', encoding='utf-8') as source:
            rows = list(csv.DictReader(source))
        key = next(k for k in rows[0] if k.endswith('status') and not k.endswith('sub_status'))
        wrong = [f'{row["email"]} is {row[key]}, should be {expected[row["email"]]}' for row in rows
                 if row[key] != expected[row['email']]]
        if [row['email'] for row in rows] != list(expected):
            wrong.append(f'{len(rows)} rows of {len(expected)}, or not in their order')
        trouble = '; '.join(wrong) if wrong or done.returncode == 0 else f'exit {done.returncode}: {done.stderr[-500:]}'
    except (OSError, LookupError, StopIteration, subprocess.TimeoutExpired) as error:
        trouble = repr(error)
    report.case(not trouble, f'bulk: {len(expected)} addresses of all servers in one list', trouble)


def check_commands(report, world, rig):
    """What the server saw: no forbidden command, our name and sender, QUIT in the end."""
    lines = re.findall(rig.commands, rig.log(world), re.M)
    verbs = [line.split()[0].upper() for line in lines if line.split()]
    bad = sorted(set(verbs) & FORBIDDEN)
    report.case(not bad and 'RCPT' in verbs, f'{rig.name}: no message, no VRFY, no EXPN',
                f'{bad} among {len(verbs)} commands')
    senders = {m.group(1).lower() for m in (re.match(r'MAIL FROM:\s*<([^>]*)>', line, re.I) for line in lines) if m}
    strange = senders - {SENDER, '', f'double-bounce@{"mx.postfix.test"}'}
    report.case(not strange and SENDER in senders, f'{rig.name}: the sender as configured', str(senders))
    hellos = {m.group(1) for m in (re.match(r'(?:EHLO|HELO)\s+(\S+)', line, re.I) for line in lines) if m}
    report.case(CLIENT_NAME in hellos and not hellos - {CLIENT_NAME, 'mx.postfix.test'},
                f'{rig.name}: EHLO with the name as configured', str(hellos))
    report.case('QUIT' in verbs, f'{rig.name}: leaves with QUIT')


def start_rigs(report, world, wanted):
    """The rigs that are up."""
    ready = []
    for rig in RIGS + PROXIES:
        if rig.name not in wanted:
            continue
        try:
            rig.start(world)
            is_up = rig.is_ready(world)
            trouble = 'does not answer; its log ends with: ' + rig.log(world)[-600:]
        except (RuntimeError, OSError) as error:
            is_up, trouble = False, str(error)[-600:]
        report.case(is_up, f'{rig.name}: starts', trouble)
        if is_up:
            ready.append(rig)
    return ready


def run_all(args, report):
    wanted = set(args.rigs or CASES) | set(ALWAYS)
    for name in list(wanted):
        wanted |= set(BEHIND.get(name, ()))
    world = World(args.work / 'root', HERE)
    try:
        ready = start_rigs(report, world, wanted)

        def ask_one(rig):
            ask_cases(args, report, world.folder(f'client/{rig.name}'), rig)

        with concurrent.futures.ThreadPoolExecutor(len(ready) or 1) as pool:
            list(pool.map(ask_one, ready))
        probes.run(lambda *words: run_heloise(args, world.folder('client/probe'), *words), report, world, ready)
        groups.run(lambda folder, *words: heloise(args, folder, *words), report, world, ready)
        ask_list(args, report, world.folder('client/bulk'), ready)
        time.sleep(0.5)  # the servers write their logs
        for rig in ready:
            if rig.commands:
                check_commands(report, world, rig)
        if {'postfix', 'exim'} <= {rig.name for rig in ready}:
            ask_policy(args, report, world)
    finally:
        world.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--heloise', type=pathlib.Path,
                        default=pathlib.Path(os.environ.get('HELOISE', TREE / 'build/src/cli/heloise')))
    parser.add_argument('--work', type=pathlib.Path, default=pathlib.Path(
        os.environ.get('XDG_CACHE_HOME', os.path.expanduser('~/.cache'))) / 'heloise-interop')
    parser.add_argument('--install', action='store_true', help='fetch the servers when they are not there')
    parser.add_argument('rigs', nargs='*', metavar='RIG', help=', '.join(CASES))
    args = parser.parse_args()
    args.heloise, args.work = args.heloise.resolve(), args.work.resolve()
    if os.geteuid() != 0:
        print('skip interop: needs root')
        return 0
    if not args.heloise.exists():
        parser.error(f'{args.heloise} is not there')
    if not args.install and not (args.work / 'root/complete').exists():
        print(f'skip interop: no servers in {args.work}; --install fetches them')
        return 0
    report = Report()
    with open('/tmp/heloise-interop.lock', 'w', encoding='utf-8') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the addresses are the same for every run on this machine
        rootfs.prepare(args.work / 'root', LIVE, say)
        run_all(args, report)
    return 1 if report.failed else 0


if __name__ == '__main__':
    sys.exit(main())
