#!/usr/bin/python3
"""bench/serve.py: answers a second of `heloise serve` from what is stored, against a bare "hello" of the same library.

    bench/serve.py --build build-bench [--seconds N] [--rounds N] [--connections N] [--rate N] [--with-log] [--json FILE]

wrk asks POST /v1/verify for one address that is stored, and the bare server the same bytes, in turns, in two ways. "As
fast as it goes": each connection asks again at once, so that latency is connections divided by the rate, and the ratio of
the medians is what counts, since load and clients share the machine. "At a rate": each connection pauses between its
requests for a random time, all of them together offer about --rate requests a second, and the percentiles say how long an
answer takes (wrk counts from the first byte sent: the pause is not in it). Without --with-log no line is logged for a
request. Everything stays on loopback.
SPDX-License-Identifier: Apache-2.0
"""
import argparse
import json
import os
import pathlib
import re
import shutil
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
PAUSES = """math.randomseed(os.time())
function delay() return math.random(0, %d) end
"""
UNITS = {'us': 1e-3, 'ms': 1, 's': 1e3}


def percentile(text, which):
    number, unit = re.search(rf'{which}%\s+([\d.]+)(us|ms|s)', text).groups()
    return float(number) * UNITS[unit]


def load(script, url, options):
    """Answers a second, the 50th and the 99th percentile in ms, and answers that were no 2xx or did not come."""
    run = subprocess.run(['wrk', '-t2', f'-c{options.connections}', f'-d{options.seconds}s', '--latency', '-s', script, url],
                         capture_output=True, text=True, check=True)
    rate = float(re.search(r'Requests/sec:\s+([\d.]+)', run.stdout).group(1))
    wrong = sum(int(n) for n in re.findall(r'Non-2xx or 3xx responses: (\d+)', run.stdout))
    lost = re.search(r'Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)', run.stdout)
    lost = sum(map(int, lost.groups())) if lost else 0
    return rate, percentile(run.stdout, 50), percentile(run.stdout, 99), wrong + lost


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
        rounds = {}
        for way, more in (('as fast as it goes', ''), ('at a rate', PAUSES % round(2000 * options.connections / options.rate))):
            script = pathlib.Path(folder) / 'post.lua'
            script.write_text(SCRIPT + more, encoding='utf-8')
            rounds[way] = [(load(str(script), bare, options), load(str(script), url, options)) for _ in range(options.rounds)]
    finally:
        for process in (serve, hello):
            process.terminate()
            process.wait()
        mailer.close()
    return rounds


def summary(rounds):
    """Of the bare server and of ours: the medians of what load says, and all that was wrong."""
    return [{'per_s': round(statistics.median(one[i][0] for one in rounds)),
             'p50_ms': round(statistics.median(one[i][1] for one in rounds), 2),
             'p99_ms': round(statistics.median(one[i][2] for one in rounds), 2),
             'wrong': sum(one[i][3] for one in rounds)} for i in (0, 1)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--build', type=pathlib.Path, default=ROOT / 'build-bench')
    parser.add_argument('--seconds', type=int, default=5)
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--connections', type=int, default=1000)
    parser.add_argument('--rate', type=int, default=22500, help='requests a second that are offered, where there are pauses')
    parser.add_argument('--with-log', action='store_true')
    parser.add_argument('--json', type=pathlib.Path)
    options = parser.parse_args()
    options.build = options.build.resolve()
    if shutil.which('wrk') is None:
        parser.error('the load comes from wrk, which is not here: apt-get install wrk')
    with tempfile.TemporaryDirectory() as folder:
        ways = {way: summary(rounds) for way, rounds in measure(options, folder).items()}
    print(f'{options.connections} connections, {options.rounds} rounds of {options.seconds} s each')
    for way, (bare, ours) in ways.items():
        print(f'{way}: ratio {ours["per_s"] / bare["per_s"]:.2f}')
        for name, one in (('bare hello', bare), ('stored answer', ours)):
            print(f'  {name:14} {one["per_s"]:9} a second   p50 {one["p50_ms"]:7.2f} ms   p99 {one["p99_ms"]:7.2f} ms   {one["wrong"]} wrong')
    if options.json:
        options.json.write_text(json.dumps(ways, indent=1) + '\n', encoding='utf-8')
    return 0 if all(one['wrong'] == 0 for pair in ways.values() for one in pair) else 1


if __name__ == '__main__':
    sys.exit(main())
