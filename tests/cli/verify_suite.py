"""`heloise verify` against the village and against a server of our own.
SPDX-License-Identifier: Apache-2.0
"""
import contextlib
import json
import os
import signal
import socket
import sqlite3
import subprocess
import time

import rig

FIELDS = ('email normalized ascii local domain status sub_status score confidence reasons did_you_mean flags dns '
          'provider smtp retry_after checked_at expires_at cached duration_ms engine_version rules_version').split()
FLAGS = ('is_disposable is_role is_free is_catch_all is_plus_tagged is_noreply is_gov is_edu is_idn is_full '
         'is_disabled is_gibberish').split()
SMTP = ('host ip port stage code enhanced text tls extensions attempts egress helo mail_from control greylist '
        'latency_ms').split()


class InVillage(rig.Case):
    @classmethod
    def setUpClass(cls):
        cls.village = rig.Village()

    @classmethod
    def tearDownClass(cls):
        code = cls.village.close()
        if code != 0:
            raise AssertionError(f'the village ended with {code}')

    def verify(self, code, *words, **options):
        return self.expect(code, 'verify', *self.village.options, *words, **options)

    def records(self, *words, code=0, **options):
        run = self.verify(code, '--json', *words, **options)
        return [json.loads(line) for line in run.out.splitlines()]

    def test_exit_codes(self):
        for code, address in ((0, 'jane@plain.example'), (1, 'ghost@plain.example'), (2, 'x@catchall.example'),
                              (3, 'jane@blocked.example'), (1, 'x@nowhere.invalid.example'), (1, 'no address'),
                              (1, 'x@nomail.example')):
            with self.subTest(address=address):
                run = self.verify(code, '--no-store', address)
                self.assertIn(address, run.out.splitlines()[0])

    def test_broken_data_answers_nothing(self):
        """Whichever part it is, and however late it is needed."""
        for kind, name in (('providers', 'x.conf'), ('rules', 'x.rules'), ('lists', 'roles.txt')):
            folder = os.path.join(self.folder, 'data-' + kind)
            os.mkdir(folder)
            for other in {'providers', 'rules', 'lists', 'score'} - {kind}:
                os.symlink(os.path.join(rig.Settings.data, other), os.path.join(folder, other))
            os.mkdir(os.path.join(folder, kind))
            self.write(f'data-{kind}/{kind}/{name}', 'NOT A LINE "of any\n')
            for words in (('jane@plain.example',), ('no address',), ('jane@plain.example', 'ghost@plain.example')):
                with self.subTest(kind=kind, words=words):
                    run = self.verify(65, '--data', folder, *words)
                    self.assertEqual(run.out, '')
                    self.assertIn(name + ':1', run.err)
        # Nothing was kept of what could not be judged.
        record, = self.records('jane@plain.example')
        self.assertFalse(record['cached'])

    def test_report(self):
        run = self.verify(0, '--no-store', 'jane@plain.example')
        self.assertRegex(run.out, r'^deliverable  jane@plain\.example\n  why ')
        self.assertIn('accepted, score', run.out)
        self.assertIn('mx.plain.example', run.out)
        self.assertNotIn('\033', run.out)
        self.assertEqual(run.err, '')

    def test_json_has_all_fields(self):
        record, = self.records('--no-store', 'ghost@plain.example', code=1)
        self.assertEqual(list(record), FIELDS)
        self.assertLessEqual(set(FLAGS), set(record['flags']))
        self.assertLessEqual(set(SMTP), set(record['smtp']))
        self.assertEqual((record['status'], record['sub_status']), ('undeliverable', 'mailbox_not_found'))
        self.assertEqual(record['smtp']['helo'], 'probe.example.net')
        self.assertNotIn('transcript', record)

    def test_several_keep_their_order(self):
        asked = ['jane@slow.example', 'no address', 'jane@plain.example', 'x@catchall.example', 'jane@plain.example']
        self.assertEqual([record['email'] for record in self.records('--no-store', *asked)], asked)

    def test_standard_input(self):
        text = 'jane@plain.example\r\n\n   ghost@plain.example  \nx@catchall.example'
        records = self.records('--no-store', '-', text=text)
        self.assertEqual([record['sub_status'] for record in records],
                         ['accepted', 'mailbox_not_found', 'catch_all'])
        self.assertEqual(self.records('--no-store', '-', text=''), [])

    def test_standard_input_is_answered_as_it_comes(self):
        process = self.start('verify', *self.village.options, '--no-store', '--json', '-', stdin=subprocess.PIPE)
        for address in ('jane@plain.example', 'ghost@plain.example', 'nobody'):
            process.stdin.write(address.encode() + b'\n')
            process.stdin.flush()  # and not closed
            self.assertEqual(json.loads(process.stdout.readline())['email'], address)
        process.stdin.close()
        process.stdin = None
        self.assertEqual(self.finish(process).code, 0)

    def test_waiting_input_can_be_stopped(self):
        process = self.start('verify', *self.village.options, '--no-store', '--json', '-', stdin=subprocess.PIPE)
        process.stdin.write(b'jane@plain.example\n')
        process.stdin.flush()
        self.assertTrue(process.stdout.readline())
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(rig.PATIENCE_S), 130)

    def test_odd_lines_of_input(self):
        text = b'\xff\xfe@plain.example\na\0b@plain.example\n' + b'x' * 200000 + b'\njane@plain.example\n'
        records = self.records('--no-store', '-', text=text)
        self.assertEqual([record['status'] for record in records], ['undeliverable'] * 3 + ['deliverable'])
        self.assertEqual({record['sub_status'] for record in records[:3]}, {'invalid_syntax'})

    def test_shapes_of_others(self):
        for name, key, value in (('reacher', 'is_reachable', 'safe'), ('zerobounce', 'status', 'valid'),
                                 ('kickbox', 'result', 'deliverable'), ('neverbounce', 'result', 'valid')):
            with self.subTest(name=name):
                run = self.verify(0, '--no-store', f'--format={name}', 'jane@plain.example')
                self.assertEqual(json.loads(run.out)[key], value)
                self.assertEqual(run.out.count('\n'), 1)

    def test_transcript(self):
        run = self.verify(0, '--no-store', '--transcript', 'jane@plain.example')
        self.assertRegex(run.err, r'(?m)^ +\d+\.\d{3} S 220 ')
        self.assertRegex(run.err, r'(?m)^ +\d+\.\d{3} C EHLO probe\.example\.net$')
        self.assertRegex(run.err, r'(?m) C RCPT TO:<jane@plain\.example>$')
        self.assertRegex(run.err, r'(?m) C QUIT$')
        self.assertNotRegex(run.err, r'(?mi) C (DATA|BDAT|VRFY|EXPN)')
        record, = self.records('--no-store', '--transcript', 'jane@plain.example')
        sent = [line['line'].split()[0] for line in record['transcript'] if line['dir'] == 'C']
        self.assertIn('RCPT', sent)
        self.assertLessEqual(set(sent), {'EHLO', 'STARTTLS', 'MAIL', 'RCPT', 'RSET', 'QUIT'})

    def test_store(self):
        store = ('--store', self.path('a/b/h.db'), 'jane@plain.example')
        first, = self.records(*store)
        second, = self.records(*store)
        self.assertEqual((first['cached'], second['cached']), (False, True))
        self.assertEqual(second['checked_at'], first['checked_at'])
        self.assertEqual(os.stat(self.path('a/b/h.db')).st_mode & 0o777, 0o600)
        for fresh in (['--fresh'], ['--cache-ttl', '0'], ['--transcript'], ['--no-store']):
            with self.subTest(fresh=fresh):
                words = fresh + ['jane@plain.example'] if fresh == ['--no-store'] else fresh + list(store)
                self.assertFalse(self.records(*words)[0]['cached'])
        self.assertTrue(self.records('--cache-ttl', '3600', *store)[0]['cached'])
        self.assertIn('from an earlier check', self.verify(0, *store).out)

    def test_default_store_is_in_the_state_folder(self):
        self.records('jane@plain.example')
        self.assertTrue((self.folder / '.local/state/heloise/heloise.db').exists())
        env = {'XDG_STATE_HOME': self.path('state')}
        self.assertFalse(self.records('jane@plain.example', env=env)[0]['cached'])
        self.assertTrue((self.folder / 'state/heloise/heloise.db').exists())

    def test_colours(self):
        ours, theirs = os.openpty()
        self.addCleanup(os.close, ours)
        for env, words, is_coloured in (({}, [], True), ({'NO_COLOR': '1'}, [], False), ({'NO_COLOR': ''}, [], True),
                                        ({}, ['--color=never'], False), ({'NO_COLOR': '1'}, ['--color=always'], True)):
            with self.subTest(env=env, words=words):
                self.expect(1, 'verify', '--no-smtp', '--no-store', *words, 'nobody', stdout=theirs, env=env)
                self.assertEqual(b'\033[' in os.read(ours, 65536), is_coloured)
        os.close(theirs)
        self.assertIn('\033[', self.expect(1, 'verify', '--no-smtp', '--no-store', '--color=always', 'x').out)

    def test_waits_are_told_on_a_terminal(self):
        process, read_all = self.on_terminal('verify', *self.village.options, '--no-store', 'nora@grey.example')
        seen = read_all()
        run = self.finish(process)
        self.assertEqual(run.code, 0, run)
        self.assertRegex(seen, r'waiting for mx\.grey\.example: greylisted, asking again in \d+ s')
        self.assertTrue(seen.endswith('\r\033[K'), repr(seen))
        process, read_all = self.on_terminal('verify', *self.village.options, '--no-store', '-q', 'nora@grey.example')
        self.assertEqual(read_all(), '')
        self.assertEqual(self.finish(process).code, 0)

    def test_nothing_is_told_elsewhere(self):
        run = self.verify(0, '--no-store', 'nora@grey.example')
        self.assertEqual(run.err, '')


class OwnServer(rig.Case):
    def mailer(self, *words, **options):
        mailer = rig.Mailer(*words, **options)
        self.addCleanup(mailer.close)
        return mailer

    def verify(self, mailer, *words):
        return self.heloise('verify', '--no-store', *mailer.options, *words)

    def test_no_smtp_contacts_nobody(self):
        mailer = self.mailer()
        run = self.verify(mailer, '--no-smtp', '--json', 'live@d.example')
        record = json.loads(run.out)
        self.assertEqual(record['status'], 'unknown')
        self.assertEqual(record['dns']['mx'][0]['host'], 'mx.d.example')
        self.assertIsNone(record['smtp'])
        self.assertEqual((run.code, mailer.heard), (3, []))

    def test_names_are_asked_while_the_store_is_opened(self):
        mailer = self.mailer()
        with contextlib.closing(sqlite3.connect(self.path('h.db'), isolation_level=None)) as other:
            other.execute('BEGIN EXCLUSIVE')
            process = self.start('verify', '--store', 'h.db', '--json', *mailer.options, 'live@d.example')
            rig.wait_until(lambda: ('d.example', 15) in mailer.names.asked, 'a question')
            self.assertEqual(mailer.heard, [])  # the answer may be stored
            other.execute('ROLLBACK')
        run = self.finish(process)
        self.assertEqual((run.code, json.loads(run.out)['status']), (0, 'deliverable'), run)
        self.assertEqual(mailer.names.asked.count(('d.example', 15)), 1)

    def test_address_literals_have_no_name_to_look_up(self):
        mailer = self.mailer()
        for address, sub_status in (('live@[127.0.0.1]', 'accepted'), ('live@[10.0.0.1]', 'mx_unroutable')):
            with self.subTest(address=address):
                record = json.loads(self.heloise('verify', '--store', 'h.db', '--json', *mailer.options, address).out)
                self.assertEqual((record['email'], record['sub_status']), (address, sub_status))
        self.assertEqual(mailer.names.asked, [])

    def test_interrupted_while_the_store_is_opened(self):
        mailer = self.mailer()
        for words in (['verify', '--store', 'h.db', 'live@d.example'],
                      ['bulk', '--store', 'h.db', self.write('list.txt', 'live@d.example\n')]):
            with self.subTest(words=words), \
                    contextlib.closing(sqlite3.connect(self.path('h.db'), isolation_level=None)) as other:
                other.execute('BEGIN EXCLUSIVE')
                process = self.start(*words[:1], *mailer.options, *words[1:])
                rig.wait_until(lambda: rig.catches(process, signal.SIGINT), 'signals are watched for')
                process.send_signal(signal.SIGINT)
                other.execute('ROLLBACK')
                self.assertEqual(self.finish(process).code, 130)

    def test_no_name_is_asked_for_what_is_no_address(self):
        mailer = self.mailer()
        self.assertEqual(self.heloise('verify', '--store', 'h.db', *mailer.options, 'live@', '@d.example', 'd.example').code, 0)
        self.assertEqual(mailer.names.asked, [])

    def test_who_asks(self):
        mailer = self.mailer()
        run = self.verify(mailer, '--from', 'me@my.example', '--source', '127.0.0.9', '--helo', 'other.example.net',
                          'live@d.example')
        self.assertEqual(run.code, 0, run)
        self.assertEqual({peer for peer, _ in mailer.heard}, {'127.0.0.9'})
        lines = [line for _, line in mailer.heard]
        self.assertIn('EHLO other.example.net', lines)
        senders = [line for line in lines if line.startswith('MAIL')]
        self.assertTrue(senders and all(line.startswith('MAIL FROM:<me@my.example>') for line in senders), lines)
        self.assertTrue({line[:4] for line in lines} <= {'EHLO', 'MAIL', 'RCPT', 'RSET', 'QUIT'}, lines)
        self.assertEqual(lines[-1], 'QUIT')

    def test_null_sender_is_the_first_choice(self):
        mailer = self.mailer()
        self.assertEqual(self.verify(mailer, 'dead@d.example').code, 1)
        self.assertIn('MAIL FROM:<>', [line for _, line in mailer.heard])

    def test_source_that_is_not_ours(self):
        run = self.verify(self.mailer(), '--source', '192.0.2.77', 'live@d.example')
        self.assertEqual(run.code, 3, run)

    def test_timeout_answers_with_what_is_known(self):
        for silent in ('', 'EHLO', 'MAIL', 'RCPT'):
            with self.subTest(silent=silent):
                mailer = self.mailer(say=lambda verb, line, at=silent: time.sleep(60) or b'' if verb == at else None)
                process = self.start('verify', '--no-store', '--json', '--timeout', '2', *mailer.options,
                                     'live@d.example')
                began = time.monotonic()
                run = self.finish(process)
                self.assertLess(time.monotonic() - began, 30)
                record = json.loads(run.out)
                self.assertEqual((run.code, record['status']), (3, 'unknown'))
                self.assertIn(record['sub_status'], ('smtp_timeout', 'connect_timeout', 'skipped'))
                self.assertTrue(record['reasons'])

    def test_interrupted(self):
        mailer = self.mailer(say=lambda verb, line: time.sleep(60) or b'' if verb == 'RCPT' else None)
        process = self.start('verify', '--no-store', '--json', *mailer.options, 'live@d.example', 'live2@d.example')
        rig.wait_until(lambda: mailer.rcpts(), 'a first RCPT')
        process.send_signal(signal.SIGINT)
        run = self.finish(process)
        self.assertEqual(run.code, 130)
        for line in run.out.splitlines():
            self.assertEqual(json.loads(line)['status'], 'unknown')

    def test_hostile_server(self):
        evil = b'\033[2J\033]0;x\007\x9b31m\x00\xff\xe2\x80\xae"}\t\x7f'
        mailer = self.mailer(say=lambda verb, line: {
            '': b'220 ' + evil + b'\r\n', 'EHLO': b'250-' + evil + b'\r\n250 ' + evil + b'\r\n',
            'RCPT': b'550-5.1.1 ' + evil + b'\r\n550 5.1.1 User unknown ' + evil + b'\r\n'}.get(verb))
        for words in ([], ['--transcript'], ['--json'], ['--json', '--transcript'], ['--format=reacher']):
            with self.subTest(words=words):
                run = self.verify(mailer, *words, 'dead@d.example')
                for char in '\033\007\x7f\x00\u202e\x9b':
                    self.assertNotIn(char, run.out + run.err)
                if words:
                    self.assertTrue(run.out.startswith('{') == ('--transcript' not in words or '--json' in words))
                if '--json' in words:
                    record = json.loads(run.out)
                    self.assertEqual(record['status'], 'unknown' if run.code == 3 else 'undeliverable')

    def test_no_way_out(self):
        with socket.socket() as closed:
            closed.bind(('127.0.0.1', 0))
            names = rig.Names({('gmail.com', 15): ['gmail-smtp-in.l.google.com'],
                               ('gmail-smtp-in.l.google.com', 1): ['127.0.0.1'],
                               ('gmail-smtp-in.l.google.com', 28): []})
            self.addCleanup(names.close)
            run = self.expect(69, 'verify', '--no-store', '--no-retry', '--helo', 'probe.example.net', '--resolver',
                              f'127.0.0.1:{names.port}', '--port', closed.getsockname()[1], '--allow-net',
                              '127.0.0.0/8', 'someone.there@gmail.com')
        self.assertIn('connect_failed', run.out)
        self.assertIn('port', run.err)
        self.assertIn('--no-smtp', run.err)

    def test_loopback_is_not_contacted_unless_allowed(self):
        mailer = self.mailer()
        run = self.heloise('verify', '--no-store', '--json', '--helo', 'x.example', '--resolver',
                           f'127.0.0.1:{mailer.names.port}', '--port', mailer.port, 'live@d.example')
        self.assertEqual(json.loads(run.out)['sub_status'], 'mx_unroutable')
        self.assertEqual((run.code, mailer.heard), (1, []))
