"""`heloise jobs`: what others than its runner see of a run and can do about it.
SPDX-License-Identifier: Apache-2.0
"""
import os
import re
import signal
import sqlite3
import time

import halfway
import rig
from halfway import ADDRESSES, ANSWERED_FIRST, table_of


class Jobs(halfway.Halfway):
    def jobs(self, *words, code=0):
        return self.expect(code, 'jobs', '--store', 'h.db', *words)

    def rows(self):
        """(number, state, done) of each."""
        return re.findall(r'(?m)^ +(\d+)  (\w+) +(\d+/\d+)  \d{4}-\d\d-\d\d \d\d:\d\d  ', self.jobs().out)

    def stop(self, process, *words):
        """Asks for it, while the far end owes an answer; the run's end and what it said."""
        said = self.jobs(*words)
        run = self.finish(process)
        self.assertEqual(run.code, 130, run)
        return run, said

    def test_empty_list(self):
        self.assertEqual(self.jobs().out, 'no jobs\n')
        self.assertEqual(self.jobs('list').out, 'no jobs\n')

    def test_list_tells_who_runs(self):
        process = self.begin()
        out = self.jobs().out
        self.assertEqual(self.rows(), [('1', 'running', f'{ANSWERED_FIRST}/25')])
        self.assertIn(f'(process {process.pid})', out)
        self.assertIn(f'{self.list} -> out file.csv', out)
        self.gate.set()
        self.check_complete(self.finish(process))
        self.assertEqual(self.rows(), [('1', 'done', '25/25')])
        self.assertNotIn('process', self.jobs().out)

    def test_killed_is_stopped(self):
        process = self.begin()
        process.kill()
        process.wait()
        self.assertEqual(self.rows(), [('1', 'stopped', f'{ANSWERED_FIRST}/25')])

    def test_pause_and_resume(self):
        run, said = self.stop(self.begin(), 'pause', '1')
        self.assertIn('job 1 is paused: 9 of 25', said.out)
        self.assertIn('heloise jobs resume 1', run.err)
        partial = table_of(self.read('out file.csv.partial'))
        self.assertEqual([row['email'] for row in partial], ADDRESSES)
        final = {row['email'] for row in partial if row['status'] == 'deliverable'}
        self.assertEqual(len(final), ANSWERED_FIRST)
        self.assertEqual(self.rows(), [('1', 'paused', '9/25')])
        asked = len(self.mailer.rcpts())
        self.gate.set()
        time.sleep(0.2)
        self.assertEqual(len(self.mailer.rcpts()), asked)  # nobody asks while it is paused
        os.mkdir(self.path('elsewhere'))
        done = self.finish(self.start('jobs', 'resume', '1', '--store', self.path('h.db'), cwd='elsewhere'))
        self.check_complete(done)
        self.check_asked(final)
        self.assertEqual(self.rows(), [('1', 'done', '25/25')])

    def test_the_same_command_goes_on_with_a_paused_job(self):
        self.stop(self.begin(), 'pause', '1')
        self.gate.set()
        self.check_complete(self.heloise(*self.words))

    def test_pause_while_nobody_runs_it(self):
        process = self.begin()
        process.kill()
        process.wait()
        self.assertIn('is paused: 9 of 25', self.jobs('pause', '1').out)
        self.assertEqual(self.rows(), [('1', 'paused', '9/25')])
        self.gate.set()
        self.check_complete(self.heloise('jobs', '--store', 'h.db', 'resume', '1'))

    def test_cancel(self):
        run, said = self.stop(self.begin(), 'cancel', '1')
        self.assertIn('is cancelled: 9 of 25', said.out)
        self.assertIn('was cancelled', run.err)
        done = {row['email'] for row in table_of(self.read('out file.csv.partial')) if row['status']}
        self.assertEqual(len(done), ANSWERED_FIRST + 1)  # one is no address; one stands twice, answered or not
        self.assertEqual(self.rows(), [('1', 'cancelled', '9/25')])
        for words in (('resume', '1'), ('pause', '1'), ('cancel', '1')):
            self.assertIn('was cancelled', self.jobs(*words, code=64).err)
        self.gate.set()
        self.check_complete(self.heloise(*self.words))  # anew; what was learned is kept
        self.assertEqual(len(self.mailer.rcpts()), 26)

    def test_cancel_and_forget_while_nobody_runs_it(self):
        process = self.begin()
        process.kill()
        process.wait()
        self.assertIn('is cancelled', self.jobs('cancel', '1').out)
        self.assertIn('is forgotten', self.jobs('forget', '1').out)
        self.assertEqual(self.jobs().out, 'no jobs\n')
        self.assertIn('no job 1', self.jobs('forget', '1', code=64).err)
        self.assertEqual([name for name in os.listdir(self.folder) if 'job' in name], [])
        with sqlite3.connect(self.path('h.db')) as store:
            self.assertEqual(store.execute('SELECT (SELECT count(*) FROM job_item), '
                                           '(SELECT count(*) FROM job_result)').fetchone(), (0, 0))

    def test_what_runs_is_left_alone(self):
        process = self.begin()
        for words in (('forget', '1'), ('resume', '1')):
            run = self.jobs(*words, code=75)
            self.assertIn(str(process.pid), run.err)
        self.gate.set()
        self.check_complete(self.finish(process))

    def test_the_second_is_told_who_runs_it_and_since_when(self):
        began = time.time()
        process = self.begin()
        run = self.expect(75, *self.words)
        told = re.search(r'another process \((\d+), since (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC\)', run.err)
        self.assertIsNotNone(told, run)
        self.assertEqual(int(told.group(1)), process.pid)
        self.assertGreaterEqual(told.group(2), time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime(began)))
        self.gate.set()
        self.check_complete(self.finish(process))

    def test_a_changed_list_is_not_resumed(self):
        self.stop(self.begin(), 'pause', '1')
        self.write('my list.csv', 'email\nlive1@d.example\n')
        self.assertIn('has changed', self.jobs('resume', '1', code=65).err)
        os.unlink(self.list)
        self.assertIn('cannot read', self.jobs('resume', '1', code=66).err)
        self.assertEqual(self.rows(), [('1', 'paused', '9/25')])

    def test_standard_input_is_not_resumed(self):
        with open(self.list, 'rb') as text:
            process = self.start('bulk', *self.mailer.options, '--store', 'h.db', '--max-per-site', '1', '-', stdin=text)
        rig.wait_until(lambda: len(self.mailer.rcpts()) > ANSWERED_FIRST, 'the first recipients')
        self.wait_for_quiet_store()
        self.assertIn('standard input', self.jobs().out)
        _, said = self.stop(process, 'pause', '1')
        self.assertIn('standard input', said.out)
        self.assertEqual(self.jobs().out, 'no jobs\n')

    def test_killed_standard_input_is_not_resumed(self):
        with open(self.list, 'rb') as text:
            process = self.start('bulk', *self.mailer.options, '--store', 'h.db', '--max-per-site', '1', '-', stdin=text)
        rig.wait_until(lambda: len(self.mailer.rcpts()) > ANSWERED_FIRST, 'the first recipients')
        self.wait_for_quiet_store()
        process.send_signal(signal.SIGKILL)
        process.wait()
        self.assertIn('standard input', self.jobs('resume', '1', code=66).err)
        self.jobs('forget', '1')

    def test_bad_words(self):
        for words in (('stop', '1'), ('pause',), ('pause', 'x'), ('pause', '0'), ('pause', '1', '2'), ('list', '1')):
            with self.subTest(words=words):
                self.jobs(*words, code=64)
        self.assertIn('no job 7', self.jobs('pause', '7', code=64).err)
        self.assertIn('no job 7', self.jobs('resume', '7', code=64).err)
