"""`heloise lists`: what is on which list and why, own entries, updates with proof, and the way back.
SPDX-License-Identifier: Apache-2.0
"""
import base64
import hashlib
import http.server
import json
import os
import subprocess
import threading

import rig


class Lists(rig.Case):
    def lists(self, *words, code=0):
        return self.expect(code, 'lists', '--lists', self.path('own'), *words)

    def look(self, word):
        return json.loads(self.lists('test', word, '--json').out)

    def is_disposable(self, address):
        run = self.heloise('verify', '--json', '--no-smtp', '--no-store', '--resolver', '127.0.0.1:9', '--lists',
                           self.path('own'), '--timeout', '1', address)
        return json.loads(run.out)['flags']['is_disposable']

    def test_show(self):
        shown = {entry['list']: entry for entry in json.loads(self.lists('show', '--json').out)}
        self.assertEqual(list(shown), ['disposable', 'disposable-wildcard', 'free', 'popular', 'roles', 'tlds',
                                       'providers', 'blocklists'])
        self.assertGreater(shown['disposable']['entries'], 100000)
        self.assertEqual(shown['roles']['licence'], 'MIT')
        self.assertIn('tlds 1.', shown['tlds']['source'])
        self.assertRegex(self.lists('show', 'roles').out, r'\Aroles: \d+ entries, \d+ bytes, as shipped\n')
        self.lists('show', 'nonsense', code=64)

    def test_the_entry_that_decided(self):
        found = self.look('x@sub.mailinator.com')
        self.assertTrue(found['is_disposable'])
        match = found['matches'][0]
        self.assertEqual((match['list'], match['entry'], match['is_own']), ('disposable', 'mailinator.com', False))
        with open(match['file'], encoding='utf-8') as file:
            self.assertEqual(file.read().splitlines()[match['line'] - 1], 'mailinator.com')
        self.assertEqual(self.look('gmial.com')['did_you_mean'], 'gmail.com')
        self.assertEqual([m['list'] for m in self.look('postmaster@plain.example')['matches']], ['roles'])
        self.assertIn('disposable           mailinator.com  ', self.lists('test', 'mailinator.com').out)
        self.lists('test', 'no domain', code=65)

    def test_own_entries_count_everywhere(self):
        self.assertFalse(self.is_disposable('a@throw.example'))
        self.assertIn('is an entry of yours now', self.lists('add', 'disposable', 'Throw.Example').out)
        self.assertIn('was on the list', self.lists('add', 'disposable', 'throw.example').out)
        self.assertTrue(self.is_disposable('a@sub.throw.example'))
        match = self.look('throw.example')['matches'][0]
        self.assertEqual((match['file'], match['line'], match['is_own']), (self.path('own/disposable.own'), 2, True))
        self.assertIn('no entry of yours any more', self.lists('remove', 'disposable', 'throw.example').out)
        self.assertIn('was not on the list', self.lists('remove', 'disposable', 'throw.example').out)
        self.assertFalse(self.is_disposable('a@throw.example'))

    def test_what_is_taken_out_stays_out(self):
        self.assertIn('is taken out', self.lists('remove', 'disposable', 'mailinator.com').out)
        found = self.look('sub.mailinator.com')
        self.assertFalse(found['is_disposable'])
        self.assertTrue(found['matches'][0]['is_exception'])
        self.assertFalse(self.is_disposable('a@mailinator.com'))
        self.assertEqual(json.loads(self.lists('show', 'disposable', '--json').out)[0]['removed'], 1)
        self.assertIn('counts again', self.lists('add', 'disposable', 'mailinator.com').out)
        self.assertTrue(self.look('mailinator.com')['is_disposable'])
        self.lists('remove', 'disposable', 'good.mailinator.com')
        self.assertFalse(self.look('good.mailinator.com')['is_disposable'])
        self.assertTrue(self.look('bad.mailinator.com')['is_disposable'])

    def test_entries_must_be_entries(self):
        for word in ('nodot', 'a b.example', '-.example', '!x.example', 'x' * 300 + '.example', '[192.0.2.1]'):
            self.lists('add', '--', 'free', word, code=65)
        self.lists('add', 'roles', 'a@b', code=65)
        self.lists('add', 'roles', 'Zzkantoor')
        self.assertIn('zzkantoor\n', self.read('own/roles.own'))
        self.assertFalse(os.path.exists(self.path('own/free.own')))

    def test_a_wrong_file_is_told_with_its_line(self):
        os.mkdir(self.path('own'))
        self.write('own/free.own', 'good.example\nTwo Words\n')
        run = self.lists('test', 'example.com', code=65)
        self.assertIn(self.path('own/free.own') + ':2:', run.err)

    def test_extract_and_score_heed_them(self):
        text = self.write('text', 'a@b.zzhouse and zzkantoor@plain.example')
        self.assertNotIn('zzhouse', self.expect(0, 'extract', '--no-config', text).out)
        self.lists('add', 'tlds', 'zzhouse')
        self.assertIn('a@b.zzhouse', self.expect(0, 'extract', '--lists', self.path('own'), text).out)

        def says(*words):
            return self.expect(0, 'score', '--store', self.path('score.db'), *words, 'zzkantoor@plain.example').out
        before = says()
        self.lists('add', 'roles', 'zzkantoor')
        self.assertNotEqual(says('--lists', self.path('own')), before)

    def test_folders_are_made(self):
        self.expect(0, 'lists', '--lists', self.path('some/where/else'), 'add', 'free', 'ours.example')
        self.assertIn('ours.example', self.read('some/where/else/free.own'))

    def test_beside_the_configuration(self):
        config = self.write('heloise.conf', 'helo mx.example\n')
        self.expect(0, 'lists', '--config', config, 'add', 'free', 'ours.example')
        self.assertIn('ours.example\n', self.read('lists/free.own'))


class Books(rig.Case):
    """Providers and block lists: newer data over ours, checked before it counts."""

    def lists(self, *words, code=0):
        return self.expect(code, 'lists', '--lists', self.path('own'), *words)

    def update(self, name, text, code=0):
        path = self.write(name + '.conf', text)
        digest = hashlib.sha256(text.encode()).hexdigest()
        return self.lists('update', '--from', path, '--sha256', digest, code=code)

    def book(self, name):
        return json.loads(self.lists('show', name, '--json').out)[0]

    def provider(self, domain):
        return json.loads(self.lists('test', domain, '--json').out)['provider']

    def test_providers(self):
        self.assertEqual(self.provider('gmail.com')['name'], 'google')
        self.assertIsNone(self.provider('ours.example'))
        before = self.book('providers')
        self.assertFalse(before['is_updated'])
        self.assertIn('updated by you', self.update('providers', 'provider google\n  domain ours.example\n').out)
        found = self.provider('ours.example')
        self.assertEqual(found['name'], 'google')
        after = self.book('providers')
        self.assertEqual((after['is_updated'], after['entries'], after['own']), (True, before['entries'], 1))
        self.lists('rollback', 'providers')
        self.assertIsNone(self.provider('ours.example'))

    def test_block_lists(self):
        with open(os.path.join(rig.Settings.data, 'blocklists', 'domain.conf'), encoding='utf-8') as file:
            text = file.read()
        before = self.book('blocklists')
        self.update('blocklists', text)
        after = self.book('blocklists')
        self.assertTrue(after['is_updated'])
        self.assertLess(after['entries'], before['entries'])
        self.lists('rollback', 'blocklists')
        self.assertEqual(self.book('blocklists')['entries'], before['entries'])

    def test_what_is_wrong_changes_nothing(self):
        for name, text in (('providers', 'provider google\n  nonsense 1\n'), ('providers', 'domain a.example\n'),
                           ('blocklists', 'nonsense\n'), ('blocklists', '# nothing\n')):
            run = self.update(name, text, code=65)
            self.assertIn(name + '.conf', run.err)
            self.assertFalse(self.book(name)['is_updated'])
        self.lists('rollback', 'providers', code=65)
        self.lists('add', 'providers', 'a.example', code=64)


class Updates(rig.Case):
    GOOD = b'# Licence: MIT\na.example\nb.example\n'

    def lists(self, *words, code=0):
        return self.expect(code, 'lists', '--lists', self.path('own'), *words)

    def free(self, domain):
        return json.loads(self.lists('test', domain, '--json').out)['is_free']

    def update(self, data, code=0, proof=None):
        path = self.write('new.txt', data)
        words = proof if proof is not None else ['--sha256', hashlib.sha256(data).hexdigest()]
        return self.lists('update', 'free', '--from', path, *words, code=code)

    def test_update_and_back(self):
        self.update(self.GOOD)
        self.assertTrue(self.free('b.example'))
        self.assertFalse(self.free('gmail.com'))
        self.update(b'c.example\n')
        self.assertTrue(self.free('c.example'))
        self.assertFalse(self.free('b.example'))
        self.lists('rollback', 'free')
        self.assertTrue(self.free('b.example'))
        self.lists('rollback', 'free')
        self.assertTrue(self.free('c.example'))
        shown = json.loads(self.lists('show', 'free', '--json').out)[0]
        self.assertTrue(shown['is_updated'] and shown['has_former'])
        self.assertIn('hash checked', shown['date'])

    def test_back_to_ours(self):
        self.lists('rollback', 'free', code=65)
        self.update(self.GOOD)
        self.lists('rollback', 'free')
        self.assertTrue(self.free('gmail.com'))
        self.lists('rollback', 'free')
        self.assertTrue(self.free('a.example'))

    def test_what_is_wrong_changes_nothing(self):
        self.update(self.GOOD)
        before = self.read('own/free.txt')
        for data in (b'', b'# nothing\n', b'ok.example\n<html>\n', b'UPPER.example\n', b'a.example\nnodot\n',
                     b'a.example\n\0\n', b'!a.example\n', b'\xff\xfe.example\n'):
            run = self.update(data, code=65)
            self.assertIn('nothing was changed', run.err)
        run = self.update(self.GOOD, code=65, proof=['--sha256', '0' * 64])
        self.assertIn('its SHA-256 is ' + hashlib.sha256(self.GOOD).hexdigest(), run.err)
        self.update(self.GOOD, code=64, proof=[])
        self.assertEqual(self.read('own/free.txt'), before)
        self.update(b'x.example\n' * 1600000, code=73)
        self.update(self.GOOD, proof=['--unchecked'])

    def test_signature(self):
        def openssl(*words):
            subprocess.run(['openssl', *words], check=True, capture_output=True, cwd=self.folder)
        openssl('genpkey', '-algorithm', 'ed25519', '-out', 'secret.pem')
        openssl('pkey', '-in', 'secret.pem', '-pubout', '-out', 'key.pem')
        openssl('genpkey', '-algorithm', 'ed25519', '-out', 'other.pem')
        openssl('pkey', '-in', 'other.pem', '-pubout', '-out', 'wrong.pem')
        self.write('new.txt', self.GOOD)
        openssl('pkeyutl', '-sign', '-rawin', '-inkey', 'secret.pem', '-in', 'new.txt', '-out', 'sig')
        proof = ['--signature', self.path('sig'), '--key', self.path('key.pem')]
        self.update(self.GOOD, proof=proof)
        self.write('sig64', base64.b64encode((self.folder / 'sig').read_bytes()) + b'\n')
        self.update(self.GOOD, proof=['--signature', self.path('sig64'), '--key', self.path('key.pem')])
        self.update(self.GOOD + b'evil.example\n', code=65, proof=proof)
        self.update(self.GOOD, code=65, proof=['--signature', self.path('sig'), '--key', self.path('wrong.pem')])
        self.update(self.GOOD, code=65, proof=['--signature', self.path('new.txt'), '--key', self.path('key.pem')])
        self.update(self.GOOD, code=64, proof=['--signature', self.path('sig')])

    def test_over_http(self):
        good = self.GOOD

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = {'/free.txt': good, '/huge.txt': b'x.example\n' * 1600000}.get(self.path)
                self.send_response(200 if body else 404)
                self.end_headers()
                self.wfile.write(body or b'gone')

            def log_message(self, *_):
                pass
        server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        place = f'http://127.0.0.1:{server.server_port}'
        proof = ['--sha256', hashlib.sha256(good).hexdigest()]
        run = self.lists('update', '--from', f'{place}/free.txt', *proof, code=65)
        self.assertIn('not a public one', run.err)
        local = ['--allow-net', '127.0.0.0/8']
        self.lists('update', '--from', f'{place}/free.txt', *proof, *local)
        self.assertTrue(self.free('a.example'))
        self.lists('update', 'free', '--from', f'{place}/gone', *proof, *local, code=73)
        self.lists('update', 'free', '--from', f'{place}/huge.txt', *proof, *local, code=73)
