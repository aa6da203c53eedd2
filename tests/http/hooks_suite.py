"""Webhooks of batches, against a receiver of our own that checks them as examples/webhook_receiver.py does: one event for
each end with what it says, whatever is killed when; the log, sending again, secrets, and who sees whose.
SPDX-License-Identifier: Apache-2.0
"""
import contextlib
import http.server
import json
import pathlib
import random
import sqlite3
import sys
import threading
import time

import client
import rig

sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / 'examples'))

import webhook_receiver  # noqa: E402

HOOKS = '/v1/webhooks'
CSV = ('Content-Type', 'text/csv')
KILLS = 8
UPLOAD_TO_END_S = 0.4  # about as long as a small batch takes; kills fall into it


class Receiver(http.server.ThreadingHTTPServer):
    """What it was told, in `seen` as (headers, body); it answers while its gate is open."""
    daemon_threads = True

    def __init__(self):
        super().__init__(('127.0.0.1', 0), Told)
        self.seen, self.status = [], 204
        self.gate = threading.Event()
        self.gate.set()
        self.url = f'http://127.0.0.1:{self.server_port}/hook'
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def close(self):
        self.gate.set()
        self.shutdown()
        self.server_close()

    def handle_error(self, *_):
        pass  # who asked was killed

    def ids(self, batch):
        return [headers['Webhook-Id'] for headers, body in list(self.seen) if json.loads(body)['data']['id'] == batch]


class Told(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers['Content-Length']))
        self.server.seen.append((self.headers, body))
        self.server.gate.wait(rig.PATIENCE_S)
        self.send_response(self.server.status)
        self.send_header('Content-Length', '0')
        self.end_headers()

    def log_message(self, *_):
        pass


class Hooks(client.Case):
    settings = 'webhooks {\n  allow-net 127.0.0.0/8\n}\n'

    def setUp(self):
        super().setUp()
        self.mailer = rig.Mailer()
        self.addCleanup(self.mailer.close)
        self.receiver = Receiver()
        self.addCleanup(self.receiver.close)
        self.extra = ('--store', 'h.db', '--config', self.write('h.conf', self.settings), *self.mailer.options)
        self.process = self.serve()
        self.schema = client.Schema(json.loads(self.ask('GET', '/openapi.json').body))

    def hold(self, method, target, status, body=None, headers=()):
        answer = self.ask(method, target, body, headers)
        self.assertEqual((answer.status, self.schema.answer_faults(method, target, answer)), (status, []), answer)
        return answer

    def upload(self, rows=3, headers=(), query=''):
        body = 'email\n' + ''.join(f'{"live" if i else "dead"}{i}@d.example\n' for i in range(rows))
        return self.hold('POST', f'/v1/batches?webhook={self.receiver.url}{query}', 202, body.encode(),
                         [CSV, *headers]).json()['id']

    def log_of(self, query='', headers=()):
        return self.hold('GET', HOOKS + query, 200, None, headers).json()

    def secret(self, headers=(), **more):
        return self.hold('POST', HOOKS + '/secret', 200, {'url': self.receiver.url, **more}, headers).json()['secret']

    def kill(self):
        self.process.kill()
        self.process.wait()

    def await_delivery(self, batch):
        def events():
            return self.log_of(f'?batch={batch}')['webhooks']
        try:
            rig.wait_until(lambda: [event['state'] for event in events()] == ['delivered'], 'it is delivered')
        except AssertionError as failure:
            raise AssertionError(f'{failure}: {events()}\n{self.log()[-4000:]}') from None


class One(Hooks):
    def test_one_signed_event(self):
        secret = self.secret()
        batch = self.upload()
        self.await_delivery(batch)
        (headers, body), = self.receiver.seen
        self.assertTrue(webhook_receiver.is_signed(secret, headers, body), headers)
        self.assertFalse(webhook_receiver.is_signed(secret, headers, body + b' '))
        self.assertEqual(headers['Content-Type'], 'application/json')
        event = json.loads(body)
        self.assertEqual((event['type'], event['data']['id'], event['data']['state']), ('batch.done', batch, 'done'))
        self.assertEqual((event['data']['counts']['done'], event['data']['statuses']['deliverable'],
                          event['data']['statuses']['undeliverable']), (3, 2, 1))
        told, = self.log_of()['webhooks']
        self.assertEqual((told['id'], told['type'], told['batch'], told['tries'], told['last_status'], told['url']),
                         (headers['Webhook-Id'], 'batch.done', batch, 1, 204, self.receiver.url))
        self.assertEqual(told['body'], event)

    def test_each_result_is_told(self):
        batch = self.upload(query='&webhook_results=yes')
        rig.wait_until(lambda: len(self.receiver.seen) == 4, 'all are told')
        events = [(headers['Webhook-Id'], json.loads(body)) for headers, body in self.receiver.seen]
        results = {event['data']['result']['email']: event['data']['result']['status'] for _, event in events
                   if event['type'] == 'batch.result'}
        self.assertEqual(results, {'dead0@d.example': 'undeliverable', 'live1@d.example': 'deliverable',
                                   'live2@d.example': 'deliverable'})
        self.assertEqual({event['data']['batch'] for _, event in events if event['type'] == 'batch.result'}, {batch})
        self.assertEqual(len({one for one, _ in events}), 4)
        self.hold('DELETE', '/v1/addresses/live1@d.example', 204)
        left = [event['body']['data'] for event in self.log_of(f'?batch={batch}')['webhooks']]
        self.assertNotIn('live1@d.example', json.dumps(left))
        for query in ('&webhook_results=maybe', ''):
            target = f'/v1/batches?webhook={self.receiver.url}{query}' if query else '/v1/batches?webhook_results=yes'
            self.hold('POST', target, 422, b'email\nlive1@d.example\n', [CSV])

    def test_a_pause_is_told(self):
        """Each once: while the list is read, or while it is asked."""
        self.mailer.delay_s = 0.2
        for done in (0, 1):
            batch = self.upload(200)
            rig.wait_until(lambda: self.hold('GET', f'/v1/batches/{batch}', 200).json()['counts']['done'] >= done,
                           'it is so far')
            self.hold('POST', f'/v1/batches/{batch}/pause', 200)
            self.await_delivery(batch)
            self.hold('POST', f'/v1/batches/{batch}/resume', 200)
            self.hold('POST', f'/v1/batches/{batch}/pause', 200)
            rig.wait_until(lambda: len(self.receiver.ids(batch)) >= 2, 'it is told again')
            self.assertEqual([event['type'] for event in self.log_of(f'?batch={batch}')['webhooks']], ['batch.paused'] * 2)

    def test_sent_again(self):
        batch = self.upload()
        self.await_delivery(batch)
        first, = self.receiver.ids(batch)
        self.assertEqual(self.hold('POST', f'{HOOKS}/{first}/replay', 202).body, b'')
        rig.wait_until(lambda: len(self.receiver.seen) == 2, 'it is sent again')
        self.assertEqual(self.receiver.ids(batch), [first, first])
        self.await_delivery(batch)
        self.hold('POST', f'{HOOKS}/evt_none/replay', 404)

    def test_secrets(self):
        made = self.secret()
        self.assertEqual(self.secret(), made)
        given = 'whsec_' + 'QUJD' * 10
        self.assertEqual(self.secret(secret=given), given)
        self.assertEqual(self.secret(), given)
        self.await_delivery(self.upload())
        self.assertTrue(webhook_receiver.is_signed(given, *self.receiver.seen[0]))
        for body in ({'url': self.receiver.url, 'secret': 'short'}, {'url': 'ftp://a.example/'}, {},
                     {'url': 'http://10.0.0.1/'}, {'url': self.receiver.url, 'colour': 'red'}):
            self.hold('POST', HOOKS + '/secret', 422, body)

    def test_pages_of_the_log(self):
        batches = [self.upload() for _ in range(3)]
        for batch in batches:
            self.await_delivery(batch)
        numbers, next_page = [], ''
        while next_page is not None:
            page = self.log_of('?limit=1' + (f'&before={next_page}' if next_page else ''))
            numbers += [event['number'] for event in page['webhooks']]
            next_page = page['next']
        self.assertEqual(numbers, sorted(numbers, reverse=True))
        self.assertEqual(len(set(numbers)), 3)
        self.assertEqual(self.log_of('?batch=b_none'), {'webhooks': [], 'next': None})
        for query in ('?limit=0', '?limit=201', '?before=x', '?colour=red'):
            self.hold('GET', HOOKS + query, 400)

    def test_a_key_sees_its_own(self):
        keys = [self.expect(0, 'key', 'add', '--store', 'h.db', '--label', label).out.split()[0] for label in ('a', 'b')]
        rig.wait_until(lambda: self.ask('GET', HOOKS).status == 401, 'keys are asked for')
        ours, theirs = ([('X-Api-Key', key)] for key in keys)
        batches = [self.upload(headers=headers) for headers in (ours, theirs)]
        rig.wait_until(lambda: len(self.receiver.seen) == 2, 'both are told')
        for headers, batch in zip((ours, theirs), batches):
            told, = self.log_of('', headers)['webhooks']
            self.assertEqual(told['batch'], batch)
        self.assertNotEqual(self.secret(ours), self.secret(theirs))
        self.hold('POST', f'{HOOKS}/{self.receiver.ids(batches[1])[0]}/replay', 404, None, ours)
        self.assertEqual(self.log_of(f'?batch={batches[1]}', ours)['webhooks'], [])


class Watched(Hooks):
    def changed(self):
        return [(headers['Webhook-Id'], event['data']) for headers, body in list(self.receiver.seen)
                for event in [json.loads(body)] if event['type'] == 'watch.changed']

    def run_once(self, watch):
        last = self.hold('GET', f'/v1/watches/{watch}', 200).json()['last_at']
        self.hold('POST', f'/v1/watches/{watch}/run', 200)
        rig.wait_until(lambda: self.hold('GET', f'/v1/watches/{watch}', 200).json()['last_at'] != last, 'it ran')

    def forge(self):
        """As if one that is refused had been there when the list was asked first."""
        self.kill()
        with contextlib.closing(sqlite3.connect(self.folder / 'h.db')) as db:
            db.execute("""UPDATE job_result SET status='deliverable', result=json_set(result, '$.status', 'deliverable',
                       '$.sub_status', 'accepted') WHERE json_extract(result, '$.email')='dead0@d.example'""")
            db.commit()
        self.process = self.serve()

    def test_only_a_change_is_told_and_once(self):
        batch = self.upload()
        self.await_delivery(batch)
        self.forge()
        watch = self.hold('POST', '/v1/watches', 201, {'batch': batch, 'every': '7d', 'webhook': self.receiver.url}).json()
        self.run_once(watch['id'])
        rig.wait_until(self.changed, 'the change is told')
        self.run_once(watch['id'])
        self.kill()
        self.process = self.serve()
        self.run_once(watch['id'])
        (event, data), = self.changed()
        self.assertEqual((data['id'], data['changed']), (watch['id'], 1), event)
        secret = self.secret()
        for headers, body in self.receiver.seen:
            self.assertTrue(webhook_receiver.is_signed(secret, headers, body), headers)


class Reacher(Hooks):
    """POST /v1/bulk with a webhook: {"result", "extra"} for each address, with the headers that were given."""
    OURS = [f'{"live" if i else "dead"}{i}@d.example' for i in range(6)]
    NONE = ['not an address', 'a@b@']

    def bulk(self, headers=None, **more):
        hook = {'url': self.receiver.url, 'headers': {'X-Secret': 'word', 'Authorization': 'Bearer abc',
                                                      'Content-Type': 'application/json'}, **more}
        body = {'input': [*self.OURS, *self.NONE, self.OURS[1]], 'webhook': {'on_each_email': hook}}
        return self.hold('POST', '/v1/bulk', 200, body, headers or ()).json()['job_id']

    def await_all(self):
        wanted = len(self.OURS) + len(self.NONE)
        rig.wait_until(lambda: [event['state'] for event in self.log_of('?limit=200')['webhooks']] == ['delivered'] * wanted,
                       'all are told')

    def told(self):
        """The ids that came for each address."""
        ids = {}
        for headers, body in list(self.receiver.seen):
            ids.setdefault(json.loads(body)['result']['input'], set()).add(headers['Webhook-Id'])
        return ids

    def test_each_address_is_told_once(self):
        extra = {'list': 7, 'name': 'Gr\u00fc\u00dfe', 'deep': [None, True, {'a': 1.5}]}
        secret = self.secret()
        self.bulk(extra=extra)
        self.await_all()
        self.assertEqual({one: len(ids) for one, ids in self.told().items()}, dict.fromkeys(self.OURS + self.NONE, 1))
        schema = self.schema.document['components']['schemas']['ReacherAnswer']
        for headers, text in self.receiver.seen:
            body = json.loads(text)
            self.assertEqual((list(body), body['extra']), (['result', 'extra'], extra))
            self.assertEqual(self.schema.faults(body['result'], schema), [])
            self.assertEqual((headers['X-Secret'], headers['Authorization'], headers.get_all('Content-Type')),
                             ('word', 'Bearer abc', ['application/json']))
            self.assertTrue(webhook_receiver.is_signed(secret, headers, text))
            name = body['result']['input']
            self.assertEqual(body['result']['is_reachable'], 'safe' if name.startswith('live') else 'invalid')
        log = self.log_of('?limit=200')['webhooks']
        self.assertEqual({event['type'] for event in log}, {'reacher.result'})
        self.assertNotIn('Bearer abc', json.dumps(log))
        self.hold('DELETE', f'/v1/addresses/{self.OURS[2]}', 204)
        self.assertNotIn(self.OURS[2], json.dumps(self.log_of('?limit=200')))

    def test_nothing_beside_the_result(self):
        self.bulk()
        self.await_all()
        self.assertEqual({json.dumps(json.loads(body)['extra']) for _, body in self.receiver.seen}, {'null'})

    def test_a_receiver_that_is_down(self):
        self.receiver.status = 503
        self.bulk()
        rig.wait_until(lambda: len(self.receiver.seen) >= 8, 'all were tried')
        rig.wait_until(lambda: {event['last_status'] for event in self.log_of()['webhooks']} == {503}, 'it is written down')
        waiting = self.log_of()['webhooks']
        self.assertEqual({event['state'] for event in waiting}, {'waiting'})
        self.receiver.status = 204
        for event in waiting:
            self.hold('POST', f'{HOOKS}/{event["id"]}/replay', 202)
        self.await_all()
        self.assertEqual({len(ids) for ids in self.told().values()}, {1})

    def test_killed_at_any_moment(self):
        chance = random.Random(7)
        self.mailer.delay_s = 0.02
        self.bulk(extra='e')
        for _ in range(KILLS):
            time.sleep(chance.random() * UPLOAD_TO_END_S)
            self.kill()
            self.process = self.serve()
        self.await_all()
        self.assertEqual({one: len(ids) for one, ids in self.told().items()}, dict.fromkeys(self.OURS + self.NONE, 1))


class Private(Hooks):
    settings = ''

    def test_private_addresses_are_refused(self):
        for url in (self.receiver.url, 'http://10.0.0.1/', 'http://[::1]/', 'http://169.254.169.254/latest',
                    'https://user:word@a.example/', 'ftp://a.example/', 'hook'):
            answer = self.hold('POST', '/v1/batches?webhook=' + url.replace('[', '%5B').replace(']', '%5D'), 422,
                               b'email\nlive1@d.example\n', [CSV])
            self.assertIn('webhook: ', answer.json()['detail'], url)
        answer = self.hold('POST', '/v1/bulk', 400, {'input': ['live1@d.example'], 'webhook': {
            'on_each_email': {'url': self.receiver.url}}})
        self.assertIn('webhook: ', answer.json()['error'])
        self.assertEqual(self.ask('GET', '/v1/batches').json()['batches'], [])
        self.assertEqual(self.receiver.seen, [])


class Deaths(Hooks):
    def test_in_the_delivery(self):
        self.receiver.gate.clear()
        batch = self.upload()
        rig.wait_until(lambda: self.receiver.seen, 'the receiver has it')
        self.kill()
        self.receiver.gate.set()
        self.process = self.serve()
        self.await_delivery(batch)
        ids = self.receiver.ids(batch)
        self.assertEqual((len(ids), len(set(ids))), (2, 1))

    def test_around_the_end(self):
        chance = random.Random(4)
        batches = []
        for _ in range(KILLS):
            batches.append(self.upload(2))
            time.sleep(chance.random() * UPLOAD_TO_END_S)
            self.kill()
            self.process = self.serve()
        for batch in batches:
            self.await_delivery(batch)
            self.assertEqual(len(set(self.receiver.ids(batch))), 1, batch)
