#!/usr/bin/python3
"""bench/million.py: a million addresses through three ways out, and what the servers counted meanwhile.

    bench/million.py --build build-bench [--addresses N] [--domains N] [--json FILE] [--keep FOLDER]

Plays on loopback, with the whole program (heloise bulk): 40 servers that belong to far ends of many kinds, with limits
of their own in a provider file; three egresses with a source address each, of which one is blocked at one provider once
half of that one's addresses were asked for. The servers (bench/crowd_responder.c) enforce nothing: they count for each
client address, and the counts are held against the limits. Every row of the output is held against the truth. Exit 1
where a limit was exceeded, a row is missing or wrong, or more than MEMORY_MIB was used.
SPDX-License-Identifier: Apache-2.0
"""
import argparse
import collections
import csv
import itertools
import json
import pathlib
import random
import resource
import shutil
import sys
import tempfile

from measure import ROOT, Responder, measured, quarters

EGRESSES = 3
FIRST_CLIENT = 10  # 127.0.0.11 and the two after it
BLOCKED_CLIENT = 1
CONNECTIONS_MAX = 120
MEMORY_MIB = 300
DEAD_DELAY = 999999  # no server listens there
GIANT_DOMAINS, GIANT_PART = 16, 0.3  # of all addresses
MANY = 100000

# One far end: a provider's shared system, or as many servers of somebody's own as `ends` says, each for itself.
KINDS = (
    {'name': 'giant', 'class': 'webmail', 'servers': 4, 'delay': 5, 'pipelining': 1,
     'connections': 8, 'rcpts': 100, 'rcpts_per_transaction': 50, 'invalids_per_session': 40},
    {'name': 'blocks', 'class': 'business', 'servers': 4, 'delay': 5, 'cooldown_s': 60,
     'connections': 6, 'rcpts': 50, 'rcpts_per_transaction': 25, 'invalids_per_session': 20},
    {'name': 'gateway', 'class': 'gateway', 'servers': 2, 'delay': 10, 'pipelining': 1,
     'connections': 8, 'rcpts': 40, 'rcpts_per_transaction': 10, 'invalids_per_session': 15},
    {'name': 'hourly', 'class': 'isp', 'servers': 2, 'delay': 2, 'is_capped': True,
     'connections': 4, 'rcpts': 40, 'rcpts_per_transaction': 20, 'invalids_per_session': 15},
    {'name': 'greylists', 'class': 'hosting', 'servers': 2, 'delay': 2, 'greylist': 3,
     'connections': 6, 'rcpts': 60, 'rcpts_per_transaction': 30, 'invalids_per_session': 20},
    {'name': 'strict', 'class': 'business', 'servers': 2, 'delay': 1,
     'connections': 2, 'rcpts': 10, 'rcpts_per_transaction': 1, 'transactions': 8, 'invalids_per_session': 4},
    {'name': 'roomy', 'class': 'selfhosted', 'ends': 8, 'delay': 10, 'pipelining': 1,
     'connections': 8, 'rcpts': 60, 'rcpts_per_transaction': 30, 'invalids_per_session': 25},
    {'name': 'default', 'class': 'selfhosted', 'ends': 6, 'delay': 2,
     'connections': 3, 'rcpts': 20, 'rcpts_per_transaction': 20, 'invalids_per_session': 8},
    {'name': 'own-grey', 'class': 'selfhosted', 'ends': 4, 'delay': 2, 'greylist': 4,
     'connections': 4, 'rcpts': 40, 'rcpts_per_transaction': 20, 'invalids_per_session': 15},
    {'name': 'own-hourly', 'class': 'selfhosted', 'ends': 1, 'delay': 2, 'is_capped': True,
     'connections': 3, 'rcpts': 30, 'rcpts_per_transaction': 15, 'invalids_per_session': 10},
    {'name': 'dead', 'class': 'selfhosted', 'ends': 1, 'delay': DEAD_DELAY,
     'connections': 2, 'rcpts': 20, 'rcpts_per_transaction': 20, 'invalids_per_session': 8},
    {'name': 'half-dead', 'class': 'selfhosted', 'ends': 2, 'servers': 2, 'delay': 5, 'has_dead_first': True,
     'connections': 6, 'rcpts': 50, 'rcpts_per_transaction': 25, 'invalids_per_session': 20},
)
LIMITS = ('connections', 'rcpts', 'rcpts_per_transaction', 'transactions', 'invalids_per_session',
          'invalids_per_hour', 'cooldown_s')
# What servers counted for each client address, and the limit that it is held against.
PEAKS = (('open', 'connections'), ('session_rcpts', 'rcpts'), ('transaction_rcpts', 'rcpts_per_transaction'),
         ('session_mails', 'transactions'), ('session_refused', 'invalids_per_session'),
         ('hour_refused', 'invalids_per_hour'))


class FarEnd:
    """One of them, with its servers by number and the addresses there are at it."""

    def __init__(self, kind, first_server):
        self.kind = kind
        self.name = kind['name']
        self.is_shared = kind['class'] != 'selfhosted'
        self.servers = range(first_server, first_server + kind.get('servers', 1))
        self.addresses = self.gone = 0
        self.outcomes = collections.Counter()


def far_ends():
    ends = []
    for kind in KINDS:
        for _ in range(kind.get('ends', 1)):
            ends.append(FarEnd(kind, ends[-1].servers.stop if ends else 0))
    return ends


def addresses(count, domains):
    """(address, is_real, number of its domain), always the same."""
    chance = random.Random(1)
    giants = min(GIANT_DOMAINS, domains)
    shares = list(itertools.accumulate(1 / (n + 1) for n in range(giants)))
    for number in range(count):
        if chance.random() < GIANT_PART:
            domain = chance.choices(range(giants), cum_weights=shares)[0]
        else:
            domain = chance.randrange(domains)
        is_real = chance.random() < 0.5
        yield f'{"real" if is_real else "gone"}{number}@{domain_name(domain)}', is_real, domain


def takes_all(domain):
    return domain >= GIANT_DOMAINS and domain % 11 == 3


def domain_name(domain):
    return f'{"c" if takes_all(domain) else "d"}{domain}.bench'


def write_list(path, args, by_server):
    with open(path, 'w', newline='', encoding='utf-8') as out:
        rows = csv.writer(out)
        rows.writerow(['number', 'email'])
        for number, (address, is_real, domain) in enumerate(addresses(args.addresses, args.domains)):
            rows.writerow([number, address])
            end = by_server[domain % len(by_server)]
            end.addresses += 1
            end.gone += not is_real and not takes_all(domain)


def settle_limits(ends):
    """An hour's refusals bind at the capped ones: room for a third of those there could be, over all egresses."""
    for kind in KINDS:
        own = [e for e in ends if e.kind is kind]
        gone = max(e.gone for e in own)
        kind['invalids_per_hour'] = max(10, gone // 3 // EGRESSES) if kind.get('is_capped') else MANY
        kind.setdefault('transactions', kind['rcpts'])


def write_providers(path, ends):
    with open(path, 'w', encoding='utf-8') as out:
        for kind in KINDS:
            numbers = [n for n, end in enumerate(ends) if end.kind is kind]
            print(f'provider {kind["name"]}', file=out)
            if kind['name'] != 'default':
                print(f'  class {kind["class"]}\n  mx {" ".join(f"g{n}.bench" for n in numbers)}', file=out)
            print('  gap_ms 1', file=out)
            for limit in LIMITS:
                if limit in kind:
                    print(f'  {limit} {kind[limit]}', file=out)


def write_config(path, args, folder):
    lines = [f'port {args.port}', f'resolvers 127.0.0.1:{args.dns_port}', f'store {folder}/store.db',
             f'providers {folder}/providers.conf', 'helo probe.limit.bench', 'mail-from probe@limit.bench',
             'limits {', f'    max-connections {CONNECTIONS_MAX}', '}']
    for number in range(EGRESSES):
        lines += [f'egress "out{number}" {{', f'    source-v4 127.0.0.{1 + FIRST_CLIENT + number}', '}']
    path.write_text('\n'.join(lines) + '\n')


def plan_of(ends):
    """The servers as the responder reads them."""
    lines = []
    for number, end in enumerate(ends):
        kind = end.kind
        for server in end.servers:
            has_dead = kind.get('has_dead_first', False)
            delay = DEAD_DELAY if has_dead and server == end.servers[0] else kind['delay']
            first, second = (end.servers[0], end.servers[-1]) if has_dead else (server, server)
            lines.append(f'{number} {delay} {kind.get("greylist", 0)} {kind.get("pipelining", 0)} {first} {second}')
    return '\n'.join(lines) + '\n'


def responder(args, plan, block):
    """The servers of a run."""
    options = {'port': args.port, 'dns-port': args.dns_port, 'first-client': FIRST_CLIENT, 'clients': EGRESSES, **block}
    argv = [args.build / 'bench/crowd_responder']
    return Responder(argv + [text for key, value in options.items() for text in (f'--{key}', value)], plan)


def heloise(args, folder):
    """The run itself: time, CPU, memory, and what it said at the end."""
    argv = [args.build / 'src/cli/heloise', 'bulk', folder / 'in.csv', '-o', folder / 'out.csv', '--allow-net',
            '127.0.0.0/8']
    seconds, used, samples, said = measured(argv, folder, config=folder / 'heloise.conf')
    return {'seconds': seconds, 'user_s': used.ru_utime, 'system_s': used.ru_stime, 'rss_mib': used.ru_maxrss / 1024,
            'written_mib': used.ru_oublock / 2048,  # blocks of 512 bytes
            'memory_mib': [k / 1024 for k in quarters(samples)], 'said': said}


def truth_of(end, is_real, domain):
    """What every answer of this address should be."""
    if end.name == 'dead':
        return 'unknown', 'connect_failed'
    if takes_all(domain):  # an acceptance by a backup exchanger says nothing of the domain
        return 'risky', 'accepts_all_provider' if end.kind.get('has_dead_first') else 'catch_all'
    return ('deliverable', 'accepted') if is_real else ('undeliverable', 'mailbox_not_found')


def judge(end, is_real, domain, status, sub):
    """What kind of answer a row has: right, open for a reason that this far end gives, or wrong."""
    if (status, sub) == truth_of(end, is_real, domain):
        return 'right'
    if end.name == 'blocks' and (status, sub) == ('unknown', 'blocked'):
        return 'blocked'
    if end.kind.get('is_capped') and (status, sub) == ('unknown', 'skipped'):
        return 'skipped'
    is_taken = is_real or takes_all(domain)
    if end.kind.get('is_capped') and is_taken and (status, sub) == ('risky', 'accepted_unconfirmed'):
        return 'unconfirmed'  # the hour was over before the control was asked
    return 'wrong'


def check_output(path, args, by_server):
    """Row by row in the order of the list. The mistakes, of which some are shown."""
    mistakes = []
    count = 0
    with open(path, newline='', encoding='utf-8') as source:
        rows = csv.reader(source)
        header = next(rows)
        sub_at = next(n for n, key in enumerate(header) if key.endswith('sub_status'))
        status_at = next(n for n, key in enumerate(header) if key.endswith('status') and n != sub_at)
        for number, (row, asked) in enumerate(itertools.zip_longest(rows, addresses(args.addresses, args.domains))):
            if row is None or asked is None or row[:2] != [str(number), asked[0]]:
                mistakes.append(f'row {number}: {row} stands where {asked} should')
                break
            address, is_real, domain = asked
            end = by_server[domain % len(by_server)]
            outcome = judge(end, is_real, domain, row[status_at], row[sub_at])
            end.outcomes[outcome] += 1
            count += 1
            if outcome == 'wrong':
                mistakes.append(f'{address} at {end.name}: {row[status_at]} {row[sub_at]}')
    return count, mistakes


def check_limits(ends, seen):
    """Prints each limit beside the peak that the servers saw; what was exceeded."""
    exceeded = []
    print(f'\n{"far end":12} {"addresses":>9}  ' + ' '.join(f'{limit:>21}' for _, limit in PEAKS)
          + f' {"all clients open":>17}\n{"":24}' + ' '.join(f'{"peak of limit":>21}' for _ in PEAKS))
    for end, counts in zip(ends, seen['far_ends']):
        cells = []
        for peak, limit in PEAKS:
            most = max(client[peak] for client in counts['clients'])
            cells.append(f'{most:>10} of {end.kind[limit]:>7}')
            if most > end.kind[limit]:
                exceeded.append(f'{end.name}: {most} {peak}, the limit is {end.kind[limit]}')
        together = end.kind['connections'] * (EGRESSES if end.is_shared else 1)
        if counts['open'] > together:
            exceeded.append(f'{end.name}: {counts["open"]} open by all clients, the limit is {together}')
        print(f'{end.name:12} {end.addresses:>9}  ' + ' '.join(f'{cell:>21}' for cell in cells)
              + f' {counts["open"]:>9} of {together:>4}')
    print(f'connections open in all: {seen["open"]} of {CONNECTIONS_MAX}')
    if seen['open'] > CONNECTIONS_MAX:
        exceeded.append(f'{seen["open"]} connections open in all, the limit is {CONNECTIONS_MAX}')
    return exceeded


def total(seen, key):
    return sum(client[key] for end in seen['far_ends'] for client in end['clients'])


def check_conduct(ends, seen):
    """What no server should ever see; and the blocked egress keeps away from who blocked it."""
    flaws = []
    for key, what in (('datas', 'DATA'), ('without_quit', 'conversations without QUIT')):
        if total(seen, key):
            flaws.append(f'{total(seen, key)} {what}')
    for key, what in (('unknown_clients', 'connections from no egress'),
                      ('moved', 'greylisted addresses asked for again by another egress')):
        if seen[key]:
            flaws.append(f'{seen[key]} {what}')
    number = next(n for n, end in enumerate(ends) if end.name == 'blocks')
    clients = seen['far_ends'][number]['clients']
    print('RCPTs at the provider that blocks, by egress: ' + ', '.join(str(c['rcpts']) for c in clients)
          + f'; refused for the block: {", ".join(str(c["blocked"]) for c in clients)}')
    trials = 10  # far more than fit into the time: each waits twice as long as the one before
    if not 0 < clients[BLOCKED_CLIENT]['blocked'] <= ends[number].kind['connections'] + trials:
        flaws.append(f'{clients[BLOCKED_CLIENT]["blocked"]} RCPTs of the blocked egress after the block')
    return flaws


def print_run(args, ours, seen):
    print(f'{args.addresses} addresses, {args.domains} domains: {ours["seconds"]:.1f} s '
          f'({args.addresses / ours["seconds"]:.0f} addresses/s), CPU {ours["user_s"]:.1f} s user and '
          f'{ours["system_s"]:.1f} s system, {ours["written_mib"]:.0f} MiB written to disk')
    print(f'memory: {ours["rss_mib"]:.1f} MiB at most; medians of the quarters: '
          + ', '.join(f'{q:.1f}' for q in ours['memory_mib']))
    print(f'conversations {total(seen, "conversations")}, MAILs {total(seen, "mails")}, RCPTs {total(seen, "rcpts")} '
          f'(accepted {total(seen, "accepted")}, refused {total(seen, "refused")}, greylisted {total(seen, "put_off")}), '
          f'asked again too early {seen["early"]}, DATA {total(seen, "datas")}, '
          f'without QUIT {total(seen, "without_quit")}, DNS questions {seen["dns"]}')


def print_outcomes(ends):
    sums = collections.defaultdict(collections.Counter)
    for end in ends:
        sums[end.name].update(end.outcomes)
    print('\nanswers: ' + '; '.join(
        f'{name}: ' + ', '.join(f'{count} {outcome}' for outcome, count in counter.most_common())
        for name, counter in sums.items()))


def run(args, folder):
    ends = far_ends()
    by_server = [end for end in ends for _ in end.servers]
    write_list(folder / 'in.csv', args, by_server)
    settle_limits(ends)
    write_providers(folder / 'providers.conf', ends)
    write_config(folder / 'heloise.conf', args, folder)
    number = next(n for n, end in enumerate(ends) if end.name == 'blocks')
    block = {'block-far-end': number, 'block-client': BLOCKED_CLIENT, 'block-after': ends[number].addresses // 2}
    with responder(args, plan_of(ends), block) as servers:
        ours = heloise(args, folder)
    seen = servers.counts
    rows, mistakes = check_output(folder / 'out.csv', args, by_server)
    print_run(args, ours, seen)
    flaws = check_limits(ends, seen) + check_conduct(ends, seen)
    print_outcomes(ends)
    if ours['rss_mib'] > MEMORY_MIB:
        flaws.append(f'{ours["rss_mib"]:.0f} MiB of memory, more than {MEMORY_MIB}')
    if mistakes:
        flaws += [f'{len(mistakes)} rows are wrong or missing', *mistakes[:20]]
    result = {**ours, 'rows': rows, 'seen': seen, 'flaws': flaws,
              'outcomes': [{'name': end.name, 'addresses': end.addresses, **end.outcomes} for end in ends]}
    if args.json:
        args.json.write_text(json.dumps(result, indent=1) + '\n')
    print('\n'.join(['', *flaws]) if flaws else '\nno limit exceeded, no row missing or wrong')
    return 1 if flaws else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--build', type=pathlib.Path, default=ROOT / 'build-bench')
    parser.add_argument('--addresses', type=int, default=1000000)
    parser.add_argument('--domains', type=int, help='by default one for each 50 addresses')
    parser.add_argument('--port', type=int, default=2597)
    parser.add_argument('--dns-port', type=int, default=2551)
    parser.add_argument('--json', type=pathlib.Path)
    parser.add_argument('--keep', type=pathlib.Path, help='leaves list, output, store and configuration in this folder')
    args = parser.parse_args()
    args.build = args.build.resolve()
    args.domains = args.domains or max(1, args.addresses // 50)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if args.keep:
        args.keep.mkdir(parents=True)
        return run(args, args.keep.resolve())
    folder = pathlib.Path(tempfile.mkdtemp(prefix='heloise-million-'))
    try:
        return run(args, folder)
    finally:
        shutil.rmtree(folder)


sys.exit(main())
