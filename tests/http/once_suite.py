"""Idempotency-Key of uploads: sent again, a list is not a second batch, and its answer is the first one, whatever was killed
between; another request under the key is refused, and so is one while the first is under way.
SPDX-License-Identifier: Apache-2.0
"""
import json
import random
import time

import client
import rig

BATCHES = '/v1/batches'
CSV = ('Content-Type', 'text/csv')
LIST = b'email\nreal1@d.invalid\n'
KILLS = 8
WORK_S = 0.05  # about as long as an upload takes; kills fall into it


def form(boundary, list_=LIST, label='spring'):
    return (f'--{boundary}\r\nContent-Disposition: form-data; name="label"\r\n\r\n{label}\r\n--{boundary}\r\n'
            'Content-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n').encode() + list_ + \
        f'\r\n--{boundary}--\r\n'.encode()


class Once(client.Case):
    extra = ('--no-smtp', '--resolver', '127.0.0.1:1', '--store', 'h.db')

    def setUp(self):
        super().setUp()
        self.process = self.serve()
        self.schema = client.Schema(json.loads(self.ask('GET', '/openapi.json').body))

    def upload(self, key, body=LIST, status=202, query='', kind='text/csv', headers=()):
        target = BATCHES + query
        answer = self.ask('POST', target, body, [('Content-Type', kind), ('Idempotency-Key', key), *headers])
        self.assertEqual((answer.status, self.schema.answer_faults('POST', target, answer)), (status, []), answer)
        return answer

    def batches(self, headers=()):
        return [batch['id'] for batch in self.ask('GET', BATCHES, headers=headers).json()['batches']]

    def restart(self):
        self.process.kill()
        self.process.wait()
        self.process = self.serve()

    def begin(self, key, total=1000):
        """An upload that stops in the middle; its line."""
        line = self.line()
        line.send(b'POST /v1/batches HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/csv\r\n'
                  + f'Idempotency-Key: {key}\r\nContent-Length: {total}\r\n\r\n'.encode() + LIST)
        folder = self.folder / 'h.db.batches'
        rig.wait_until(lambda: any(folder.glob('*.part')), 'it is under way')
        return line

    def test_the_same_answer(self):
        first = self.upload('one')
        again = self.upload('one')
        self.assertEqual((first.body, first.headers['location']), (again.body, again.headers['location']))
        self.assertEqual(self.upload('"one"').body, first.body)
        self.restart()
        self.assertEqual(self.upload('one').body, first.body)
        self.assertEqual(self.batches(), [first.json()['id']])
        self.assertEqual(list((self.folder / 'h.db.batches').glob('*.part')), [])
        self.assertNotEqual(self.upload('two').json()['id'], first.json()['id'])

    def test_another_request(self):
        first = self.upload('one')
        for name, given in (('longer', {'body': LIST + b'real2@d.invalid\n'}),
                            ('as long', {'body': LIST.replace(b'1', b'2')}), ('query', {'query': '?label=a'}),
                            ('type', {'kind': 'text/plain'})):
            with self.subTest(name):
                self.assertIn('Idempotency-Key', self.upload('one', status=422, **given).json()['detail'])
        for key in ('""', 'x' * 256, 'b\xc3\xbcro'):
            self.upload(key, status=400)
        self.assertEqual(self.batches(), [first.json()['id']])

    def test_a_form(self):
        kind = 'multipart/form-data; boundary='
        first = self.upload('one', form('aaa'), kind=kind + 'aaa')
        self.assertEqual(self.upload('one', form('bbb'), kind=kind + 'bbb').body, first.body)
        self.upload('one', form('aaa', label='autumn'), status=422, kind=kind + 'aaa')
        self.upload('one', form('aaa', label='summer'), status=422, kind=kind + 'aaa')
        self.assertEqual(self.batches(), [first.json()['id']])

    def test_what_was_refused_may_be_sent_again(self):
        self.upload('one', b'name,town\nJane,Oslo\n', status=422)
        self.upload('one')

    def test_under_way(self):
        line = self.begin('one', len(LIST) + 1)
        self.upload('one', LIST + b'\n', status=409)
        self.upload('one', status=422)
        line.send(b'\n')
        self.assertEqual(line.answer().status, 202)
        self.upload('one', LIST + b'\n')
        self.assertEqual(len(self.batches()), 1)

    def test_who_went_may_come_again(self):
        self.begin('one', len(LIST) + 1).close()
        body = LIST + b'\n'
        rig.wait_until(lambda: self.ask('POST', BATCHES, body, [CSV, ('Idempotency-Key', 'one')]).status == 202,
                       'the key is free')
        self.begin('two', len(LIST) + 1)
        self.restart()
        self.upload('two', body)
        self.assertEqual(len(self.batches()), 2)

    def test_each_key_has_its_own(self):
        ours, theirs = ([('X-Api-Key', self.expect(0, 'key', 'add', '--store', 'h.db', '--label', label).out.split()[0])]
                        for label in ('a', 'b'))
        rig.wait_until(lambda: self.ask('GET', BATCHES).status == 401, 'keys are asked for')
        first, other = self.upload('one', headers=ours).json()['id'], self.upload('one', headers=theirs).json()['id']
        self.assertNotEqual(first, other)
        self.assertEqual((self.batches(ours), self.batches(theirs)), ([first], [other]))

    def test_kills_at_any_moment(self):
        """Whoever repeats until 202 has one batch, and what was once acknowledged stays."""
        chance = random.Random(5)
        for turn in range(KILLS):
            line = self.line()
            line.send(client.request('POST', BATCHES, LIST, [CSV, ('Idempotency-Key', f'turn {turn}')]))
            time.sleep(chance.random() * WORK_S)
            self.restart()
            try:
                answer = line.answer()
            except ConnectionError:
                answer = None
            again = self.upload(f'turn {turn}')
            if answer is not None:
                self.assertEqual(answer.body, again.body)
            self.assertEqual(len(self.batches()), turn + 1)
