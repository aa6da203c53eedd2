"""POST /v1/probe: a test of a mail server over HTTP, whole and as it happens, and what it must not do.
SPDX-License-Identifier: Apache-2.0
"""
import contextlib
import json
import signal
import socket
import threading

import client
import probe_servers as servers
import rig
from client import request

PROBE = '/v1/probe'
STREAM = [('Accept', 'text/event-stream')]


class Base(client.Case):
    extra = ('--no-config',)

    def behind(self, handle, *words, host='127.0.0.1'):
        """A service whose port of the configuration is that of a server of the test's own."""
        server = servers.Server(handle)
        self.addCleanup(server.close)
        names = rig.Names({('d.example', 15): ['mx.d.example'], ('mx.d.example', 1): [host], ('mx.d.example', 28): []})
        self.addCleanup(names.close)
        self.mail = server
        self.process = self.serve('--resolver', f'127.0.0.1:{names.port}', '--port', str(server.port), '--allow-net',
                                  '127.0.0.0/8', '--helo', 'us.example', '--from', 'me@us.example', *words)
        self.schema = client.Schema(json.loads(self.ask('GET', '/openapi.json').body))
        return server

    def probe(self, status=200, target='127.0.0.1', **members):
        answer = self.ask('POST', PROBE, {'target': target, **members})
        self.assertEqual((answer.status, self.schema.answer_faults('POST', PROBE, answer)), (status, []), answer)
        return answer.json()

    @staticmethod
    def checks(record, level='mend'):
        return sorted({f['check'] for f in record['findings'] if f['level'] == level})


class Answers(Base):
    def test_a_domain(self):
        server = self.behind(servers.Good())
        record = self.probe(target='d.example')
        host = record['hosts'][0]
        self.assertEqual((record['name'], record['route'], record['complete']), ('d.example', 'ok', True))
        self.assertEqual((host['host'], host['ip'], host['end']), ('mx.d.example', '127.0.0.1', 'done'))
        self.assertEqual([line['text'] for line in host['transcript'] if line['direction'] == 'C'], ['EHLO us.example', 'QUIT'])
        self.assertEqual(self.checks(record, 'advice'), ['tls_not_offered'])
        self.assertEqual(server.heard, ['EHLO us.example', 'QUIT'])

    def test_the_same_as_the_command(self):
        server = self.behind(servers.Good())
        run = self.expect(1, 'probe', '--no-config', '--json', '--helo', 'us.example', '--from', 'me@us.example', '--to',
                          'dead@d.example', '--examine', f'smtp://127.0.0.1:{server.port}')
        theirs = json.loads(run.out)
        ours = self.probe(target=f'smtp://127.0.0.1:{server.port}', to=['dead@d.example'])

        def shape(value):
            if isinstance(value, dict):
                return {name: 0 if name.endswith('_ms') else shape(one) for name, one in value.items()}
            return [shape(one) for one in value] if isinstance(value, list) else value
        self.assertEqual(shape(ours), shape(theirs))
        self.assertEqual(self.checks(ours), ['refused'])

    def test_tls_and_a_name(self):
        self.behind(servers.Good(servers.Certificates.context('own')))
        record = self.probe(server_name='mx.d.example', tls='must')
        host = record['hosts'][0]
        self.assertEqual(host['tls']['chain'][0]['subject'].count('other.example'), 1)
        self.assertEqual([one['version'] for one in host['tls_versions']], ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'])
        self.assertEqual(self.checks(record), ['certificate_other_name', 'certificate_untrusted'])
        self.assertEqual(host['starttls_injection'], 'dropped')
        self.assertEqual(self.probe(examine=False)['hosts'][0]['tls_versions'], [])

    def test_a_login(self):
        server = self.behind(servers.Good(servers.Certificates.context('good'), 'SCRAM-SHA-256 PLAIN', clear_login=False))
        record = self.probe(user='jane', password='secret', test_logins=True, examine=False)
        self.assertEqual([(one['mechanism'], one['worked']) for one in record['hosts'][0]['logins']],
                         [('PLAIN', 'yes'), ('SCRAM-SHA-256', 'yes')])
        record = self.probe(user='jane', password='wr0ng-pass', mechanism='plain', examine=False)
        self.assertEqual((record['hosts'][0]['end'], record['hosts'][0]['stage']), ('refused', 'auth'))
        self.assertNotIn('wr0ng-pass', json.dumps(record))
        self.assertNotIn('AGphbmUAd3IwbmctcGFzcw', json.dumps(record))
        self.assertNotIn('wr0ng-pass', self.log())
        self.assertNotIn('jane', self.log())
        self.assertIn('QUIT', server.heard)

    def test_no_password_in_the_clear(self):
        server = self.behind(servers.Good(mechanisms='PLAIN LOGIN'))
        record = self.probe(user='jane', password='secret', examine=False)
        self.assertEqual(record['hosts'][0]['end'], 'withheld')
        self.assertFalse([line for line in server.heard if line.startswith('AUTH')])

    def test_ports(self):
        self.behind(servers.Good())
        record = self.probe(ports=True, examine=False)
        self.assertEqual([one['port'] for one in record['hosts'][0]['ports']], [25, 465, 587, 2525])


class Refusals(Base):
    def test_wrong_input(self):
        server = self.behind(servers.Good())
        for members, pointer in (({'target': 'mx..example'}, '/target'), ({'target': '127.0.0.1:22'}, '/target'),
                                 ({'target': 'lmtp:///run/lmtp'}, '/target'), ({'port': 22}, '/port'), ({'port': 0}, '/port'),
                                 ({'target': ''}, '/target'), ({'target': None}, '/target'),
                                 ({'tls': 'sometimes'}, '/tls'), ({'to': ['no address']}, '/to'), ({'to': 'x@d.example'}, '/to'),
                                 ({'to': ['a@d.example'] * 11}, '/to'), ({'from': 'no address'}, '/from'),
                                 ({'to': ['a@d.example>\r\nDATA']}, '/to'), ({'server_name': 'a b'}, '/server_name'),
                                 ({'user': 'jane'}, '/password'), ({'password': 'x'}, '/user'), ({'test_logins': True}, '/user'),
                                 ({'user': 'j', 'password': 'x', 'mechanism': 'NTLM'}, '/mechanism'),
                                 ({'send': True, 'to': ['live@d.example']}, '/send'), ({'message': 'x'}, '/message'),
                                 ({'relay_domain': 'd.example'}, '/relay_domain'), ({'relay_to': 'x@e.example'}, '/relay_to'),
                                 ({'timeout_ms': 1}, '/timeout_ms'), ({'shell': 'sh'}, '/shell')):
            problem = self.probe(422, **{'target': '127.0.0.1', **members})
            self.assertEqual(problem.get('pointer'), pointer, (members, problem))
        self.assertEqual(self.ask('POST', PROBE, b'{"target"').status, 400)
        self.assertEqual(self.ask('POST', PROBE, b'x' * 200000).status, 413)
        self.assertEqual(self.ask('GET', PROBE).status, 405)
        self.assertEqual(server.heard, [])

    def test_private_addresses(self):
        server = servers.Server(servers.Good())
        self.addCleanup(server.close)
        names = rig.Names({('d.example', 15): ['mx.d.example'], ('mx.d.example', 1): ['127.0.0.1'], ('mx.d.example', 28): []})
        self.addCleanup(names.close)
        self.serve('--resolver', f'127.0.0.1:{names.port}', '--port', str(server.port))
        self.schema = client.Schema(json.loads(self.ask('GET', '/openapi.json').body))
        for target in ('127.0.0.1', 'localhost:25', 'd.example', 'mx.d.example:25', '[::1]:25', '10.0.0.1', '169.254.169.254',
                       '[::ffff:127.0.0.1]:25'):
            record = self.probe(target=target)
            self.assertFalse([host for host in record['hosts'] if host['has_address']], record)
            self.assertNotEqual(record['worst'], 'ok', record)
        self.assertEqual(server.heard, [])

    def test_a_message_where_it_may_be_sent(self):
        server = self.behind(servers.Good(), '--set', 'serve.probe-send=yes')
        record = self.probe(to=['live@d.example'], send=True, message='Subject: hi\n\n.dot\n', examine=False)
        self.assertEqual(record['hosts'][0]['end'], 'done')
        self.assertEqual(len(server.messages), 1)
        self.assertTrue(server.messages[0].endswith('Subject: hi\n\n.dot\n'), server.messages)
        self.assertTrue(record['added'])
        self.assertEqual(self.probe(422, send=True)['pointer'], '/send')

    def test_relaying_where_it_may_be_tested(self):
        server = self.behind(servers.Good(), '--set', 'serve.probe-relay=127.0.0.1')
        record = self.probe(relay_domain='d.example', relay_to='dead@e.example', examine=False)
        self.assertIn('open_relay', {one['check'] for one in record['findings']})
        self.assertTrue(record['hosts'][0]['relay']['steps'])
        self.assertNotIn('DATA', server.heard)
        self.assertEqual(self.probe(422, target='localhost', relay_domain='d.example')['pointer'], '/relay_domain')

    def test_where_mail_servers_are_not_contacted(self):
        self.serve('--no-smtp', '--resolver', '127.0.0.1:1')
        answer = self.ask('POST', PROBE, {'target': 'd.example'})
        self.assertEqual((answer.status, answer.json()['detail'][:28]), (503, 'mail servers are not tested '))

    def test_keys_and_scopes(self):
        usual = self.expect(0, 'key', 'add', '--label', 'usual').out.split()[0]
        probing = self.expect(0, 'key', 'add', '--label', 'probing', '--scope', 'probe').out.split()[0]
        self.behind(servers.Good())
        for key, status in ((usual, 403), (probing, 200), ('nonsense', 401)):
            answer = self.ask('POST', PROBE, {'target': '127.0.0.1', 'examine': False}, [('Authorization', f'Bearer {key}')])
            self.assertEqual(answer.status, status, answer)
        self.assertEqual(self.ask('POST', '/v1/verify', {'email': 'x'}, [('Authorization', f'Bearer {probing}')]).status, 403)


class Live(Base):
    def setUp(self):
        super().setUp()
        self.gate = threading.Event()
        self.addCleanup(self.gate.set)

    def held(self, line):
        line.say('220-mx.d.example\r\n')
        self.gate.wait(rig.PATIENCE_S)
        line.say('220 mx.d.example ESMTP\r\n')
        servers.Good(says={'': b''})(line)

    def test_events(self):
        self.behind(servers.Good(servers.Certificates.context('good')))
        answer = self.ask('POST', PROBE, {'target': 'd.example', 'to': ['dead@d.example']}, STREAM)
        self.assertEqual((answer.status, answer.headers['content-type']), (200, 'text/event-stream'))
        events = answer.events()
        self.assertEqual(events[-1][0], 'result')
        self.assertEqual(self.schema.faults(events[-1][1], {'$ref': '#/components/schemas/Probe'}), [])
        stages = [data['text'] for name, data in events if name == 'stage']
        self.assertEqual(stages[:2], ['looking up the mail servers of d.example', 'talking to mx.d.example'])
        self.assertIn('trying TLS 1.3', stages)
        lines = [data for name, data in events if name == 'line']
        self.assertIn(('C', True, 'RCPT TO:<dead@d.example>'), [(one['direction'], one['tls'], one['text']) for one in lines])
        refusal = next(one for one in lines if one['text'].startswith('550'))
        self.assertEqual(refusal['meaning'], '5.1.1: there is no such mailbox, for good')

    def test_they_come_as_they_happen(self):
        self.behind(self.held)
        line = self.line()
        line.send(request('POST', PROBE, {'target': '127.0.0.1'}, STREAM))
        seen = b''
        while b'220-mx.d.example' not in seen:
            seen += line.file.readline()
        self.assertNotIn(b'event: result', seen)
        self.assertEqual(self.ask('GET', '/healthz').status, 200)
        self.gate.set()
        while b'event: result' not in seen:
            seen += line.file.readline()

    def test_who_leaves_frees_the_worker(self):
        self.behind(self.held, '--set', 'serve.probes=1')
        for headers in (STREAM, []):
            line = self.line()
            line.send(request('POST', PROBE, {'target': '127.0.0.1'}, headers))
            rig.wait_until(lambda: self.metric('heloise_server_tests_open') == 1, 'it is under way')
            line.socket.shutdown(socket.SHUT_RDWR)
            line.close()
            rig.wait_until(lambda: self.metric('heloise_server_tests_open') == 0, 'it is given up')
        self.assertEqual(self.metric('heloise_server_tests_total'), 2)

    def test_no_more_at_once_than_may_be(self):
        self.behind(self.held, '--set', 'serve.probes=2')
        lines = [self.line(), self.line()]
        for line in lines:
            line.send(request('POST', PROBE, {'target': '127.0.0.1', 'examine': False}))
        rig.wait_until(lambda: self.metric('heloise_server_tests_open') == 2, 'both are under way')
        for headers in ([], STREAM):
            answer = self.ask('POST', PROBE, {'target': '127.0.0.1'}, headers)
            self.assertEqual((answer.status, answer.headers['retry-after']), (429, '10'), answer)
        self.gate.set()
        self.assertEqual([line.answer().status for line in lines], [200, 200])
        self.assertEqual(self.probe(examine=False)['worst'], 'advice')

    def test_one_key_has_half(self):
        keys = [self.expect(0, 'key', 'add', '--label', name, '--scope', 'probe').out.split()[0] for name in ('one', 'two')]
        self.behind_with_keys()
        first, second = self.line(), self.line()

        def asks(key):
            return request('POST', PROBE, {'target': '127.0.0.1', 'examine': False}, [('X-Api-Key', key)])
        first.send(asks(keys[0]))
        rig.wait_until(lambda: len(self.mail.open) == 1, 'it is under way')
        self.assertEqual(self.raw(asks(keys[0])).status, 429)
        second.send(asks(keys[1]))
        rig.wait_until(lambda: len(self.mail.open) == 2, 'so is the other')
        self.gate.set()
        self.assertEqual([line.answer().status for line in (first, second)], [200, 200])

    def behind_with_keys(self):
        opened = []

        def count(line):
            opened.append(line)
            self.held(line)
        self.behind(count, '--set', 'serve.probes=2')
        self.mail.open = opened

    def test_the_time_is_over(self):
        self.behind(self.held)
        record = self.probe(timeout_ms=1000)
        self.assertEqual((record['complete'], record['worst']), (False, 'unknown'))
        self.assertEqual(self.checks(record, 'unknown'), ['stopped'])

    def test_the_name_server_is_silent(self):
        silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(silent.close)
        silent.bind(('127.0.0.1', 0))
        self.serve('--resolver', f'127.0.0.1:{silent.getsockname()[1]}')
        self.schema = client.Schema(json.loads(self.ask('GET', '/openapi.json').body))
        for target in ('d.example', 'mx.d.example:25'):
            record = self.probe(target=target, timeout_ms=1000)
            self.assertEqual((record['complete'], record['worst']), (False, 'unknown'), record)

    def test_a_stop_answers_who_waits(self):
        self.behind(self.held, '--set', 'serve.stop-timeout=1s')
        line, stream = self.line(), self.line()
        line.send(request('POST', PROBE, {'target': '127.0.0.1'}))
        stream.send(request('POST', PROBE, {'target': '127.0.0.1'}, STREAM))
        rig.wait_until(lambda: self.metric('heloise_server_tests_open') == 2, 'both are under way')
        self.process.send_signal(signal.SIGTERM)
        rig.wait_until(lambda: 'stopping' in self.log(), 'it stops')
        self.assertEqual(line.answer().status, 503)
        self.assertTrue(stream.is_closed_by_server())
        self.assertEqual(self.process.wait(rig.PATIENCE_S), 0, self.log())


class Hostile(Base):
    def test_strange_servers(self):
        def endless(line):
            with contextlib.suppress(OSError):
                while True:
                    line.say('220-' + 'x' * 400 + '\r\n')

        def endless_line(line):
            with contextlib.suppress(OSError):
                while True:
                    line.say('2' * 4096)
        for name, handle in (('garbage', lambda line: line.say(bytes(range(256)) * 8 + b'\r\n')),
                             ('an endless answer', endless), ('an endless line', endless_line),
                             ('nothing', lambda line: None),
                             ('HTTP', lambda line: line.say('HTTP/1.1 400 Bad Request\r\n\r\n'))):
            with self.subTest(name):
                self.behind(handle)
                record = self.probe()
                self.assertIn(record['hosts'][0]['end'], ('garbage', 'closed', 'unreached'), record)
                answer = self.ask('POST', PROBE, {'target': '127.0.0.1'}, STREAM)
                self.assertEqual(answer.events()[-1][0], 'result')
                self.process.send_signal(signal.SIGTERM)
                self.assertEqual(self.process.wait(rig.PATIENCE_S), 0, self.log())

    def test_escapes_and_markup_stay_texts(self):
        evil = b'220 \x1b]0;owned\x07\x1b[2J<script>alert(1)</script>\xff\nevent: result\ndata: {} ESMTP\r\n'
        self.behind(servers.Good(says={'': evil}))
        answer = self.ask('POST', PROBE, {'target': '127.0.0.1', 'examine': False}, STREAM)
        self.assertNotIn(b'\x1b', answer.body)
        self.assertEqual([name for name, _ in answer.events() if name == 'result'], ['result'])
        self.assertNotIn(b'\x1b', self.ask('POST', PROBE, {'target': '127.0.0.1', 'examine': False}).body)


def tearDownModule():
    servers.forget_certificates()
