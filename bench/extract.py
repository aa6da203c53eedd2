#!/usr/bin/python3
"""bench/extract.py: how fast `heloise extract` goes through plain text, beside `grep -oE` in the same run.

    bench/extract.py --build build-bench [--mb 1024] [--rounds 3] [--json FILE]

The text is made from a seed, once for each of two kinds: a log with an address in every second line, and prose with one
in every few kilobytes. Both programs read the same file from memory (it was read before) and write to a file, in turns (to
/dev/null grep would write nothing and stop at the first match); grep in the C locale, its faster one, with the usual pattern. grep finds each occurrence; Heloise is asked for the same
with --all, and once more for each address once.
SPDX-License-Identifier: Apache-2.0
"""
import argparse
import json
import os
import pathlib
import random
import resource
import subprocess
import sys
import tempfile
import time

from measure import ROOT

PATTERN = r'[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}'
WORDS = ('the of and a to in is you that it he was for on are as with his they at be this have from or one had by word but not '
         'what all were we when your can said there use an each which she do how their if will up other about out many').split()
BLOCK_BYTES = 8 << 20


def log_line(rng):
    size, delay = rng.randrange(100000), rng.randrange(1000)
    address = f'to=<user{rng.randrange(10**6)}@d{rng.randrange(10**5)}.example.com>, ' if rng.random() < 0.5 else ''
    return f'Jan  1 00:00:{rng.randrange(60):02} mx1 postfix/smtp[{rng.randrange(99999)}]: {rng.randrange(16**10):010X}: {address}' \
           f'relay=mx.example.net[192.0.2.1]:25, delay={delay}, size={size}, status=sent (250 2.0.0 OK)\n'


def prose_line(rng):
    words = rng.choices(WORDS, k=12)
    if rng.random() < 0.02:
        words.append(f'user{rng.randrange(10**6)}@d{rng.randrange(10**5)}.example.com')
    return ' '.join(words) + '\n'


def write_text(path, make_line, size):
    """Blocks that differ, so that addresses do not only repeat; a few of them make the whole."""
    rng = random.Random(1)
    blocks = []
    for _ in range(4):
        lines, length = [], 0
        while length < BLOCK_BYTES:
            line = make_line(rng)
            lines.append(line)
            length += len(line)
        blocks.append(''.join(lines).encode())
    with open(path, 'wb') as out:
        while out.tell() < size:
            out.write(rng.choice(blocks))


def run_s(argv, env, out_path):
    """Wall seconds and CPU seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun = time.perf_counter()
    with open(out_path, 'wb') as out:
        subprocess.run(argv, env=env, stdout=out, check=True)
    wall = time.perf_counter() - begun
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--build', default='build-bench', type=pathlib.Path)
    parser.add_argument('--mb', default=1024, type=int)
    parser.add_argument('--rounds', default=3, type=int)
    parser.add_argument('--json', type=pathlib.Path)
    options = parser.parse_args()
    program = str(options.build / 'src/cli/heloise')
    env = dict(os.environ, HELOISE_DATA=str(ROOT / 'data'), LC_ALL='C')
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'text')
        for kind, make_line in {'log': log_line, 'prose': prose_line}.items():
            write_text(path, make_line, options.mb << 20)
            size_mb = os.path.getsize(path) / (1 << 20)
            commands = {'heloise --all': [program, 'extract', '--all', path], 'heloise': [program, 'extract', path],
                        'grep -oE': ['grep', '-oE', PATTERN, path]}
            for argv in commands.values():
                run_s(argv, env, path + '.out')
            for _ in range(options.rounds):
                for name, argv in commands.items():
                    wall, cpu = run_s(argv, env, path + '.out')
                    results.setdefault(kind, {}).setdefault(name, []).append((size_mb / wall, cpu))
            for name, rounds in results[kind].items():
                print(f'{kind:6} {name:14} {max(r[0] for r in rounds):8.0f} MB/s at best, CPU {min(r[1] for r in rounds):.2f} s')
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))
    ratio = min(max(r[0] for r in kind['heloise --all']) / max(r[0] for r in kind['grep -oE']) for kind in results.values())
    print(f'{ratio:.2f} times as fast as grep -oE, in the slower of the two')
    return 0 if ratio >= 1 else 1


if __name__ == '__main__':
    sys.exit(main())
