"""`heloise providers`, and `--providers` of verify and bulk: a user's own file over ours.
SPDX-License-Identifier: Apache-2.0
"""
import json
import re

import rig

OWN = ('# our own values\n'
       'provider gmail\n'
       '  rcpts 50\n'
       '  traits skip -needs_tls\n'
       '  timeout rcpt 90\n'
       'provider acme\n'
       '  class business\n'
       '  mx acme.example\n')


class Check(rig.Case):
    def test_good_file(self):
        path = self.write('own.conf', OWN)
        run = self.expect(0, 'providers', 'check', path)
        self.assertEqual(run.out, f'{path}: OK: 1 provider changed, 1 added; 5 values, 1 name\n')
        self.assertEqual(run.err, '')

    def test_empty_file(self):
        path = self.write('own.conf', '# nothing\n\n')
        run = self.expect(0, 'providers', 'check', path)
        self.assertIn(': OK: 0 providers changed, 0 added; 0 values, 0 names', run.out)

    def test_all_faults_with_their_lines(self):
        path = self.write('own.conf', 'provider google\n  conections 3\n  rcpts none\n  traits skipp\n'
                          'provider gogle\n  rcpts 3\nprovider acme\n  class shop\n  rcpts=3\n')
        run = self.expect(65, 'providers', 'check', path)
        self.assertEqual(run.out, '')
        lines = run.err.splitlines()
        self.assertEqual([int(re.match(re.escape(path) + r':(\d+): ', line).group(1)) for line in lines],
                         [2, 3, 4, 5, 8, 9, 7], run)
        for number, hint in ((0, 'did you mean connections?'), (1, 'from 1 to'), (2, 'did you mean skip?'),
                             (3, 'did you mean google?'), (4, 'webmail business'), (5, 'no = here')):
            self.assertIn(hint, lines[number])

    def test_many_faults_are_bounded(self):
        path = self.write('own.conf', 'provider google\n' + 'wrong 1\n' * 5000)
        run = self.expect(65, 'providers', 'check', path)
        self.assertLess(len(run.err.splitlines()), 200)
        self.assertIn('and 4900 more faults', run.err)

    def test_files_go_over_each_other(self):
        one, two = self.write('1.conf', OWN), self.write('2.conf', 'provider acme\n connections 9\n')
        self.expect(0, 'providers', 'check', one, two)
        self.expect(65, 'providers', 'check', two)
        self.expect(0, 'providers', '--providers', one, 'check', two)

    def test_files_of_the_configuration(self):
        own = self.write('own.conf', OWN)
        wrong = self.write('wrong.conf', 'provider google\n rcpt 3\n')
        conf = self.write('h.conf', 'providers own.conf wrong.conf\n')
        run = self.expect(65, 'providers', '--config', conf, 'check')
        self.assertEqual(run.err, f'{wrong}:2: unknown key "rcpt"; did you mean rcpts?\n')
        run = self.expect(0, 'providers', '--config', conf, 'check', own)  # in their place
        self.assertTrue(run.out.startswith(f'{own}: OK: '), run)
        self.expect(64, 'providers', '--config', conf, '--no-config', 'check')

    def test_wrong_configuration(self):
        conf = self.write('h.conf', 'provider own.conf\n')
        for words in (['check', self.write('own.conf', OWN)], ['explain', 'd.example'], ['list']):
            run = self.expect(78, 'providers', '--config', conf, *words)
            self.assertEqual(run.out, '')
            self.assertIn(f'{conf}:1: ', run.err)

    def test_files_that_cannot_be_read(self):
        for path in (self.path('nowhere.conf'), str(self.folder)):
            run = self.expect(66, 'providers', 'check', path)
            self.assertIn(path, run.err)

    def test_any_bytes(self):
        path = self.write('own.conf', b'provider \xff\x00\x1b[2J\n\x1b]0;x\x07 \xfe\n"\nmx /\n' + b'x' * 100000 + b'\n')
        run = self.expect(65, 'providers', 'check', path)
        self.assertNotIn('\033', run.err)
        self.assertGreaterEqual(len(run.err.splitlines()), 3)


class Explain(rig.Case):
    def explain(self, *words):
        run = self.expect(0, 'providers', '--json', *words)
        return [json.loads(line) for line in run.out.splitlines()]

    def test_each_value_says_whose_it_is(self):
        path = self.write('own.conf', OWN)
        answer, = self.explain('--no-dns', '--providers', path, 'explain', 'gmail.com')
        self.assertEqual(answer['provider'], 'google')
        self.assertRegex(answer['entry'], r'^providers/webmail\.conf:\d+$')
        self.assertEqual(answer['by_domain']['name'], 'gmail.com')
        self.assertIsNone(answer['route'])
        self.assertEqual(answer['limits']['rcpts'], {'value': 50, 'from': f'{path}:3'})
        self.assertRegex(answer['limits']['connections']['from'], r'^providers/webmail\.conf:\d+$')
        self.assertEqual(answer['limits']['rcpt_gap_ms'], {'value': 0, 'from': 'default'})
        self.assertEqual(answer['timeouts_s']['rcpt'], {'value': 90, 'from': f'{path}:5'})
        self.assertEqual(answer['timeouts_s']['connect'], {'value': 10, 'from': 'default'})
        self.assertEqual(answer['traits'], {'skip': f'{path}:4'})

    def test_files_of_the_configuration(self):
        path = self.write('own.conf', OWN)
        words = ['--config', self.write('h.conf', 'providers own.conf\n'), '--no-dns', 'explain', 'gmail.com']
        answer, = self.explain(*words)
        self.assertEqual(answer['limits']['rcpts'], {'value': 50, 'from': f'{path}:3'})
        other = self.write('other.conf', 'provider google\n rcpts 7\n')
        answer, = self.explain('--providers', other, *words)  # in their place
        self.assertEqual(answer['limits']['rcpts'], {'value': 7, 'from': f'{other}:2'})
        self.assertNotIn('skip', answer['traits'])

    def test_text_says_the_same(self):
        path = self.write('own.conf', OWN)
        run = self.expect(0, 'providers', '--no-dns', '--providers', path, 'explain', 'gmail.com')
        self.assertRegex(run.out, r'(?m)^  provider +google: Google, webmail  \(providers/webmail\.conf:\d+\)$')
        self.assertRegex(run.out, rf'(?m)^  rcpts +50 +{re.escape(path)}:3 +recipients on one connection$')
        self.assertRegex(run.out, rf'(?m)^  timeout rcpt +90 +{re.escape(path)}:5 ')
        self.assertRegex(run.out, rf'(?m)^  skip +yes +{re.escape(path)}:4 ')

    def test_traits_imply(self):
        answer, = self.explain('--no-dns', 'explain', 'outlook.com')
        self.assertEqual(answer['limits']['rcpts_per_transaction'], {'value': 1, 'from': 'trait one_rcpt'})
        self.assertEqual(answer['limits']['connections']['value'], 1)

    def test_by_mail_servers(self):
        names = rig.Names({('d.example', 15): ['mx.acme.example'], ('mx.acme.example', 1): ['192.0.2.1'],
                           ('mx.acme.example', 28): [], ('nomail.example', 15): [], ('nomail.example', 1): [],
                           ('nomail.example', 28): []})
        self.addCleanup(names.close)
        path = self.write('own.conf', OWN)
        words = ['--providers', path, '--resolver', f'127.0.0.1:{names.port}', 'explain']
        answers = self.explain(*words, 'd.example', 'jane@D.Example', 'nowhere.example')
        for answer in answers[:2]:
            self.assertEqual((answer['domain'], answer['exchanger']), ('d.example', 'mx.acme.example'))
            self.assertEqual(answer['by_mx'], {'provider': 'acme', 'name': 'acme.example', 'from': f'{path}:8'})
            self.assertEqual((answer['provider'], answer['label']), ('acme', 'acme'))
        self.assertEqual((answers[2]['route'], answers[2]['provider']), ('not_found', 'default'))
        run = self.expect(0, 'providers', *words, 'd.example')
        self.assertRegex(run.out, rf'(?m)^  exchanger +mx\.acme\.example, by mx acme\.example  '
                         rf'\({re.escape(path)}:8\)$')

    def test_without_an_answer_the_name_tells(self):
        closed = rig.Names({})
        closed.close()
        run = self.expect(0, 'providers', '--resolver', f'127.0.0.1:{closed.port}', 'explain', 'gmail.com')
        self.assertIn('gmail.com: the name service gave no answer', run.err)
        self.assertIn('google: Google', run.out)

    def test_what_is_no_domain(self):
        for word in ('a b', 'x..example', '', 'x' * 1000):
            run = self.expect(65, 'providers', '--no-dns', 'explain', word)
            self.assertEqual(run.out, '')
            self.assertIn('domain', run.err)

    def test_names_in_other_scripts(self):
        answer, = self.explain('--no-dns', 'explain', 'bücher.example')
        self.assertEqual(answer['domain'], 'xn--bcher-kva.example')


class List(rig.Case):
    def test_all_are_listed(self):
        path = self.write('own.conf', OWN)
        run = self.expect(0, 'providers', '--providers', path, 'list')
        self.assertRegex(run.out, r'(?m)^google +webmail +Google +providers/webmail\.conf:\d+$')
        self.assertRegex(run.out, rf'(?m)^acme +business +acme +{re.escape(path)}:6$')
        rows = [json.loads(line) for line in
                self.expect(0, 'providers', '--providers', path, '--json', 'list').out.splitlines()]
        self.assertEqual(len(rows), len(run.out.splitlines()))
        google = next(row for row in rows if row['provider'] == 'google')
        self.assertEqual(google['limits']['rcpts']['value'], 50)

    def test_full_disk(self):
        with open('/dev/full', 'wb') as full:
            run = self.expect(73, 'providers', 'list', stdout=full)
            self.assertIn('writ', run.err)


class InUse(rig.Case):
    """The file is heard by the commands that ask."""

    def setUp(self):
        super().setUp()
        self.mailer = rig.Mailer()
        self.addCleanup(self.mailer.close)

    def test_skip(self):
        path = self.write('own.conf', 'provider d\n class business\n mx mx.d.example\n traits skip\n')
        words = ['--no-store', '--json', *self.mailer.options, 'live@d.example']
        run = self.expect(3, 'verify', '--providers', path, *words)
        self.assertEqual(json.loads(run.out)['sub_status'], 'skipped')
        self.assertEqual(self.mailer.heard, [])
        self.expect(0, 'verify', *words)

    def test_files_of_the_configuration(self):
        self.write('own.conf', 'provider d\n class business\n mx mx.d.example\n traits skip\n')
        conf = self.write('h.conf', 'providers own.conf\n')
        run = self.expect(3, 'verify', '--config', conf, '--no-store', '--json', *self.mailer.options, 'live@d.example')
        self.assertEqual(json.loads(run.out)['sub_status'], 'skipped')
        self.assertEqual(self.mailer.heard, [])

    def test_limit_in_bulk(self):
        path = self.write('own.conf', 'provider d\n class business\n mx mx.d.example\n connections 1\n rcpts 2\n'
                          ' gap_ms 0\n')
        listed = self.write('list.txt', ''.join(f'live{n}@d.example\n' for n in range(6)))
        self.expect(0, 'bulk', '--providers', path, '--no-store', *self.mailer.options, listed, '-o',
                    self.path('out.csv'))
        verbs = ' '.join(line[:4].upper() for _, line in self.mailer.heard)  # one line after the other
        counts = [session.count('RCPT') for session in verbs.split('EHLO')[1:]]
        self.assertEqual(max(counts), 2, verbs)
        self.assertGreaterEqual(len(counts), 3)

    def test_wrong_file(self):
        path = self.write('own.conf', 'provider google\n rcpt 3\n')
        run = self.expect(65, 'verify', '--providers', path, '--no-store', 'a@d.example')
        self.assertIn(f'{path}:2: unknown key "rcpt"; did you mean rcpts?', run.err)
        self.assertIn('heloise providers check', run.err)
        self.assertEqual(run.out, '')
