"""The Python client against the real service, after its own tests.

SPDX-License-Identifier: Apache-2.0
"""
import sys
import unittest

from service import ROOT, Settings

sys.path[:0] = [str(ROOT / 'clients/python'), str(ROOT / 'clients/python/tests')]

from heloise_client import Heloise, HeloiseError
from test_client import ClientTest
from test_webhook import WebhookTest

FOUND = {'jane@plain.example': 'deliverable', 'g.fischer@plain.example': 'undeliverable', 'anna@catchall.example': 'risky'}


class PythonClient(unittest.TestCase):
    def setUp(self):
        self.heloise = Heloise(Settings.base_url)

    def test_verify(self):
        answer = self.heloise.verify('jane@plain.example', timeout_ms=60000, fresh=True, transcript=True)
        self.assertNotIn('pending', answer)
        self.assertEqual(answer['status'], 'deliverable')
        self.assertTrue(any(line['line'].startswith('RCPT TO:') for line in answer['transcript']))
        self.assertTrue(self.heloise.verify('jane@plain.example')['cached'])

    def test_verify_pending(self):
        answer = self.heloise.verify('nora@grey.example', timeout_ms=100)
        self.assertTrue(answer['pending'])
        self.assertEqual(answer['status'], 'unknown')

    def test_stream(self):
        seen = list(self.heloise.verify_stream('otto@full.example', fresh=True))
        self.assertEqual(seen[-1].type, 'verdict')
        self.assertEqual(seen[-1].data['sub_status'], 'mailbox_full')
        self.assertIn('RCPT TO:<otto@full.example>', [event.data['text'] for event in seen if event.type == 'line'])

    def test_many(self):
        found = {record['email']: record['status'] for record in self.heloise.verify_many(FOUND)}
        self.assertEqual(found, FOUND)

    def test_problem(self):
        with self.assertRaises(HeloiseError) as caught:
            self.heloise.verify('')
        self.assertIn(caught.exception.status, (400, 422))
        self.assertTrue(caught.exception.problem['title'])
