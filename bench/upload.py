#!/usr/bin/python3
"""bench/upload.py: what a large list costs `heloise serve`: time until it is safe, until it is loaded, and peak memory.

    bench/upload.py --build build-bench [--rows N] [--json FILE]

The list is sent as CSV to POST /v1/batches of a service with --no-smtp, which looks nobody up who is no domain; once it
is loaded the batch is cancelled. Meanwhile single questions are asked, and the slowest of a hundred of them is told: a
list must not hold them up. Everything stays on loopback.
SPDX-License-Identifier: Apache-2.0
"""
import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / 'tests' / 'cli'))

import rig  # noqa: E402

DOMAINS = 5000


def write_list(path, rows):
    with open(path, 'w', encoding='ascii') as out:
        out.write('id,email,name\n')
        for i in range(rows):
            out.write(f'{i},person{i}@d{i % DOMAINS}.example,Person {i}\n')


def start(options, folder):
    env = dict(os.environ, HOME=folder, HELOISE_DATA=str(ROOT / 'data'), HELOISE_CONFIG='/dev/null')
    log = open(pathlib.Path(folder) / 'log', 'w+', encoding='utf-8')  # pylint: disable=consider-using-with
    process = subprocess.Popen([str(options.build / 'src/cli/heloise'), 'serve', '--listen', '127.0.0.1:0', '--no-smtp',
                                '--resolver', '127.0.0.1:9', '--set', 'serve.log-requests=no'], env=env, stderr=log)

    def address():
        log.seek(0)
        found = re.search(r'listening at (\S+?)/?\s', log.read())
        return found and found.group(1)
    rig.wait_until(address, 'serve listens')
    return process, address()


def call(url, body=None, kind='application/json', method=None):
    request = urllib.request.Request(url, body, {'Content-Type': kind} if body else {}, method=method)
    if hasattr(body, 'read'):
        request.add_header('Content-Length', str(os.fstat(body.fileno()).st_size))
    with urllib.request.urlopen(request, timeout=600) as answer:
        return json.loads(answer.read() or b'null')


def peak_mb(process):
    status = pathlib.Path(f'/proc/{process.pid}/status').read_text(encoding='ascii')
    return int(re.search(r'VmHWM:\s+(\d+)', status).group(1)) / 1024


def measure(options, folder):
    source = pathlib.Path(folder) / 'list.csv'
    write_list(source, options.rows)
    process, url = start(options, folder)
    try:
        began = time.monotonic()
        with open(source, 'rb') as body:
            batch = call(f'{url}/v1/batches?name=list.csv', body, 'text/csv')
        safe = time.monotonic() - began
        single = []
        while call(f"{url}/v1/batches/{batch['id']}")['state'] == 'loading':
            asked = time.monotonic()
            call(f'{url}/v1/verify', json.dumps({'email': f'no address {len(single)}'}).encode())
            single.append(time.monotonic() - asked)
            time.sleep(0.05)
        loaded = time.monotonic() - began
        counts = call(f"{url}/v1/batches/{batch['id']}")['counts']
        call(f"{url}/v1/batches/{batch['id']}/cancel", b'', method='POST')
        return {'rows': options.rows, 'safe_s': round(safe, 2), 'loaded_s': round(loaded, 2),
                'addresses': counts['addresses'], 'peak_mb': round(peak_mb(process), 1),
                'slowest_single_ms': round(1000 * max(single, default=0), 1)}
    finally:
        process.terminate()
        process.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--build', type=pathlib.Path, default=ROOT / 'build-bench')
    parser.add_argument('--rows', type=int, default=1000000)
    parser.add_argument('--json', type=pathlib.Path)
    options = parser.parse_args()
    options.build = options.build.resolve()
    with tempfile.TemporaryDirectory() as folder:
        result = measure(options, folder)
    print('\n'.join(f'  {name:20} {value}' for name, value in result.items()))
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + '\n', encoding='utf-8')
    return 0 if result['addresses'] == options.rows and result['peak_mb'] < 200 else 1


if __name__ == '__main__':
    sys.exit(main())
