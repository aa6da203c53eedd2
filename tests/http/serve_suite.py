"""The service with a mail server behind it, and what surrounds it: events, clients that leave, the page, TLS, proxies, signals.
SPDX-License-Identifier: Apache-2.0
"""
import contextlib
import gzip
import io
import json
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import unittest
import urllib.parse
import zipfile

import client
import rig
from client import request
from corpus import Corpus

VERIFY = '/v1/verify'
RECORDS = {(f'{one}.example', 15): [f'mx.{one}.example'] for one in 'de'}
RECORDS.update({(f'mx.{one}.example', 1): ['127.0.0.1'] for one in 'de'})
RECORDS.update({(f'mx.{one}.example', 28): [] for one in 'de'})


class Mail(client.Case):
    """With a mail server that can be held up."""

    def setUp(self):
        super().setUp()
        self.gate = threading.Event()
        self.gate.set()
        self.mailer = rig.Mailer(say=self.wait, records=RECORDS)
        self.addCleanup(self.mailer.close)
        self.addCleanup(self.gate.set)
        self.extra = self.mailer.options
        self.process = self.serve()
        self.schema = client.Schema(json.loads(self.ask('GET', '/openapi.json').body))

    def wait(self, verb, _):
        if verb == 'RCPT':
            self.gate.wait(rig.PATIENCE_S)

    def asked(self):
        return len(self.mailer.rcpts())

    def test_one(self):
        answer = self.ask('POST', VERIFY, {'email': 'live1@d.example'})
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(self.schema.answer_faults('POST', VERIFY, answer), [])
        first = answer.json()
        self.assertEqual((first['status'], first['cached']), ('deliverable', False))
        again = self.ask('POST', VERIFY, {'email': 'live1@d.example'}).json()
        self.assertEqual((again['status'], again['cached'], again['checked_at']),
                         ('deliverable', True, first['checked_at']))
        self.assertEqual(self.asked(), 1)
        fresh = self.ask('POST', VERIFY, {'email': 'live1@d.example', 'fresh': True}).json()
        self.assertEqual((fresh['cached'], self.asked()), (False, 2))
        told = self.ask('POST', VERIFY, {'email': 'live1@d.example', 'transcript': True}).json()
        self.assertTrue(any('RCPT TO:<live1@d.example>' in line['line'] for line in told['transcript']), told)

    def test_health_of_a_domain(self):
        target = '/v1/dns/D.example?selectors=one,two'
        answer = self.ask('GET', target)
        self.assertEqual((answer.status, self.schema.answer_faults('GET', target, answer)), (200, []), answer)
        told = answer.json()
        found = [finding['check'] for finding in told['findings']]
        self.assertEqual((told['domain'], told['facts']['mx'][0]['host']), ('d.example', 'mx.d.example'))
        self.assertEqual(told['facts']['mx'][0]['addresses'][0]['smtp'], 'talks')
        self.assertEqual(found.count('dkim_missing'), 2)
        for check in ('spf_missing', 'dmarc_missing', 'mx_without_starttls', 'mx_one_network'):
            self.assertIn(check, found)
        silent = self.ask('GET', '/v1/dns/d.example?smtp=no').json()
        self.assertEqual(silent['facts']['mx'][0]['addresses'][0]['smtp'], 'not_asked')
        absent = self.ask('GET', '/v1/dns/nowhere.example').json()
        self.assertEqual(([f['check'] for f in absent['findings']], absent['grade']), (['domain_not_found'], 'F'))

    def test_what_is_known_then(self):
        self.ask('POST', VERIFY, {'email': 'dead1@d.example'})
        self.ask('POST', VERIFY, {'email': 'live1@d.example'})
        for target in ['/v1/domains/d.example', '/v1/egresses', '/v1/sites', '/v1/addresses/live1@d.example',
                       '/v1/addresses/live1%40d.example/history']:
            answer = self.ask('GET', target)
            self.assertEqual((answer.status, self.schema.answer_faults('GET', target, answer)), (200, []), answer)
        domain = self.ask('GET', '/v1/domains/D.example').json()
        self.assertEqual((domain['known'], domain['mx'], domain['catch_all']),
                         (True, [{'host': 'mx.d.example', 'preference': 10}], False))
        site = self.ask('GET', '/v1/sites').json()['sites'][0]
        self.assertEqual((site['paths'][0]['egress'], site['paths'][0]['health']), ('default', 'well'))
        self.check_pages_of_sites()
        self.assertGreaterEqual(self.ask('GET', '/v1/egresses').json()['egresses'][0]['asked_24h'], 2)
        rig.wait_until(lambda: self.ask('GET', '/v1/addresses/live1@d.example/history').json()['history'], 'it is kept')
        seen = self.ask('GET', '/v1/addresses/live1@d.example/history').json()['history'][0]
        self.assertEqual((seen['status'], seen['sub_status'], seen['server']),
                         ('deliverable', 'accepted', 'mx.d.example'))

    def check_pages_of_sites(self):
        def names(query):
            answer = self.ask('GET', f'/v1/sites{query}')
            self.assertEqual((answer.status, self.schema.answer_faults('GET', '/v1/sites', answer)), (200, []), answer)
            page = answer.json()
            return [site['site'] for site in page['sites']], page['next']
        self.ask('POST', VERIFY, {'email': 'live1@e.example'})
        every, after = names('')
        self.assertEqual((after, every), (None, sorted(every)))
        self.assertGreater(len(every), 1)
        seen, after = [], ''
        while after is not None:
            page, after = names(f'?limit=1&after={urllib.parse.quote(after)}')
            self.assertEqual(len(page), 1)
            seen += page
        self.assertEqual(seen, every)
        self.assertEqual(names('?health=well'), (every, None))
        self.assertEqual(names('?health=blocked'), ([], None))
        provider = self.ask('GET', '/v1/sites').json()['sites'][0]['provider']['name']
        self.assertEqual(names(f'?provider={provider}')[0], every)
        self.assertEqual(names('?provider=nobody'), ([], None))

    def test_addresses_in_any_file(self):
        """Told by their content, whatever the client calls them; what cannot be read is said."""
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, 'w') as archive:
            archive.writestr('a.html', '<p>ja<b>ne</b>&#64;example.com')
            archive.writestr('cut.gz', gzip.compress(b'joe@example.com')[:-2])
        answer = self.ask('POST', '/v1/extract', packed.getvalue(), headers=[('Content-Type', 'application/octet-stream')])
        self.assertEqual((answer.status, self.schema.answer_faults('POST', '/v1/extract', answer)), (200, []), answer)
        found = answer.json()
        self.assertEqual([(one['email'], one['member'], one['line']) for one in found['addresses']],
                         [('jane@example.com', 'a.html', 1), ('joe@example.com', 'cut.gz', 1)])
        self.assertRegex(found['unread'][0], 'cut.gz: the gzip data ends too early')

    def test_addresses_in_files_of_each_kind(self):
        """The same as the command finds: tests/document/corpus makes the files."""
        for kind, data, known in Corpus(3).files():
            if kind == 'PDF' and not shutil.which('pdftotext'):
                continue
            with self.subTest(kind):
                answer = self.ask('POST', '/v1/extract', data, headers=[('Content-Type', 'application/octet-stream')])
                self.assertEqual((answer.status, self.schema.answer_faults('POST', '/v1/extract', answer)), (200, []), answer)
                found = answer.json()
                self.assertEqual((found['unread'], found['more']), ([], False))
                self.assertEqual({one['email'].lower() for one in found['addresses']}, {address.lower() for address in known})

    def test_hostile_files(self):
        """What unpacks to too much, hangs or is too large ends soon, and the service goes on."""
        bomb = gzip.compress(gzip.compress(bytes(300 << 20)))
        answer = self.ask('POST', '/v1/extract', bomb)
        self.assertEqual((answer.status, answer.json()['addresses']), (200, []))
        self.assertRegex(answer.json()['unread'][0], 'unpacks to too much')
        nested = b'deep@example.com'
        for _ in range(20):
            nested = gzip.compress(nested)
        self.assertRegex(self.ask('POST', '/v1/extract', nested).json()['unread'][0], 'packed too often')
        self.assertEqual(self.ask('POST', '/v1/extract', b'x' * ((16 << 20) + 1)).status, 413)
        self.assertEqual(self.ask('POST', '/v1/extract', b'jane@example.com').json()['addresses'][0]['email'], 'jane@example.com')

    def test_erasure(self):
        self.ask('POST', VERIFY, {'email': 'live1@d.example'})
        rig.wait_until(lambda: self.ask('GET', '/v1/addresses/live1@d.example/history').json()['history'], 'it is kept')
        self.assertEqual(self.ask('DELETE', '/v1/addresses/live1@d.example').status, 204)
        self.assertEqual(self.ask('GET', '/v1/addresses/live1@d.example').status, 404)
        self.assertEqual(self.ask('GET', '/v1/addresses/live1@d.example/history').json()['history'], [])
        self.assertEqual(self.ask('DELETE', '/v1/addresses/live1@d.example').status, 204)
        self.assertEqual(self.ask('DELETE', '/v1/addresses/nobody').status, 400)

    def test_pending(self):
        self.gate.clear()
        answer = self.ask('POST', VERIFY, {'email': 'live+x@d.example', 'timeout_ms': 300})
        self.assertEqual(answer.status, 202, answer)
        self.assertEqual(self.schema.answer_faults('POST', VERIFY, answer), [])
        record = answer.json()
        self.assertEqual((record['pending'], record['link']), (True, '/v1/addresses/live%2Bx@d.example'))
        self.assertEqual(self.ask('GET', record['link']).status, 404)
        self.gate.set()
        rig.wait_until(lambda: self.ask('GET', record['link']).status == 200, 'the work went on')
        self.assertEqual(self.ask('GET', record['link']).json()['status'], 'deliverable')

    def test_two_share_one_probe(self):
        self.gate.clear()
        lines = [self.line(), self.line()]
        for line in lines:
            line.send(request('POST', VERIFY, {'email': 'live1@d.example'}))
        rig.wait_until(lambda: self.metric('heloise_questions_open') == 2, 'both are asked')
        self.gate.set()
        self.assertEqual([line.answer().json()['status'] for line in lines], ['deliverable'] * 2)
        self.assertEqual(self.asked(), 1)

    def test_stream(self):
        answer = self.ask('GET', VERIFY + '/stream?email=live1%40d.example')
        self.assertEqual((answer.status, answer.headers['content-type']), (200, 'text/event-stream'))
        events = answer.events()
        self.assertEqual(events[-1][0], 'verdict')
        self.assertEqual(events[-1][1]['status'], 'deliverable')
        self.assertEqual(self.schema.faults(events[-1][1], {'$ref': '#/components/schemas/Record'}), [])
        self.assertIn('stage', [name for name, _ in events])
        said = [data['text'] for name, data in events if name == 'line']
        self.assertIn('RCPT TO:<live1@d.example>', said)
        self.assertIn('220 mx.d.example ESMTP', said)
        cached = self.ask('GET', VERIFY + '/stream?email=live1@d.example').events()
        self.assertEqual([(name, data['cached']) for name, data in cached], [('verdict', True)])

    def test_events_come_as_they_happen(self):
        self.gate.clear()
        line = self.line()
        line.send(request('GET', VERIFY + '/stream?email=live1@d.example'))
        seen = b''
        while b'RCPT TO:<live1@d.example>' not in seen:
            seen += line.file.readline()
        self.assertNotIn(b'event: verdict', seen)
        self.gate.set()
        while b'event: verdict' not in seen:
            seen += line.file.readline()

    def test_who_leaves_is_noticed(self):
        self.gate.clear()
        for target in [VERIFY + '/stream?email=live1@d.example', None]:
            line = self.line()
            line.send(request('GET', target) if target else request('POST', VERIFY, {'email': 'live2@d.example'}))
            rig.wait_until(lambda: self.metric('heloise_http_requests_open') == 2, 'it is under way')
            line.socket.shutdown(socket.SHUT_RDWR)
            line.close()
            rig.wait_until(lambda: self.metric('heloise_http_requests_open') == 1, 'it is given up')
        self.assertEqual(self.metric('heloise_http_streams_open'), 0)
        self.assertEqual(self.metric('heloise_http_clients_left_total'), 2)
        self.gate.set()
        rig.wait_until(lambda: self.ask('GET', '/v1/addresses/live1@d.example').status == 200, 'the work went on')

    def test_many(self):
        emails = [f'live{i}@d.example' for i in range(40)] + ['no address', 'dead1@d.example']
        answer = self.ask('POST', VERIFY + '/many', {'emails': emails})
        self.assertEqual((answer.status, answer.headers['content-type']), (200, 'application/x-ndjson'))
        self.assertEqual(self.schema.answer_faults('POST', VERIFY + '/many', answer), [])
        rows = {line['row']: line for line in answer.lines()}
        self.assertEqual(sorted(rows), list(range(1, 43)))
        self.assertEqual([rows[i + 1]['email'] for i in range(42)], emails)
        self.assertEqual({rows[i]['status'] for i in range(1, 41)}, {'deliverable'})
        self.assertEqual((rows[41]['sub_status'], rows[42]['status']), ('invalid_syntax', 'undeliverable'))

    def test_batches_are_as_described(self):
        def hold(method, target, status, body=None, headers=()):
            answer = self.ask(method, target, body, headers)
            self.assertEqual((answer.status, self.schema.answer_faults(method, target, answer)), (status, []), answer)
            return answer
        rows = 'email\n' + ''.join(f'live{i}@d.example\n' for i in range(5))
        batch = hold('POST', '/v1/batches?label=five', 202, rows.encode(), [('Content-Type', 'text/csv')]).json()
        place = f'/v1/batches/{batch["id"]}'
        rig.wait_until(lambda: hold('GET', place, 200).json()['state'] == 'done', 'it is done')
        self.assertEqual(hold('GET', place, 200).json()['statuses']['deliverable'], 5)
        self.assertEqual(len(hold('GET', '/v1/batches', 200).json()['batches']), 1)
        self.assertIn(b'live4@d.example', hold('GET', place + '/results', 200).body)
        hold('GET', place + '/results?format=ndjson', 200)
        hold('GET', place + '/results?format=xml', 400)
        hold('GET', place + '/events', 200)
        hold('DELETE', '/v1/batches/nothing', 404)
        self.assertEqual(self.ask('DELETE', place).status, 204)
        hold('GET', place, 404)

    def test_many_to_who_does_not_read(self):
        """A thousand records wait in the server for a client that takes its time."""
        line = self.line()
        line.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.send(request('POST', VERIFY + '/many', {'emails': ['no address'] * 1000}))
        self.assertEqual(self.ask('GET', '/healthz').status, 200)
        self.assertEqual(len(line.answer().lines()), 1000)

    def test_a_stop_answers_who_waits(self):
        self.gate.clear()
        line, stream = self.line(), self.line()
        line.send(request('POST', VERIFY, {'email': 'live1@d.example'}))
        stream.send(request('GET', VERIFY + '/stream?email=live2@d.example'))
        rig.wait_until(lambda: self.metric('heloise_http_requests_open') == 3, 'both are under way')
        self.process.send_signal(signal.SIGTERM)
        rig.wait_until(lambda: 'stopping' in self.log(), 'it stops')
        self.assertEqual(line.answer().status, 503)
        self.assertTrue(stream.is_closed_by_server())
        self.gate.set()
        self.assertEqual(self.process.wait(rig.PATIENCE_S), 0, self.log())


class Keys(client.Case):
    extra = ('--no-smtp', '--resolver', '127.0.0.1:1')

    def add(self, *words):
        return self.expect(0, 'key', 'add', '--label', *words).out.split()[0]

    def ask_with(self, key, method, target, body=None):
        return self.ask(method, target, body, [('Authorization', f'Bearer {key}')])

    def status(self, key, method='POST', target=VERIFY, body=None):
        return self.ask_with(key, method, target, body or ({'email': 'no address'} if method == 'POST' else None)).status

    def test_keys(self):
        key, reader = self.add('page'), self.add('reader', '--scope', 'read')
        self.serve('--listen', '0.0.0.0:0')
        self.assertIn('callers need an API key', self.log())
        self.assertEqual((self.status(key), self.status('nonsense')), (200, 401))
        answer = self.ask('POST', VERIFY, {'email': 'no address'})
        self.assertEqual((answer.status, answer.headers['www-authenticate']), (401, 'Bearer'))
        self.assertEqual(self.ask('POST', VERIFY, {'email': 'no address'}, [('X-Api-Key', key)]).status, 200)
        self.assertEqual((self.status(reader), self.status(reader, 'GET', '/v1/sites')), (403, 200))
        self.assertEqual(self.status(key, 'DELETE', '/v1/addresses/jane@d.example'), 403)
        self.assertEqual(self.ask('GET', '/healthz').status, 200)
        self.assertNotIn(key, self.log())

    def test_rates_and_quotas(self):
        slow, small = self.add('slow', '--rate', '1/min'), self.add('small', '--quota', '5/day')
        self.serve()
        self.assertEqual(self.status(slow), 200)
        answer = self.ask_with(slow, 'POST', VERIFY, {'email': 'no address'})
        self.assertEqual((answer.status, answer.json()['type']), (429, 'urn:heloise:problem:too-many'))
        self.assertEqual(answer.headers['retry-after'], str(answer.json()['retry_after']))
        self.assertEqual(self.status(small, target=VERIFY + '/many', body={'emails': ['x'] * 6}), 429)
        self.assertEqual(self.status(small, target=VERIFY + '/many', body={'emails': ['x'] * 4}), 200)

    def test_the_first_key_closes_the_door(self):
        self.serve()
        self.assertEqual(self.ask('POST', VERIFY, {'email': 'no address'}).status, 200)
        key = self.add('page')
        rig.wait_until(lambda: self.ask('POST', VERIFY, {'email': 'no address'}).status == 401, 'it is seen')
        self.assertEqual(self.status(key), 200)


class Around(client.Case):
    extra = ('--no-smtp', '--resolver', '127.0.0.1:1')

    def test_logs_have_no_addresses(self):
        process = self.serve()
        self.ask('GET', '/v1/addresses/jane@never.example')
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(rig.PATIENCE_S), 0)
        lines = [json.loads(line) for line in self.log().splitlines() if line.startswith('{')]
        mine = [line for line in lines if line.get('route') == '/v1/addresses/{address}']
        self.assertEqual([(line['method'], line['status']) for line in mine], [('GET', 404)])
        self.assertNotIn('jane', self.log())
        self.assertNotIn('client', mine[0])

    def test_logs_have_addresses_where_asked(self):
        process = self.serve('--set', 'serve.log-addresses=yes')
        self.ask('GET', '/v1/addresses/jane@never.example')
        process.send_signal(signal.SIGTERM)
        process.wait(rig.PATIENCE_S)
        self.assertIn('"client":"127.0.0.1","target":"/v1/addresses/jane@never.example"', self.log())

    def test_only_this_machine_without_keys(self):
        for place in ['0.0.0.0:0', '[::]:0', '192.0.2.1']:
            run = self.expect(78, 'serve', '--listen', place)
            self.assertIn('there is no API key', run.err)
        self.assertIn('serve needs a store', self.expect(64, 'serve', '--no-store').err)
        self.assertIn('is not an address', self.expect(64, 'serve', '--listen', 'localhost').err)
        self.assertIn('TLS needs both', self.expect(78, 'serve', '--set', 'serve.tls-key=/dev/null').err)

    def test_a_taken_port(self):
        with socket.create_server(('127.0.0.1', 0)) as taken:
            run = self.expect(73, 'serve', '--listen', f'127.0.0.1:{taken.getsockname()[1]}')
        self.assertIn('another process does', run.err)

    def test_proxies(self):
        self.serve('--set', 'serve.trusted-proxies=127.0.0.0/8')
        for headers, status in [([], 200), ([('X-Forwarded-For', '127.0.0.9')], 200),
                                ([('X-Forwarded-For', '192.0.2.1')], 401),
                                ([('X-Forwarded-For', '127.0.0.1, 192.0.2.1')], 401),
                                ([('X-Forwarded-For', '192.0.2.1, 127.0.0.1')], 401),
                                ([('Forwarded', 'for="[2001:db8::1]:4711";proto=https')], 401)]:
            self.assertEqual(self.ask('GET', '/v1/egresses', headers=headers).status, status, headers)

    def test_who_is_no_proxy_is_not_believed(self):
        self.serve()
        answer = self.ask('GET', '/v1/egresses', headers=[('X-Forwarded-For', '192.0.2.1')])
        self.assertEqual(answer.status, 200)

    def test_cors(self):
        self.serve('--set', 'serve.cors-origins=https://good.example')
        asked = self.ask('OPTIONS', VERIFY, headers=[('Origin', 'https://good.example'),
                                                     ('Access-Control-Request-Method', 'POST')])
        self.assertEqual(asked.status, 204)
        self.assertEqual(asked.headers['access-control-allow-origin'], 'https://good.example')
        self.assertIn('POST', asked.headers['access-control-allow-methods'])
        self.assertIn('Content-Type', asked.headers['access-control-allow-headers'])
        good = self.ask('POST', VERIFY, {'email': 'no address'}, [('Origin', 'https://good.example')])
        self.assertEqual((good.status, good.headers['access-control-allow-origin']), (200, 'https://good.example'))
        other = self.ask('OPTIONS', VERIFY, headers=[('Origin', 'https://evil.example')])
        self.assertNotIn('access-control-allow-origin', other.headers)

    def make_page(self):
        (self.folder / 'web' / 'sub').mkdir(parents=True)
        self.write('web/index.html', '<!doctype html><title>Heloise</title>' + ' ' * 3000)
        self.write('web/sub/app.js', 'export const a = 1;\n' * 200)
        self.write('web/.hidden', 'secret')
        self.write('web/LICENSE', 'not served')
        (self.folder / 'web' / 'passwd.txt').symlink_to('/etc/passwd')

    def test_page(self):
        self.make_page()
        (self.folder / 'web' / 'passwd.txt').unlink()
        self.serve('--set', f'serve.page={self.path("web")}')
        index = self.ask('GET', '/')
        self.assertEqual((index.status, index.headers['content-type']), (200, 'text/html; charset=utf-8'))
        self.assertIn("default-src 'self'", index.headers['content-security-policy'])
        self.assertNotIn('unsafe', index.headers['content-security-policy'])
        self.assertEqual(self.ask('GET', '/index.html').body, index.body)
        script = self.ask('GET', '/sub/app.js', headers=[('Accept-Encoding', 'br, gzip')])
        self.assertEqual((script.headers['content-encoding'], script.headers['vary']), ('gzip', 'Accept-Encoding'))
        self.assertEqual(gzip.decompress(script.body).decode(), 'export const a = 1;\n' * 200)
        again = self.ask('GET', '/', headers=[('If-None-Match', index.headers['etag'])])
        self.assertEqual((again.status, again.body), (304, b''))
        self.assertEqual(self.ask('HEAD', '/').headers['content-length'], str(len(index.body)))
        for target in ['/.hidden', '/LICENSE', '/sub', '/sub/', '/../log', '/%2e%2e/log', '//index.html']:
            self.assertEqual(self.ask('GET', target).status, 404, target)
        self.assertEqual(self.ask('POST', '/', {}).status, 404)

    def test_links_out_of_the_page_are_refused(self):
        self.make_page()
        run = self.expect(65, 'serve', '--listen', '127.0.0.1:0', '--set', f'serve.page={self.path("web")}')
        self.assertIn('passwd.txt cannot be read', run.err)

    def test_reload(self):
        self.make_page()
        (self.folder / 'web' / 'passwd.txt').unlink()
        process = self.serve('--set', f'serve.page={self.path("web")}')
        self.write('web/index.html', 'new')
        process.send_signal(signal.SIGHUP)
        rig.wait_until(lambda: self.ask('GET', '/').body == b'new', 'the new page is served')
        shutil.rmtree(self.path('web'))
        process.send_signal(signal.SIGHUP)
        rig.wait_until(lambda: 'what was there before is still served' in self.log(), 'it is told')
        self.assertEqual(self.ask('GET', '/').body, b'new')

    def test_the_manager_is_told(self):
        with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as manager:
            manager.bind(self.path('notify'))
            manager.settimeout(rig.PATIENCE_S)
            process = self.serve(env={'NOTIFY_SOCKET': self.path('notify')})
            self.assertIn(b'READY=1', manager.recv(100))
            process.send_signal(signal.SIGHUP)
            self.assertEqual(manager.recv(100), b'RELOADING=1')
            self.assertEqual(manager.recv(100), b'READY=1')
            process.send_signal(signal.SIGTERM)
            self.assertEqual(manager.recv(100), b'STOPPING=1')

    @unittest.skipUnless(shutil.which('openssl'), 'openssl makes the certificate')
    def test_tls(self):
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj',
                        '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-keyout', self.path('key'), '-out',
                        self.path('cert')], check=True, capture_output=True)
        self.context = ssl.create_default_context(cafile=self.path('cert'))
        self.serve('--set', f'serve.tls-certificate={self.path("cert")}', '--set', f'serve.tls-key={self.path("key")}')
        answer = self.ask('POST', VERIFY, {'email': 'no address'})
        self.assertEqual(answer.status, 200)
        self.assertIn('strict-transport-security', answer.headers)
        self.assertIn('https://127.0.0.1:', self.log())
        plain = client.Line(self.port)
        plain.send(request('GET', '/version'))
        self.assertTrue(plain.is_closed_by_server())
        plain.close()

    def test_bad_certificate(self):
        self.write('cert', 'nonsense')
        run = self.expect(73, 'serve', '--listen', '127.0.0.1:0', '--set', f'serve.tls-certificate={self.path("cert")}',
                          '--set', f'serve.tls-key={self.path("cert")}')
        self.assertIn('holds no "-----BEGIN CERTIFICATE', run.err)

    def test_metrics_are_well_formed(self):
        self.serve()
        self.ask('POST', VERIFY, {'email': 'no address'})
        answer = self.ask('GET', '/metrics')
        self.assertEqual(answer.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8')
        typed = {}
        for line in answer.body.decode().splitlines():
            if line.startswith('# TYPE '):
                _, _, name, kind = line.split()
                self.assertNotIn(name, typed)
                typed[name] = kind
            elif not line.startswith('#'):
                name = line.split('{')[0].split(' ')[0]
                base = name.removesuffix('_bucket').removesuffix('_sum').removesuffix('_count')
                self.assertTrue(name in typed or typed.get(base) == 'histogram', line)
                self.assertTrue(name.startswith('heloise_'))
                float(line.rsplit(' ', 1)[1])
        counted = 'heloise_http_requests_total{method="POST",route="/v1/verify",code="200"}'
        rig.wait_until(lambda: self.metric(counted) == 1, 'it is counted, when its answer is sent')
