"""`heloise probe` against servers of our own: right ones, and hostile ones of every kind.
SPDX-License-Identifier: Apache-2.0
"""
import base64
import hashlib
import http.server
import json
import os
import pathlib
import pty
import select
import signal
import socket
import ssl
import subprocess
import threading
import time

import rig
from probe_servers import ALL, Certificates, Good, Server, forget_certificates


class Base(rig.Case):
    def serve(self, handle):
        server = Server(handle)
        self.addCleanup(server.close)
        return server

    def words(self, server, *more, scheme='smtp'):
        return ('probe', '--no-config', '--helo', 'us.example', '--from', 'me@us.example', '--color', 'never',
                *more, f'{scheme}://127.0.0.1:{server.port}')

    def probe(self, code, server, *more, **options):
        return self.expect(code, *self.words(server, *more), **options)

    def record(self, code, server, *more, **options):
        run = self.probe(code, server, '--json', *more, **options)
        self.assertEqual(len(run.out.splitlines()), 1, run)
        return json.loads(run.out)

    @staticmethod
    def checks(record, level='mend'):
        return sorted({f['check'] for f in record['findings'] if f['level'] == level})


class Conversation(Base):
    def test_lines_words_and_times(self):
        run = self.probe(0, self.serve(Good()), '--no-examine')
        self.assertRegex(run.out, r'\d\.\d{3} S   220 mx\.d\.example ESMTP\n')
        self.assertRegex(run.out, r'\d\.\d{3} C   EHLO us\.example\n')
        self.assertIn('S   250-8BITMIME   [takes messages with bytes above 127 as they are (RFC 6152)]\n', run.out)
        self.assertIn('X-ODD   (not registered)\n', run.out)
        self.assertRegex(run.out, r'C   QUIT\n')
        self.assertIn('the server offers no TLS', run.out)
        self.assertNotIn('\033', run.out)

    def test_colours(self):
        server = self.serve(Good())
        words = [w for w in self.words(server, '--no-examine') if w not in ('--color', 'never')]
        run = self.expect(0, *words, '--color', 'always')
        self.assertIn('\033[36mEHLO us.example\033[0m', run.out)
        self.assertIn('\033[32m220 mx.d.example ESMTP\033[0m', run.out)
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        process = self.start(*words, stdout=theirs, env={'NO_COLOR': '1'})
        os.close(theirs)
        seen = b''
        while select.select([ours], [], [], rig.PATIENCE_S)[0]:
            try:
                seen += os.read(ours, 65536)
            except OSError:
                break
        process.wait(rig.PATIENCE_S)
        self.assertIn(b'EHLO us.example', seen)
        self.assertNotIn(b'\033[3', seen)

    def test_refusals_are_explained(self):
        server = self.serve(Good())
        run = self.probe(1, server, '--to', 'dead@d.example')
        self.assertIn('550 5.1.1 No such user   [5.1.1: there is no such mailbox, for good]', run.out)
        self.assertIn('refused at rcpt: 550 5.1.1 No such user', run.out)
        record = self.record(1, server, '--to', 'live@d.example', '--to', 'dead@d.example')
        self.assertEqual(self.checks(record), ['recipient_refused'])
        steps = [(s['stage'], s['about'], s['code']) for s in record['hosts'][0]['steps'] if s['stage'] == 'rcpt']
        self.assertEqual(steps, [('rcpt', 'live@d.example', 250), ('rcpt', 'dead@d.example', 550)])
        self.assertNotIn('DATA', server.heard)

    def test_where_it_stops(self):
        for stage, last in (('connect', None), ('banner', 'QUIT'), ('ehlo', 'QUIT'), ('mail', 'QUIT'), ('rcpt', 'QUIT')):
            server = self.serve(Good())
            self.probe(0, server, '--to', 'live@d.example', '--quit-after', stage)
            self.assertEqual(server.heard[-1] if server.heard else None, last, stage)
        server = self.serve(Good())
        self.probe(0, server, '--to', 'live@d.example', '--drop-after', 'mail')
        self.assertEqual(server.heard[-1], 'MAIL FROM:<me@us.example>')
        server = self.serve(Good())
        self.probe(0, server, '--to', 'live@d.example', '--send', '--drop-after', 'data')
        self.assertEqual(server.messages, [])

    def test_what_is_said(self):
        server = self.serve(Good(extensions=('XCLIENT ADDR LOGIN', 'XFORWARD ADDR', 'PIPELINING', 'DSN')))
        self.probe(0, server, '--to', 'live@d.example', '--xclient', 'ADDR=192.0.2.1', '--mail-parameters', 'RET=HDRS',
                   '--rcpt-parameters', 'NOTIFY=NEVER', '--pipeline')
        self.assertEqual(server.heard, ['EHLO us.example', 'XCLIENT ADDR=192.0.2.1', 'EHLO us.example',
                                        'MAIL FROM:<me@us.example> RET=HDRS',
                                        'RCPT TO:<live@d.example> NOTIFY=NEVER', 'QUIT'])
        server = self.serve(Good())
        record = self.record(1, server, '--xclient', 'ADDR=192.0.2.1')
        self.assertEqual(self.checks(record), ['not_offered'])

    def test_proxy_header(self):
        def first(line):
            line.line()
            Good()(line)
        server = self.serve(first)
        self.probe(0, server, '--no-examine', '--proxy-header', 'v1,192.0.2.1:4711,192.0.2.25:25')
        self.assertEqual(server.heard[0], 'PROXY TCP4 192.0.2.1 192.0.2.25 4711 25')

        def second(line):
            head = line.take(28)
            line.server.heard.append(head)
            Good()(line)
        server = self.serve(second)
        self.probe(0, server, '--no-examine', '--proxy-header', 'v2,192.0.2.1:4711,192.0.2.25:25')
        self.assertEqual(server.heard[0], b'\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c' + bytes((192, 0, 2, 1, 192, 0, 2, 25))
                         + (4711).to_bytes(2, 'big') + (25).to_bytes(2, 'big'))

    def test_watch(self):
        server = self.serve(Good())
        run = self.probe(0, server, '--no-examine', '--json', '--watch=1ms', '--count', '3')
        lines = [json.loads(line) for line in run.out.splitlines()]
        self.assertEqual(len(lines), 4)
        self.assertEqual((lines[3]['runs'], lines[3]['not_well']), (3, 0))
        self.assertGreaterEqual(lines[3]['total_ms']['most'], lines[3]['total_ms']['least'])

    def test_domain_and_private_addresses(self):
        mailer = rig.Mailer()
        self.addCleanup(mailer.close)
        run = self.expect(0, 'probe', '--no-examine', *mailer.options, 'd.example')
        self.assertIn('mx.d.example 127.0.0.1 port', run.out)
        words = [w for w in mailer.options if w not in ('--allow-net', '127.0.0.0/8')]
        run = self.expect(1, 'probe', '--no-examine', *words, 'd.example')
        self.assertIn('--allow-net', run.out)
        run = self.expect(1, 'probe', '--no-examine', *mailer.options, 'nowhere.example')
        self.assertIn('nowhere.example has no mail server', run.out)

    def test_stopped_while_a_name_server_is_silent(self):
        for target in ('d.example', 'mx.d.example:25'):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
                silent.bind(('127.0.0.1', 0))
                silent.settimeout(rig.PATIENCE_S)
                process = self.start('probe', '--no-config', '--json', '--resolver', f'127.0.0.1:{silent.getsockname()[1]}',
                                     target, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                silent.recv(512)
                process.send_signal(signal.SIGINT)
                out, err = process.communicate(timeout=rig.PATIENCE_S)
                self.assertEqual((process.returncode, err), (130, b''))
                record = json.loads(out)
                self.assertEqual((record['complete'], self.checks(record, 'unknown')[-1]), (False, 'stopped'))

    def test_usage(self):
        for words, text in ((('probe',), 'whom to probe'), (('probe', 'a', 'b'), 'one target'),
                            (('probe', 'smtp://x:99999'), 'port from 1 to 65535'),
                            (('probe', 'mx..example'), 'no host name'), (('probe', '--send', 'x.example'), 'whom to send to'),
                            (('probe', '--auth', 'x.example'), 'who logs in'),
                            (('probe', '--auth=DIGEST-MD5', 'x.example'), 'DIGEST-MD5'),
                            (('probe', '--quit-after', 'data', 'x.example'), 'quit-after'),
                            (('probe', '--body', 'x', 'x.example'), 'add --send')):
            run = self.expect(64, *words)
            self.assertIn(text, run.err, run)


class Login(Base):
    def setUp(self):
        super().setUp()
        self.secret = self.write('secret', 'secret\n')
        self.login = ('--auth-user', 'jane', '--auth-password-file', self.secret)
        self.context = Certificates.context('good')

    def test_each_mechanism(self):
        for mechanism in ALL.split():
            server = self.serve(Good(self.context, ALL, clear_login=False))
            run = self.probe(1, server, '--no-examine', *self.login, f'--auth={mechanism}')
            self.assertIn('235 2.7.0 welcome', run.out, mechanism)
            self.assertNotIn('secret', run.out)
            self.assertNotIn(base64.b64encode(b'\0jane\0secret').decode(), run.out)
            wrong = self.record(1, server, *self.login, f'--auth={mechanism}', '--auth-password-file',
                                self.write('wrong', 'no'))
            self.assertIn('refused', self.checks(wrong), mechanism)

    def test_all_at_once(self):
        server = self.serve(Good(self.context, ALL, clear_login=False))
        record = self.record(1, server, '--no-examine', *self.login, '--auth', '--test-logins')
        self.assertEqual({(one['mechanism'], one['worked']) for one in record['hosts'][0]['logins']},
                         {(mechanism, 'yes') for mechanism in ALL.split()})

    def test_password_from_the_environment(self):
        server = self.serve(Good(self.context, 'PLAIN'))
        self.assertIn('235', self.probe(1, server, '--auth-user', 'jane', '--auth',
                                        env={'HELOISE_PROBE_PASSWORD': 'secret'}).out)

    def test_nothing_in_the_clear(self):
        server = self.serve(Good(None, 'PLAIN LOGIN'))
        record = self.record(1, server, *self.login, '--auth')
        self.assertEqual(self.checks(record), ['login_in_clear', 'withheld'])
        self.assertFalse([line for line in server.heard if line.startswith('AUTH')])
        self.assertIn('235', self.probe(1, server, *self.login, '--auth', '--auth-plaintext').out)
        # A challenge and an answer show nothing.
        self.assertIn('235', self.probe(0, self.serve(Good(None, 'CRAM-MD5')), *self.login, '--auth').out)

    def test_servers_that_lie(self):
        def lie(line):
            class Liar(Good):
                def on_auth(self, line, text):
                    line.say(b'334 ' + answer + b'\r\n')
                    line.line()
                    line.say('501 5.7.0 cancelled\r\n')
            Liar(None, 'SCRAM-SHA-1')(line)
        for answer in (b'!!!', b'', base64.b64encode(b'r=x,s=AAAA,i=1'),
                       base64.b64encode(b'r=,s=AAAA,i=99999999'), b'A' * 20000):
            record = self.record(1, self.serve(lie), *self.login, '--auth=SCRAM-SHA-1')
            self.assertEqual(self.checks(record), ['garbage'], answer[:20])

    def test_not_offered(self):
        server = self.serve(Good(None, 'GSSAPI'))
        self.assertEqual(self.checks(self.record(1, server, *self.login, '--auth')), ['not_offered'])
        self.probe(0, server, *self.login, '--auth', '--auth-optional')


class Message(Base):
    def test_generated(self):
        server = self.serve(Good())
        self.probe(0, server, '--to', 'live@d.example', '--send', '--header', 'Subject: hello', '--body',
                   'first\n.dot\n..two\n')
        [message] = server.messages
        self.assertIn('Subject: hello\n', message)
        self.assertIn('From: <me@us.example>\nTo: <live@d.example>\n', message)
        self.assertRegex(message, r'Message-ID: <[0-9a-f]+\.probe@us\.example>\n')
        self.assertTrue(message.endswith('\nfirst\n.dot\n..two\n'), message)

    def test_a_file_and_what_was_added(self):
        server = self.serve(Good())
        path = self.write('m.eml', 'From: a@b.example\nSubject: x\n\nbody\n')
        run = self.probe(0, server, '--to', 'live@d.example', f'--send={path}')
        self.assertRegex(run.out, r'added to the message: Date: \w{3}, \d\d \w{3} \d{4} ')
        self.assertIn('added to the message: Message-ID:', run.out)
        self.assertNotIn('added to the message: From', run.out)
        self.assertTrue(server.messages[0].endswith('From: a@b.example\nSubject: x\n\nbody\n'))
        run = self.probe(0, server, '--to', 'live@d.example', '--send=-', '--keep-data', '--show-data',
                         text='Just: this\n\nbody\n')
        self.assertEqual(server.messages[1], 'Just: this\n\nbody\n')
        self.assertIn('C   Just: this\n', run.out)

    def test_attachments(self):
        server = self.serve(Good())
        path = self.write('a"b.png', bytes(range(256)))
        self.probe(0, server, '--to', 'live@d.example', '--send', '--attach-type', 'image/png', '--attach', path)
        [message] = server.messages
        self.assertIn('Content-Type: image/png\n', message)
        self.assertIn('filename="a_b.png"\n', message)
        encoded = message.split('filename="a_b.png"\n\n')[1].split('\n--')[0].replace('\n', '')
        self.assertEqual(base64.b64decode(encoded), bytes(range(256)))

    def test_large_and_in_chunks(self):
        text = ''.join(f'{i} {"x" * 60}\n' for i in range(40000))
        path = self.write('large.eml', 'From: a@b.example\n\n' + text)
        for words in ((), ('--bdat',)):
            server = self.serve(Good(Certificates.context('good')))
            self.probe(1, server, '--to', 'live@d.example', f'--send={path}', *words)
            self.assertTrue(server.messages[0].endswith('\n\n' + text), words)

    def test_lmtp_answers_each(self):
        server = self.serve(Good(lmtp=True))
        record = json.loads(self.expect(0, *self.words(server, '--json', '--to', 'a@d.example', '--to', 'b@d.example',
                                                       '--send', scheme='lmtp')).out)
        steps = [(s['about'], s['code']) for s in record['hosts'][0]['steps'] if s['stage'] == 'body']
        self.assertEqual(steps, [('a@d.example', 250), ('b@d.example', 250)])
        self.assertEqual(server.heard[0], 'LHLO us.example')


class Dkim(Base):
    """Messages that are signed on request; a library of others verifies them."""
    VERIFY = ('import sys, dkim\n'
              'record = sys.argv[1].encode()\n'
              'asked = []\n'
              'def find(name, timeout=5):\n'
              '    asked.append(name)\n'
              '    return record\n'
              'print(dkim.verify(sys.stdin.buffer.read(), dnsfunc=find), asked[0].decode())\n')

    def key(self, kind, *words):
        """A key's file, and the record of its public half."""
        path = self.path(f'{kind}.pem')
        subprocess.run(['openssl', 'genpkey', '-algorithm', kind, *words, '-out', path], check=True, capture_output=True)
        public = subprocess.run(['openssl', 'pkey', '-in', path, '-pubout', '-outform', 'DER'], check=True,
                                capture_output=True).stdout
        bare = public[-32:] if kind == 'ed25519' else public
        return path, f'v=DKIM1; k={kind}; p={base64.b64encode(bare).decode()}'

    def verify(self, message, record):
        run = subprocess.run(['/usr/bin/python3', '-c', self.VERIFY, record], input=message.replace('\n', '\r\n').encode(),
                             capture_output=True, check=True, timeout=rig.PATIENCE_S)
        return run.stdout.decode().split()

    @staticmethod
    def options(path):
        return ('--to', 'live@d.example', '--dkim-key', path, '--dkim-domain', 'us.example', '--dkim-selector', 'mail')

    def test_it_verifies(self):
        keys = [self.key('rsa', '-pkeyopt', 'rsa_keygen_bits:2048'), self.key('ed25519')]
        for (path, record), more in ((keys[0], ('--send',)), (keys[1], ('--send',)),
                                     (keys[0], ('--send', '--bdat', '--dkim-canon', 'simple/simple')),
                                     (keys[1], ('--send', '--dkim-canon', 'simple')),
                                     (keys[0], ('--send', '--body', '.\n..dots\n \n\n'))):
            server = self.serve(Good())
            run = self.probe(0, server, *self.options(path), *more)
            [message] = server.messages
            self.assertTrue(message.startswith('DKIM-Signature: '), message)
            self.assertEqual(self.verify(message, record), ['True', 'mail._domainkey.us.example.'], (message, more))
            self.assertEqual(self.verify(message + 'x\n', record)[0], 'False')
            self.assertIn('added to the message: DKIM-Signature: v=1; a=', run.out)

    def test_a_file(self):
        path, record = self.key('ed25519')
        server = self.serve(Good())
        mail = self.write('m.eml', 'From: a@b.example\nSubject: x\n\nbody\n')
        told = self.record(0, server, *self.options(path), f'--send={mail}')
        self.assertEqual(self.verify(server.messages[0], record)[0], 'True')
        self.assertEqual([line.split(':')[0] for line in told['added'] if line[0] not in ' \t'],
                         ['Date', 'Message-ID', 'DKIM-Signature'])
        self.record(0, server, *self.options(path), f'--send={mail}', '--keep-data')
        self.assertEqual(self.verify(server.messages[1], record)[0], 'True')
        self.assertTrue(server.messages[1].endswith('\nFrom: a@b.example\nSubject: x\n\nbody\n'))

    def test_what_cannot_be_meant(self):
        path, _ = self.key('ed25519')
        server = self.serve(Good())
        nobody = self.write('m.eml', 'Subject: x\n\nbody\n')
        for code, more, wanted in (
                (64, ('--to', 'a@d.example', '--send', '--dkim-key', path), 'belong together'),
                (64, self.options(path), 'add --send'),
                (64, (*self.options(path), '--send', '--dkim-canon', 'loose'), "'loose' is not like relaxed/simple"),
                (65, (*self.options(nobody), '--send'), 'it is no private key in PEM without a password'),
                (66, (*self.options(self.path('none')), '--send'), 'No such file'),
                (65, (*self.options(path), f'--send={nobody}', '--keep-data'), 'without From'),
                (65, (*self.options(path), '--send', '--dkim-domain', 'a b'), 'cannot stand in a DKIM signature')):
            self.assertIn(wanted, self.probe(code, server, *more).err, more)
        self.assertFalse(server.messages)


class Tls(Base):
    """A server with each kind of TLS; the host's name is said with --tls-sni."""

    def look(self, code, handle, *more):
        words = ('--tls-sni', 'mx.d.example', '--tls-ca', Certificates.path('ca.pem'), *more)
        return self.record(code, self.serve(handle), *words)

    def test_good(self):
        record = self.look(0, Good(Certificates.context('good')))
        host = record['hosts'][0]
        self.assertEqual([(v['version'], v['offered']) for v in host['tls_versions']],
                         [('TLSv1', 'no'), ('TLSv1.1', 'no'), ('TLSv1.2', 'yes'), ('TLSv1.3', 'yes')])
        self.assertEqual(host['tls']['version'], 'TLSv1.3')
        self.assertEqual((host['tls']['trusted'], host['tls']['for_host'], host['tls']['ocsp']), (True, True, 'none'))
        self.assertEqual(host['tls']['chain'][0]['names'], ['mx.d.example', '*.d.example'])
        self.assertEqual(host['starttls_injection'], 'dropped')
        self.assertEqual(self.checks(record, 'ok'), ['certificate', 'starttls_injection'])

    def test_at_once(self):
        server = self.serve(Good(Certificates.context('good'), at_once=True))
        run = self.expect(1, *self.words(server, '--no-examine', '--json', scheme='smtps'))
        self.assertEqual(json.loads(run.out)['hosts'][0]['tls']['version'], 'TLSv1.3')

    def test_faults_of_certificates(self):
        for name, wanted in (('expired', ['certificate_expired']), ('weak', ['certificate_weak_key']),
                             ('own', ['certificate_other_name', 'certificate_untrusted'])):
            record = self.look(1, Good(Certificates.context(name)), '--no-examine')
            self.assertEqual(self.checks(record), wanted, name)
            record = self.look(1, Good(Certificates.context(name)), '--tls-verify')
            if name != 'weak':
                self.assertIn('withheld', self.checks(record), name)

    def test_old_versions(self):
        context = Certificates.context('good', ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1)
        record = self.look(1, Good(context))
        self.assertEqual([v['offered'] for v in record['hosts'][0]['tls_versions']], ['yes', 'yes', 'no', 'no'])
        self.assertEqual(self.checks(record), ['tls_only_old'])
        self.assertIn('tls_old_versions', self.checks(record, 'advice'))

    def test_injection(self):
        record = self.look(1, Good(Certificates.context('good'), keeps=True))
        self.assertEqual(record['hosts'][0]['starttls_injection'], 'vulnerable')
        self.assertEqual(self.checks(record), ['starttls_injection'])

        class Eager(Good):
            def on_starttls(self, line, text):
                line.say('220 2.0.0 go\r\n' + ('250 2.0.0 Ok\r\n' if line.rest else ''))
                line.secure(self.context)
                line.tls = True
        self.assertEqual(self.look(0, Eager(Certificates.context('good')))['hosts'][0]['starttls_injection'],
                         'answered_in_clear')

        class Careful(Good):
            def on_starttls(self, line, text):
                if line.rest:
                    line.say('501 5.5.4 nothing may follow\r\n')
                else:
                    super().on_starttls(line, text)
        self.assertEqual(self.look(0, Careful(Certificates.context('good')))['hosts'][0]['starttls_injection'], 'refused')

    def test_broken_handshakes(self):
        class Broken(Good):
            def on_starttls(self, line, text):
                line.say('220 go\r\n')
                line.request.recv(1)
                line.say(answer)
                raise EOFError
        for answer in (b'', b'\x15\x03\x03\0\x02\x02\x28', b'garbage instead of a handshake\r\n' * 100,
                       b'\x16\x03\x03\xff\xff' + b'\xff' * 70000, os.urandom(3000)):
            record = self.look(1, Broken(Certificates.context('good')))
            self.assertEqual(self.checks(record)[-1:], ['tls_failed'], answer[:8])

    def test_refused_starttls(self):
        record = self.look(1, Good(Certificates.context('good'), says={'STARTTLS': '454 4.7.0 not now\r\n'}), '--tls',
                           'must', '--no-examine')
        self.assertEqual(self.checks(record), ['refused'])
        record = self.look(1, Good(), '--tls', 'must')
        self.assertEqual(self.checks(record), ['not_offered'])


class Dane(Base):
    """TLSA records of the host, from a name server that says whether they are authentic."""

    @staticmethod
    def der(name):
        return ssl.PEM_cert_to_DER_cert(pathlib.Path(Certificates.path(name)).read_text())

    @staticmethod
    def key(name):
        """The DER of the certificate's public key."""
        pem = subprocess.run(['openssl', 'x509', '-noout', '-pubkey', '-in', Certificates.path(name)], check=True,
                             capture_output=True).stdout
        return subprocess.run(['openssl', 'pkey', '-pubin', '-outform', 'DER'], input=pem, check=True,
                              capture_output=True).stdout

    def look(self, code, certificate, records, authentic=True):
        """The host, and the findings about DANE."""
        server = self.serve(Good(Certificates.context(certificate)))
        names = rig.Names({('mx.d.example', 1): ['127.0.0.1'], ('mx.d.example', 28): [],
                           (f'_{server.port}._tcp.mx.d.example', 52): records}, authentic)
        self.addCleanup(names.close)
        run = self.expect(code, 'probe', '--no-config', '--json', '--helo', 'us.example', '--resolver',
                          f'127.0.0.1:{names.port}', '--allow-net', '127.0.0.0/8', '--tls-ca', Certificates.path('ca.pem'),
                          f'mx.d.example:{server.port}')
        return json.loads(run.out)['hosts'][0], self.findings_of(run)

    def test_matches(self):
        leaf, ca = self.der('good.crt'), self.der('ca.pem')
        sha256, sha512 = (lambda data: hashlib.sha256(data).digest()), (lambda data: hashlib.sha512(data).digest())
        for name, record in (('3 1 1', b'\3\1\1' + sha256(self.key('good.crt'))),
                             ('3 0 1', b'\3\0\1' + sha256(leaf)), ('3 1 0', b'\3\1\0' + self.key('good.crt')),
                             ('3 1 2', b'\3\1\2' + sha512(self.key('good.crt'))),
                             ('2 0 1', b'\2\0\1' + sha256(ca)), ('2 1 1', b'\2\1\1' + sha256(self.key('ca.pem')))):
            other = b'\3\1\1' + bytes(32)
            host, found = self.look(0, 'chain', [other, record])
            self.assertEqual((host['dane'], host['dane_records'], host['dane_usable'], host['dane_authentic']),
                             ('match', 2, 2, True), name)
            self.assertEqual(found, [('dane', 'ok')], name)

    def test_without_proof(self):
        record = b'\3\1\1' + hashlib.sha256(self.key('good.crt')).digest()
        host, found = self.look(0, 'good', [record], authentic=False)
        self.assertEqual((host['dane'], host['dane_authentic']), ('match', False))
        self.assertEqual(found, [('dane_not_proven', 'advice')])

    def test_usage_3_counts_alone(self):
        """RFC 7671 5.1: whatever name, date or issuer the certificate has."""
        for name in ('own', 'expired'):
            record = b'\3\1\1' + hashlib.sha256(self.key(f'{name}.crt')).digest()
            host, found = self.look(0, name, [record])
            self.assertEqual((host['dane'], found), ('match', [('dane', 'ok')]), name)
            self.look(1, name, [record], authentic=False)
            self.look(1, name, [b'\2\1\1' + record[3:]])

    def test_what_leads_there_is_not_proven(self):
        """RFC 7672 2.2: then nobody looks at the records."""
        good, other = (b'\3\1\1' + hashlib.sha256(self.key(name)).digest() for name in ('good.crt', 'own.crt'))
        for kind, record in ((15, good), (15, other), (1, good)):
            server = self.serve(Good(Certificates.context('good')))
            names = rig.Names({('d.example', 15): ['mx.d.example'], ('mx.d.example', 1): ['127.0.0.1'], ('mx.d.example', 28): [],
                               (f'_{server.port}._tcp.mx.d.example', 52): [record]}, lambda name, asked, kind=kind: asked != kind)
            self.addCleanup(names.close)
            run = self.expect(0, 'probe', '--no-config', '--json', '--helo', 'us.example', '--resolver',
                              f'127.0.0.1:{names.port}', '--port', server.port, '--allow-net', '127.0.0.0/8', '--tls-ca',
                              Certificates.path('ca.pem'), 'd.example')
            host, found = json.loads(run.out)['hosts'][0], self.findings_of(run)
            self.assertEqual((host['dane'], host['dane_authentic']), ('not_secure', True))
            self.assertEqual(found, [('dane_not_secure', 'advice')], kind)

    @staticmethod
    def findings_of(run):
        return [(f['check'], f['level']) for f in json.loads(run.out)['findings'] if f['check'].startswith('dane')]

    def test_mismatches(self):
        ca = hashlib.sha256(self.der('ca.pem')).digest()
        for name, certificate, record in (
                ('another key', 'good', b'\3\1\1' + hashlib.sha256(self.key('own.crt')).digest()),
                ('the certificate where the key should be', 'good', b'\3\1\1' + hashlib.sha256(self.der('good.crt')).digest()),
                ('an anchor that is not sent', 'good', b'\2\0\1' + ca),
                ('an anchor, and another name', 'own', b'\2\0\1' + hashlib.sha256(self.der('own.crt')).digest())):
            host, found = self.look(1, certificate, [record])
            self.assertEqual((host['dane'], found), ('mismatch', [('dane', 'mend')]), name)

    def test_records_that_do_not_count(self):
        for record in (b'\1\1\1' + hashlib.sha256(self.key('good.crt')).digest(), b'\3\1\1short', b'\3\1\1', b'\3\7\1' + bytes(32),
                       b'\3\1\7' + bytes(32)):
            host, found = self.look(1, 'good', [record])
            self.assertEqual((host['dane'], found), ('unusable', [('dane_unusable', 'mend')]), record[:3])

    def test_none_and_no_answer(self):
        host, found = self.look(0, 'good', [])
        self.assertEqual((host['dane'], found), ('none', []))
        host, found = self.look(3, 'good', None)
        self.assertEqual((host['dane'], host['dane_authentic'], found), ('unknown', False, [('dane', 'unknown')]))


class MtaSts(Base):
    """A domain with a policy, from an https server of our own."""
    POLICY = 'version: STSv1\r\nmode: %s\r\nmx: %s\r\nmax_age: 604800\r\n'

    def policy_server(self, policy, certificate):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                is_here = policy is not None and self.path == '/.well-known/mta-sts.txt'
                body = policy.encode() if is_here else b''
                self.send_response(200 if is_here else 404)
                self.send_header('Content-Type', 'text/plain')
                self.send_header('Content-Length', str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *words):
                pass
        server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        server.socket = Certificates.context(certificate).wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return server.server_address[1]

    def look(self, code, policy, records=('v=STSv1; id=1',), mail='good', web='good'):
        """What was found about the domain's policy and the host, and the findings about it."""
        server = self.serve(Good(Certificates.context(mail)) if mail else Good())
        names = rig.Names({('d.example', 15): ['mx.d.example'], ('mx.d.example', 1): ['127.0.0.1'],
                           ('_mta-sts.d.example', 16): None if records is None else list(records),
                           ('mta-sts.d.example', 1): ['127.0.0.1']})
        self.addCleanup(names.close)
        run = self.expect(code, 'probe', '--no-config', '--json', '--helo', 'us.example', '--port', server.port,
                          '--resolver', f'127.0.0.1:{names.port}', '--allow-net', '127.0.0.0/8', '--tls-ca',
                          Certificates.path('ca.pem'), '--policy-ca', Certificates.path('ca.pem'), '--policy-port',
                          self.policy_server(policy, web), 'd.example')
        record = json.loads(run.out)
        found = [(f['check'], f['level']) for f in record['findings'] if f['check'].startswith('mta_sts')]
        return record['mta_sts'], record['hosts'][0]['mta_sts_names_it'], found

    def test_it_holds(self):
        for pattern in ('mx.d.example', '*.d.example', 'other.example\r\nmx: MX.d.example'):
            sts, named, found = self.look(0, self.POLICY % ('enforce', pattern))
            self.assertEqual((sts['state'], sts['mode'], named), ('found', 'enforce', 'yes'), pattern)
            self.assertEqual(found, [('mta_sts', 'ok')], pattern)

    def test_the_host_is_not_named(self):
        for pattern in ('mx2.d.example', '*.mx.d.example', '*.example'):
            _, named, found = self.look(1, self.POLICY % ('enforce', pattern))
            self.assertEqual((named, found), ('no', [('mta_sts_not_named', 'mend')]), pattern)
        _, named, found = self.look(0, self.POLICY % ('testing', 'mx2.d.example'))
        self.assertEqual((named, found), ('no', [('mta_sts_not_named', 'advice')]))
        sts, named, found = self.look(0, self.POLICY % ('none', 'mx2.d.example'))
        self.assertEqual((sts['mode'], found), ('none', []))

    def test_the_certificate_does_not_hold(self):
        for mail in ('own', 'expired', None):
            _, named, found = self.look(1, self.POLICY % ('enforce', 'mx.d.example'), mail=mail)
            self.assertEqual((named, found), ('yes', [('mta_sts_certificate', 'mend')]), mail)

    def test_no_policy_that_can_be_read(self):
        self.assertEqual(self.look(0, None, records=()), ({'state': 'none', 'mode': '', 'detail': ''}, 'not_tried', []))
        good = self.POLICY % ('enforce', 'mx.d.example')
        for name, options in (('not there', {'policy': None}), ('no mode', {'policy': 'version: STSv1\r\n'}),
                              ('several records', {'policy': good, 'records': ('v=STSv1; id=1', 'v=STSv1; id=2')}),
                              ('a certificate nobody knows', {'policy': good, 'web': 'own'})):
            sts, named, found = self.look(1, **options)
            self.assertEqual((sts['state'], named, found), ('broken', 'not_tried', [('mta_sts_policy', 'mend')]), name)
        sts, named, found = self.look(3, good, records=None)
        self.assertEqual((sts['state'], found), ('unknown', [('mta_sts_policy', 'unknown')]))

    def test_a_host_has_no_policy(self):
        record = self.record(1, self.serve(Good(Certificates.context('good'))))
        self.assertEqual(record['mta_sts']['state'], 'not_tried')


class Hostile(Base):
    def bounded(self, handle, *more):
        began = time.monotonic()
        record = self.record_of(handle, '--timeout', '3s', '--stage-timeout', 'banner=2s', '--stage-timeout', 'ehlo=2s',
                                *more)
        self.assertLess(time.monotonic() - began, 60)
        return record

    def record_of(self, handle, *more):
        run = self.heloise(*self.words(self.serve(handle), '--json', *more))
        self.assertIn(run.code, (1, 3), run)
        self.assertLess(len(run.out), 200000)
        self.assertNotRegex(run.out, '[\x00-\x08\x0b-\x1f\x7f-\x9f]')
        return json.loads(run.out)

    def test_garbage(self):
        for bytes_ in (b'\0' * 5000, os.urandom(4000), b'HTTP/1.1 400 Bad Request\r\n\r\n', b'999 x\r\n', b'2\r\n'):
            def handle(line):
                line.say(bytes_)
            record = self.bounded(handle)
            self.assertIn(record['hosts'][0]['end'], ('garbage', 'closed'), bytes_[:10])

    def test_endless(self):
        def one_line(line):
            while True:
                line.say(b'220 ' + b'x' * 60000)

        def many_lines(line):
            while True:
                line.say(b'220-x\r\n' * 10000)
        for handle in (one_line, many_lines):
            self.assertIn(self.bounded(handle)['hosts'][0]['end'], ('garbage', 'timeout'))

    def test_byte_by_byte(self):
        def slow(line):
            for byte in b'220 mx.d.example\r\n':
                line.say(bytes((byte,)))
            line.line()
            for byte in b'250-mx.d.example\r\n250 SIZE 1\r\n':
                line.say(bytes((byte,)))
            Good()(line)
        run = self.heloise(*self.words(self.serve(slow), '--no-examine'))
        self.assertIn('S   220 mx.d.example\n', run.out)
        self.assertIn('S   250 SIZE 1', run.out)

        def endless(line):
            while True:
                line.say(b'2')
                time.sleep(0.05)
        self.assertIn(self.bounded(endless)['hosts'][0]['end'], ('garbage', 'timeout'))

    def test_silence(self):
        def silent(line):
            line.request.recv(1)
        self.assertEqual(self.bounded(silent)['hosts'][0]['end'], 'timeout')

    def test_escapes_for_a_terminal(self):
        evil = '\x1b]0;owned\x07\x1b[2J\u202eabc\x9b31m'
        server = self.serve(Good(says={'': f'220 {evil}\r\n', 'EHLO': f'250-{evil}\r\n250-AUTH {evil}\r\n250 {evil}\r\n',
                                       'MAIL': f'550 5.7.1 {evil}\r\n'}))
        for words in (('--to', 'x@d.example'), ('--to', 'x@d.example', '--json')):
            run = self.heloise(*self.words(server, *words))
            self.assertEqual(run.code, 1)
            self.assertNotRegex(run.out + run.err, '[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]')

    def test_early_end(self):
        for says in ({'': b''}, {'EHLO': '421 4.3.2 going down\r\n'}, {'MAIL': '421 4.7.0 too much\r\n'}):
            def handle(line, says=says):
                if says.get('') == b'':
                    return
                Good(says=says)(line)
            record = self.bounded(handle, '--to', 'x@d.example')
            self.assertIn(record['hosts'][0]['end'], ('closed', 'refused'))

    def test_answers_nobody_asked_for(self):
        server = Good(says={'EHLO': '250 mx\r\n250 and again\r\n354 go\r\n'})
        self.assertEqual(self.bounded(server, '--to', 'x@d.example')['hosts'][0]['end'], 'garbage')

    def test_nobody_there(self):
        with socket.socket() as taken:
            taken.bind(('127.0.0.1', 0))
            run = self.heloise('probe', '--no-config', '--json', f'127.0.0.1:{taken.getsockname()[1]}')
        self.assertEqual(run.code, 3)
        self.assertEqual(json.loads(run.out)['hosts'][0]['end'], 'unreached')


class Relay(Base):
    def test_forms(self):
        server = self.serve(Good(says={'RCPT': '554 5.7.1 Relay access denied\r\n'}))
        record = self.record(0, server, '--no-examine', '--open-relay', 'd.example')
        self.assertEqual(self.checks(record, 'ok'), ['open_relay'])
        asked = [line for line in server.heard if line.startswith('RCPT')]
        self.assertEqual(len(asked), 12)
        self.assertIn('RCPT TO:<relay-test%example.net@d.example>', asked)
        self.assertIn('RCPT TO:<@d.example:relay-test@example.net>', asked)
        self.assertIn('RCPT TO:<"relay-test@example.net"@d.example>', asked)
        self.assertFalse([line for line in server.heard if line.split(' ')[0] in ('DATA', 'BDAT')])
        self.assertEqual(server.heard.count('RSET'), 12)

    def test_open(self):
        class Open(Good):
            def on_rcpt(self, line, text):
                line.say('250 2.1.5 Ok\r\n' if '%' in text else '554 5.7.1 Relay access denied\r\n')
        run = self.probe(1, self.serve(Open()), '--no-examine', '--open-relay', 'd.example')
        self.assertIn('the server takes mail for a stranger', run.out)
        self.assertRegex(run.out, r'relay +TAKEN +250 +<relay-test%example\.net@d\.example>, percent hack')


def tearDownModule():
    forget_certificates()
