#!/usr/bin/python3
"""bench/verify_time.py: what a single `heloise verify` adds to the network's own round trips, start-up included.

    bench/verify_time.py --build build-bench [--runs N] [--delay MS] [--dns-delay MS] [--no-store] [--json FILE]

The responder's answers take --delay milliseconds (50), its name server's as long; --dns-delay 0 has names at once, which is
harder: nothing can be hidden behind them. Each run of Heloise (from the start of its process to its end) stands between two bare conversations that say the same on the same wire: the same
questions to the name server, one connection, the same commands. Their mean is what the network alone takes; what is
above it is what Heloise adds. Half of the runs find a store that knows nothing (fresh), the others one that knows other
addresses of the domain (warm). Everything stays on loopback.
SPDX-License-Identifier: Apache-2.0
"""
import argparse
import json
import os
import pathlib
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

from measure import ROOT, Responder, environment

PORT, DNS_PORT = 2599, 2553
DOMAIN, HOST = 'd0.bench', 'mx0.bench'
TYPE_A, TYPE_MX = 1, 15


def query(number, name, kind):
    """A DNS question on the wire (RFC 1035 4.1)."""
    labels = b''.join(bytes([len(label)]) + label.encode() for label in name.split('.'))
    return number.to_bytes(2, 'big') + b'\1\0\0\1\0\0\0\0\0\0' + labels + b'\0' + kind.to_bytes(2, 'big') + b'\0\1'


def bare_ms(rcpts):
    """The conversation of Heloise without Heloise: the same questions and commands, every answer believed."""
    begun = time.perf_counter()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as names:
        names.connect(('127.0.0.1', DNS_PORT))
        for number, (name, kind) in enumerate([(DOMAIN, TYPE_MX), (HOST, TYPE_A)]):
            names.send(query(number, name, kind))
            answer = names.recv(512)
    address = socket.inet_ntoa(answer[-4:])
    commands = ['EHLO probe.limit.bench', 'MAIL FROM:<probe@limit.bench>',
                *(f'RCPT TO:<{rcpt}@{DOMAIN}>' for rcpt in rcpts), 'QUIT']
    with socket.create_connection((address, PORT)) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for command in [None, *commands]:
            if command is not None:
                line.sendall(command.encode() + b'\r\n')
            reply = line.recv(4096)
            while not reply.endswith(b'\n'):
                reply += line.recv(4096)
    return (time.perf_counter() - begun) * 1000


def heloise_ms(args, store, number, is_real):
    """One process: its wall time and its CPU time, in milliseconds."""
    kept = ['--no-store'] if store is None else ['--store', store]
    argv = [args.build / 'src/cli/heloise', 'verify', '--resolver', f'127.0.0.1:{DNS_PORT}', '--port', PORT,
            '--allow-net', '127.0.0.0/8', '--from', 'probe@limit.bench', '--helo', 'probe.limit.bench', '--json', *kept,
            f'{"real" if is_real else "gone"}{number}@{DOMAIN}']
    argv = [str(a) for a in argv]
    out_read, out_write = os.pipe()
    variables = environment()  # not its time
    begun = time.perf_counter()
    child = os.posix_spawn(argv[0], argv, variables, file_actions=[(os.POSIX_SPAWN_DUP2, out_write, 1)])
    _, status, used = os.wait4(child, 0)
    wall = (time.perf_counter() - begun) * 1000
    os.close(out_write)
    with os.fdopen(out_read) as said:
        record = json.loads(said.read() or '{}')
    if os.waitstatus_to_exitcode(status) != (0 if is_real else 1) or record.get('cached'):
        sys.exit(f'heloise ended with {os.waitstatus_to_exitcode(status)}: {record}')
    return wall, (used.ru_utime + used.ru_stime) * 1000


def process_ms():
    """An empty process: what the system takes for any."""
    begun = time.perf_counter()
    subprocess.run(['/bin/true'], check=True)
    return (time.perf_counter() - begun) * 1000


def summary(name, rows):
    added = [wall - bare for wall, bare, _ in rows]
    cpu = [c for _, _, c in rows]
    result = {'runs': len(rows), 'network_ms': statistics.median(bare for _, bare, _ in rows),
              'added_ms': statistics.median(added), 'added_min_ms': min(added),
              'added_90_ms': sorted(added)[len(added) * 9 // 10], 'cpu_ms': statistics.median(cpu),
              'cpu_min_ms': min(cpu)}
    print(f'{name:22} network {result["network_ms"]:6.1f} ms   Heloise adds {result["added_ms"]:5.2f} ms '
          f'(least {result["added_min_ms"]:.2f}, nine of ten {result["added_90_ms"]:.2f})   '
          f'CPU {result["cpu_ms"]:.2f} ms (least {result["cpu_min_ms"]:.2f})', flush=True)
    return result


def measure(args, folder):
    rows = {f'{store}, {"accepted" if real else "refused"}': [] for store in ('fresh', 'warm') for real in (False, True)}
    for number in range(args.runs):
        for is_real in (False, True):
            for store in ('fresh', 'warm'):
                # A fresh one has its tables; a file that is not there yet is made once in its life.
                path = folder / f'{store}.db'
                if store == 'fresh':
                    path.unlink(missing_ok=True)
                    shutil.copy(folder / 'empty.db', path)
                # A warm one knows from the addresses before that controls are refused.
                rcpts = ['gone'] if not is_real else ['real'] if store == 'warm' and number > 0 else ['real', 'gone']
                before = bare_ms(rcpts)
                wall, cpu = heloise_ms(args, None if args.no_store else path, number, is_real)
                rows[f'{store}, {"accepted" if is_real else "refused"}'].append(
                    (wall, (before + bare_ms(rcpts)) / 2, cpu))
    return {name: summary(name, each) for name, each in rows.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--build', type=pathlib.Path, default=ROOT / 'build-bench')
    parser.add_argument('--runs', type=int, default=20, help='of each kind')
    parser.add_argument('--delay', type=int, default=50)
    parser.add_argument('--dns-delay', type=int, help="of the name server's answers; as long as --delay unless it is said")
    parser.add_argument('--no-store', action='store_true')
    parser.add_argument('--json', type=pathlib.Path)
    args = parser.parse_args()
    args.build = args.build.resolve()
    dns_delay = args.delay if args.dns_delay is None else args.dns_delay
    folder = pathlib.Path(tempfile.mkdtemp(prefix='heloise-bench-'))
    argv = [args.build / 'bench/limit_responder', '--port', PORT, '--dns-port', DNS_PORT, '--hosts', 1, '--delay',
            args.delay, '--dns-delay', dns_delay]
    try:
        subprocess.run([args.build / 'src/cli/heloise', 'jobs', '--store', folder / 'empty.db'], check=True,
                       env=environment(), stdout=subprocess.DEVNULL)
        with Responder(argv) as server:
            results = measure(args, folder)
    finally:
        shutil.rmtree(folder)
    print(f'an empty process takes {statistics.median(process_ms() for _ in range(50)):.2f} ms')
    if server.counts['datas']:
        sys.exit('DATA was seen')
    if args.json:
        args.json.write_text(json.dumps(results, indent=1) + '\n')
    return 0


sys.exit(main())
