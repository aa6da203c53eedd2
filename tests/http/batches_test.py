#!/usr/bin/python3
"""tests/http/batches_test.py HELOISE DATA: batches over real sockets against real servers: uploads of every kind and wrong
ones, progress, results, orders, events; and deaths (SIGKILL) during an upload, right after its acknowledgement, and in the
run: what was acknowledged goes on by itself, what was not leaves nothing.
SPDX-License-Identifier: Apache-2.0
"""
import contextlib
import csv
import http.client
import io
import json
import pathlib
import random
import re
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path[:0] = [str(HERE.parent / 'cli'), str(HERE.parent / 'durability')]

import rig  # noqa: E402
import town  # noqa: E402

DOMAINS = ('plain.test', 'grey.test', 'slow.test', 'short.test')
KILLS = 5
UPLOAD_KILLS, UPLOADS_AT_ONCE = 10, 3
UPLOAD_S = 0.12  # about as long as these take together; kills fall into it


def addresses(each):
    return [f'{"real" if i % 3 else "dead"}{i}@{domain}' for i in range(each) for domain in DOMAINS]


def as_csv(rows):
    return 'n,email\n' + ''.join(f'{n},{row}\n' for n, row in enumerate(rows))


class Service(rig.Case):
    @classmethod
    def setUpClass(cls):
        cls.town = town.Town()

    def setUp(self):
        super().setUp()
        self.town.reset()
        self.serve()

    def serve(self):
        self.process = self.start('serve', '--listen', '127.0.0.1:0', '--store', 'h.db', *self.town.options,
                                  '--invalids-per-hour', '100000', stderr=subprocess.PIPE)
        told = b''
        while not (found := re.search(rb'127\.0\.0\.1:(\d+)', told)):
            line = self.process.stderr.readline()
            if not line:
                self.fail('the service did not start: ' + told.decode())
            told += line
        self.port = int(found.group(1))

    def kill(self):
        self.process.kill()
        self.process.wait()

    def ask(self, method, path, body=None, **headers):
        line = http.client.HTTPConnection('127.0.0.1', self.port, timeout=rig.PATIENCE_S)
        with contextlib.closing(line):
            line.request(method, path, body, {name.replace('_', '-'): value for name, value in headers.items()})
            answer = line.getresponse()
            data = answer.read()
            kind = answer.headers.get('Content-Type', '')
            return answer.status, json.loads(data) if 'json' in kind and 'ndjson' not in kind else data.decode()

    def upload(self, body, kind='text/csv', path='/v1/batches', code=202):
        status, answer = self.ask('POST', path, body.encode() if isinstance(body, str) else body, Content_Type=kind)
        self.assertEqual(status, code, answer)
        return answer['id'] if code == 202 else answer

    def batch(self, name):
        status, answer = self.ask('GET', f'/v1/batches/{name}')
        self.assertEqual(status, 200, answer)
        return answer

    def await_state(self, name, *states):
        rig.wait_until(lambda: self.batch(name)['state'] in states, f'{name} is one of {states}')
        return self.batch(name)

    def results(self, name, query=''):
        status, text = self.ask('GET', f'/v1/batches/{name}/results{query}')
        self.assertEqual(status, 200, text)
        return text

    def check_results(self, name, rows):
        seen = list(csv.DictReader(io.StringIO(self.results(name))))
        self.assertEqual([row['email'] for row in seen], rows)
        for row in seen:
            self.assertEqual(row['status'], 'deliverable' if row['email'].startswith('real') else 'undeliverable', row)
        self.check_providers(self.batch(name))

    def check_providers(self, batch):
        """Each result is counted for one provider, once, whatever was killed on the way."""
        sums = {status: sum(one['statuses'][status] for one in batch['providers']) for status in batch['statuses']}
        self.assertEqual(sums, batch['statuses'])


class Uploads(Service):
    def test_from_upload_to_results(self):
        rows = addresses(12)
        name = self.upload(as_csv(rows), path='/v1/batches?label=my+list&column=email')
        done = self.await_state(name, 'done')
        self.assertEqual(done['label'], 'my list')
        self.assertEqual(done['counts'], {'rows': 48, 'bad_rows': 0, 'no_address': 0, 'addresses': 48, 'done': 48})
        self.assertEqual(done['statuses'], {'deliverable': 32, 'undeliverable': 16, 'risky': 0, 'unknown': 0})
        self.check_results(name, rows)
        lines = self.results(name, '?format=ndjson&status=undeliverable').splitlines()
        self.assertEqual(len(lines), 16)
        self.assertEqual({json.loads(line)['heloise']['sub_status'] for line in lines}, {'mailbox_not_found'})
        self.assertEqual(self.results(name, '?sub_status=catch_all').count('\n'), 1)
        status, page = self.ask('GET', '/v1/batches?limit=1')
        self.assertEqual((status, [one['id'] for one in page['batches']], page['next']), (200, [name], '1'))
        self.assertNotIn('providers', page['batches'][0])
        self.assertEqual(self.ask('GET', '/v1/batches?before=1')[1], {'batches': [], 'next': None})
        self.assertEqual(self.ask('POST', f'/v1/batches/{name}/pause')[0], 409)
        self.assertEqual(self.ask('DELETE', f'/v1/batches/{name}'), (204, ''))
        self.assertEqual(self.ask('GET', f'/v1/batches/{name}')[0], 404)
        self.assertEqual(self.ask('GET', f'/v1/batches/{name}/results')[0], 404)
        self.assertEqual(self.ask('DELETE', f'/v1/batches/{name}')[0], 404)

    def test_every_kind(self):
        rows = addresses(2)
        form = ('--limit\r\nContent-Disposition: form-data; name="label"\r\n\r\nfrom a form\r\n'
                '--limit\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n'
                f'Content-Type: text/csv\r\n\r\n{as_csv(rows)}\r\n--limit--\r\n')
        names = [self.upload(as_csv(rows)), self.upload('\n'.join(rows), 'text/plain; charset=utf-8'),
                 self.upload(''.join(json.dumps({'email': row}) + '\n' for row in rows), 'application/x-ndjson'),
                 self.upload(form, 'multipart/form-data; boundary=limit')]
        for name in names:
            self.assertEqual(self.await_state(name, 'done')['counts']['done'], len(rows), name)
        self.assertEqual((self.batch(names[3])['label'], self.batch(names[3])['file_name']), ('from a form', 'a.csv'))
        asked = self.town.asked()
        for row in rows:
            self.assertEqual(asked.count(row), 2 if 'grey' in row else 1, row)

    def test_wrong_ones(self):
        for code, kind, path, body in (
                (415, 'image/png', '', 'x'), (415, 'multipart/form-data', '', 'x'), (422, 'text/csv', '', ''),
                (422, 'text/csv', '', 'name,town\nJane,Oslo\n'), (422, 'text/csv', '?column=post', 'email\na@b.test\n'),
                (400, 'text/csv', '?colour=blue', 'email\na@b.test\n'),
                (422, 'text/csv', '?webhook=ftp://a.test/', 'email\na@b.test\n'),
                (422, 'multipart/form-data; boundary=limit', '', 'no form at all'),
                (422, 'multipart/form-data; boundary=limit', '',
                 '--limit\r\nContent-Disposition: form-data; name="other"\r\n\r\na\r\n--limit--\r\n')):
            answer = self.upload(body, kind, '/v1/batches' + path, code)
            self.assertIn('detail', answer, (kind, path, body))
        self.assertEqual(self.ask('GET', '/v1/batches')[1]['batches'], [])
        self.assertEqual(list((self.folder / 'h.db.batches').iterdir()), [])
        for path in ('?limit=0', '?limit=many', '?page=1'):
            self.assertEqual(self.ask('GET', '/v1/batches' + path)[0], 400, path)
        self.assertEqual(self.ask('POST', '/v1/batches/b_none/pause')[0], 404)
        name = self.upload('real1@plain.test\n', 'text/plain')
        for query in ('?format=pdf', '?status=fine', '?sub_status=1', '?what=1'):
            self.assertEqual(self.ask('GET', f'/v1/batches/{name}/results{query}')[0], 400, query)

    def test_orders(self):
        rows = [f'real{i}@slow.test' for i in range(200)]
        name = self.upload(as_csv(rows))
        rig.wait_until(lambda: self.batch(name)['counts']['done'] > 3, 'some are done')
        status, answer = self.ask('POST', f'/v1/batches/{name}/pause')
        self.assertEqual((status, answer['state']), (200, 'paused'))
        part = self.results(name, '?finished_rows_only=yes').count('\n')
        self.assertLess(part, len(rows))
        self.assertEqual(self.results(name).count('\n'), len(rows) + 1)
        other = self.upload('real1@plain.test\n', 'text/plain')
        self.await_state(other, 'done')
        self.assertEqual(self.batch(name)['state'], 'paused')
        self.assertEqual(self.ask('POST', f'/v1/batches/{name}/resume')[1]['state'], 'running')
        self.await_state(name, 'done')
        self.check_results(name, rows)
        name = self.upload(as_csv([f'real{i}@slow.test' for i in range(300, 500)]))
        self.assertEqual(self.ask('POST', f'/v1/batches/{name}/cancel')[1]['state'], 'cancelled')
        self.assertEqual(self.ask('POST', f'/v1/batches/{name}/resume')[0], 409)
        status, answer = self.ask('POST', '/v1/verify', '{"email":"real400@slow.test"}', Content_Type='application/json')
        self.assertEqual((status, answer['sub_status']), (200, 'accepted'))

    def test_events(self):
        name = self.upload(as_csv([f'real{i}@slow.test' for i in range(60)]))
        status, text = self.ask('GET', f'/v1/batches/{name}/events')  # until it is over
        self.assertEqual(status, 200)
        events = re.findall(r'event: (\w+)\r?\ndata: (.*)', text)
        self.assertEqual([what for what, _ in events][-1], 'over')
        self.assertEqual(json.loads(events[-1][1])['state'], 'done')
        self.check_providers(json.loads(events[-1][1]))
        self.assertEqual({what for what, _ in events[:-1]}, {'progress'})
        self.assertIn('event: over', self.ask('GET', f'/v1/batches/{name}/events')[1])
        self.assertEqual(self.ask('GET', '/v1/batches/b_none/events')[0], 404)


class Watches(Service):
    def post(self, path, body=None):
        headers = {'Content_Type': 'application/json'} if body is not None else {}
        return self.ask('POST', path, json.dumps(body) if body is not None else None, **headers)

    def watch(self, batch, **more):
        status, answer = self.post('/v1/watches', {'batch': batch, 'every': '7d', **more})
        self.assertEqual(status, 201, answer)
        return answer

    def settled(self, name):
        def is_over():
            return self.ask('GET', f'/v1/watches/{name}')[1]['run'] is None
        rig.wait_until(is_over, 'the run is over')
        return self.ask('GET', f'/v1/watches/{name}')[1]

    def age(self, days):
        """As if so much time had passed since all was asked; one who was refused then was there."""
        past = days * 86400 * 1000
        with contextlib.closing(sqlite3.connect(self.folder / 'h.db')) as db:
            db.execute('UPDATE verdict SET checked_at=checked_at-?', (past,))
            db.execute('UPDATE watch SET next_at=next_at-?', (past,))
            db.execute("""UPDATE job_result SET status='deliverable', result=json_set(result, '$.status', 'deliverable',
                       '$.sub_status', 'accepted') WHERE json_extract(result, '$.email')='dead0@plain.test'""")
            db.commit()

    def test_what_changed(self):
        rows = ['real1@plain.test', 'dead0@plain.test', 'dead3@plain.test', 'real5@plain.test']
        batch = self.upload(as_csv(rows), path='/v1/batches?label=customers')
        self.await_state(batch, 'done')
        made = self.watch(batch)
        self.assertEqual((made['label'], made['state'], made['every_s'], made['addresses'], made['batch']),
                         ('customers', 'waiting', 604800, 4, batch))
        name = made['id']
        self.assertEqual(self.post(f'/v1/watches/{name}/run')[0], 200)
        self.assertEqual(self.settled(name)['asked'], 0)
        asked = [row for row in self.town.asked() if row in rows]
        self.assertEqual(sorted(asked), sorted(rows))
        for killed in (False, True):
            before = self.ask('GET', f'/v1/watches/{name}')[1]['last_at']
            self.kill()
            self.age(8)
            self.serve()  # it is due
            if killed:
                self.kill()
                self.serve()
            rig.wait_until(lambda then=before: self.ask('GET', f'/v1/watches/{name}')[1]['last_at'] != then, 'it ran')
            seen = self.settled(name)
            self.assertEqual((seen['asked'], seen['changed'], seen['cause']), (4, 1, None))
        status, page = self.ask('GET', f'/v1/watches/{name}/changes?limit=1')
        self.assertEqual(status, 200, page)
        self.assertEqual([page['changes'][0][what] for what in ('email', 'before', 'after')], [
            'dead0@plain.test', {'status': 'deliverable', 'sub_status': 'accepted'},
            {'status': 'undeliverable', 'sub_status': 'mailbox_not_found'}])
        rest = self.ask('GET', f'/v1/watches/{name}/changes?before={page["next"]}')[1]
        self.assertEqual((len(rest['changes']), rest['next']), (1, None))
        lines = self.ask('GET', f'/v1/watches/{name}/changes?format=ndjson')[1].splitlines()
        self.assertEqual([json.loads(line)['email'] for line in lines], ['dead0@plain.test'] * 2)
        table = list(csv.DictReader(io.StringIO(self.ask('GET', f'/v1/watches/{name}/changes?format=csv')[1])))
        self.assertEqual([(row['email'], row['status_before'], row['status_after']) for row in table],
                         [('dead0@plain.test', 'deliverable', 'undeliverable')] * 2)

    def test_orders(self):
        batch = self.upload('real1@plain.test\n', 'text/plain')
        self.await_state(batch, 'done')
        name = self.watch(batch, label='mine')['id']
        self.assertEqual([one['id'] for one in self.ask('GET', '/v1/watches?limit=1')[1]['watches']], [name])
        self.assertEqual(self.ask('DELETE', f'/v1/batches/{batch}')[0], 409)
        self.assertEqual(self.post(f'/v1/watches/{name}/pause')[1]['state'], 'paused')
        self.assertEqual(self.post(f'/v1/watches/{name}/resume')[1]['state'], 'waiting')
        self.assertEqual(self.ask('DELETE', f'/v1/watches/{name}'), (204, ''))
        self.assertEqual(self.ask('GET', f'/v1/watches/{name}')[0], 404)
        self.assertEqual(self.ask('DELETE', f'/v1/batches/{batch}')[0], 204)

    def test_wrong_ones(self):
        batch = self.upload('real1@plain.test\n', 'text/plain')
        for code, body in ((422, {}), (422, {'batch': batch}), (422, {'batch': batch, 'every': 'often'}),
                           (422, {'batch': batch, 'every': '5m'}), (422, {'batch': batch, 'every': '400d'}),
                           (422, {'batch': batch, 'every': '7d', 'webhook': 'ftp://a.test/'}),
                           (404, {'batch': 'b_none', 'every': '7d'}), (422, {'batch': batch, 'every': '7d', 'what': '1'})):
            self.assertEqual(self.post('/v1/watches', body)[0], code, body)
        name = self.watch(batch)['id']
        for query in ('?format=pdf', '?limit=0', '?what=1'):
            self.assertEqual(self.ask('GET', f'/v1/watches/{name}/changes{query}')[0], 400, query)
        for verb in ('run', 'pause', 'resume'):
            self.assertEqual(self.post(f'/v1/watches/w_none/{verb}')[0], 404)


class Deaths(Service):
    def test_during_the_upload(self):
        line = socket.create_connection(('127.0.0.1', self.port))
        self.addCleanup(line.close)
        line.sendall(b'POST /v1/batches HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/csv\r\n'
                     b'Content-Length: 1000000\r\n\r\nemail\n' + b'real1@plain.test\n' * 4000)
        folder = self.folder / 'h.db.batches'
        rig.wait_until(lambda: any(path.stat().st_size > 0 for path in folder.glob('*.part')), 'bytes are there')
        self.kill()
        self.serve()
        self.assertEqual(self.ask('GET', '/v1/batches')[1]['batches'], [])
        self.assertEqual(list(folder.iterdir()), [])

    def test_the_client_goes_during_the_upload(self):
        line = socket.create_connection(('127.0.0.1', self.port))
        line.sendall(b'POST /v1/batches HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/csv\r\n'
                     b'Content-Length: 1000000\r\n\r\nemail\n' + b'real1@plain.test\n' * 4000)
        folder = self.folder / 'h.db.batches'
        rig.wait_until(lambda: any(folder.glob('*.part')), 'a part is there')
        line.close()
        rig.wait_until(lambda: not any(folder.iterdir()), 'it is gone')

    def test_when_it_was_acknowledged(self):
        rows = addresses(20)
        name = self.upload(as_csv(rows))
        self.kill()
        self.serve()
        self.await_state(name, 'done')
        self.check_results(name, rows)

    def test_many_in_and_around_uploads(self):
        """Several uploads at once, a kill at any moment: each that was acknowledged is there and done in the end, with all
        its rows; of the others, those that are there are whole, and nothing else is left in the folder."""
        chance = random.Random(9)
        acknowledged = {}

        def put(rows):
            with contextlib.suppress(OSError, http.client.HTTPException):
                status, answer = self.ask('POST', '/v1/batches', as_csv(rows).encode(), Content_Type='text/csv')
                if status == 202:
                    acknowledged[answer['id']] = rows
        for turn in range(UPLOAD_KILLS):
            threads = [threading.Thread(target=put, args=([f'real{turn}{i}{j}@plain.test' for j in range(5 + 20 * i)],))
                       for i in range(UPLOADS_AT_ONCE)]
            for thread in threads:
                thread.start()
            time.sleep(chance.random() * UPLOAD_S)
            self.kill()
            for thread in threads:
                thread.join()
            self.serve()
        listed = {batch['id'] for batch in self.ask('GET', '/v1/batches?limit=200')[1]['batches']}
        self.assertTrue(acknowledged)
        self.assertLessEqual(set(acknowledged), listed)
        files = [path.name for path in (self.folder / 'h.db.batches').iterdir() if path.suffix in ('.part', '.list')]
        self.assertEqual(sorted(files), sorted(name + '.list' for name in listed))
        for name in listed:
            counts = self.await_state(name, 'done')['counts']
            self.assertEqual(counts['done'], counts['addresses'], name)
        for name, rows in acknowledged.items():
            self.check_results(name, rows)

    def test_in_the_run(self):
        rows = addresses(40)
        name = self.upload(as_csv(rows))
        for i in range(KILLS):
            rig.wait_until(lambda: self.batch(name)['counts']['done'] > i * 20, 'more is done')
            self.kill()
            with contextlib.closing(sqlite3.connect(self.folder / 'h.db')) as db:
                self.assertEqual(db.execute('PRAGMA integrity_check').fetchone(), ('ok',))
            self.serve()
        self.await_state(name, 'done')
        self.check_results(name, rows)

    def test_a_pause_outlives_it(self):
        rows = [f'real{i}@slow.test' for i in range(100)]
        name = self.upload(as_csv(rows))
        self.assertEqual(self.ask('POST', f'/v1/batches/{name}/pause')[0], 200)
        self.kill()
        self.serve()
        self.assertEqual(self.batch(name)['state'], 'paused')
        self.ask('POST', f'/v1/batches/{name}/resume')
        self.await_state(name, 'done')
        self.check_results(name, rows)


if __name__ == '__main__':
    rig.Settings.heloise, rig.Settings.data = (str(pathlib.Path(word).resolve()) for word in sys.argv[1:3])
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]], verbosity=2)
