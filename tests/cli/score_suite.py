"""`heloise score`: likelihoods told term by term, outcomes learned, and what verify makes of both.
SPDX-License-Identifier: Apache-2.0
"""
import json
import os

import rig

OUTCOMES = '''address,outcome,provider,note
anna.weber@catchall.example,delivered,,
paul.smith@catchall.example,Opened,,
lena.kurz@catchall.example,clicked,,
jdoe@catchall.example,Hard Bounce,,
zoe@y.example,soft-bounce,google,says nothing
lea@y.example,bounced,google,
'''


class Score(rig.Case):
    def score(self, *words, code=0, **options):
        return self.expect(code, 'score', '--store', 'h.db', *words, **options)

    def likelihood(self, *words):
        return [json.loads(line)['likelihood'] for line in self.score('--json', *words).out.splitlines()]

    def test_ranks(self):
        run = self.score('maria.garcia@x.example', 'xk29fj3q@x.example')
        lines = run.out.splitlines()
        self.assertRegex(lines[0], r'^0\.\d\d  maria\.garcia@x\.example$')
        self.assertRegex(lines[1], r'^      start  +a plain name has 0\.\d\d \(\+\d\.\d\d\)$')
        self.assertIn('likeness_letters    letters unlike those of names; speaks strongly against it (-', run.out)
        found = self.likelihood('maria.garcia@x.example', 'info@x.example', 'asdfgh@x.example', 'xk29fj3q@x.example')
        self.assertGreater(found[0], found[1])
        self.assertGreater(found[1], 0.3)
        self.assertLess(max(found[2:]), 0.15)

    def test_json(self):
        record = json.loads(self.score('--json', 'mgarcia@x.example').out)
        self.assertEqual(set(record), {'email', 'likelihood', 'start', 'pattern', 'terms', 'model_date'})
        self.assertEqual(record['pattern'], 'flast')
        for term in record['terms']:
            self.assertEqual(set(term), {'code', 'weight', 'detail'})

    def test_not_ascii(self):
        self.assertIsNone(json.loads(self.score('--json', 'jörg@x.example').out)['likelihood'])
        self.assertIn('not weighed', self.score('jörg@x.example').out)

    def test_no_address(self):
        run = self.score('maria@x.example', 'no address', 'anna@x.example', code=65)
        self.assertEqual(len([line for line in run.out.splitlines() if not line.startswith(' ')]), 2)
        self.assertIn("'no address' is no address: column 3", run.err)

    def test_usage(self):
        for words in ((), ('learn',), ('learn', 'a', 'b'), ('--nonsense',)):
            with self.subTest(words=words):
                self.score(*words, code=64)

    def test_a_domain_is_corrected_by_outcomes(self):
        self.write('log.csv', OUTCOMES)
        names = 'maria.garcia@catchall.example', 'mgarcia@catchall.example'
        before = self.likelihood(*names)
        run = self.score('learn', 'log.csv')
        self.assertEqual(run.out, 'learned 5 outcomes: 3 alive, 2 gone; 1 said nothing of a mailbox, '
                                  '0 could not be used\n')
        after = self.likelihood(*names)
        self.assertGreater(after[0], before[0])
        self.assertLess(after[1], after[0])
        out = self.score(names[0]).out
        self.assertIn('3 of 3 known addresses there are made so: first.last; speaks', out)
        self.assertIn('of 4 seen at this domain 3 were alive', out)
        self.score('learn', 'log.csv')  # the same again is the same
        self.assertEqual(self.likelihood(*names), after)
        self.expect(0, 'store', 'erase', '--store', 'h.db', 'jdoe@catchall.example')
        self.assertIn('of 3 seen at this domain 3 were alive', self.score(names[0]).out)

    def test_bounces_pull_down(self):
        name = 'petra.lang@x.example'
        last, = self.likelihood(name)
        for given in ('anna.kern', 'paul.kern', 'lena.kern'):
            self.score('learn', '-', text=f'email,outcome\n{given}@x.example,bounced\n')
            now, = self.likelihood(name)
            self.assertLess(now, last)
            last = now

    def test_a_provider_is_corrected(self):
        before, = self.likelihood('maria.garcia@gmail.com')
        self.score('learn', '-', text='email,outcome\nanna.weber@gmail.com,bounced\npaul.kurz@gmail.com,bounced\n')
        run = self.score('petra.lang@googlemail.com')
        self.assertLess(self.likelihood('maria.garcia@gmail.com')[0], before)
        self.assertIn('provider_outcomes', run.out)

    def test_rows_that_cannot_be_used(self):
        run = self.score('learn', '--json', '-', code=65,
                         text='email,outcome\nanna@x.example,delivered\nfoo,bounced\nbar@x.example,what\n')
        self.assertEqual(json.loads(run.out), {'alive': 1, 'gone': 0, 'silent': 0, 'unused': 2})
        self.assertIn('line 3: this is no address', run.err)
        self.assertIn('line 4: this outcome is not known', run.err)

    def test_no_list(self):
        self.assertIn("no column 'outcome'", self.score('learn', '-', text='email\na@x.example\n', code=65).err)
        self.assertIn('cannot be opened', self.score('learn', 'missing.csv', code=66).err)

    def test_a_broken_model(self):
        folder = self.path('data')
        os.mkdir(folder)
        for kind in ('providers', 'rules', 'lists'):
            os.symlink(os.path.join(rig.Settings.data, kind), os.path.join(folder, kind))
        os.mkdir(os.path.join(folder, 'score'))
        self.write('data/score/likeness.model', 'version 9\n')
        run = self.score('--data', folder, 'maria@x.example', code=65)
        self.assertEqual(run.out, '')
        self.assertIn('score/likeness.model:1: ', run.err)


class Verified(rig.Case):
    @classmethod
    def setUpClass(cls):
        cls.village = rig.Village()

    @classmethod
    def tearDownClass(cls):
        if cls.village.close() != 0:
            raise AssertionError('the village did not end well')

    def records(self, *addresses):
        run = self.heloise('verify', *self.village.options, '--json', '--fresh', '--store', 'h.db', *addresses)
        return [json.loads(line) for line in run.out.splitlines()]

    def test_a_catch_all_domain_is_ranked(self):
        names = 'maria.garcia', 'info', 'asdfgh', 'xk29fj3q'
        records = self.records(*(f'{name}@catchall.example' for name in names))
        self.assertEqual({(r['status'], r['sub_status'], r['confidence']) for r in records},
                         {('risky', 'catch_all', records[0]['confidence'])})
        scores = {record['local']: record['score'] for record in records}
        self.assertGreater(scores['maria.garcia'], scores['info'])
        self.assertGreater(scores['info'], scores['asdfgh'] + 20)
        self.assertGreater(scores['info'], scores['xk29fj3q'] + 20)
        for record in records:
            self.assertEqual(record['score'], sum(reason['effect'] for reason in record['reasons']))
            self.assertTrue(15 <= record['score'] <= 79)
            self.assertIn('likelihood', [reason['code'] for reason in record['reasons']])

    def test_plain_answers_have_no_likelihood(self):
        for record in self.records('jane@plain.example', 'ghost@plain.example', 'carla@blocked.example'):
            self.assertNotIn('likelihood', [reason['code'] for reason in record['reasons']])

    def test_what_was_learned_counts(self):
        self.write('log.csv', OUTCOMES)
        before, = self.records('petra.lang@catchall.example')
        self.expect(0, 'score', '--store', 'h.db', 'learn', 'log.csv')
        after, = self.records('petra.lang@catchall.example')
        self.assertEqual(after['status'], before['status'])
        self.assertGreater(after['score'], before['score'])
        details = {reason['code']: reason['detail'] for reason in after['reasons']}
        self.assertIn('3 of 3 known addresses', details['domain_pattern'])
        self.assertIn('of 4 seen at this domain', details['domain_outcomes'])
