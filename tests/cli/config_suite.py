"""`heloise config`, and what verify and bulk take from the configuration file.
SPDX-License-Identifier: Apache-2.0
"""
import json
import os
import re

import rig

WRONG = 'port 25x\nlimits {\n  timeot 5m\n}\negress a {\n  weight 0\n}\n'
EGRESSES = ('egress "main" {{\n  source-v4 {main}\n  helo main.example.net\n}}\n'
            'egress "relay" {{\n  proxy socks5://joe:hunter2@127.0.0.1:1\n}}\n'
            'egress "off" {{\n  source-v4 192.0.2.7\n  enabled no\n}}\n')


class Config(rig.Case):
    def show(self, *words, **options):
        """The settings as {'section.key': (value, origin)}; what has no value is None."""
        settings, section = {}, ''
        for line in self.expect(0, 'config', 'show', *words, **options).out.splitlines():
            opened = re.match(r'(egress )?"?([a-z]+)"? \{$', line)
            if opened:
                section = opened.group(2) + '.'
            elif line == '}':
                section = ''
            else:
                plain = re.match(r' *([a-z0-9-]+) (.*?) +# (.*)$', line)
                unset = re.match(r' *#([a-z0-9-]+): .* +# (.*)$', line)
                if plain:
                    settings[section + plain.group(1)] = plain.group(2, 3)
                elif unset:
                    settings[section + unset.group(1)] = (None, unset.group(2))
        return settings

    def test_check_says_ok(self):
        path = self.write('h.conf', 'port 26\n' + EGRESSES.format(main='192.0.2.1'))
        os.chmod(path, 0o600)
        run = self.expect(0, 'config', 'check', path)
        self.assertTrue(run.out.startswith(path + ': OK\n'), run)
        self.assertIn('egresses  3; enabled: main, relay\n', run.out)
        self.assertEqual(run.err, '')
        self.assertEqual(self.expect(0, 'config', 'check', '--config', path).out, run.out)

    def test_check_tells_all_errors(self):
        path = self.write('h.conf', WRONG)
        for words in (['check', path], ['show', path], ['check', '--config', path]):
            run = self.expect(78, 'config', *words)
            self.assertEqual(run.out, '')
            lines = run.err.splitlines()
            self.assertEqual([line.removeprefix(path).partition(' ')[0] for line in lines[:3]],
                             [':1:', ':3:', ':6:'])
            self.assertIn('did you mean timeout?', lines[1])
            self.assertIn('3 errors', lines[3])

    def test_wrong_file_asks_nobody(self):
        path = self.write('h.conf', WRONG)
        for words in (['verify', 'a@d.example'], ['bulk', self.write('l.txt', 'a@d.example\n')]):
            run = self.expect(78, *words, '--config', path)
            self.assertEqual(run.out, '')
            self.assertIn(f'{path}:3: ', run.err)
            run = self.heloise(*words, '--config', path, '--no-config', '--no-smtp', '--no-store')
            self.assertLess(run.code, 64, run)

    def test_file_that_is_not_there(self):
        for words in (['config', 'check', '/no/such.conf'], ['verify', '--config=/no/such.conf', 'a@d.example']):
            run = self.expect(78, *words)
            self.assertIn('/no/such.conf: cannot be read: No such file', run.err)
        run = self.expect(78, 'config', 'show', env={'HELOISE_CONFIG': '/no/such.conf'})
        self.assertIn('/no/such.conf', run.err)

    def test_places(self):
        def port(**env):
            return self.show(env=dict({'HELOISE_CONFIG': ''}, **env))['port'][0]
        for name, number in (('.config', 1), ('xdg', 2)):
            (self.folder / name / 'heloise').mkdir(parents=True)
            self.write(f'{name}/heloise/heloise.conf', f'port {number}\n')
        named = self.write('named.conf', 'port 3\n')
        self.assertEqual(port(), '1')
        self.assertEqual(port(XDG_CONFIG_HOME=self.path('xdg')), '2')
        self.assertEqual(port(XDG_CONFIG_HOME=self.path('xdg'), HELOISE_CONFIG=named), '3')
        self.assertEqual(self.show('--config', self.write('given.conf', 'port 4\n'),
                                   env={'HELOISE_CONFIG': named})['port'][0], '4')
        self.assertEqual(self.show('--no-config', env={'HELOISE_CONFIG': named})['port'], ('25', 'default'))

    def test_show_says_where_from(self):
        path = self.write('h.conf', 'tls no\nlimits {\n  attempts 3\n  timeout 5m\n}\n' +
                          EGRESSES.format(main='192.0.2.1'))
        os.chmod(path, 0o600)
        run = self.expect(0, 'config', 'show', path)
        self.assertNotIn('hunter2', run.out + run.err)
        shown = self.show(path, '--timeout=30', '--set', 'limits.queue-wait=10m', '--from=a@b.example', '--no-retry')
        self.assertEqual(shown['tls'], ('no', path + ':1'))
        self.assertEqual(shown['limits.attempts'], ('3', path + ':3'))
        self.assertEqual(shown['limits.timeout'], ('30s', 'command line'))
        self.assertEqual(shown['limits.queue-wait'], ('10m', 'command line'))
        self.assertEqual(shown['verify.retry'], ('no', 'command line'))
        self.assertEqual(shown['verify.null-sender-first'], ('no', 'default'))
        self.assertEqual(shown['data'], (f'"{rig.Settings.data}"', 'environment'))
        self.assertEqual(shown['port'], ('25', 'default'))
        self.assertEqual(shown['resolvers'], (None, 'default'))
        self.assertEqual(shown['main.helo'], ('"main.example.net"', path + ':8'))
        self.assertEqual(shown['main.mail-from'], ('"a@b.example"', 'command line'))
        self.assertEqual(shown['relay.proxy'], ('socks5://joe:***@127.0.0.1:1', path + ':11'))

    def test_every_option_reaches_its_setting(self):
        options = {'--from=a@b.example': ('mail-from', '"a@b.example"'), '--helo=h.example': ('helo', '"h.example"'),
                   '--source=192.0.2.1': ('source-v4', '192.0.2.1'), '--source=::1': ('source-v6', '::1'),
                   '--resolver=192.0.2.1:53': ('resolvers', '192.0.2.1:53'), '--port=26': ('port', '26'),
                   '--allow-net=10.0.0.0/8': ('allow-net', '10.0.0.0/8'), '--no-tls': ('tls', 'no'),
                   '--timeout=2m': ('limits.timeout', '2m'), '--stage-timeout=rcpt=3': ('timeouts.rcpt', '3s'),
                   '--greylist-wait=90': ('limits.greylist-wait', '90s'), '--no-retry': ('verify.retry', 'no'),
                   '--max-connections=3': ('limits.max-connections', '3'),
                   '--max-per-site=3': ('limits.max-per-site', '3'),
                   '--rcpts-per-connection=3': ('limits.rcpts-per-connection', '3'),
                   '--pipelined-rcpts=3': ('limits.pipelined-rcpts', '3'),
                   '--invalids-per-hour=3': ('limits.invalids-per-hour', '3'), '--no-smtp': ('verify.smtp', 'no'),
                   '--no-control': ('verify.control', 'no'), '--risky-if=role,free': ('verify.risky-if', 'role free'),
                   '--strict': ('verify.strict', 'yes'), '--store=x.db': ('store', '"x.db"'),
                   '--no-store': ('store', 'none'), '--fresh': ('verify.fresh', 'yes'),
                   '--cache-ttl=60': ('verify.cache-ttl', '1m'), '--cache-ttl=0': ('verify.cache-ttl', '0s'),
                   '--data=/d': ('data', '"/d"'), '--providers=p.conf': ('providers', '"p.conf"')}
        for option, (setting, value) in options.items():
            with self.subTest(option=option):
                self.assertEqual(self.show(option)[setting], (value, 'command line'))

    def test_bad_set(self):
        for word, said in (('limits.timeout', 'is not like'), ('limits.tiemout=3s', 'did you mean limits.timeout?'),
                           ('timeout=3s', 'did you mean limits.timeout?'), ('port=x', 'from 1 to 65535'),
                           ('limits.timeout=30', 'as in 30s'), ('egress.helo=x', 'in the file only'),
                           ('x' * 100 + '=1', 'is not like')):
            run = self.expect(64, 'verify', '--set', word, 'a@d.example')
            self.assertIn('--set', run.err)
            self.assertIn(said, run.err)

    def test_password_that_all_may_read(self):
        path = self.write('h.conf', 'egress a {\n  proxy socks5://joe:hunter2@127.0.0.1:1\n}\n')
        os.chmod(path, 0o644)
        run = self.expect(0, 'config', 'check', path)
        self.assertIn(f'{path}:2: warning: everybody', run.err)
        self.assertEqual(self.expect(0, 'config', 'check', '--quiet', path).err, '')

    def test_output_that_cannot_be_written(self):
        for action in ('check', 'show'):
            with open('/dev/full', 'wb') as full:
                self.expect(73, 'config', action, stdout=full)


class Asked(rig.Case):
    """What the engine does with it."""

    def setUp(self):
        super().setUp()
        self.mailer = rig.Mailer()
        self.addCleanup(self.mailer.close)

    def heard(self, verb):
        return [line for _, line in self.mailer.heard if line.upper().startswith(verb)]

    def config(self, text=''):
        return self.write('h.conf', f'resolvers 127.0.0.1:{self.mailer.names.port}\nport {self.mailer.port}\n'
                                    'allow-net 127.0.0.0/8\nstore here/h.db\n' + text)

    def test_settings_of_the_file_hold(self):
        path = self.config('helo file.example.net\nmail-from probe@file.example.net\nverify {\n  control no\n}\n')
        run = self.expect(2, 'verify', '--json', '--config', path, 'live@d.example')
        self.assertEqual(json.loads(run.out)['sub_status'], 'accepted_unconfirmed', run)
        self.assertEqual(self.heard('EHLO'), ['EHLO file.example.net'])
        self.assertEqual(self.heard('MAIL'), ['MAIL FROM:<probe@file.example.net>'])
        self.assertEqual(len(self.heard('RCPT')), 1)
        self.assertTrue((self.folder / 'here/h.db').exists())

    def test_the_command_line_is_stronger(self):
        path = self.config('helo file.example.net\n')
        self.expect(2, 'verify', '--json', '--config', path, '--helo=line.example.net', '--set', 'verify.control=no',
                    'live@d.example')
        self.assertEqual(self.heard('EHLO'), ['EHLO line.example.net'])
        self.assertEqual(len(self.heard('RCPT')), 1)

    def test_goes_out_by_all_egresses(self):
        path = self.config('limits {\n  rcpts-per-connection 1\n}\n'
                           'egress a {\n  source-v4 127.0.0.8\n  helo a.example.net\n}\n'
                           'egress b {\n  source-v4 127.0.0.9\n  helo b.example.net\n}\n')
        list_path = self.write('l.txt', 'live1@d.example\nlive2@d.example\nlive3@d.example\nlive4@d.example\n')
        run = self.expect(0, 'bulk', list_path, '--config', path)
        self.assertEqual(run.out.count('deliverable'), 4, run)
        self.assertEqual({peer for peer, _ in self.mailer.heard}, {'127.0.0.8', '127.0.0.9'})
        self.assertEqual(set(self.heard('EHLO')), {'EHLO a.example.net', 'EHLO b.example.net'})

    def test_a_dead_proxy_is_left_to_the_other_egress(self):
        path = self.config('limits {\n  rcpts-per-connection 1\n}\n' + EGRESSES.format(main='127.0.0.9'))
        os.chmod(path, 0o600)
        run = self.expect(0, 'verify', '--json', '--config', path, *(f'live{i}@d.example' for i in range(8)))
        records = [json.loads(line) for line in run.out.splitlines()]
        self.assertEqual({record['status'] for record in records}, {'deliverable'}, run)
        self.assertEqual({record['smtp']['egress'] for record in records}, {'main'})
        self.assertEqual({peer for peer, _ in self.mailer.heard}, {'127.0.0.9'})
        self.assertEqual(set(self.heard('EHLO')), {'EHLO main.example.net'})

    def test_never_goes_around_a_proxy(self):
        path = self.config('egress a {\n  proxy http://127.0.0.1:1\n}\n')
        run = self.expect(3, 'verify', '--config', path, 'live@d.example')
        self.assertIn('HTTP proxy 127.0.0.1:1: connection refused', run.out)
        self.assertEqual(self.mailer.heard, [])

    def test_lists_too(self):
        path = self.config('helo file.example.net\nlimits {\n  rcpts-per-connection 1\n}\n')
        run = self.expect(0, 'bulk', self.write('l.txt', 'live1@d.example\nlive2@d.example\n'), '--config', path)
        self.assertEqual(run.out.count('deliverable'), 2, run)
        self.assertEqual(set(self.heard('EHLO')), {'EHLO file.example.net'})
        self.assertGreaterEqual(len(self.heard('EHLO')), 3)
