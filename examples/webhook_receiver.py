#!/usr/bin/python3
"""A receiver of Heloise's webhooks that needs nothing but Python: it checks the signature and the time, and takes each
event once.

    webhook_receiver.py SECRET [PORT]

SPDX-License-Identifier: Apache-2.0
"""
import base64
import hashlib
import hmac
import http.server
import json
import sys
import time

TOLERANCE_S = 300
BODY_BYTES_MAX = 1 << 20


def is_signed(secret, headers, body):
    """Whether the body comes from who knows the secret, and now (https://www.standardwebhooks.com)."""
    stamp = headers.get('Webhook-Timestamp', '')
    if not stamp.isdigit() or abs(time.time() - int(stamp)) > TOLERANCE_S:
        return False
    key = base64.b64decode(secret.removeprefix('whsec_'))
    signed = f'{headers.get("Webhook-Id", "")}.{stamp}.'.encode() + body
    expected = 'v1,' + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    given = headers.get('Webhook-Signature', '').split()  # several while a secret is changed
    return any(hmac.compare_digest(expected.encode(), one.encode()) for one in given)


class Receiver(http.server.BaseHTTPRequestHandler):
    secret = ''
    seen = set()  # in a real service: a column with a unique index, in the same commit as what you do

    def do_POST(self):
        size = int(self.headers.get('Content-Length', 0))
        if size > BODY_BYTES_MAX:
            return self.answer(413)
        body = self.rfile.read(size)
        if not is_signed(self.secret, self.headers, body):
            return self.answer(401)
        event_id = self.headers['Webhook-Id']
        if event_id not in self.seen:
            event = json.loads(body)
            print(event['type'], json.dumps(event['data']), flush=True)
            self.seen.add(event_id)
        return self.answer(204)  # quickly: long work comes later

    def answer(self, status):
        self.send_response(status)
        self.send_header('Content-Length', '0')
        self.end_headers()

    def log_message(self, *_):
        pass


def main():
    Receiver.secret = sys.argv[1]
    port = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    server = http.server.HTTPServer(('127.0.0.1', port), Receiver)
    print('listening on port', server.server_port, flush=True)
    server.serve_forever()


if __name__ == '__main__':
    main()
