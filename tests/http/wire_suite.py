"""What clients send, right and wrong: each answer is what the table says and what the OpenAPI document describes.
SPDX-License-Identifier: Apache-2.0
"""
import json
import resource
import socket

import client
import rig
from client import request

JSON = ('Content-Type', 'application/json')
VERIFY = '/v1/verify'
LONG = 'x' * 1001

# name, method, target, body, headers, status, type of the problem (None: it is none)
REQUESTS = [
    ('alive', 'GET', '/healthz', None, (), 200, None),
    ('ready', 'GET', '/readyz', None, (), 200, None),
    ('version', 'GET', '/version', None, (), 200, None),
    ('metrics', 'GET', '/metrics', None, (), 200, None),
    ('document', 'GET', '/openapi.json', None, (), 200, None),
    ('egresses', 'GET', '/v1/egresses', None, (), 200, None),
    ('sites', 'GET', '/v1/sites', None, (), 200, None),
    ('domain never asked', 'GET', '/v1/domains/never.example', None, (), 200, None),
    ('domain in capitals', 'GET', '/v1/domains/GMAIL.com', None, (), 200, None),
    ('no domain', 'GET', '/v1/domains/a%20b', None, (), 400, 'bad-target'),
    ('no domain to ask about', 'GET', '/v1/dns/a%20b', None, (), 400, 'bad-target'),
    ('address literal to ask about', 'GET', '/v1/dns/%5B192.0.2.1%5D', None, (), 400, 'bad-target'),
    ('selector that is none', 'GET', '/v1/dns/d.example?selectors=a%20b', None, (), 400, 'bad-argument'),
    ('smtp that is neither', 'GET', '/v1/dns/d.example?smtp=maybe', None, (), 400, 'bad-argument'),
    ('unknown argument of dns', 'GET', '/v1/dns/d.example?x=1', None, (), 400, 'bad-argument'),
    ('history of nobody', 'GET', '/v1/addresses/jane@never.example/history', None, (), 200, None),
    ('history of no address', 'GET', '/v1/addresses/jane/history', None, (), 400, 'bad-target'),
    ('address not stored', 'GET', '/v1/addresses/jane@never.example', None, (), 404, 'not-found'),
    ('no such path', 'GET', '/v1/nothing', None, (), 404, 'not-found'),
    ('empty part', 'GET', '/v1/domains/', None, (), 404, 'not-found'),
    ('dots', 'GET', '/../etc/passwd', None, (), 404, 'not-found'),
    ('dots, encoded', 'GET', '/%2e%2e/etc/passwd', None, (), 404, 'not-found'),
    ('wrong method', 'PUT', VERIFY, {}, (), 405, 'method'),
    ('get of a post', 'GET', VERIFY, None, (), 405, 'method'),
    ('made-up method', 'KNOCK', VERIFY, None, (), 405, 'method'),
    ('escape without digits', 'GET', '/v1/domains/%zz', None, (), 400, 'bad-target'),
    ('escape cut off', 'GET', '/v1/domains/a%2', None, (), 400, 'bad-target'),
    ('escaped NUL', 'GET', '/v1/domains/a%00b', None, (), 400, 'bad-target'),
    ('escaped line end', 'GET', '/v1/domains/a%0d%0ab', None, (), 400, 'bad-target'),
    ('escaped bytes that are no UTF-8', 'GET', '/v1/domains/%ff', None, (), 400, 'bad-target'),
    ('bad escape in the query', 'GET', '/v1/sites?a=%g1', None, (), 400, 'bad-target'),
    ('argument twice', 'GET', '/v1/verify/stream?email=a&email=b', None, (), 400, 'bad-target'),
    ('too many arguments', 'GET', '/v1/sites?' + '&'.join(f'a{i}=1' for i in range(30)), None, (), 400, 'bad-target'),
    ('unknown argument', 'GET', '/v1/sites?colour=red', None, (), 400, 'bad-argument'),
    ('sites, too many', 'GET', '/v1/sites?limit=1001', None, (), 400, 'bad-argument'),
    ('sites, health', 'GET', '/v1/sites?health=ill', None, (), 400, 'bad-argument'),
    ('stream without address', 'GET', '/v1/verify/stream', None, (), 400, 'bad-argument'),
    ('stream, flag', 'GET', '/v1/verify/stream?email=a@b.example&fresh=maybe', None, (), 400, 'bad-argument'),
    ('stream, time', 'GET', '/v1/verify/stream?email=a@b.example&timeout_ms=1', None, (), 400, 'bad-argument'),
    ('no body', 'POST', VERIFY, None, (), 411, 'no-length'),
    ('empty body', 'POST', VERIFY, b'', (), 400, 'bad-json'),
    ('not JSON', 'POST', VERIFY, b'{"email":', (), 400, 'bad-json'),
    ('two values', 'POST', VERIFY, b'{"email":"a@b.example"} 1', (), 400, 'bad-json'),
    ('member twice', 'POST', VERIFY, b'{"email":"a@b.example","email":"c@d.example"}', (), 400, 'bad-json'),
    ('NUL in a text', 'POST', VERIFY, b'{"email":"a\\u0000@b.example"}', (), 400, 'bad-json'),
    ('NUL in the body', 'POST', VERIFY, b'{"email":\0"a@b.example"}', (), 400, 'bad-json'),
    ('no UTF-8', 'POST', VERIFY, b'{"email":"\xff"}', (), 400, 'bad-json'),
    ('deep', 'POST', VERIFY, b'[' * 5000, (), 400, 'bad-json'),
    ('no object', 'POST', VERIFY, b'["a@b.example"]', (), 422, 'invalid'),
    ('number for a text', 'POST', VERIFY, {'email': 3}, (), 422, 'invalid'),
    ('missing member', 'POST', VERIFY, {}, (), 422, 'invalid'),
    ('null where needed', 'POST', VERIFY, {'email': None}, (), 422, 'invalid'),
    ('empty address', 'POST', VERIFY, {'email': ''}, (), 422, 'invalid'),
    ('long address', 'POST', VERIFY, {'email': LONG}, (), 422, 'invalid'),
    ('unknown member', 'POST', VERIFY, {'email': 'a@b.example', 'e/m~l': 1}, (), 422, 'invalid'),
    ('time too short', 'POST', VERIFY, {'email': 'a@b.example', 'timeout_ms': 1}, (), 422, 'invalid'),
    ('negative time', 'POST', VERIFY, {'email': 'a@b.example', 'timeout_ms': -5}, (), 422, 'invalid'),
    ('huge time', 'POST', VERIFY, b'{"email":"a@b.example","timeout_ms":99999999999999999999}', (), 400, 'bad-json'),
    ('text for a flag', 'POST', VERIFY, {'email': 'a@b.example', 'fresh': 'yes'}, (), 422, 'invalid'),
    ('form', 'POST', VERIFY, b'email=a@b.example', [('Content-Type', 'application/x-www-form-urlencoded')], 415,
     'media-type'),
    ('compressed', 'POST', VERIFY, b'{}', [JSON, ('Content-Encoding', 'gzip')], 415, 'media-type'),
    ('large', 'POST', VERIFY, b' ' * 20000, (), 413, 'too-large'),
    ('argument for a post', 'POST', VERIFY + '?email=a@b.example', {'email': 'a@b.example'}, (), 400, 'bad-argument'),
    ('no address', 'POST', VERIFY, {'email': 'no address'}, (), 200, None),
    ('with a charset', 'POST', VERIFY, b'{"email":"no address"}', [('Content-Type', 'application/json; charset=utf-8')],
     200, None),
    ('many: none', 'POST', VERIFY + '/many', {'emails': []}, (), 422, 'invalid'),
    ('many: too many', 'POST', VERIFY + '/many', {'emails': ['a'] * 1001}, (), 422, 'invalid'),
    ('many: a number', 'POST', VERIFY + '/many', {'emails': ['a', 1]}, (), 422, 'invalid'),
    ('many: two', 'POST', VERIFY + '/many', {'emails': ['no address', 'neither']}, (), 200, None),
    ('body of a get', 'GET', '/v1/sites', {}, (), 413, 'too-large'),
    ('another host', 'GET', '/v1/sites', None, [('Host', 'evil.example')], 421, 'wrong-host'),
    ('a page elsewhere', 'POST', VERIFY, {'email': 'no address'}, [('Origin', 'https://evil.example')], 403, 'wrong-origin'),
    ('an image elsewhere', 'GET', '/v1/verify/stream?email=a@b.example', None, [('Sec-Fetch-Site', 'cross-site')], 403,
     'wrong-origin'),
]


class Wire(client.Case):
    extra = ('--no-smtp', '--resolver', '127.0.0.1:1')

    def setUp(self):
        super().setUp()
        self.serve()
        self.schema = client.Schema(json.loads(self.ask('GET', '/openapi.json').body))

    def test_requests(self):
        for name, method, target, body, headers, status, kind in REQUESTS:
            with self.subTest(name):
                hosts = [value for key, value in headers if key == 'Host']
                rest = [pair for pair in headers if pair[0] != 'Host']
                answer = self.ask(method, target, body, rest, hosts[0] if hosts else 'localhost')
                self.assertEqual(answer.status, status, answer)
                self.assertEqual(self.schema.answer_faults(method, target, answer), [])
                self.assertEqual(answer.headers['x-content-type-options'], 'nosniff')
                self.assertEqual(answer.headers['cache-control'], 'no-store')
                if kind is not None:
                    problem = answer.json()
                    self.assertEqual(problem['type'], 'urn:heloise:problem:' + kind)
                    self.assertEqual(problem['status'], status)
                    self.assertEqual(problem['request_id'], answer.headers['x-request-id'])

    def test_places_of_faults(self):
        for body, member, value in [
                (b'{\n "email": x}', 'row', 2), (b'{"email": 3}', 'pointer', '/email'),
                (b'{"email":"a","e/m~l":1}', 'pointer', '/e~1m~0l')]:
            self.assertEqual(self.ask('POST', VERIFY, body).json()[member], value)
        problem = self.ask('POST', VERIFY + '/many', {'emails': ['a', 1]}).json()
        self.assertEqual((problem['pointer'], problem['row']), ('/emails/1', 2))

    def test_every_path_is_described_and_there(self):
        described = {(method.upper(), path) for path, item in self.schema.document['paths'].items() for method in item
                     if method in ('get', 'post', 'put', 'patch', 'delete')}
        for method, path in described:
            allowed = self.ask('OPTIONS', path.replace('{', '').replace('}', '')).headers.get('allow', '')
            self.assertIn(method, allowed.split(', '), path)

    def test_options_and_head(self):
        answer = self.ask('OPTIONS', VERIFY)
        self.assertEqual((answer.status, answer.headers['allow']), (204, 'POST, OPTIONS'))
        self.assertEqual(self.ask('OPTIONS', '*').status, 204)
        head, get = self.ask('HEAD', '/version'), self.ask('GET', '/version')
        self.assertEqual((head.status, head.body), (200, b''))
        self.assertEqual(head.headers['content-length'], str(len(get.body)))
        self.assertEqual(self.ask('HEAD', '/v1/verify/stream?email=a@b.example').status, 405)

    def test_bytes_one_by_one(self):
        line = self.line()
        line.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in request('POST', VERIFY, {'email': 'no address'}):
            line.send(bytes([byte]))
        self.assertEqual(line.answer().status, 200)

    def test_pipelined(self):
        line = self.line()
        line.send(request('GET', '/version') * 3 + request('POST', VERIFY, {'email': 'no address'}) * 2 +
                  request('GET', '/v1/nothing'))
        self.assertEqual([line.answer().status for _ in range(6)], [200, 200, 200, 200, 200, 404])

    def test_after_an_error_the_line_lives(self):
        line = self.line()
        for data, status in [(request('POST', VERIFY, b'{'), 400), (request('POST', VERIFY, b' ' * 20000), 413),
                             (request('PUT', VERIFY, b'{}'), 405), (request('GET', '/version'), 200)]:
            line.send(data)
            self.assertEqual(line.answer().status, status)

    def test_chunked(self):
        head = f'POST {VERIFY} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n' \
               'Transfer-Encoding: chunked\r\n\r\n'.encode()
        body = b'{"email":"no address"}'
        chunks = b''.join(b'1\r\n' + bytes([byte]) + b'\r\n' for byte in body) + b'0\r\n\r\n'
        self.assertEqual(self.raw(head + chunks).status, 200)
        large = b'4000\r\n' + b' ' * 0x4000 + b'\r\n'
        self.assertEqual(self.raw(head + large * 3 + b'0\r\n\r\n').status, 413)

    def test_a_huge_body_is_not_awaited(self):
        head = f'POST {VERIFY} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n' \
               'Content-Length: 100000000000\r\nExpect: 100-continue\r\n\r\n'.encode()
        self.assertEqual(self.raw(head).status, 413)

    def test_what_has_two_readings(self):
        """RFC 9112 3.2, 5.1, 6.1, 6.3: what follows is never taken for another request, whoever stands in front of us."""
        body = b'{"email":"no address"}'
        chunks = b'%x\r\n%s\r\n0\r\n\r\n' % (len(body), body)
        size = b'Content-Length: %d\r\n' % len(body)
        coding = b'Transfer-Encoding: chunked\r\n'
        follower = request('GET', '/version')
        for name, fields, content in (
                ('both', size + coding, chunks), ('both, turned', coding + b'Content-Length: 4\r\n', chunks),
                ('two lengths', size + b'Content-Length: 5\r\n', body), ('the same length twice', size + size, body),
                ('a coding that is none', b'Transfer-Encoding: xchunked\r\n', chunks),
                ('gzip', b'Transfer-Encoding: gzip, chunked\r\n', chunks),
                ('identity', b'Transfer-Encoding: identity\r\n' + size, body),
                ('chunked twice', coding + coding, chunks), ('then identity', coding + b'Transfer-Encoding: identity\r\n', chunks),
                ('a hidden coding', b'Transfer-Encoding: \x0bchunked\r\n' + size, body),
                ('a space before the colon', b'Transfer-Encoding : chunked\r\n' + size, chunks),
                ('a length with one', b'Content-Length : %d\r\n' % len(body), body),
                ('two hosts', b'Host: evil.example\r\n' + size, body), ('a control character', b'X: a\x01b\r\n' + size, body)):
            with self.subTest(name):
                line = self.line()
                line.send(b'POST /v1/verify HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n' + fields + b'\r\n' +
                          content + follower)
                answer = line.answer()
                self.assertEqual((answer.status, answer.json()['type']), (400, 'urn:heloise:problem:bad-framing'))
                self.assertEqual(answer.headers['connection'], 'close')
                self.assertNotIn(b'heloise', line.rest())
        for name, text, status in (('no host', b'GET /version HTTP/1.1\r\n\r\n', 400), ('of old', b'GET /version HTTP/1.0\r\n\r\n', 200),
                                   ('chunks of old', b'POST /v1/verify HTTP/1.0\r\n' + coding + b'\r\n' + chunks, 400)):
            with self.subTest(name):
                line = self.line()
                line.send(text)
                self.assertEqual(line.answer().status, status)

    def test_idle_lines_are_harmless(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        count = min(10000, hard - 1000)
        idle = [socket.create_connection(('127.0.0.1', self.port)) for _ in range(count)]
        try:
            rig.wait_until(lambda: self.metric('heloise_http_connections') > count, 'all are taken')
            self.assertEqual(self.ask('POST', VERIFY, {'email': 'no address'}).status, 200)
            idle[0].sendall(request('GET', '/version'))
            self.assertIn(b'200', idle[0].recv(4096))
        finally:
            for line in idle:
                line.close()
        rig.wait_until(lambda: self.metric('heloise_http_connections') < 10, 'all are gone')


class Times(client.Case):
    extra = ('--no-smtp', '--resolver', '127.0.0.1:1', '--set', 'serve.idle-timeout=1s')

    def test_who_says_nothing_is_closed(self):
        self.serve()
        self.assertTrue(self.line().is_closed_by_server())

    def test_who_drips_is_closed(self):
        self.serve()
        line = self.line()
        line.send(b'GET /version HTTP/1.1\r\nHost: localhost\r\nX-Long: ')
        line.socket.settimeout(0.05)
        closed = []

        def drip():
            try:
                line.send(b'x')
                closed.append(line.socket.recv(1) == b'')
            except TimeoutError:
                return False
            except OSError:
                closed.append(True)
            return bool(closed)
        rig.wait_until(drip, 'the line is closed')
        self.assertTrue(closed[0])
        rig.wait_until(lambda: self.metric('heloise_http_slow_connections_total') >= 1, 'it is counted')

    def test_what_is_no_http(self):
        self.serve()
        bomb = b''.join(b'X-%d: %s\r\n' % (i, b'y' * 1000) for i in range(200))
        for data in [b'\0' * 200, b'GET\r\n\r\n', b'\r\n' * 50, b'GET /version HTTP/9.9\r\n\r\n', b'\x16\x03\x01\x02\0\x01',
                     b'GET /version HTTP/1.1\r\nHost: localhost\r\n' + bomb + b'\r\n',
                     b'GET /' + b'a' * 100000 + b' HTTP/1.1\r\nHost: localhost\r\n\r\n',
                     b'GET /ver\0sion HTTP/1.1\r\nHost: localhost\r\n\r\n',
                     b'GET /version HTTP/1.1\r\nHost: local\0host\r\n\r\n',
                     b'POST /v1/verify HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n',
                     b'POST /v1/verify HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999999\r\n\r\n',
                     b'POST /v1/verify HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n']:
            with self.subTest(data[:60]):
                line = self.line()
                try:
                    line.send(data)
                    line.socket.shutdown(socket.SHUT_WR)
                    self.assertTrue(line.is_closed_by_server())
                except OSError:
                    pass  # it was cut off while it still sent
                line.close()
                self.assertEqual(self.ask('GET', '/healthz').status, 200)
