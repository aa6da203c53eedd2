"""The endpoints of Reacher, ZeroBounce, Kickbox and NeverBounce, byte by byte: what their clients never send, and in whose
words it is refused.

SPDX-License-Identifier: Apache-2.0
"""
import re
import sys
import time
import unittest
import urllib.parse

from service import PATIENCE_S, ROOT, fetch

sys.path[:0] = [str(ROOT / 'tests/http'), str(ROOT / 'tests/cli')]

from client import Schema

GOOD, GONE, ANY = 'jane@plain.example', 'g.fischer@plain.example', 'anna@catchall.example'
LONG = 'a' * 1030 + '@plain.example'
HOOK = 'https://receiver.example/hook'
HOOKS_REFUSED = [
    ('a webhook that is a text', HOOK),
    ('a webhook that is a list', [HOOK]),
    ('its part is a text', {'on_each_email': HOOK}),
    ('no URL', {'on_each_email': {}}),
    ('an empty URL', {'on_each_email': {'url': ''}}),
    ('a URL that is a number', {'on_each_email': {'url': 7}}),
    ('a long URL', {'on_each_email': {'url': HOOK + 'a' * 1100}}),
    ('no HTTP', {'on_each_email': {'url': 'ftp://receiver.example/'}}),
    ('a private address', {'on_each_email': {'url': 'http://10.0.0.1/'}}),
    ('this machine', {'on_each_email': {'url': 'http://[::1]/'}}),
    ('clouds\' data', {'on_each_email': {'url': 'http://169.254.169.254/latest'}}),
    ('a password in it', {'on_each_email': {'url': 'https://user:word@receiver.example/'}}),
    ('headers in a list', {'on_each_email': {'url': HOOK, 'headers': ['X-Key: a']}}),
    ('a header that is a number', {'on_each_email': {'url': HOOK, 'headers': {'X-Key': 7}}}),
    ('a host', {'on_each_email': {'url': HOOK, 'headers': {'Host': 'inside.example'}}}),
    ('a length', {'on_each_email': {'url': HOOK, 'headers': {'content-length': '0'}}}),
    ('an encoding', {'on_each_email': {'url': HOOK, 'headers': {'Transfer-Encoding': 'chunked'}}}),
    ('our signature', {'on_each_email': {'url': HOOK, 'headers': {'webhook-signature': 'v1,x'}}}),
    ('two lines', {'on_each_email': {'url': HOOK, 'headers': {'X-Key': 'a\r\nHost: b'}}}),
    ('a name of two lines', {'on_each_email': {'url': HOOK, 'headers': {'X-Key: a\r\nHost': 'b'}}}),
    ('many headers', {'on_each_email': {'url': HOOK, 'headers': {f'X-{number}': 'a' for number in range(9)}}}),
    ('long headers', {'on_each_email': {'url': HOOK, 'headers': {'X-Key': 'a' * 2048}}}),
    ('much beside it', {'on_each_email': {'url': HOOK, 'extra': 'a' * 4095}}),
]


def query(path, **arguments):
    return f'{path}?{urllib.parse.urlencode(arguments)}'


class DropIn(unittest.TestCase):
    longMessage = True

    @classmethod
    def setUpClass(cls):
        cls.schema = Schema(fetch('/openapi.json')[2])

    def described(self, method, target, status):
        """The schema of an answer."""
        path = re.sub(r'/bulk/[^/]+', '/bulk/{id}', target.partition('?')[0])
        answers = self.schema.document['paths'][path][method.lower()]['responses']
        return self.schema.resolve(answers[str(status)])['content']['application/json']['schema']

    def check(self, status, target, method='GET', body=None, headers=None):
        found, heads, value = fetch(target, method, body, headers)
        self.assertEqual(found, status, value)
        self.assertEqual(heads['Content-Type'], 'application/json', value)
        schema = self.described(method, target, status)
        faults = min((self.schema.faults(value, one) for one in schema.get('oneOf', [schema])), key=len)
        self.assertEqual(faults, [])
        return heads, value

    def check_refusals(self, rows, is_told):
        for name, status, *request in rows:
            with self.subTest(name):
                _, value = self.check(status, *request)
                self.assertTrue(is_told(value), value)

    def test_reacher_refusals(self):
        for path in ('/v0/check_email', '/v1/check_email'):
            self.check_refusals([
                ('no address', 400, path, 'POST', {}),
                ('an empty one', 400, path, 'POST', {'to_email': ''}),
                ('a number', 400, path, 'POST', {'to_email': 7}),
                ('a list', 400, path, 'POST', [{'to_email': GOOD}]),
                ('a long one', 400, path, 'POST', {'to_email': LONG}),
                ('no JSON', 400, path, 'POST', b'to_email=a@b.example'),
                ('two of them', 400, path, 'POST', b'{"to_email":"a@b.example","to_email":"c@b.example"}'),
                ('a deep one', 400, path, 'POST', b'[' * 9000),
                ('no text at all', 400, path, 'POST', b'\xff\xfe'),
                ('too much', 413, path, 'POST', b' ' * 20000),
            ], lambda value: list(value) == ['error'] and isinstance(value['error'], str) and value['error'])

    def test_reacher_takes_what_theirs_takes(self):
        body = {'to_email': GOOD, 'from_email': 'me@example.com', 'hello_name': 'example.com', 'smtp_port': 587,
                'proxy': {'host': 'proxy.example', 'port': 1080}, 'yahoo_verif_method': 'Smtp'}
        for kind in ('application/json', 'text/plain', 'application/json; charset=utf-8'):
            _, value = self.check(200, '/v0/check_email', 'POST', body, {'Content-Type': kind})
            self.assertEqual(value['is_reachable'], 'safe')

    def test_zerobounce_refusals(self):
        batch = '/v2/validatebatch'
        self.check_refusals([
            ('no address', 400, '/v2/validate?api_key=k'),
            ('a long one', 400, query('/v2/validate', email=LONG)),
            ('no time', 400, query('/v2/validate', email=GOOD, timeout=2)),
            ('too long a time', 400, query('/v2/validate', email=GOOD, timeout=61)),
            ('what is no time', 400, query('/v2/validate', email=GOOD, timeout='soon')),
            ('two addresses', 400, f'/v2/validate?email={GOOD}&email={GONE}'),
            ('what is not encoded', 400, '/v2/validate?email=%zz'),
            ('no batch', 400, batch, 'POST', {'api_key': 'k'}),
            ('an empty batch', 400, batch, 'POST', {'email_batch': []}),
            ('no list', 400, batch, 'POST', {'email_batch': {'email_address': GOOD}}),
            ('texts', 400, batch, 'POST', {'email_batch': [GOOD]}),
            ('one without address', 400, batch, 'POST', {'email_batch': [{'email_address': GOOD}, {}]}),
            ('too many', 400, batch, 'POST', {'email_batch': [{'email_address': GOOD}] * 201}),
            ('no JSON', 400, batch, 'POST', b'{'),
        ], lambda value: list(value) == ['error'] and value['error'])

    def test_zerobounce_batch(self):
        addresses = [GOOD, 'not an address', ANY, GONE, GOOD] * 40
        _, value = self.check(200, '/v2/validatebatch', 'POST',
                              {'api_key': 'k', 'email_batch': [{'email_address': one} for one in addresses]})
        self.assertEqual([one['address'] for one in value['email_batch']], addresses)
        self.assertEqual([one['status'] for one in value['email_batch']],
                         ['valid', 'invalid', 'catch-all', 'invalid', 'valid'] * 40)
        self.assertEqual(value['errors'], [])

    def test_kickbox_refusals(self):
        self.check_refusals([
            ('no address', 400, '/v2/verify'),
            ('an empty one', 400, '/v2/verify?email=&timeout=6000'),
            ('too long a time', 400, query('/v2/verify', email=GOOD, timeout=30001)),
            ('no number', 400, query('/v2/verify', email=GOOD, timeout='-1')),
        ], lambda value: value['success'] is False and value['message'] and len(value) == 2)

    def test_kickbox_headers_and_cached_answers(self):
        for _ in range(2):
            heads, value = self.check(200, query('/v2/verify', email=GOOD, apikey='k'))
            self.assertEqual(value['result'], 'deliverable')
            self.assertRegex(heads['X-Kickbox-Balance'], r'^\d+$')
            self.assertRegex(heads['X-Kickbox-Response-Time'], r'^\d+$')

    def test_an_answer_when_the_time_is_over(self):
        _, value = self.check(200, query('/v2/verify', email='nora@grey.example', timeout=1))
        self.assertEqual(value['result'], 'unknown')

    def test_neverbounce(self):
        for path in ('/v4/single/check', '/v4.2/single/check'):
            _, value = self.check(200, query(path, key='k', email=GONE))
            self.assertEqual((value['status'], value['result']), ('success', 'invalid'))
        self.check_refusals([
            ('no address', 200, '/v4/single/check?key=k'),
            ('none posted', 200, '/v4.2/single/check', 'POST', {'key': 'k'}),
            ('no JSON', 200, '/v4.2/single/check', 'POST', b'key=k'),
        ], lambda value: value['status'] == 'general_failure' and value['message'])

    def test_addresses_with_everything_in_them(self):
        for address in ('"a b"@plain.example', 'j\u00fcrgen@plain.example', 'a+b&c=d@plain.example', '\u202e@plain.example'):
            with self.subTest(address):
                _, value = self.check(200, query('/v2/validate', email=address))
                self.assertEqual(value['address'], address)
                _, value = self.check(200, '/v1/check_email', 'POST', {'to_email': address})
                self.assertEqual(value['input'], address)

    def test_pages_of_others_may_not_ask(self):
        """Also where the key is looked for after the body."""
        for target, method, body in (('/v2/validatebatch', 'POST', {'email_batch': [{'email_address': GOOD}]}),
                                     ('/v0/check_email', 'POST', {'to_email': GOOD}),
                                     (query('/v2/validate', email=GOOD), 'GET', None)):
            _, value = self.check(403, target, method, body, {'Origin': 'https://evil.example'})
            self.assertEqual(list(value), ['error'])

    def test_heads(self):
        status, _, body = fetch(query('/v2/verify', email=GOOD), 'HEAD')
        self.assertEqual((status, body), (200, b''))
        self.assertEqual(fetch('/v2/verify', 'POST', b'')[0], 405)

    def wait_for_job(self, number):
        end = time.monotonic() + PATIENCE_S
        while True:
            _, job = self.check(200, f'/v1/bulk/{number}')
            if job['job_status'] == 'Completed':
                return job
            self.assertEqual(job['job_status'], 'Running')
            self.assertLess(time.monotonic(), end, job)
            time.sleep(0.02)

    def test_reacher_bulk(self):
        addresses = [GOOD, GONE, 'not an address', ANY, GOOD, 'x,"heloise":{"@plain.example', 'otto@full.example']
        reachable = ['safe', 'invalid', 'invalid', 'risky', 'safe', 'invalid', 'risky']
        _, made = self.check(200, '/v1/bulk', 'POST', {'input': addresses})
        self.assertEqual(list(made), ['job_id'])
        job = self.wait_for_job(made['job_id'])
        self.assertEqual((job['job_id'], job['total_records'], job['total_processed']), (made['job_id'], 7, 7))
        self.assertEqual(job['summary'], {'total_safe': 1, 'total_risky': 2, 'total_invalid': 3, 'total_unknown': 0})
        self.assertRegex(job['created_at'], r'^\d{4}-.*Z$')
        self.assertRegex(job['finished_at'], r'^\d{4}-.*Z$')
        for query_text, rows in (('', slice(0, 7)), ('?limit=2', slice(0, 2)), ('?limit=3&offset=5', slice(5, 7)),
                                 ('?offset=7', slice(7, 7)), ('?limit=0', slice(0, 0)), ('?format=json&limit=1', slice(0, 1))):
            with self.subTest(query_text):
                _, value = self.check(200, f'/v1/bulk/{made["job_id"]}/results{query_text}')
                self.assertEqual([one['input'] for one in value['results']], addresses[rows])
                self.assertEqual([one['is_reachable'] for one in value['results']], reachable[rows])

    def test_reacher_bulk_running(self):
        _, made = self.check(200, '/v1/bulk', 'POST', {'input': ['nora@grey.example', GOOD]})
        _, job = self.check(200, f'/v1/bulk/{made["job_id"]}')
        self.assertEqual((job['job_status'], job['finished_at']), ('Running', None))
        _, value = self.check(400, f'/v1/bulk/{made["job_id"]}/results')
        self.assertEqual(value, {'error': f'Job {made["job_id"]} is still running, please try again later'})

    def test_reacher_bulk_without_a_webhook(self):
        for hook in (None, {}, {'on_each_email': None}, {'on_all': {'url': HOOK}}):
            self.check(200, '/v1/bulk', 'POST', {'input': ['not an address'], 'webhook': hook})

    def test_reacher_bulk_refusals(self):
        _, made = self.check(200, '/v1/bulk', 'POST', {'input': ['not an address']})
        self.wait_for_job(made['job_id'])
        self.check_refusals([
            ('no list', 400, '/v1/bulk', 'POST', {}),
            ('an empty one', 400, '/v1/bulk', 'POST', {'input': []}),
            ('a text', 400, '/v1/bulk', 'POST', {'input': GOOD}),
            ('numbers', 400, '/v1/bulk', 'POST', {'input': [GOOD, 7]}),
            ('too many', 400, '/v1/bulk', 'POST', {'input': ['a'] * 100001}),
            *((name, 400, '/v1/bulk', 'POST', {'input': [GOOD], 'webhook': hook}) for name, hook in HOOKS_REFUSED),
            ('no such job', 400, '/v1/bulk/1000000'),
            ('none at all', 400, '/v1/bulk/0'),
            ('no number', 400, '/v1/bulk/first/results'),
            ('a large number', 400, '/v1/bulk/99999999999999999999'),
            ('results as CSV', 400, f'/v1/bulk/{made["job_id"]}/results?format=csv'),
            ('no limit', 400, f'/v1/bulk/{made["job_id"]}/results?limit=all'),
        ], lambda value: list(value) == ['error'] and value['error'])
