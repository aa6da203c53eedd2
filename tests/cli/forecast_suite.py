"""`heloise forecast`: what a list will cost, told by the name service alone.
SPDX-License-Identifier: Apache-2.0
"""
import json
import os
import signal

import rig

LIST = ('id;e-mail;note\n1;live.one@d.example;x\n2;live.one@D.example;once more\n3;dead@d.example;\n'
        '4;no address;\n5;jane@gmail.com;\n6;jane@null.example;\n7;jane@nowhere.example;\n8;jane@silent.example;\n')


def records():
    return {('d.example', 15): ['mx.d.example'], ('mx.d.example', 1): ['127.0.0.1'], ('mx.d.example', 28): [],
            ('gmail.com', 15): ['gmail-smtp-in.l.google.com'],
            ('gmail-smtp-in.l.google.com', 1): ['127.0.0.1'], ('gmail-smtp-in.l.google.com', 28): [],
            ('null.example', 15): [(0, '')], ('silent.example', 15): None}


class Forecast(rig.Case):
    def mailer(self, change=None):
        mailer = rig.Mailer(records={**records(), **(change or {})})
        self.addCleanup(mailer.close)
        return mailer

    def forecast(self, mailer, *words, code=0, **options):
        run = self.expect(code, 'forecast', *mailer.options, *words, **options)
        self.assertEqual(mailer.heard, [], 'a mail server was spoken to')
        return run

    def told(self, mailer, *words, **options):
        return json.loads(self.forecast(mailer, '--json', *words, **options).out)

    def test_who_serves_it(self):
        path = self.write('list.csv', LIST)
        told = self.told(self.mailer(), path)
        listed = told['list']
        self.assertEqual((listed['rows'], listed['invalid'], listed['duplicates'], listed['addresses'],
                          listed['domains']), (8, 1, 1, 6, 5))
        self.assertEqual(listed['no_mail'], {'domains': 2, 'addresses': 2})
        self.assertEqual(listed['unanswered'], {'domains': 1, 'addresses': 1})
        rows = {row['kind']: row for row in told['served_by']}
        self.assertEqual(rows['provider']['provider'], 'google')
        self.assertEqual(rows['own_servers']['addresses'], 2)
        self.assertEqual(rows['own_servers']['slowest_site'], 'mx.d.example')
        self.assertEqual(rows['unknown']['slowest_site'], 'silent.example')
        self.assertEqual(told['total']['addresses'], 4)

    def test_table(self):
        run = self.forecast(self.mailer(), self.write('list.csv', LIST))
        self.assertRegex(run.out, r'^8 rows: 6 addresses to ask at 5 domains\n')
        self.assertRegex(run.out, r'\nGoogle +1 +1 ')
        self.assertRegex(run.out, r'\nown servers \(1\) +2 +1 ')
        self.assertRegex(run.out, r'\nIn all about 5:00, .* What takes longest: greylisting\.\n')
        self.assertNotIn('skipped', run.out)
        self.assertEqual(os.listdir(self.folder), ['list.csv'], 'something was left behind')

    def test_standard_input_and_column(self):
        text = 'a@d.example,b@gmail.com\nc@d.example,d@gmail.com\n'
        told = self.told(self.mailer(), '--column', '2', '-', text=text)
        self.assertEqual([row['provider'] for row in told['served_by']], ['google'])

    def test_without_dns(self):
        told = self.told(self.mailer({('gmail.com', 15): None}), '--no-dns', self.write('list.csv', LIST))
        self.assertEqual({row['kind']: row['domains'] for row in told['served_by']}, {'provider': 1, 'unknown': 4})
        self.assertFalse(told['assumed']['has_dns'])

    def test_limits_bind(self):
        path = self.write('list.txt', ''.join(f'live{i}@d.example\n' for i in range(1000)))
        run = self.forecast(self.mailer(), path)
        self.assertRegex(run.out, r'refusals an hour; up to \d+ skipped')
        self.assertRegex(run.out, r'With --set limits.queue-wait=\d+m all are asked, in about \d')
        # 20 refusals an hour, of 200 RCPTs and a control that are refused: 1001 of them are six shares.
        patient = self.told(self.mailer(), '--set', 'limits.queue-wait=2h', '--greylist-share', '0', path)
        total = patient['total']
        self.assertEqual((total['limit'], total['skipped']), ('refusals', 0))
        self.assertTrue(5 * 3900 <= total['time_s'] < 6 * 3900, total)
        free = self.told(self.mailer(), '--invalids-per-hour', '10000', '--greylist-share=0', path)['total']
        self.assertLess(free['time_s'], 3900)
        slower = self.told(self.mailer(), '--invalids-per-hour', '10000', '--greylist-share=0', '--rtt=2000', path)
        self.assertGreater(slower['total']['time_s'], free['time_s'])
        many = self.told(self.mailer(), '--invalid-share=50', '--set', 'limits.queue-wait=2h', path)
        self.assertGreater(many['total']['time_s'], total['time_s'])

    def test_egresses_of_the_configuration(self):
        path = self.write('list.txt', ''.join(f'live{i}@d.example\n' for i in range(300)))
        config = self.write('heloise.conf', 'egress north {\n  source-v4 127.0.0.1\n  budget 100\n}\n')
        told = self.told(self.mailer(), '--config', config, '--invalids-per-hour=10000', '--greylist-share=0',
                         '--set', 'limits.queue-wait=30h', path)
        self.assertEqual(told['total']['limit'], 'daily_budget')
        self.assertTrue(3 * 93600 <= told['total']['time_s'] < 4 * 93600, told['total'])

    def test_what_the_store_knows_is_free(self):
        mailer = rig.Mailer(records=records())
        self.addCleanup(mailer.close)
        path = self.write('list.txt', 'live@d.example\nlive2@d.example\n')
        store = self.path('h.db')
        self.expect(0, 'verify', *mailer.options, '--store', store, 'live@d.example')
        mailer.heard.clear()
        self.assertEqual(self.told(mailer, '--store', store, path)['list']['fresh'], 1)
        self.assertEqual(self.told(mailer, '--store', store, '--fresh', path)['list']['fresh'], 0)
        self.assertEqual(self.told(mailer, path)['list']['fresh'], 0)

    def test_no_smtp(self):
        run = self.forecast(self.mailer(), '--no-smtp', self.write('list.csv', LIST))
        self.assertIn('No mail server would be asked.', run.out)

    def test_misuse(self):
        mailer = self.mailer()
        for words in (['--invalid-share=101'], ['--invalid-share=-1'], ['--invalid-share=nan'], ['--invalid-share=0x5'],
                      ['--rtt=0'], ['--rtt=1s'], ['--greylist-share=']):
            run = self.forecast(mailer, *words, 'list.txt', code=64)
            self.assertIn(words[0].partition('=')[0], run.err)
        self.forecast(mailer, code=64)
        self.forecast(mailer, 'a', 'b', code=64)
        self.assertIn('cannot read', self.forecast(mailer, self.path('none'), code=66).err)
        self.assertIn('column', self.forecast(mailer, '--column=zz', self.write('x.csv', LIST), code=65).err)
        self.forecast(mailer, '--set', 'limits.nothing=1', self.path('x.csv'), code=64)

    def test_full_disk(self):
        with open('/dev/full', 'wb') as full:
            run = self.heloise('forecast', '--no-dns', self.write('list.csv', LIST), stdout=full)
        self.assertEqual(run.code, 73, run)

    def test_interrupt(self):
        mailer = self.mailer({('silent.example', None): []})
        process, read_all = self.on_terminal('forecast', *mailer.options,
                                             self.write('list.txt', 'a@silent.example\nb@d.example\n'))
        rig.wait_until(lambda: rig.catches(process, signal.SIGINT), 'signals are watched for')
        process.send_signal(signal.SIGINT)
        self.assertIn('stopped', read_all())
        self.assertEqual(process.wait(rig.PATIENCE_S), 130)
        self.assertEqual(mailer.heard, [])
