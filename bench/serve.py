#!/usr/bin/python3
"""bench/serve.py: answers a second of `heloise serve` from what is stored, against a bare "hello" of the same library.

    bench/serve.py --build build-bench [--seconds N] [--rounds N] [--connections N] [--with-log] [--json FILE]

wrk asks POST /v1/verify for one address that is stored, and the bare server the same bytes, in turns; the ratio of the
medians is what counts, since load and clients share the machine. Without --with-log no line is logged for a request.
Everything stays on loopback.
SPDX-License-Identifier: Apache-2.0
"""
import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / 'tests' / 'cli'))

import rig  # noqa: E402

BODY = '{"email":"live1@d.example"}'
SCRIPT = f"""wrk.method = "POST"
wrk.body = '{BODY}'
wrk.headers["Content-Type"] = "application/json"
"""
UNITS = {'us': 1e-3, 'ms': 1, 's': 1e3}


def load(script, url, options):
    """Answers a second, the 99th percentile in ms, and answers that were no 2xx or did not come."""
    run = subprocess.run(['wrk', '-t2', f'-c{options.connections}', f'-d{options.seconds}s', '--latency', '-s', script, url],
                         capture_output=True, text=True, check=True)
    rate = float(re.search(r'Requests/sec:\s+([\d.]+)', run.stdout).group(1))
    number, unit = re.search(r'99%\s+([\d.]+)(us|ms|s)', run.stdout).groups()
    wrong = sum(int(n) for n in re.findall(r'Non-2xx or 3xx responses: (\d+)', run.stdout))
    lost = re.search(r'Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)', run.stdout)
    return rate, float(number) * UNITS[unit], wrong + (sum(map(int, lost.groups())) if lost else 0)


def start_serve(options, folder, mailer):
    env = dict(os.environ, HOME=folder, HELOISE_DATA=str(ROOT / 'data'), HELOISE_CONFIG='/dev/null')
    words = [] if options.with_log else ['--set', 'serve.log-requests=no']
    log = open(pathlib.Path(folder) / 'log', 'w+', encoding='utf-8')  # pylint: disable=consider-using-with
    process = subprocess.Popen([str(options.build / 'src/cli/heloise'), 'serve', '--listen', '127.0.0.1:0',
                                *mailer.options, *words], env=env, stderr=log)

    def address():
        log.seek(0)
        found = re.search(r'listening at (\S+)', log.read())
        return found and found.group(1)
    rig.wait_until(address, 'serve listens')
    return process, address() + 'v1/verify'


def ask(url):
    request = urllib.request.Request(url, BODY.encode(), {'Content-Type': 'application/json'})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def measure(options, folder):
    mailer = rig.Mailer()
    serve, url = start_serve(options, folder, mailer)
    hello = subprocess.Popen([str(options.build / 'bench/hello')], stdout=subprocess.PIPE, text=True)
    try:
        bare = f'http://127.0.0.1:{int(hello.stdout.readline())}/'
        ask(url)
        if not ask(url)['cached']:
            raise SystemExit('the answer is not stored')
        script = pathlib.Path(folder) / 'post.lua'
        script.write_text(SCRIPT, encoding='utf-8')
        rounds = [(load(str(script), bare, options), load(str(script), url, options))
                  for _ in range(options.rounds)]
    finally:
        for process in (serve, hello):
            process.terminate()
            process.wait()
        mailer.close()
    return rounds


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--build', type=pathlib.Path, default=ROOT / 'build-bench')
    parser.add_argument('--seconds', type=int, default=5)
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--connections', type=int, default=1000)
    parser.add_argument('--with-log', action='store_true')
    parser.add_argument('--json', type=pathlib.Path)
    options = parser.parse_args()
    options.build = options.build.resolve()
    with tempfile.TemporaryDirectory() as folder:
        rounds = measure(options, folder)
    rates = [statistics.median(one[i][0] for one in rounds) for i in (0, 1)]
    slowest = [statistics.median(one[i][1] for one in rounds) for i in (0, 1)]
    wrong = [sum(one[i][2] for one in rounds) for i in (0, 1)]
    result = {'hello_per_s': round(rates[0]), 'cached_per_s': round(rates[1]), 'ratio': round(rates[1] / rates[0], 3),
              'hello_p99_ms': slowest[0], 'cached_p99_ms': slowest[1], 'wrong': wrong}
    print(f'{options.connections} connections, {options.rounds} rounds of {options.seconds} s each\n'
          f'  bare hello       {rates[0]:9.0f} a second   p99 {slowest[0]:7.1f} ms   {wrong[0]} wrong\n'
          f'  stored answer    {rates[1]:9.0f} a second   p99 {slowest[1]:7.1f} ms   {wrong[1]} wrong\n'
          f'  ratio            {rates[1] / rates[0]:9.2f}')
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + '\n', encoding='utf-8')
    return 0 if wrong == [0, 0] else 1


if __name__ == '__main__':
    sys.exit(main())
