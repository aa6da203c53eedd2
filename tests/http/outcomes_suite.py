"""POST /v1/outcomes: what became of messages is learned as `heloise score learn` does, with each fault told by its line; who
may tell it, what is refused, and lists that are sent again or at once.
SPDX-License-Identifier: Apache-2.0
"""
import json
import threading

import client
import rig

OUTCOMES = '/v1/outcomes'
CSV = ('Content-Type', 'text/csv')
NDJSON = ('Content-Type', 'application/x-ndjson')
FOUR = b'Email,Outcome\nanna.weber@d.example,bounced\npaul.kurz@d.example,Hard Bounce\n' \
       b'eva.lang@d.example,delivered\nuwe.klein@d.example,soft_bounce\n'
LEARNED = {'alive': 1, 'gone': 2, 'silent': 1, 'unused': 0, 'faults': []}


class Outcomes(client.Case):
    extra = ('--no-smtp', '--resolver', '127.0.0.1:1', '--store', 'h.db')

    def setUp(self):
        super().setUp()
        self.serve()
        self.schema = client.Schema(json.loads(self.ask('GET', '/openapi.json').body))

    def post(self, status, body, *headers):
        answer = self.ask('POST', OUTCOMES, body, headers or [CSV])
        self.assertEqual((answer.status, self.schema.answer_faults('POST', OUTCOMES, answer)), (status, []), answer)
        return answer.json()

    def likelihood(self, address):
        told = json.loads(self.expect(0, 'score', '--store', 'h.db', '--json', address).out)
        return told['likelihood']

    def test_learned_and_again(self):
        before = self.likelihood('maria.roth@d.example')
        self.assertEqual(self.post(200, FOUR), LEARNED)
        after = self.likelihood('maria.roth@d.example')
        self.assertLess(after, before)
        self.assertEqual(self.post(200, FOUR), LEARNED)
        self.assertEqual(self.likelihood('maria.roth@d.example'), after)
        self.post(200, FOUR.replace(b'bounced', b'delivered').replace(b'Hard Bounce', b'opened'))
        self.assertGreater(self.likelihood('maria.roth@d.example'), after)
        self.ask('DELETE', '/v1/addresses/eva.lang@d.example')
        self.assertNotEqual(self.likelihood('maria.roth@d.example'), before)

    def test_ndjson_and_providers(self):
        before = self.likelihood('maria.garcia@gmail.com')
        rows = [{'email': 'anna.weber@gmail.com', 'outcome': 'bounced'}, {'outcome': 'bounced', 'email': 'paul.kurz@gmail.com'},
                {'email': 'eva@hosted.example', 'outcome': 'bounced', 'provider': 'google_workspace'}]
        learned = self.post(200, b'\n'.join(json.dumps(row).encode() for row in rows), NDJSON)
        self.assertEqual((learned['gone'], learned['unused']), (3, 0))
        self.assertLess(self.likelihood('maria.garcia@gmail.com'), before)

    def test_rows_that_cannot_be_used(self):
        rows = b'email,outcome\nanna@x.example,delivered\nfoo,bounced\nbar@x.example,what\n' + b'no,bounced\n' * 30
        learned = self.post(200, rows)
        self.assertEqual((learned['alive'], learned['unused'], len(learned['faults'])), (1, 32, 20))
        self.assertEqual([fault['line'] for fault in learned['faults'][:3]], [3, 4, 5])
        self.assertIn('this is no address', learned['faults'][0]['detail'])
        self.assertIn('this outcome is not known', learned['faults'][1]['detail'])

    def test_refusals(self):
        for name, status, body, headers in (
                ('nothing', 422, b'', [CSV]),
                ('no outcomes', 422, b'email\na@x.example\n', [CSV]),
                ('no addresses', 422, b'outcome,when\nbounced,today\n', [CSV]),
                ('no text', 422, b'\0\1\2\3' * 100, [CSV]),
                ('JSON that is none', 422, b'{"email": ' * 3000, [NDJSON]),
                ('a workbook', 415, b'PK\3\4', [('Content-Type', 'application/octet-stream')]),
                ('JSON', 415, FOUR, [('Content-Type', 'application/json')]),
                ('no type', 415, FOUR, [('Content-Type', '')])):
            with self.subTest(name):
                self.post(status, body, *headers)
        self.assertEqual(self.ask('POST', OUTCOMES + '?colour=red', FOUR, [CSV]).status, 400)
        answer = self.ask('POST', OUTCOMES, b'email,outcome\n' + b'a@x.example,bounced\n' * 500000, [CSV])
        self.assertEqual(answer.status, 413)

    def test_deep_and_long_rows(self):
        deep = b'{"email":"a.b@x.example","outcome":"bounced","more":' + b'[' * 5000 + b']' * 5000 + b'}\n'
        learned = self.post(200, b'{"email":"anna.weber@x.example","outcome":"bounced"}\n' + deep, NDJSON)
        self.assertEqual((learned['gone'], learned['unused']), (1, 1))
        self.post(200, b'email,outcome\n' + b'a' * 2000000 + b'@x.example,bounced\nanna.weber@x.example,bounced\n')

    def test_scope(self):
        keys = {scope: self.expect(0, 'key', 'add', '--store', 'h.db', '--label', scope, '--scope', scope).out.split()[0]
                for scope in ('verify,batch,read', 'learn', 'admin')}
        rig.wait_until(lambda: self.ask('POST', OUTCOMES, FOUR, [CSV]).status == 401, 'keys are asked for')
        for scope, status in (('verify,batch,read', 403), ('learn', 200), ('admin', 200)):
            self.post(status, FOUR, CSV, ('X-Api-Key', keys[scope]))

    def test_many_at_once(self):
        rows = b'email,outcome\n' + b''.join(b'anna.weber%d@d%d.example,bounced\n' % (one, one % 7) for one in range(3000))
        found = []
        threads = [threading.Thread(target=lambda: found.append(self.post(200, rows)['gone'])) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(found, [3000] * 4)
