"""The lists over the API: what they hold, which entry decides, own entries, and that a running server hears of changes.
SPDX-License-Identifier: Apache-2.0
"""
import concurrent.futures
import contextlib
import hashlib
import json
import os
import pathlib
import signal
import threading

import client
import rig

ENTRIES = '/v1/lists/disposable/entries'
RECORDS = {('throw.example', 15): ['mx.throw.example'], ('mx.throw.example', 1): ['127.0.0.1'],
           ('mx.throw.example', 28): []}
LISTS = ['disposable', 'disposable-wildcard', 'free', 'popular', 'roles', 'tlds']


class Case(client.Case):
    def setUp(self):
        super().setUp()
        self.own = pathlib.Path(self.path('own'))
        self.extra = ['--lists', str(self.own)]

    def begin(self):
        self.process = self.serve()
        self.schema = client.Schema(json.loads(self.ask('GET', '/openapi.json').body))

    def told(self, method, target, body=None, status=200, **more):
        """Its JSON; it is as the document says."""
        answer = self.ask(method, target, body, **more)
        self.assertEqual((answer.status, self.schema.answer_faults(method, target, answer)), (status, []), answer)
        return answer.json()

    def add(self, entry, name='disposable', **more):
        return self.told('POST', f'/v1/lists/{name}/entries', {'entry': entry}, **more)

    def remove(self, entry, name='disposable', **more):
        return self.told('DELETE', f'/v1/lists/{name}/entries/{entry}', **more)

    def is_disposable(self, domain):
        return self.told('GET', f'/v1/lists/test?domain={domain}')['is_disposable']


class Lists(Case):
    def setUp(self):
        super().setUp()
        self.begin()

    def test_what_there_is(self):
        found = self.told('GET', '/v1/lists')
        self.assertTrue(found['takes_own_entries'])
        self.assertEqual([one['list'] for one in found['lists']], LISTS)
        first = found['lists'][0]
        file = pathlib.Path(rig.Settings.data, 'lists', 'disposable.txt').read_bytes()
        self.assertEqual((first['file'], first['bytes'], first['sha256'], first['is_updated']),
                         ('disposable.txt', len(file), hashlib.sha256(file).hexdigest(), False))
        self.assertGreater(first['entries'], 100000)
        self.assertNotIn(str(self.own), json.dumps(found))

    def test_the_entry_that_decides(self):
        found = self.told('GET', '/v1/lists/test?domain=Sub.Mailinator.com')
        match = found['matches'][0]
        self.assertEqual((found['domain'], found['is_disposable'], match['entry'], match['rule'], match['file']),
                         ('sub.mailinator.com', True, 'mailinator.com', 'parent', 'disposable.txt'))
        with open(os.path.join(rig.Settings.data, 'lists', match['file']), encoding='utf-8') as file:
            self.assertEqual(file.read().splitlines()[match['line'] - 1], 'mailinator.com')
        role = self.told('GET', '/v1/lists/test?address=Postmaster%2Bx@plain.example')
        self.assertEqual((role['is_role'], role['matches'][0]['list'], role['matches'][0]['rule']),
                         (True, 'roles', 'itself'))
        self.assertEqual(self.told('GET', '/v1/lists/test?domain=gmial.com')['did_you_mean'], 'gmail.com')
        provider = self.told('GET', '/v1/lists/test?domain=gmail.com')['provider']
        self.assertEqual(provider['name'], 'google')
        self.assertRegex(provider['where'], r'\Awebmail\.conf:\d+\Z')

    def test_own_entries_count_at_once(self):
        self.assertFalse(self.is_disposable('sub.throw.example'))
        self.assertEqual(self.add('Throw.Example'),
                         {'list': 'disposable', 'entry': 'throw.example', 'change': 'added'})
        self.assertEqual(self.add('throw.example')['change'], 'none')
        match = self.told('GET', '/v1/lists/test?domain=sub.throw.example')['matches'][0]
        self.assertEqual((match['entry'], match['rule'], match['file'], match['line'], match['is_own']),
                         ('throw.example', 'parent', 'disposable.own', 2, True))
        self.assertEqual(self.told('GET', ENTRIES),
                         {'list': 'disposable', 'total': 1,
                          'entries': [{'entry': 'throw.example', 'is_exception': False, 'line': 2}]})
        self.assertEqual(self.remove('throw.example')['change'], 'dropped')
        self.assertFalse(self.is_disposable('throw.example'))
        self.remove('throw.example', status=404)

    def test_one_of_ours_is_taken_out(self):
        self.assertEqual(self.remove('mailinator.com')['change'], 'removed')
        found = self.told('GET', '/v1/lists/test?domain=mailinator.com')
        self.assertEqual((found['is_disposable'], found['matches'][0]['is_exception']), (False, True))
        self.assertEqual(self.told('GET', '/v1/lists')['lists'][0]['removed'], 1)
        self.assertEqual(self.add('mailinator.com')['change'], 'restored')
        self.assertTrue(self.is_disposable('mailinator.com'))

    def test_pages_of_own_entries(self):
        for i in range(5):
            self.add(f'd{i}.example', 'free')
        page = self.told('GET', '/v1/lists/free/entries?limit=2&offset=3')
        self.assertEqual((page['total'], [one['entry'] for one in page['entries']]), (5, ['d3.example', 'd4.example']))
        self.assertEqual(self.told('GET', '/v1/lists/free/entries?offset=9')['entries'], [])

    def test_names_in_other_scripts(self):
        self.assertEqual(self.add('Bücher.example')['entry'], 'xn--bcher-kva.example')
        self.assertTrue(self.is_disposable('b%C3%BCcher.example'))
        self.assertEqual(self.remove('b%C3%BCcher.example')['change'], 'dropped')

    def test_what_is_wrong(self):
        for target in ('', '?domain=', '?domain=a.example&address=a@a.example', '?domain=a@a.example', '?address=a.example',
                       '?domain=..', '?domain=' + 'x' * 600, '?host=a.example', '?domain=a.example&domain=b.example'):
            self.told('GET', '/v1/lists/test' + target, status=400)
        for body in ({'entry': 'nodot'}, {'entry': ''}, {'entry': '!a.example'}, {'entry': 'a b.example'}, {},
                     {'entry': 1}, {'entry': 'x' * 300 + '.example'}, {'entry': 'a.example', 'more': 1}, [],
                     {'entry': 'a.example\nb.example'}, {'entry': '#a.example'}):
            found = self.told('POST', ENTRIES, body, status=422)
            self.assertEqual(found['status'], 422)
        self.assertEqual(self.told('POST', ENTRIES, {'entry': 'nodot'}, status=422)['pointer'], '/entry')
        self.told('POST', ENTRIES, b'{', status=400)
        self.told('POST', '/v1/lists/nonsense/entries', {'entry': 'a.example'}, status=404)
        self.told('POST', '/v1/lists/..%2Fx/entries', {'entry': 'a.example'}, status=404)
        self.told('GET', '/v1/lists/nonsense/entries', status=404)
        self.told('GET', ENTRIES + '?limit=0', status=400)
        self.told('GET', ENTRIES + '?limit=1001', status=400)
        self.told('GET', '/v1/lists?x=1', status=400)
        self.told('DELETE', ENTRIES + '/nodot', status=400)
        self.told('DELETE', ENTRIES + '/a.example?x=1', status=400)
        self.told('DELETE', ENTRIES + '/unlisted.example', status=404)
        self.assertEqual(self.ask('PUT', ENTRIES).status, 405)
        self.assertFalse(self.own.exists() and list(self.own.iterdir()))

    def test_a_wrong_file_beside_it(self):
        self.own.mkdir(exist_ok=True)
        (self.own / 'free.own').write_text('Two Words\n')
        found = self.add('throw.example', status=409)
        self.assertIn('free.own:1:', found['detail'])
        self.assertFalse(self.is_disposable('throw.example'))
        (self.own / 'free.own').write_text('')
        rig.wait_until(lambda: self.is_disposable('throw.example'), 'the files are read when they are right')

    def test_the_command_changes_them(self):
        self.expect(0, 'lists', '--lists', str(self.own), 'add', 'disposable', 'throw.example')
        rig.wait_until(lambda: self.is_disposable('throw.example'), 'the change is noticed')
        rig.wait_until(lambda: '"lists"' in self.log(), 'it is told')
        self.expect(0, 'lists', '--lists', str(self.own), 'remove', 'disposable', 'throw.example')
        rig.wait_until(lambda: not self.is_disposable('throw.example'), 'the change is noticed')

    def test_a_signal_reads_them(self):
        self.own.mkdir(exist_ok=True)
        (self.own / 'disposable.own').write_text('throw.example\n')
        self.process.send_signal(signal.SIGHUP)
        rig.wait_until(lambda: self.is_disposable('throw.example'), 'they are read again')


class Scopes(Case):
    def test_who_may_what(self):
        def key(scopes):
            run = self.expect(0, 'key', 'add', '--label', 'x', '--scope', scopes)
            return [('X-Api-Key', run.out.strip().splitlines()[-1].split()[-1])]
        reader, admin = key('read'), key('admin')
        self.begin()
        self.told('GET', '/v1/lists', status=401)
        self.told('GET', '/v1/lists', headers=reader)
        self.told('GET', '/v1/lists/test?domain=a.example', headers=reader)
        self.told('POST', ENTRIES, {'entry': 'a.example'}, status=403, headers=reader)
        self.told('DELETE', ENTRIES + '/mailinator.com', status=403, headers=reader)
        self.assertEqual(self.told('POST', ENTRIES, {'entry': 'a.example'}, headers=admin)['change'], 'added')


class Flags(Case):
    """Answers say what the lists say now, while many ask."""
    ASKERS = 4
    TURNS = 10

    def setUp(self):
        super().setUp()
        self.mailer = rig.Mailer(records=RECORDS)
        self.addCleanup(self.mailer.close)
        self.extra = [*self.extra, *self.mailer.options]
        self.begin()

    def flag(self, address='live1@throw.example', **more):
        return self.told('POST', '/v1/verify', {'email': address, **more})['flags']['is_disposable']

    def test_an_older_answer_is_asked_anew(self):
        self.assertFalse(self.flag())
        self.assertFalse(self.flag())
        self.assertEqual(len(self.mailer.rcpts()), 1)
        self.add('other.example')
        self.assertFalse(self.flag())
        self.assertEqual(len(self.mailer.rcpts()), 1)
        self.add('throw.example')
        self.assertTrue(self.flag())
        asked = len(self.mailer.rcpts())
        self.assertTrue(self.flag())
        self.assertEqual(len(self.mailer.rcpts()), asked)
        self.remove('throw.example')
        self.assertFalse(self.flag())

    def test_changes_under_load(self):
        is_over = threading.Event()

        def ask_on(number):
            count = 0
            while not is_over.is_set():
                with contextlib.suppress(ConnectionError):
                    self.told('POST', '/v1/verify', {'email': 'live1@throw.example', 'fresh': count % 2 == 0})
                    self.told('GET', f'/v1/lists/test?address=a{number}@throw.example')
                    self.told('POST', '/v1/extract', b'a@b.example', headers=[('Content-Type', 'text/plain')])
                    count += 1
            return count

        with concurrent.futures.ThreadPoolExecutor(self.ASKERS) as pool:
            askers = [pool.submit(ask_on, i) for i in range(self.ASKERS)]
            try:
                for _ in range(self.TURNS):
                    self.add('throw.example')
                    self.assertTrue(self.flag())
                    self.remove('throw.example')
                    self.assertFalse(self.flag())
            finally:
                is_over.set()
            self.assertTrue(all(asker.result() > 0 for asker in askers))
