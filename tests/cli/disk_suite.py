"""A disk that is full, as a small tmpfs in a mount namespace: the run says so and stops, nothing is corrupt, and the
same command gives the whole output once there is room.
SPDX-License-Identifier: Apache-2.0
"""
import collections
import csv
import io
import os
import pathlib
import shutil
import sqlite3
import subprocess
import threading
import unittest

import rig

ASKED = 300
ROOM_KB = 2048


class Disk:
    """A small disk at a folder, for those only who enter its namespace."""

    def __init__(self, folder, kilobytes):
        self.folder = folder
        script = f'mount -t tmpfs -o size={kilobytes}k none "$1" && echo up && exec sleep 100000'
        self.keeper = subprocess.Popen(['unshare', '-rm', '--propagation', 'private', 'sh', '-c', script, 'sh', folder],
                                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.is_up = self.keeper.stdout.readline() == b'up\n'
        self.inside = pathlib.Path(f'/proc/{self.keeper.pid}/root{folder}')

    def enter(self, *words):
        return ['nsenter', f'--target={self.keeper.pid}', '--mount', '--user', '--preserve-credentials', 'sh', '-c',
                'cd "$1" && shift && exec "$@"', 'sh', self.folder, *map(str, words)]

    def resize(self, kilobytes):
        subprocess.run(self.enter('mount', '-o', f'remount,size={kilobytes}k', self.folder), check=True)

    def fill(self):
        with open(self.inside / 'filler', 'wb', buffering=0) as out:
            try:
                while True:
                    out.write(b'x' * 1024)
            except OSError:
                pass

    def close(self):
        self.keeper.kill()
        self.keeper.wait()
        self.keeper.stdout.close()


class FullDisk(rig.Case):
    def setUp(self):
        super().setUp()
        if shutil.which('unshare') is None or shutil.which('nsenter') is None:
            raise unittest.SkipTest('unshare and nsenter are not there')
        os.mkdir(self.path('disk'))
        self.disk = Disk(self.folder / 'disk', ROOM_KB)
        self.addCleanup(self.disk.close)
        if not self.disk.is_up:
            raise unittest.SkipTest('this machine lets nobody make a mount namespace')
        self.gate = threading.Event()
        self.gate_at = 0
        self.mailer = rig.Mailer(say=self.say)
        self.addCleanup(self.mailer.close)
        self.addCleanup(self.gate.set)

    def say(self, verb, _line):
        """Waits before that recipient, where one is set."""
        if verb == 'RCPT' and self.gate_at and len(self.mailer.rcpts()) == self.gate_at:
            self.gate.wait(rig.PATIENCE_S)

    def begin(self, *words):
        return self.start('bulk', *self.mailer.options, '--invalids-per-hour', '100000', '--rcpts-per-connection', '50',
                          '--max-per-site', '1', *words, wrap=self.disk.enter())

    def bulk(self, code, *words):
        run = self.finish(self.begin(*words))
        self.assertEqual(run.code, code, run)
        return run

    def make_list(self, count):
        rows = [f'live{i}@d.example' for i in range(count)]
        return self.write('list.csv', 'email\n' + '\n'.join(rows) + '\n'), rows

    def check_told(self, run):
        """One message that names the cause and the way on."""
        told = [line for line in run.err.splitlines() if 'full' in line or 'No space' in line]
        self.assertEqual(len(told), 1, run)
        return told[0]

    def check_store(self, path):
        """Looks at a copy: the store belongs to the next run."""
        for end in ('', '-wal'):
            if os.path.exists(f'{path}{end}'):
                shutil.copy(f'{path}{end}', self.path(f'copy.db{end}'))
        with sqlite3.connect(self.path('copy.db')) as store:
            self.assertEqual(store.execute('PRAGMA integrity_check').fetchone(), ('ok',))

    def check_output(self, text, rows):
        table = list(csv.DictReader(io.StringIO(text, newline='')))
        self.assertEqual([row['email'] for row in table], rows)
        self.assertEqual(collections.Counter(row['status'] for row in table), {'deliverable': len(rows)})

    def test_store_full_while_the_list_is_read(self):
        path, rows = self.make_list(40000)
        words = ('--no-smtp', '--store', 'h.db', path, '-o', self.path('out.csv'))
        run = self.bulk(73, *words)
        self.assertIn('make room and run the same command again', self.check_told(run))
        self.assertFalse(os.path.exists(self.path('out.csv')))
        self.check_store(self.disk.inside / 'h.db')
        self.disk.resize(100 * ROOM_KB)
        self.bulk(0, *words)
        table = list(csv.DictReader(io.StringIO(self.read('out.csv'), newline='')))
        self.assertEqual([row['email'] for row in table], rows)

    def test_store_full_at_the_start(self):
        path, rows = self.make_list(3)
        words = ('--store', 'h.db', path, '-o', self.path('out.csv'))
        self.disk.fill()
        self.check_told(self.bulk(73, *words))
        os.unlink(self.disk.inside / 'filler')
        self.bulk(0, *words)
        self.check_output(self.read('out.csv'), rows)

    def test_store_full_while_asking(self):
        path, rows = self.make_list(ASKED)
        words = ('--store', 'h.db', path, '-o', self.path('out.csv'))
        self.gate_at = ASKED // 2
        process = self.begin(*words)
        rig.wait_until(lambda: len(self.mailer.rcpts()) == self.gate_at, 'half of the answers')
        self.disk.fill()
        self.gate.set()
        run = self.finish(process)
        self.assertEqual(run.code, 73, run)
        self.assertIn('make room and run the same command again', self.check_told(run))
        self.assertRegex(run.err, r'The same command goes on:\n +heloise bulk ')
        self.assertFalse(os.path.exists(self.path('out.csv')))
        self.check_store(self.disk.inside / 'h.db')
        os.unlink(self.disk.inside / 'filler')
        self.gate_at = 0
        self.bulk(0, *words)
        self.check_output(self.read('out.csv'), rows)

    def test_output_full(self):
        path, rows = self.make_list(ASKED)
        words = ('--store', self.path('h.db'), path, '-o', 'out.csv')
        (self.disk.inside / 'out.csv').write_text('of last month\n')
        self.disk.fill()
        run = self.bulk(73, *words)
        self.assertIn('out.csv', self.check_told(run))
        self.assertEqual((self.disk.inside / 'out.csv').read_text(), 'of last month\n')
        os.unlink(self.disk.inside / 'filler')
        self.assertEqual(os.listdir(self.disk.inside), ['out.csv'])
        asked = len(self.mailer.rcpts())
        self.bulk(0, *words)
        self.check_output((self.disk.inside / 'out.csv').read_text(), rows)
        self.assertEqual(len(self.mailer.rcpts()), asked)  # every answer was kept
