"""bench/measure.py: what the benchmarks have in common: the memory of a running program, and the program's environment.
SPDX-License-Identifier: Apache-2.0
"""
import os
import pathlib
import statistics
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


def quarters(samples):
    """The medians of the four quarters of a run, in KiB; none where there are too few samples."""
    kib = [k for _, k in samples]
    if len(kib) < 8:
        return []
    return [statistics.median(kib[i * len(kib) // 4:(i + 1) * len(kib) // 4]) for i in range(4)]
