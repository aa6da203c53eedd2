"""Keys of the real service in the hands of our client and of others' clients.

SPDX-License-Identifier: Apache-2.0
"""
import sys
import unittest
import urllib.parse

from service import ROOT, Settings, fetch, served

sys.path.insert(0, str(ROOT / 'clients/python'))

from heloise_client import Heloise, HeloiseError

GOOD = 'jane@plain.example'


def query(path, **arguments):
    return f'{path}?{urllib.parse.urlencode(arguments)}'


class Keys(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.keys = {'usual': ['--label', 'usual'], 'reader': ['--label', 'reader', '--scope', 'read'],
                    'admin': ['--label', 'admin', '--scope', 'admin'], 'slow': ['--label', 'slow', '--rate', '1/min']}
        cls.service = served(keys=cls.keys)
        cls.before, Settings.base_url = Settings.base_url, cls.service.__enter__()

    @classmethod
    def tearDownClass(cls):
        Settings.base_url = cls.before
        cls.service.__exit__(None, None, None)

    def refusal(self, key, call):
        with self.assertRaises(HeloiseError) as caught:
            call(Heloise(Settings.base_url, key, retry_wait_max_s=0))
        return caught.exception

    def test_our_client(self):
        heloise = Heloise(Settings.base_url, self.keys['usual'])
        self.assertEqual(heloise.verify(GOOD)['status'], 'deliverable')
        batch = heloise.create_batch(f'{GOOD}\n', filename='a.txt')
        self.assertEqual(heloise.wait_for_batch(batch['id'], poll_s=0.05)['state'], 'done')
        self.assertEqual([row['heloise']['status'] for row in heloise.results(batch['id'])], ['deliverable'])

    def test_refusals_of_our_client(self):
        rows = [(None, 401), ('hel_none', 401), (self.keys['reader'], 403)]
        for key, status in rows:
            with self.subTest(key):
                self.assertEqual(self.refusal(key, lambda heloise: heloise.verify(GOOD)).status, status)
        self.assertEqual(self.refusal(self.keys['reader'], lambda heloise: heloise.create_batch('a\n')).status, 403)

    def test_too_often(self):
        heloise = Heloise(Settings.base_url, self.keys['slow'])
        heloise.verify(GOOD)
        error = self.refusal(self.keys['slow'], lambda heloise: heloise.verify(GOOD))
        self.assertEqual(error.status, 429)
        self.assertGreater(error.retry_after_s, 0)

    def test_erasure(self):
        address = 'li@full.example'
        Heloise(Settings.base_url, self.keys['usual']).verify(address)
        self.assertEqual(self.refusal(self.keys['usual'], lambda heloise: heloise.erase(address)).status, 403)
        Heloise(Settings.base_url, self.keys['admin']).erase(address)
        history = Heloise(Settings.base_url, self.keys['usual']).history(address)
        self.assertEqual(history['history'], [])

    def test_others_clients(self):
        good, reader = self.keys['usual'], self.keys['reader']
        post = {'to_email': GOOD}
        rows = [
            (200, '/v0/check_email', 'POST', post, {'Authorization': good}),
            (200, '/v1/check_email', 'POST', post, {'X-Reacher-Secret': good}),
            (401, '/v1/check_email', 'POST', post, {'Authorization': 'test_api_token'}),
            (403, '/v1/check_email', 'POST', post, {'Authorization': reader}),
            (200, '/v1/bulk', 'POST', {'input': [GOOD]}, {'Authorization': good}),
            (403, '/v1/bulk', 'POST', {'input': [GOOD]}, {'Authorization': reader}),
            (200, query('/v2/validate', api_key=good, email=GOOD)),
            (403, query('/v2/validate', api_key='bad', email=GOOD)),
            (200, '/v2/validatebatch', 'POST', {'api_key': good, 'email_batch': [{'email_address': GOOD}]}),
            (403, '/v2/validatebatch', 'POST', {'api_key': 'bad', 'email_batch': [{'email_address': GOOD}]}),
            (200, query('/v2/verify', email=GOOD), 'GET', None, {'Authorization': f'token {good}'}),
            (200, query('/v2/verify', email=GOOD, apikey=good)),
            (403, query('/v2/verify', email=GOOD, apikey='bad')),
        ]
        for status, *request in rows:
            with self.subTest(request):
                found, _, value = fetch(*request)
                self.assertEqual(found, status, value)
        for key, word in ((good, 'success'), ('bad', 'auth_failure')):
            _, _, value = fetch('/v4.2/single/check', 'POST', {'key': key, 'email': GOOD})
            self.assertEqual(value['status'], word)

    def test_a_job_is_its_keys(self):
        _, _, made = fetch('/v1/bulk', 'POST', {'input': [GOOD]}, {'Authorization': self.keys['usual']})
        job = f'/v1/bulk/{made["job_id"]}'
        self.assertEqual(fetch(job, headers={'Authorization': self.keys['usual']})[0], 200)
        self.assertEqual(fetch(job, headers={'Authorization': self.keys['admin']})[0], 400)
