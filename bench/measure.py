"""bench/measure.py: what the benchmarks have in common: a responder beside the run, and a run of the program that is
measured: time, CPU, memory.
SPDX-License-Identifier: Apache-2.0
"""
import json
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent


def environment(config='/dev/null'):
    """Of the measured program: this tree's data, and no configuration but the one given."""
    return {**os.environ, 'HELOISE_DATA': str(ROOT / 'data'), 'HELOISE_CONFIG': str(config)}


class Memory(threading.Thread):
    """Samples the resident memory of a process: [(seconds, KiB)]."""

    def __init__(self, pid, every=0.25):
        super().__init__(daemon=True)
        self.path, self.every, self.samples, self.begun = f'/proc/{pid}/status', every, [], time.monotonic()

    def run(self):
        while True:
            try:
                text = pathlib.Path(self.path).read_text()
            except OSError:
                return
            for line in text.splitlines():
                if line.startswith('VmRSS:'):
                    self.samples.append((time.monotonic() - self.begun, int(line.split()[1])))
            time.sleep(self.every)


class Responder:
    """A server of a run, which gets its plan on standard input; its counts are there after the with block."""

    def __init__(self, argv, plan='', prepare=None):
        self.argv, self.plan, self.prepare, self.counts = [str(a) for a in argv], plan, prepare, {}

    def __enter__(self):
        self.child = subprocess.Popen(self.argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                      preexec_fn=self.prepare)
        self.child.stdin.write(self.plan)
        self.child.stdin.close()
        if self.child.stdout.readline() != 'ready\n':
            sys.exit('the responder did not start')
        return self

    def __exit__(self, *_):
        self.child.send_signal(signal.SIGTERM)
        self.counts = json.loads(self.child.stdout.read() or '{}')
        self.child.wait()


def measured(argv, folder, config='/dev/null', prepare=None):
    """Runs the program to its end, which must be a good one: seconds, what it used, samples of its memory, what it
    said."""
    begun = time.monotonic()
    with open(folder / 'log', 'wb') as log:
        child = subprocess.Popen([str(a) for a in argv], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                 preexec_fn=prepare, env=environment(config))
        memory = Memory(child.pid)
        memory.start()
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - begun
    said = (folder / 'log').read_text(errors='replace')
    if child.returncode != 0:
        sys.exit(f'{said[-2000:]}\nheloise ended with {child.returncode}')
    return seconds, used, memory.samples, said


def quarters(samples):
    """The medians of the four quarters of a run, in KiB; none where there are too few samples."""
    kib = [k for _, k in samples]
    if len(kib) < 8:
        return []
    return [statistics.median(kib[i * len(kib) // 4:(i + 1) * len(kib) // 4]) for i in range(4)]
