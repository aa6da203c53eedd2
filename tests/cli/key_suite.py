"""`heloise key`: keys are made, listed and revoked, and no secret is ever shown twice.
SPDX-License-Identifier: Apache-2.0
"""
import hashlib
import json
import re
import sqlite3

import rig


class Keys(rig.Case):
    def key(self, *words, code=0):
        return self.expect(code, 'key', '--store', 'h.db', *words)

    def add(self, *words):
        return self.key('add', '--label', 'shop', *words).out.strip()

    def listed(self):
        return json.loads(self.key('list', '--json').out)

    def test_no_keys(self):
        self.assertEqual(self.key().out, 'no keys\n')
        self.assertEqual(self.key('list').out, 'no keys\n')
        self.assertEqual(self.listed(), [])

    def test_a_secret_is_shown_once(self):
        run = self.key('add', '--label', 'shop', '--scope', 'verify,batch', '--rate', '60/min', '--quota', '10000/day',
                       '--expires', '90d')
        self.assertRegex(run.out, r'\Ahel_[A-Za-z0-9_-]{43}\n\Z')
        self.assertRegex(run.err, r'^key 1, shop: may verify,batch; 60 requests a minute; 10000 addresses a day; '
                                  r'until \d{4}-\d\d-\d\d \d\d:\d\d UTC\n')
        self.assertIn('not shown again', run.err)
        secret = run.out.strip()
        self.assertNotIn(secret, run.err)
        with open(self.path('h.db'), 'rb') as store:
            self.assertNotIn(secret.encode(), store.read())
        with sqlite3.connect(self.path('h.db')) as store:
            digest, = store.execute('SELECT digest FROM api_key').fetchone()
        self.assertEqual(digest, hashlib.sha256(secret.encode()).digest())
        for words in ((), ('list',), ('list', '--json')):
            out = self.key(*words).out
            self.assertIn(secret[:12], out)
            self.assertNotIn(secret[:13], out)

    def test_list(self):
        secret = self.add('--scope', 'verify', '--rate', '60/min', '--quota', '10000/day', '--expires', '12h')
        self.key('add', '--label', 'büro "2"')
        first, second = self.listed()
        self.assertEqual({name: first[name] for name in ('id', 'label', 'prefix', 'state', 'scopes', 'rate_per_minute',
                                                         'quota_per_day', 'used_today', 'last_used_at', 'revoked_at')},
                         {'id': 1, 'label': 'shop', 'prefix': secret[:12], 'state': 'active', 'scopes': ['verify'],
                          'rate_per_minute': 60, 'quota_per_day': 10000, 'used_today': 0, 'last_used_at': None,
                          'revoked_at': None})
        for name in ('created_at', 'expires_at'):
            self.assertRegex(first[name], r'^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$')
        self.assertEqual((second['id'], second['label'], second['scopes'], second['rate_per_minute'],
                          second['quota_per_day'], second['expires_at']),
                         (2, 'büro "2"', ['verify', 'batch', 'read'], None, None, None))
        lines = self.key().out.splitlines()
        self.assertEqual(len(lines), 3)
        self.assertTrue(re.match(rf' +1  {secret[:12]}  active +verify +60/min +10000/day +0  -  +\d{{4}}-\d\d-\d\d  '
                                 'shop$', lines[1]), lines[1])
        self.assertTrue(re.match(r' +2  hel_\S{8}  active +verify,batch,read +- +- +0  -  +-  +büro "2"$', lines[2]),
                        lines[2])

    def test_revoke(self):
        secrets = [self.add(), self.add(), self.add()]
        self.assertIn('key 2 is revoked', self.key('revoke', '2').out)
        self.assertIn('key 3 is revoked', self.key('revoke', secrets[2][:12]).out)
        self.assertIn('key 1 is revoked', self.key('revoke', secrets[0]).out)
        self.assertIn('key 1 is revoked', self.key('revoke', '1').out)  # again
        self.assertEqual([key['state'] for key in self.listed()], ['revoked'] * 3)

    def test_revoke_needs_one_key(self):
        secret = self.add()
        other = secret[:-1] + ('A' if secret[-1] != 'A' else 'B')
        self.assertIn("no key '7'", self.key('revoke', '7', code=64).err)
        self.assertIn("there is no key 'hel_~", self.key('revoke', 'hel_~', code=64).err)
        self.assertIn('neither the number', self.key('revoke', 'shop', code=64).err)
        self.assertIn('neither the number', self.key('revoke', 'hel_', code=64).err)
        with sqlite3.connect(self.path('h.db')) as store:
            store.execute("INSERT INTO api_key(label,prefix,digest,scopes,created_at,expires_at,rate_per_minute,"
                          "quota_per_day) SELECT 'twin',prefix,x'00',scopes,created_at,0,0,0 FROM api_key")
        self.assertIn('several keys', self.key('revoke', secret[:12], code=64).err)
        self.assertIn('several keys', self.key('revoke', other, code=64).err)
        self.assertEqual([key['state'] for key in self.listed()], ['active'] * 2)

    def test_an_expired_key_is_told(self):
        self.add('--expires', '1ms')
        self.assertEqual(self.listed()[0]['state'], 'expired')

    def test_wrong_words(self):
        for words, said in ((('add',), 'needs --label'),
                            (('add', '--label', 'x', '--scope', 'verify,root'), "'root' is no scope"),
                            (('add', '--label', 'x', '--rate', '60'), "'60' is not a rate"),
                            (('add', '--label', 'x', '--quota', '10/min'), "'10/min' is not a quota"),
                            (('add', '--label', 'x', '--expires', '0d'), "'0d' is not a time"),
                            (('add', '--label', 'x', 'y'), 'one word too many'),
                            (('add', '--label', 'a\nb'), 'a label has'),
                            (('add', '--label', 'x' * 101), 'a label has'),
                            (('list', '--rate', '60/min'), 'are for add'),
                            (('revoke',), 'which key?'), (('revoke', '1', '--json'), '--json is for list'),
                            (('delete',), "'delete' is none of add, list, revoke")):
            self.assertIn(said, self.key(*words, code=64).err)

    def test_a_secret_that_nobody_saw(self):
        with open('/dev/full', 'wb') as full:
            run = self.expect(73, 'key', '--store', 'h.db', 'add', '--label', 'x', stdout=full)
        self.assertIn('revoke key 1', run.err)

    def test_the_store_of_the_configuration(self):
        self.write('heloise.conf', 'store other.db\n')
        self.expect(0, 'key', '--config', 'heloise.conf', 'add', '--label', 'x')
        self.assertIn('no keys', self.key().out)
        self.assertNotIn('no keys', self.expect(0, 'key', '--store', 'other.db').out)
        self.write('heloise.conf', 'stor other.db\n')
        self.expect(78, 'key', '--config', 'heloise.conf')
