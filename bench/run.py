#!/usr/bin/python3
"""bench/run.py: Heloise against the bare limit, in alternation, against the same responder.

    bench/run.py --build build-bench [--quick] [--port N] [--dns-port N] [--json FILE] [CASE...]

Cases: one, hundred, pipelined, open measure the engine (bench/knock.c), which like the limit client keeps nothing;
one-offered and hundred-offered the same where the server offers PIPELINING, with the groups of the default provider entry;
whole-one, whole-hundred and bulk the whole program with list, store and output; flat the same for three lengths of a
list, and store the store alone for them; waiting the memory of addresses that wait (bench/waiting.c), without a
responder. The responder runs on the first core, the measured side on the second; in those that end in -two
both run on two cores, the measured side with two loops. Each Heloise run is followed by a run of the limit client that
holds as many conversations with as many MAILs and RCPTs, and puts as many questions to the DNS, as the responder
counted. Everything stays on loopback.
SPDX-License-Identifier: Apache-2.0
"""
import argparse
import csv
import json
import os
import pathlib
import random
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile

from measure import ROOT, Responder, environment, measured, quarters

# What a server that nobody knows gets, and the limit client in its way.
GROUP = int(re.search(r'^ *pipelined_rcpts +(\d+)$', (ROOT / 'data/providers/default.conf').read_text(), re.M)[1])
IN_ONE_PIECE = ('--pipelining', 1)
IN_GROUPS = ('--group', GROUP)
ON_A_RING = ('--ring', 1)
WAYS = {IN_ONE_PIECE: 'each transaction in one piece', IN_GROUPS: f'groups of {GROUP}', ON_A_RING: 'its lines on an io_uring'}
BY_PROVIDER = 0
FILES_MAX = resource.getrlimit(resource.RLIMIT_NOFILE)[1]


def pinned(core, loops=1):
    """What a child does first: its core (with two loops the first two), and as many descriptors as there are."""
    def prepare():
        if os.cpu_count() > 1:
            os.sched_setaffinity(0, {core} if loops == 1 else {0, 1})
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return prepare


def responder(args, hosts, delay_ms=0, loops=1, pipelining=0):
    """The server of a run, on the first core."""
    return Responder([args.build / 'bench/limit_responder', '--port', args.port, '--dns-port', args.dns_port,
                      '--hosts', hosts, '--delay', delay_ms, '--pipelining', pipelining], prepare=pinned(0, loops))


def write_list(path, count, domains, real_part=0.5):
    """count addresses spread over the domains, so many of them real; {address: is_real}."""
    chance = random.Random(1)
    truth = {}
    with open(path, 'w', newline='', encoding='utf-8') as out:
        rows = csv.writer(out)
        rows.writerow(['number', 'email'])
        for number in range(count):
            is_real = chance.random() < real_part
            address = f'{"real" if is_real else "gone"}{number}@d{number % domains}.bench'
            truth[address] = is_real
            rows.writerow([number, address])
    return truth


def check_output(path, truth):
    """Mistakes in the output: rows that are missing, doubled or wrong."""
    seen, wrong = set(), 0
    with open(path, newline='', encoding='utf-8') as source:
        for row in csv.DictReader(source):
            status = next(v for k, v in row.items() if k.endswith('status') and not k.endswith('sub_status'))
            wrong += status != ('deliverable' if truth[row['email']] else 'undeliverable')
            seen.add(row['email'])
    return {'rows': len(seen), 'missing': len(truth) - len(seen), 'wrong': wrong}


def heloise(args, folder, source, extra, loops=1):
    """One bulk run: time, CPU, memory."""
    out = folder / 'out.csv'
    for old in [out, *folder.glob('store*')]:
        old.unlink(missing_ok=True)
    argv = [args.build / 'src/cli/heloise', 'bulk', source, '-o', out, '--resolver', f'127.0.0.1:{args.dns_port}',
            '--port', args.port, '--allow-net', '127.0.0.0/8', '--store', folder / 'store.db', '--from',
            'probe@limit.bench', '--helo', 'probe.limit.bench', '--set', f'limits.loops={loops}', *extra]
    seconds, used, samples, _ = measured(argv, folder, prepare=pinned(1, loops))
    return {'seconds': seconds, 'user_s': used.ru_utime, 'system_s': used.ru_stime, 'rss_kib': used.ru_maxrss,
            'memory': samples}


def knock(args, count, domains, concurrent, per_site, open_max, loops=1, pipelined=1):
    """The engine alone: time, CPU, memory; it checks its answers itself."""
    argv = [args.build / 'bench/knock', '--port', args.port, '--dns-port', args.dns_port, '--addresses', count,
            '--domains', domains, '--connections', concurrent, '--per-site', per_site, '--open', open_max,
            '--loops', loops, '--pipelined', pipelined]
    done = subprocess.run([str(a) for a in argv], stdout=subprocess.PIPE, text=True, preexec_fn=pinned(1, loops),
                          env=environment())
    result = json.loads(done.stdout or '{}')
    if not result:
        sys.exit(f'knock ended with {done.returncode}')
    return result


def limit(args, hosts, seen, concurrent, loops=1, how=()):
    """The bare client with the work that a responder has seen."""
    argv = [args.build / 'bench/limit_client', '--port', args.port, '--dns-port', args.dns_port, '--hosts', hosts,
            '--conversations', seen['conversations'], '--concurrent', min(concurrent, seen['conversations']),
            '--rcpts', seen['rcpts'], '--mails', seen['mails'], '--lookups', min(seen['dns'] // 2, seen['conversations']),
            '--loops', loops, *how]
    done = subprocess.run([str(a) for a in argv], stdout=subprocess.PIPE, text=True, check=True,
                          preexec_fn=pinned(1, loops))
    return json.loads(done.stdout)


def pair(args, name, count, hosts, concurrent, ours_fn, delay_ms=0, loops=1, together=None, other=None):
    """Alternates Heloise (ours_fn) and the limit on the same responder settings; prints and returns the round in the
    middle. The limit holds as many conversations with as many MAILs and RCPTs as Heloise did. Where something goes
    together the responder offers PIPELINING, and the limit runs twice: one command after the other, then in that way; so
    it does for another way of its own."""
    rounds = []
    way = together or other

    def bare_run(seen, how=()):
        with responder(args, hosts, delay_ms, loops, int(together is not None)) as server:
            bare = limit(args, hosts, seen, concurrent, loops, how)
        return {'per_s': bare['per_second'], 'pieces': server.counts['pieces'] / seen['conversations'],
                'cpu_us': (bare['user_s'] + bare['system_s']) / seen['conversations'] * 1e6}

    for _ in range(args.rounds):
        with responder(args, hosts, delay_ms, loops, int(together is not None)) as server:
            ours = ours_fn()
        seen = server.counts
        conversations = seen['conversations']
        bare = bare_run(seen)
        second = bare_run(seen, way) if way else None
        rounds.append({
            'conversations': conversations, 'rcpts': seen['rcpts'], 'mails': seen['mails'], 'quits': seen['quits'],
            'datas': seen['datas'], 'open_peak': seen['open_peak'],
            'wrong': ours['wrong'], 'missing': ours.get('missing', 0),
            'heloise_per_s': conversations / ours['seconds'], 'limit_per_s': bare['per_s'],
            'addresses_per_s': count / ours['seconds'],
            'ratio': conversations / ours['seconds'] / bare['per_s'],
            'heloise_cpu_us': (ours['user_s'] + ours['system_s']) / conversations * 1e6,
            'heloise_user_us': ours['user_s'] / conversations * 1e6,
            'limit_cpu_us': bare['cpu_us'], 'pieces': seen['pieces'], 'limit_second': second,
            'ratio_second': conversations / ours['seconds'] / second['per_s'] if second else None,
            'cpu_ratio_second': None if second is None else
            second['cpu_us'] / ((ours['user_s'] + ours['system_s']) / conversations * 1e6),
            'rss_kib': ours['rss_kib'], 'memory': ours.get('memory', [])})
    middle = sorted(rounds, key=lambda r: r['ratio'])[len(rounds) // 2]
    middle['cpu_ratio'] = statistics.median(r['limit_cpu_us'] / r['heloise_cpu_us'] for r in rounds)
    print(f'{name}: {middle["conversations"]} conversations, {middle["rcpts"] / middle["conversations"]:.1f} RCPTs and '
          f'{middle["mails"] / middle["conversations"]:.1f} MAILs each in {middle["pieces"] / middle["conversations"]:.1f} pieces, at most {middle["open_peak"]} open\n'
          f'    Heloise {middle["heloise_per_s"]:8.0f}/s  {middle["heloise_cpu_us"]:6.1f} us CPU each '
          f'({middle["heloise_user_us"]:.1f} of them outside the kernel)\n'
          f'    limit   {middle["limit_per_s"]:8.0f}/s  {middle["limit_cpu_us"]:6.1f} us CPU each\n'
          f'    ratio   {middle["ratio"]:8.2f} in time, {middle["cpu_ratio"]:.2f} in CPU    '
          f'{middle["addresses_per_s"]:.0f} addresses/s, {middle["rss_kib"] / 1024:.0f} MiB at most\n'
          f'    missing {middle["missing"]}, wrong {middle["wrong"]}, DATA seen {middle["datas"]}, '
          f'without QUIT {middle["conversations"] - middle["quits"]}', flush=True)
    if way:
        for key in ('ratio_second', 'cpu_ratio_second'):
            middle[key] = statistics.median(r[key] for r in rounds)
        second = middle['limit_second']
        print(f'    with {WAYS[way]} the limit is {second["per_s"]:.0f}/s, {second["cpu_us"]:.1f} us CPU each, in '
              f'{second["pieces"]:.1f} pieces: ratio {middle["ratio_second"]:.2f} in time, '
              f'{middle["cpu_ratio_second"]:.2f} in CPU', flush=True)
    return middle


def whole(args, folder, count, domains, concurrent, extra, loops=1):
    """For pair(): the whole program, with list, store and output."""
    truth = write_list(folder / 'in.csv', count, domains)

    def run():
        ours = heloise(args, folder, folder / 'in.csv', ['--max-connections', concurrent, *extra], loops)
        return {**ours, **check_output(folder / 'out.csv', truth)}
    return run


ONE = (4000, 40000)  # quick, full; a domain for each
HOSTS_MAX = min(9900, FILES_MAX // 2)
HUNDRED = ((20000, 200), (200000, 2000))


def case_one(args, _, loops=1, pipelined=1, together=None):
    """A domain for each address, and fewer asked at a time than there are hosts: each gets a conversation."""
    count = ONE[not args.quick]
    hosts = min(count, HOSTS_MAX)
    offered = ', PIPELINING offered' if together else ''
    return pair(args, f'one address per connection, {loops} core(s){offered}', count, hosts, 200,
                lambda: knock(args, count, count, 200, 4, min(8192, hosts * 3 // 4), loops, pipelined), loops=loops,
                together=together, other=None if together else ON_A_RING)


def case_hundred(args, _, loops=1, pipelined=1, together=None):
    count, domains = HUNDRED[not args.quick]
    offered = ', PIPELINING offered' if together else ''
    return pair(args, f'100 addresses per connection, {loops} core(s){offered}', count, domains, 200,
                lambda: knock(args, count, domains, 200, 1, 8192, loops, pipelined), loops=loops,
                together=together, other=None if together else ON_A_RING)


def case_pipelined(args, _):
    count, domains = HUNDRED[not args.quick]
    return pair(args, '100 addresses per connection, 50 RCPTs at once', count, domains, 200,
                lambda: knock(args, count, domains, 200, 1, 8192, pipelined=50), together=IN_ONE_PIECE)


def case_open(args, _):
    """10,000 at a time with 50 ms answers, with as many addresses more in waiting, so that no line is missing while names
    are looked up; then the memory of one, from slow answers that keep all open."""
    open_max = 2000 if args.quick else 9900
    count = open_max * 4
    middle = pair(args, f'{open_max} open, 50 ms answers', count, open_max, open_max,
                  lambda: knock(args, count, count, open_max, 1, 2 * open_max), delay_ms=50)
    peaks = []
    for concurrent in (open_max // 100, open_max):
        with responder(args, open_max, 1500) as server:
            ours = knock(args, concurrent, concurrent, concurrent, 1, concurrent)
        peaks.append((server.counts['open_peak'], ours['rss_kib']))
    (few, few_kib), (many, many_kib) = peaks
    per_line = (many_kib - few_kib) * 1024 / max(1, many - few)
    print(f'memory per open conversation: {per_line:.0f} bytes ({few_kib} KiB at {few} open, {many_kib} at {many})',
          flush=True)
    middle['bytes_per_conversation'] = per_line
    return middle


def case_whole_one(args, folder):
    count = ONE[not args.quick]
    return pair(args, 'the whole program, one address per connection', count, min(count, HOSTS_MAX), 200,
                whole(args, folder, count, count, 200, ['--max-per-site', 4]))


def case_whole_hundred(args, folder):
    count, domains = HUNDRED[not args.quick]
    return pair(args, 'the whole program, 100 addresses per connection', count, domains, 200,
                whole(args, folder, count, domains, 200,
                      ['--max-per-site', 1, '--rcpts-per-connection', 101, '--invalids-per-hour', 100000]))


def case_bulk(args, folder, loops=1):
    count, domains = (10000, 500) if args.quick else (100000, 5000)
    middle = pair(args, f'bulk of {count} addresses on {domains} domains, {loops} core(s)', count, domains, 500,
                  whole(args, folder, count, domains, 500, [], loops), loops=loops)
    if medians := quarters(middle['memory']):
        print('    memory by quarters of the run: ' + ', '.join(f'{q / 1024:.1f} MiB' for q in medians), flush=True)
    return middle


STORE_PHASES = ('load', 'work', 'output', 'end', 'all')


def store(args, folder, count):
    """The store alone, asked for what a job of so many addresses asks of it: the run in the middle."""
    path = folder / 'store.db'
    runs = []
    for _ in range(max(1, min(args.rounds * 100000 // count, 3 * args.rounds))):  # short ones are disturbed more
        for old in folder.glob('store.db*'):
            old.unlink()
        done = subprocess.run([args.build / 'bench/store', path, '--addresses', str(count)], stdout=subprocess.PIPE,
                              text=True, preexec_fn=pinned(1))
        if not done.stdout:
            sys.exit(f'store ended with {done.returncode}')
        runs.append(json.loads(done.stdout))
    middle = sorted(runs, key=lambda r: r['all_us'])[len(runs) // 2]
    print(f'store, a job of {count} addresses: CPU and bytes written for an address, {middle["rss_kib"] / 1024:.0f} MiB\n'
          + '\n'.join(f'    {name:6} {middle[name + "_us"]:8.1f} us {middle[name + "_bytes"]:8.0f} bytes'
                      for name in STORE_PHASES), flush=True)
    return {**middle, 'wrong': max(r['wrong'] for r in runs)}


def case_store(args, folder):
    """What a list's length costs."""
    sizes = [1000, 10000, 100000] if args.quick else [10000, 100000, 1000000]
    results = [store(args, folder, count) for count in sizes]
    ratio = results[-1]['all_us'] / results[0]['all_us']
    print(f'    ratio   {ratio:8.2f} in CPU, {sizes[-1]} addresses to {sizes[0]}', flush=True)
    return {'sizes': results, 'ratio': ratio, 'missing': 0, 'wrong': sum(r['wrong'] for r in results), 'datas': 0}


def case_flat(args, folder):
    """What an address of a list costs the whole program, whatever the list's length: 100 on each domain."""
    results = []
    for count in (1000, 10000, 100000) if args.quick else (10000, 100000, 1000000):
        domains = count // 100
        run = whole(args, folder, count, domains, 200, ['--invalids-per-hour', 100000])
        runs = []
        for _ in range(args.rounds if count < 1000000 else 1):
            with responder(args, min(domains, HOSTS_MAX)):
                runs.append(run())
        middle = sorted(runs, key=lambda r: r['user_s'] + r['system_s'])[len(runs) // 2]
        cpu = (middle['user_s'] + middle['system_s']) / count * 1e6
        results.append({**middle, 'addresses': count, 'cpu_us': cpu})
        print(f'{count} addresses: {cpu:6.1f} us CPU each, {middle["rss_kib"] / 1024:.0f} MiB, '
              f'missing {middle["missing"]}, wrong {middle["wrong"]}', flush=True)
    ratio = results[-1]['cpu_us'] / results[0]['cpu_us']
    print(f'    ratio   {ratio:8.2f} in CPU, {results[-1]["addresses"]} addresses to {results[0]["addresses"]}', flush=True)
    return {'sizes': results, 'ratio': ratio, 'missing': sum(r['missing'] for r in results),
            'wrong': sum(r['wrong'] for r in results), 'datas': 0}


def case_waiting(args, _):
    """What an address costs while it waits for a greylist: with ten times as many it is the same."""
    middle = {}
    for count in (30000, 100000) if args.quick else (100000, 1000000):
        argv = [args.build / 'bench/waiting', '--addresses', count]
        done = subprocess.run([str(a) for a in argv], stdout=subprocess.PIPE, text=True, preexec_fn=pinned(1),
                              env=environment())
        middle = json.loads(done.stdout or '{}')
        if not middle:
            sys.exit(f'waiting ended with {done.returncode}')
        print(f'{count} waiting: {middle["bytes_per_waiting"]:.0f} bytes each of the heap, '
              f'{middle["resident_per_waiting"]:.0f} of resident memory; {middle["waiting_rss_kib"] / 1024:.0f} MiB in '
              f'all, {middle["rss_kib"] / 1024:.0f} MiB at most until all were answered; wrong {middle["wrong"]}',
              flush=True)
    return {**middle, 'missing': middle['addresses'] - middle['answered'], 'datas': 0}


CASES = {
    'one': case_one, 'one-two': lambda args, folder: case_one(args, folder, 2),
    'hundred': case_hundred, 'hundred-two': lambda args, folder: case_hundred(args, folder, 2),
    **{f'{name}-offered{end}': lambda args, folder, case=case, loops=loops: case(args, folder, loops, BY_PROVIDER, IN_GROUPS)
       for name, case in (('one', case_one), ('hundred', case_hundred)) for loops, end in ((1, ''), (2, '-two'))},
    'pipelined': case_pipelined, 'open': case_open, 'whole-one': case_whole_one, 'whole-hundred': case_whole_hundred,
    'waiting': case_waiting, 'bulk': case_bulk, 'bulk-two': lambda args, folder: case_bulk(args, folder, 2),
    'flat': case_flat, 'store': case_store,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--build', type=pathlib.Path, default=ROOT / 'build-bench')
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--quick', action='store_true', help='a tenth of the size, to see that all works')
    parser.add_argument('--port', type=int, default=2599, help="of the responder's servers")
    parser.add_argument('--dns-port', type=int, default=2553, help='of its name server')
    parser.add_argument('--json', type=pathlib.Path)
    parser.add_argument('cases', nargs='*')
    args = parser.parse_args()
    args.build = args.build.resolve()
    unknown = set(args.cases) - set(CASES)
    if unknown:
        parser.error(f'cases are {", ".join(CASES)}')
    folder = pathlib.Path(tempfile.mkdtemp(prefix='heloise-bench-'))
    try:
        results = {name: case(args, folder) for name, case in CASES.items() if not args.cases or name in args.cases}
    finally:
        shutil.rmtree(folder)
    if args.json:
        args.json.write_text(json.dumps(results, indent=1) + '\n')
    return 1 if any(r['missing'] or r['wrong'] or r['datas'] for r in results.values()) else 0


sys.exit(main())
