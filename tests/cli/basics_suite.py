"""Help, version, wrong usage, and outputs that cannot be written.
SPDX-License-Identifier: Apache-2.0
"""
import os
import subprocess

import rig

COMMANDS = ('verify', 'bulk', 'classify', 'config', 'dns', 'doctor', 'extract', 'forecast', 'probe', 'providers', 'village')


class Help(rig.Case):
    def test_help_lists_all_commands(self):
        for words in (['--help'], ['-h'], ['help']):
            run = self.expect(0, *words)
            for command in COMMANDS:
                self.assertRegex(run.out, rf'(?m)^  {command} ')
            self.assertEqual(run.err, '')

    def test_no_command_is_wrong_usage(self):
        run = self.expect(64)
        self.assertEqual(run.out, '')
        self.assertIn('Usage: heloise', run.err)

    def test_version(self):
        for word in ('--version', '-V'):
            self.assertRegex(self.expect(0, word).out, r'^heloise \d+\.\d+\.\d+\n$')

    def test_each_command_has_help(self):
        for command in COMMANDS:
            run = self.expect(0, command, '--help')
            self.assertIn(f'Usage: heloise {command}', run.out)
            self.assertIn('--help', run.out)

    def test_exit_codes_are_told(self):
        for command in ('verify', 'bulk', 'doctor', 'forecast'):
            self.assertIn('64', self.expect(0, command, '--help').out)


class WrongUsage(rig.Case):
    def check(self, named, *words):
        run = self.expect(64, *words)
        self.assertEqual(run.out, '')
        self.assertIn(named, run.err)
        self.assertNotIn('Sanitizer', run.err)

    def test_unknown_command(self):
        self.check("'verfiy'", 'verfiy', 'a@d.example')

    def test_unknown_option(self):
        for command in COMMANDS:
            self.check('--no-such-thing', command, '--no-such-thing')

    def test_nothing_to_do(self):
        self.check('no address', 'verify')
        self.check('no input', 'bulk')
        self.check('check or show', 'config')
        self.check('check, explain or list', 'providers')
        self.check('no file', 'providers', 'check')
        self.check('no domain', 'providers', 'explain')

    def test_too_much(self):
        self.check("'b.csv'", 'bulk', 'a.csv', 'b.csv')
        self.check("'x'", 'village', 'x')
        self.check("'b'", 'config', 'check', 'a', 'b')
        self.check("'x'", 'config', 'x')
        self.check("'x'", 'providers', 'x')
        self.check("'x'", 'providers', 'list', 'x')
        self.check('standard input', 'classify', 'x')

    def test_bad_values_name_their_option(self):
        bad = {'--port': ('0', '65536', 'x', '25x', '-1', ''), '--timeout': ('0', 'x', '1.5', '999999'),
               '--cache-ttl': ('-1', 'x'), '--source': ('localhost', '1.2.3', '1.2.3.4.5'),
               '--allow-net': ('10.0.0.0/33', 'x/8'), '--helo': ('a b', '', 'x' * 300, 'a\r\nRSET'),
               '--from': ('nobody', 'a@b@c', '<x@d.example'), '--stage-timeout': ('rcpt', 'rcpt=x', 'nowhere=3'),
               '--risky-if': ('rolle', 'role,x'), '--color': ('sometimes',), '--max-connections': ('0', 'many'),
               '--max-per-site': ('0',), '--rcpts-per-connection': ('0',), '--pipelined-rcpts': ('0', '51'),
               '--invalids-per-hour': ('x',),
               '--greylist-wait': ('0', 'x')}
        for option, values in bad.items():
            for value in values:
                with self.subTest(option=option, value=value):
                    self.check(option, 'verify', f'{option}={value}', 'a@d.example')

    def test_bad_format(self):
        self.check('--format', 'verify', '--format=xml', 'a@d.example')
        self.check('--output-format', 'bulk', '--output-format=xml', 'a.csv')

    def test_bad_village_ports(self):
        self.check('--port', 'village', '--port', '70000')
        self.check('--dns-port', 'village', '--dns-port', 'x')


class CannotWrite(rig.Case):
    QUICK = ('verify', '--no-smtp', '--no-store', '--json', 'not an address', 'nor this')

    def test_full_disk(self):
        for words, text in ((self.QUICK, ''), (('--help',), ''), (('--version',), ''),
                            (('classify',), '250 ok\n')):
            with self.subTest(words=words), open('/dev/full', 'wb') as full:
                run = self.expect(73, *words, stdout=full, text=text)
                self.assertIn('heloise', run.err)
                self.assertIn('writ', run.err)

    def test_closed_pipe(self):
        ours, theirs = os.pipe()
        os.close(ours)
        with os.fdopen(theirs, 'wb') as pipe:
            run = self.expect(73, *self.QUICK, stdout=pipe)
        self.assertIn('Broken pipe', run.err)

    def test_endless_input_ends_when_nobody_reads(self):
        process = self.start('verify', '--no-smtp', '--no-store', '--json', '-', stdin=subprocess.PIPE)
        process.stdin.write(b'x\n')
        process.stdin.flush()
        self.assertTrue(process.stdout.readline())
        process.stdout.close()
        with self.assertRaises(BrokenPipeError):
            while True:  # it stops reading
                process.stdin.write(b'x\n' * 1000)
                process.stdin.flush()
        self.assertEqual(process.wait(rig.PATIENCE_S), 73)
        process.stdin = None

    def test_store_that_cannot_be(self):
        for place in ('/dev/null/x.db', '/proc/none/x.db'):
            run = self.expect(73, 'verify', '--no-smtp', '--store', place, 'a@d.example')
            self.assertIn(place.removesuffix('/x.db'), run.err)
            self.assertEqual(run.out, '')

    def test_store_that_is_none(self):
        path = self.write('letter.txt', 'Dear reader, this is no data base.\n' * 100)
        run = self.expect(73, 'verify', '--no-smtp', '--store', path, 'a@d.example')
        self.assertIn('letter.txt', run.err)
        self.assertTrue(self.read('letter.txt').startswith('Dear reader'))

    def test_data_that_is_not_there(self):
        for command in (('verify', '--no-smtp', '--no-store', 'x'), ('classify',)):
            run = self.heloise(*command, '--data', '/nonexistent')
            self.assertGreaterEqual(run.code, 64, run)
            self.assertIn('/nonexistent', run.err)
            self.assertIn('--data', run.err)
