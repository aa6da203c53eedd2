"""The Python client against the real service, after its own tests.

SPDX-License-Identifier: Apache-2.0
"""
import sys
import time
import unittest

from service import PATIENCE_S, ROOT, Settings

sys.path[:0] = [str(ROOT / 'clients/python'), str(ROOT / 'clients/python/tests')]

from heloise_client import Heloise, HeloiseError
from test_client import ClientTest
from test_webhook import WebhookTest

LIST = 'name,email\nJane,jane@plain.example\nGone,g.fischer@plain.example\nAnna,anna@catchall.example\n'
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

    def test_batch(self):
        batch = self.heloise.create_batch(LIST, filename='contacts.csv', label='Spring')
        done = self.heloise.wait_for_batch(batch['id'], poll_s=0.05)
        self.assertEqual((done['state'], done['label'], done['counts']['rows']), ('done', 'Spring', 3))
        rows = list(self.heloise.results(batch['id']))
        self.assertEqual({row['email']: row['heloise']['status'] for row in rows}, FOUND)
        self.assertEqual([row['name'] for row in rows], ['Jane', 'Gone', 'Anna'])
        with self.heloise.download_results(batch['id'], status='risky') as response:
            self.assertEqual(len(response.read().splitlines()), 2)
        self.assertEqual([event.type for event in self.heloise.batch_events(batch['id'])], ['over'])
        self.assertIn(batch['id'], [one['id'] for one in self.heloise.batches(limit=100)['batches']])
        self.heloise.delete_batch(batch['id'])
        with self.assertRaises(HeloiseError) as caught:
            self.heloise.batch(batch['id'])
        self.assertEqual(caught.exception.status, 404)

    def test_orders(self):
        batch = self.heloise.create_batch('nora@grey.example\n', filename='wait.txt')
        self.assertEqual(self.heloise.pause_batch(batch['id'])['state'], 'paused')
        self.assertIn(self.heloise.resume_batch(batch['id'])['state'], ('loading', 'running'))
        self.assertEqual(self.heloise.cancel_batch(batch['id'])['state'], 'cancelled')

    def test_knowledge(self):
        self.heloise.verify('li@full.example')
        self.assertEqual(self.heloise.address('li@full.example')['sub_status'], 'accepted_forward')
        self.assertEqual(self.heloise.domain('full.example')['domain'], 'full.example')
        end = time.monotonic() + PATIENCE_S  # it is written a moment after the answer
        while not (history := self.heloise.history('li@full.example', limit=5))['history']:
            self.assertLess(time.monotonic(), end)
            time.sleep(0.02)
        self.assertEqual((history['email'], history['history'][0]['status']), ('li@full.example', 'deliverable'))

    def test_watches(self):
        batch = self.heloise.create_batch(LIST)
        self.heloise.wait_for_batch(batch['id'], poll_s=0.05)
        self.assertTrue(self.heloise.batch(batch['id'])['providers'])
        watch = self.heloise.create_watch(batch['id'], '7d', label='Weekly')
        self.assertIn(watch['id'], [one['id'] for one in self.heloise.watches(limit=100)['watches']])
        self.heloise.run_watch(watch['id'])
        end = time.monotonic() + PATIENCE_S
        while self.heloise.watch(watch['id'])['last_at'] is None:
            self.assertLess(time.monotonic(), end)
            time.sleep(0.02)
        self.assertEqual(self.heloise.watch_changes(watch['id']), {'changes': [], 'next': None})
        self.assertTrue(self.heloise.pause_watch(watch['id'])['paused'])
        self.assertFalse(self.heloise.resume_watch(watch['id'])['paused'])
        self.heloise.delete_watch(watch['id'])

    def test_webhooks(self):
        secret = self.heloise.webhook_secret('https://receiver.example/hook')
        self.assertTrue(secret.startswith('whsec_'))
        self.assertEqual(self.heloise.webhook_secret('https://receiver.example/hook'), secret)
        self.assertEqual(self.heloise.webhooks(batch_id='b_none'), {'webhooks': [], 'next': None})
        with self.assertRaises(HeloiseError):
            self.heloise.replay_webhook('evt_none')

    def test_outcomes(self):
        learned = self.heloise.report_outcomes('email,outcome\nanna@catchall.example,bounced\nx,bounced\n')
        self.assertEqual((learned['gone'], learned['unused'], learned['faults'][0]['line']), (1, 1, 3))
        learned = self.heloise.report_outcomes('{"email":"anna@catchall.example","outcome":"opened"}', filename='a.ndjson')
        self.assertEqual(learned['alive'], 1)

    def test_engine(self):
        self.heloise.verify('jane@plain.example')
        self.assertEqual(self.heloise.dns_health('plain.example', smtp=False)['domain'], 'plain.example')
        self.assertTrue(self.heloise.egresses())
        self.assertTrue(self.heloise.sites(limit=1)['sites'])
        self.assertEqual(self.heloise.version()['name'], 'heloise')

    def test_lists(self):
        self.assertEqual(self.heloise.lists()[0]['list'], 'disposable')
        self.assertTrue(self.heloise.test_lists(domain='sub.mailinator.com')['is_disposable'])
        self.assertEqual(self.heloise.add_list_entry('free', 'Throw.example')['change'], 'added')
        self.assertTrue(self.heloise.test_lists(address='a@throw.example')['is_free'])
        self.assertEqual([one['entry'] for one in self.heloise.list_entries('free', limit=5)['entries']], ['throw.example'])
        self.assertEqual(self.heloise.remove_list_entry('free', 'throw.example')['change'], 'dropped')

    def test_extract(self):
        found = self.heloise.extract('Write to <Jane@plain.example.org>, jane@plain.example.org\nor logo@2x.png, joe@example.com.')
        self.assertEqual([(one['email'], one['line']) for one in found['addresses']],
                         [('Jane@plain.example.org', 1), ('joe@example.com', 2)])
        self.assertFalse(found['more'])
        text = ''.join(f'a{number}@example.com ' for number in range(10002))
        found = self.heloise.extract(text)
        self.assertEqual((len(found['addresses']), found['more']), (10000, True))
