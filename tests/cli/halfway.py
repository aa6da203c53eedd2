"""tests/cli/halfway: a list whose run waits in the middle, with all its answers on disk, until the gate is open.
SPDX-License-Identifier: Apache-2.0
"""
import collections
import csv
import io
import os
import threading
import time

import rig

ADDRESSES = [f'live{i}@d.example' for i in range(24)] + ['no address', 'live3@d.example', 'dead@d.example']
ANSWERED_FIRST = 9


def table_of(text):
    return list(csv.DictReader(io.StringIO(text, newline='')))


class Halfway(rig.Case):
    def setUp(self):
        super().setUp()
        self.gate = threading.Event()
        self.mailer = rig.Mailer(say=self.say)
        self.addCleanup(self.mailer.close)
        self.addCleanup(self.gate.set)
        self.list = self.write('my list.csv', 'n,email\n' + ''.join(f'{i},{a}\n' for i, a in enumerate(ADDRESSES)))
        self.words = ['bulk', *self.mailer.options, '--store', 'h.db', '--max-per-site', '1', '--timeout=10m',
                      '--stage-timeout=rcpt=10m', self.list, '-o', 'out file.csv']

    def say(self, verb, _line):
        """The first recipients are answered, the others when the gate is open. Nobody waits that long for anything else:
        a run that ends before that did not wait for the answer."""
        if verb == 'RCPT' and len(self.mailer.rcpts()) > ANSWERED_FIRST:
            self.gate.wait(4 * rig.PATIENCE_S)

    def begin(self):
        """A run that is in the middle, with all its answers on disk."""
        process = self.start(*self.words)
        rig.wait_until(lambda: len(self.mailer.rcpts()) > ANSWERED_FIRST, 'the first recipients')
        self.wait_for_quiet_store()
        return process

    def wait_for_quiet_store(self):
        def look():
            return [(name, os.stat(self.path(name)).st_size, os.stat(self.path(name)).st_mtime_ns)
                    for name in sorted(os.listdir(self.folder))
                    if name.startswith('h.db') and not name.endswith('.lock')]  # a dead one's goes at any time
        seen, since = None, 0.0

        def is_quiet():
            nonlocal seen, since
            now = look()
            if now != seen:
                seen, since = now, time.monotonic()
            return time.monotonic() - since > 3
        rig.wait_until(is_quiet, 'a store at rest')

    def check_complete(self, run):
        self.assertEqual(run.code, 0, run)
        table = table_of(self.read('out file.csv'))
        self.assertEqual([(row['n'], row['email']) for row in table],
                         [(str(i), address) for i, address in enumerate(ADDRESSES)])
        self.assertEqual([row['status'] for row in table],
                         ['deliverable'] * 24 + ['undeliverable', 'deliverable', 'undeliverable'])
        self.assertRegex(run.err, r'deliverable +24\n +undeliverable 1\n +risky +0\n +unknown +0\n')
        left = [name for name in os.listdir(self.folder) if name.startswith('out') or 'job' in name]
        self.assertEqual(left, ['out file.csv'])
        return table

    def check_asked(self, final):
        asked = collections.Counter(self.mailer.rcpts())
        self.assertGreaterEqual(len(final), 1)
        self.assertEqual([a for a in final if asked[a] != 1], [], asked)
        self.assertEqual(set(asked), set(ADDRESSES) - {'no address'})
