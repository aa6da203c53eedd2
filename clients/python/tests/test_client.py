"""SPDX-License-Identifier: Apache-2.0"""
import io
import json
import unittest

from heloise_client import Heloise, HeloiseError, HeloiseUnreachable
from heloise_client.transport import Transport, events, lines, retry_after_s

from scripted import scripted

ANSWER = {'status': 'deliverable'}


class ClientTest(unittest.TestCase):
    def test_verify_sends_what_the_service_reads_and_the_key(self):
        with scripted(lambda handler: handler.reply(200, ANSWER)) as server:
            answer = Heloise(server.base_url, key='k').verify('jane@plain.example', timeout_ms=1500, fresh=True)
            self.assertEqual(answer['status'], 'deliverable')
            method, path, headers, body = server.seen[0]
            self.assertEqual((method, path, headers['Authorization']), ('POST', '/v1/verify', 'Bearer k'))
            self.assertEqual(json.loads(body), {'email': 'jane@plain.example', 'timeout_ms': 1500, 'fresh': True})

    def test_asks_again_when_the_service_says(self):
        def answer(handler):
            if len(handler.server.seen) < 3:
                handler.reply(429, {'title': 'Too Many Requests'}, Retry_After='7')
            else:
                handler.reply(200, ANSWER)
        waits = []
        with scripted(answer) as server:
            Transport(server.base_url, None, 30, 2, 30, sleep=waits.append).json('GET', '/version')
        self.assertEqual(waits, [7, 7])

    def test_refusals(self):
        rows = [('no wait is named', 429, {}, 1), ('the wait is too long', 429, {'Retry_After': '3600'}, 1),
                ('it never ends', 503, {'Retry_After': '0'}, 3), ('no matter of time', 422, {'Retry_After': '0'}, 1)]
        for name, status, headers, requests in rows:
            with self.subTest(name), scripted(lambda handler, status=status, headers=headers: handler.reply(
                    status, {'title': 'No', 'detail': 'because', 'row': 7}, **headers)) as server:
                with self.assertRaises(HeloiseError) as caught:
                    Heloise(server.base_url).verify('a@b.example')
                self.assertEqual((caught.exception.status, str(caught.exception)), (status, 'because'))
                self.assertEqual(caught.exception.problem['row'], 7)
                self.assertEqual(len(server.seen), requests)

    def test_an_error_that_is_no_problem_document(self):
        for body in (b'<h1>Bad gateway</h1>', b'', b'[1]'):
            with scripted(lambda handler, body=body: handler.reply(502, body, 'text/html')) as server:
                with self.assertRaisesRegex(HeloiseError, 'HTTP status 502'):
                    Heloise(server.base_url).verify('a@b.example')

    def test_nobody_listens(self):
        with scripted(lambda handler: None) as server:
            base_url = server.base_url
        with self.assertRaises(HeloiseUnreachable):
            Heloise(base_url).verify('a@b.example')

    def test_an_answer_that_breaks_off(self):
        def answer(handler):
            handler.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"rec')
            handler.close_connection = True
        with scripted(answer) as server:
            with self.assertRaises(HeloiseUnreachable):
                Heloise(server.base_url).verify('a@b.example')

    def test_retry_after(self):
        for text, expected in [(None, None), ('7', 7), ('Thu, 01 Jan 1970 00:00:09 GMT', 9), ('soon', None), ('-1', None)]:
            self.assertEqual(retry_after_s(text, 0), expected, text)

    def test_lines_and_events(self):
        text = b': hello\n\nevent: stage\ndata: {"stage":\ndata: "mx"}\n\ndata:{"n":1}\r\n\r\nretry\nevent: lost\ndata: {}\n'
        self.assertEqual([tuple(event) for event in events(io.BytesIO(text))],
                         [('stage', {'stage': 'mx'}), ('message', {'n': 1})])
        self.assertEqual(list(lines(io.BytesIO('zwöi\n\ndrei'.encode()))), ['zwöi', '', 'drei'])

    def test_many_and_stream(self):
        def answer(handler):
            if handler.command == 'POST':
                handler.reply(200, b'{"email":"a"}\n{"email":"b"}\n', 'application/x-ndjson')
            else:
                handler.reply(200, b'event: error\ndata: {"text": "no way out"}\n\n', 'text/event-stream')
        with scripted(answer) as server:
            heloise = Heloise(server.base_url)
            self.assertEqual([record['email'] for record in heloise.verify_many(['a', 'b'])], ['a', 'b'])
            with self.assertRaisesRegex(HeloiseError, 'no way out'):
                list(heloise.verify_stream('a@b.example', fresh=True))
            self.assertEqual(server.seen[1][1], '/v1/verify/stream?email=a%40b.example&fresh=true')

    def test_a_probe_whole_and_as_it_happens(self):
        def answer(handler):
            if handler.headers['Accept'] == 'application/json':
                handler.reply(200, {'worst': 'ok', 'hosts': []})
            else:
                handler.reply(200, b'event: line\ndata: {"text": "220 hi"}\n\nevent: result\ndata: {"worst": "ok"}\n\n', 'text/event-stream')
        with scripted(answer) as server:
            heloise = Heloise(server.base_url)
            self.assertEqual(heloise.probe('d.example', {'from': '', 'to': ['a@d.example'], 'timeout_ms': 2000})['worst'], 'ok')
            self.assertEqual([event.type for event in heloise.probe_stream('d.example')], ['line', 'result'])
            self.assertEqual([(seen[0], seen[1], json.loads(seen[3])) for seen in server.seen], [
                ('POST', '/v1/probe', {'target': 'd.example', 'from': '', 'to': ['a@d.example'], 'timeout_ms': 2000}),
                ('POST', '/v1/probe', {'target': 'd.example'})])

    def test_uploads_and_paths(self):
        with scripted(lambda handler: handler.reply(202, {'id': 'b1', 'state': 'loading'})) as server:
            heloise = Heloise(server.base_url + '/under/')
            heloise.create_batch(io.BytesIO(b'email\na@b.example\n'), filename='a b.csv', idempotency_key='once')
            heloise.create_batch('a@b.example\n', filename='x.txt', label='May')
            heloise.history('a/../b@c.example?x', limit=3)
            self.assertEqual(server.seen[0][1], '/under/v1/batches?name=a+b.csv')
            self.assertEqual(server.seen[0][2]['Content-Type'], 'text/csv')
            self.assertEqual(server.seen[0][2]['Idempotency-Key'], 'once')
            self.assertEqual(server.seen[0][3], b'email\na@b.example\n')
            self.assertEqual(server.seen[1][1:3], ('/under/v1/batches?name=x.txt&label=May', server.seen[1][2]))
            self.assertEqual(server.seen[2][1], '/under/v1/addresses/a%2F..%2Fb%40c.example%3Fx/history?limit=3')

    def test_addresses_of_services_that_are_none(self):
        for base_url in ('verify.example', 'ftp://verify.example', 'http://'):
            with self.assertRaises(ValueError):
                Heloise(base_url)


if __name__ == '__main__':
    unittest.main()
