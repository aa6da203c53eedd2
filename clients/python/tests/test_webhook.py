"""SPDX-License-Identifier: Apache-2.0"""
import base64
import hashlib
import hmac
import json
import unittest

from heloise_client import WebhookError, verify_webhook

SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
BODY = b'{"type":"batch.done","data":{"id":"b1"}}'
NOW_S = 1763712345


def sign(message_id, timestamp, body):
    key = base64.b64decode(SECRET[len('whsec_'):])
    signed = f'{message_id}.{timestamp}.'.encode() + body
    return 'v1,' + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def headers(**changes):
    given = {'webhook-id': 'msg_1', 'Webhook-Timestamp': str(NOW_S), 'webhook-signature': sign('msg_1', NOW_S, BODY)}
    return {**given, **{name.replace('_', '-'): value for name, value in changes.items()}}


class WebhookTest(unittest.TestCase):
    def test_the_example_of_standard_webhooks(self):
        given = {'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek', 'webhook-timestamp': '1614265330',
                 'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='}
        self.assertEqual(verify_webhook(SECRET, given, '{"test": 2432232314}', now_s=1614265330), {'test': 2432232314})

    def test_good_calls(self):
        several = headers(webhook_signature='v1a,x v1,AAAA ' + sign('msg_1', NOW_S, BODY))
        for given, body, now_s in [(headers(), BODY, NOW_S), (headers(), BODY.decode(), NOW_S + 299), (several, BODY, NOW_S)]:
            self.assertEqual(verify_webhook(SECRET, given, body, now_s=now_s), json.loads(BODY))

    def test_forgeries(self):
        rows = [('another body', headers(), BODY + b' ', NOW_S), ('another id', headers(webhook_id='msg_2'), BODY, NOW_S),
                ('an old call', headers(), BODY, NOW_S + 301), ('from the future', headers(), BODY, NOW_S - 301),
                ('no number', {**headers(), 'Webhook-Timestamp': '1e9'}, BODY, NOW_S),
                ('no signature', headers(webhook_signature=''), BODY, NOW_S),
                ('an empty one', headers(webhook_signature='v1,'), BODY, NOW_S),
                ('another scheme', headers(webhook_signature=sign('msg_1', NOW_S, BODY).replace('v1', 'v2')), BODY, NOW_S),
                ('no ASCII', headers(webhook_signature='v1,\u00e9'), BODY, NOW_S)]
        for name, given, body, now_s in rows:
            with self.subTest(name), self.assertRaises(WebhookError):
                verify_webhook(SECRET, given, body, now_s=now_s)

    def test_a_secret_that_is_none(self):
        for secret in ('', 'whsec_', 'whsec_%'):
            with self.assertRaises(WebhookError):
                verify_webhook(secret, headers(), BODY, now_s=NOW_S)


if __name__ == '__main__':
    unittest.main()
