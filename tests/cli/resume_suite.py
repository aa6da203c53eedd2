"""Bulk runs that are stopped or killed go on: no row is lost or stands twice, nothing final is asked again.
SPDX-License-Identifier: Apache-2.0
"""
import os
import shlex
import signal

import halfway
import rig
from halfway import ADDRESSES, ANSWERED_FIRST, table_of


class Resume(halfway.Halfway):
    def test_interrupt_and_go_on(self):
        process = self.begin()
        process.send_signal(signal.SIGINT)
        run = self.finish(process)  # while the far end owes an answer
        self.assertEqual(run.code, 130, run)
        self.assertFalse(os.path.exists(self.path('out file.csv')))
        partial = table_of(self.read('out file.csv.partial'))
        self.assertEqual([row['email'] for row in partial], ADDRESSES)
        final = {row['email'] for row in partial if row['status'] == 'deliverable'}
        self.assertEqual(len(final), len(self.mailer.rcpts()) - 1)
        self.assertIn('out file.csv.partial', run.err)
        command = [line for line in run.err.splitlines() if line.startswith('    heloise bulk ')]
        self.assertEqual(len(command), 1, run)
        words = shlex.split(command[0])
        self.assertEqual(sorted(words), sorted(['heloise', *self.words]))
        self.gate.set()
        done = self.heloise(*words[1:])
        table = self.check_complete(done)
        self.check_asked(final)
        self.assertIn(f'{len(final)} asked before', done.err)
        before = {row['n']: row for row in partial if row['email'] in final}
        self.assertEqual([before.get(row['n'], row) for row in table], table)

    def test_termination_is_an_interrupt(self):
        process = self.begin()
        process.send_signal(signal.SIGTERM)
        self.assertEqual(self.finish(process).code, 130)
        self.gate.set()
        self.check_complete(self.heloise(*self.words))

    def test_killed_and_go_on(self):
        process = self.begin()
        final = set(self.mailer.rcpts()[:-1])
        process.kill()
        process.wait()
        self.assertEqual([name for name in os.listdir(self.folder) if name.startswith('out')], [])
        self.gate.set()
        self.check_complete(self.heloise(*self.words))
        self.check_asked(final)

    def test_killed_twice(self):
        self.begin().kill()
        self.begin().kill()
        self.gate.set()
        self.check_complete(self.heloise(*self.words))

    def test_changed_list_is_another_job(self):
        process = self.begin()
        process.send_signal(signal.SIGINT)
        self.assertEqual(self.finish(process).code, 130)
        self.gate.set()
        self.write('my list.csv', 'email\nlive1@d.example\nlive77@d.example\n')
        run = self.expect(0, *self.words)
        self.assertIn('2 rows, 2 addresses', run.err)
        self.assertEqual(len(table_of(self.read('out file.csv'))), 2)

    def test_second_process_is_refused(self):
        process = self.begin()
        run = self.expect(75, *self.words)
        self.assertIn(str(process.pid), run.err)
        self.assertIn('another process', run.err)
        self.gate.set()
        self.check_complete(self.finish(process))

    def test_interrupt_of_standard_input_says_what_it_means(self):
        with open(self.list, 'rb') as text:
            process = self.start('bulk', *self.mailer.options, '--no-store', '--max-per-site', '1', '-', stdin=text)
        rig.wait_until(lambda: len(self.mailer.rcpts()) > ANSWERED_FIRST, 'the first recipients')
        process.send_signal(signal.SIGINT)
        run = self.finish(process)
        self.assertEqual((run.code, run.out), (130, ''))
        self.assertIn('standard input', run.err)
        self.assertEqual([name for name in os.listdir(self.folder) if name.startswith('heloise-bulk')], [])

    def test_two_interrupts_stop_at_once(self):
        process = self.begin()
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGINT)
        self.assertEqual(self.finish(process).code, 130)
        self.gate.set()
        self.check_complete(self.heloise(*self.words))
