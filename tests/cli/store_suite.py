"""`heloise store`: info, check, backup, restore and erase, beside runs that use the store.
SPDX-License-Identifier: Apache-2.0
"""
import json
import os
import re
import sqlite3

import halfway
import rig
from halfway import ADDRESSES, table_of


class Store(rig.Case):
    def store(self, *words, code=0):
        return self.expect(code, 'store', '--store', 'h.db', *words)

    def make(self, label='old'):
        self.expect(0, 'key', '--store', 'h.db', 'add', '--label', label)

    def labels(self, name='h.db'):
        return [key['label'] for key in json.loads(self.expect(0, 'key', '--store', name, 'list', '--json').out)]

    def test_info(self):
        self.make()
        out = self.store().out
        self.assertEqual(out, self.store('info').out)
        self.assertTrue(re.match(r'store     h\.db\nbytes     \d+; 0 of them free, 0 more in its log\nschema    \d+\n'
                                 r'verdicts  0\nfacts     0\ndomains   0\njobs      0\nkeys      1\n\Z', out), out)
        told = json.loads(self.store('--json').out)
        self.assertEqual((told['keys'], told['verdicts'], told['oldest_fact_at']), (1, 0, None))

    def test_no_store(self):
        for words in ((), ('check',), ('backup', 'b.db'), ('erase', 'a@d.example')):
            self.assertIn('h.db', self.store(*words, code=66).err)
        self.assertEqual(os.listdir(self.folder), [])

    def test_backup_and_restore(self):
        self.make()
        run = self.store('backup', 'b.db')
        self.assertEqual(run.out, f'b.db: {os.path.getsize(self.path("b.db"))} bytes\n')
        self.assertIn('--force', self.store('backup', 'b.db', code=73).err)
        self.make('new')
        run = self.store('restore', 'b.db')
        aside = re.search(r'before is in (\S+)\n', run.out).group(1)
        self.assertRegex(aside, r'^h\.db\.before-\d{8}-\d{6}$')
        self.assertEqual(self.labels(), ['old'])
        self.assertEqual(self.labels(aside), ['old', 'new'])
        self.assertEqual(self.labels('b.db'), ['old'])
        self.store('backup', 'b.db', '--force')
        self.assertEqual(self.store('check').out, 'in order\n')

    def test_restore_where_nothing_was(self):
        self.make()
        os.rename(self.path('h.db'), self.path('b.db'))
        self.assertEqual(self.store('restore', 'b.db').out, 'h.db is restored from b.db\n')
        self.assertEqual(self.labels(), ['old'])

    def test_damage_is_told(self):
        self.make()
        self.store('backup', 'b.db')
        for name in ('h.db', 'b.db'):
            with open(self.path(name), 'r+b') as file:
                file.seek(3 * 8192)
                file.write(b'\x55' * 512)
        self.assertIn('damaged', self.store('check', code=65).err)
        self.assertIn('damaged', self.store('restore', 'b.db', code=66).err)
        self.write('b.db', 'no database at all, but a text that somebody wrote')
        self.store('restore', 'b.db', code=66)

    def test_wrong_words(self):
        self.make()
        for words, said in ((('backup',), 'backup needs FILE'), (('erase',), 'erase needs ADDRESS'),
                            (('check', 'x'), 'one word too many'), (('restore', 'a', 'b'), 'one word too many'),
                            (('check', '--force'), '--force is for backup'), (('check', '--json'), '--json is for'),
                            (('vacuum',), "'vacuum' is none of"), (('erase', 'no address'), 'this is no address')):
            self.assertIn(said, self.store(*words, code=64).err)

    def test_the_store_of_the_configuration(self):
        self.write('heloise.conf', 'store h.db\n')
        self.make()
        self.assertIn('keys      1', self.expect(0, 'store', '--config', 'heloise.conf').out)


    def test_prune(self):
        self.make()
        with sqlite3.connect(self.path('h.db')) as store:
            store.execute("INSERT INTO fact(place,key,domain,kind,source,detail,at) VALUES(1,'a@b','b','probe','e','',5)")
            store.execute("INSERT INTO fact(place,key,domain,kind,source,detail,at) "
                          "VALUES(1,'a@b','b','probe','e','',4102444800000)")
        self.assertIn('kept for good', self.store('prune').err)
        self.write('heloise.conf', 'retention {\n facts 30d\n verdicts 1h\n}\n')
        run = self.expect(0, 'store', '--config', 'heloise.conf', '--store', 'h.db', 'prune')
        self.assertEqual(run.out, 'deleted: 1 rows that were too old\n')
        self.assertEqual(json.loads(self.store('--json').out)['facts'], 1)
        self.expect(66, 'store', '--config', 'heloise.conf', '--store', 'other.db', 'prune')


class BesideARun(halfway.Halfway):
    def store(self, *words, code=0):
        return self.expect(code, 'store', '--store', 'h.db', *words)

    def test_backup_while_a_run_goes_on(self):
        process = self.begin()
        self.store('backup', 'b.db')
        self.assertIn('somebody uses the store', self.store('restore', 'b.db', code=75).err)
        self.assertEqual(self.store('check').out, 'in order\n')
        self.gate.set()
        self.check_complete(self.finish(process))
        self.store('restore', 'b.db')
        self.assertIn(f'stopped    {halfway.ANSWERED_FIRST}/25'.replace('    ', ' '),
                      re.sub(r' +', ' ', self.expect(0, 'jobs', '--store', 'h.db').out))

    def test_an_erased_address_is_left_out(self):
        process = self.begin()
        process.kill()
        process.wait()
        with sqlite3.connect(self.path('h.db')) as store:
            key, = store.execute("SELECT key FROM verdict WHERE status='deliverable' LIMIT 1").fetchone()
        address = key.split(' ')[0]
        out = self.store('erase', address).out
        self.assertIn('erased: 1 verdicts, 1 facts, ', out)
        self.assertIn('taken out of them too', out)
        self.assertEqual(json.loads(self.store('erase', address, '--json').out),
                         {'verdicts': 0, 'facts': 0, 'items': 0, 'results': 0, 'signals': 0, 'webhooks': 0,
                          'log_clean': True})
        self.gate.set()
        run = self.heloise(*self.words)
        self.assertEqual(run.code, 0, run)
        rows = table_of(self.read('out file.csv'))
        self.assertEqual([row['email'] for row in rows], ADDRESSES)
        self.assertEqual({row['email'] for row in rows if not row['status']},
                         {email for email in ADDRESSES if email == address})
