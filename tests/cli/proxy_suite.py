"""`--proxy`: the way out through small proxies of our own, what a bad one leads to, and that no password shows.
Real proxies are asked in tests/interop.
SPDX-License-Identifier: Apache-2.0
"""
import base64
import contextlib
import json
import os
import pathlib
import select
import signal
import socket
import socketserver
import subprocess
import threading

import rig

SECRET = 'open sesame@%'
CODED = 'open%20sesame%40%25'


def join(left, right):
    """Carries bytes both ways until one side ends."""
    while True:
        for side in select.select([left, right], [], [])[0]:
            block = side.recv(65536)
            if not block:
                return
            (right if side is left else left).sendall(block)


class Proxy(socketserver.ThreadingTCPServer):
    """SOCKS5 or HTTP CONNECT; with a password it wants the user bob."""
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, kind, password=None):
        self.password, self.tunnels = password, 0
        super().__init__(('127.0.0.1', 0), {'socks5': SocksLine, 'http': HttpLine}[kind])
        self.place = f'127.0.0.1:{self.server_address[1]}'
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def close(self):
        self.shutdown()
        self.server_close()


class ProxyLine(socketserver.StreamRequestHandler):
    def handle(self):
        with contextlib.suppress(OSError):
            self.serve()

    def tunnel(self, place, good, bad):
        try:
            far = socket.create_connection(place, rig.PATIENCE_S)
        except OSError:
            self.wfile.write(bad)
            return
        self.server.tunnels += 1
        with far:
            self.wfile.write(good)
            join(self.connection, far)


class SocksLine(ProxyLine):
    def serve(self):
        methods = self.rfile.read(self.rfile.read(2)[1])
        wanted = 0 if self.server.password is None else 2
        if wanted not in methods:
            self.wfile.write(b'\5\xff')
            return
        self.wfile.write(bytes([5, wanted]))
        if wanted == 2:
            user = self.rfile.read(self.rfile.read(2)[1])
            password = self.rfile.read(self.rfile.read(1)[0])
            is_good = (user, password.decode()) == (b'bob', self.server.password)
            self.wfile.write(b'\1\0' if is_good else b'\1\1')
            if not is_good:
                return
        request = self.rfile.read(10)
        place = (socket.inet_ntoa(request[4:8]), int.from_bytes(request[8:], 'big'))
        self.tunnel(place, b'\5\0\0\1' + bytes(6), b'\5\5\0\1' + bytes(6))


class HttpLine(ProxyLine):
    def serve(self):
        lines = []
        while not lines or lines[-1]:
            lines.append(self.rfile.readline().decode().rstrip('\r\n'))
        pair = base64.b64encode(f'bob:{self.server.password}'.encode()).decode()
        if self.server.password is not None and f'Proxy-Authorization: Basic {pair}' not in lines:
            self.wfile.write(b'HTTP/1.1 407 Proxy Authentication Required\r\n\r\n')
            return
        host, _, port = lines[0].split(' ')[1].rpartition(':')
        self.tunnel((host, int(port)), b'HTTP/1.1 200 OK\r\n\r\n', b'HTTP/1.1 502 Bad Gateway\r\n\r\n')


def closed_port():
    with socket.socket() as line:
        line.bind(('127.0.0.1', 0))
        return line.getsockname()[1]


class ThroughProxy(rig.Case):
    def setUp(self):
        super().setUp()
        self.mailer = rig.Mailer()
        self.addCleanup(self.mailer.close)

    def proxy(self, kind, password=None):
        proxy = Proxy(kind, password)
        self.addCleanup(proxy.close)
        return proxy

    def ask(self, code, url, *words, **options):
        run = self.expect(code, 'verify', *self.mailer.options, '--no-store', '--proxy', url, *words, **options)
        self.assertNotIn(SECRET, run.out + run.err)
        self.assertNotIn(CODED, run.out + run.err)
        return run

    def record(self, code, url, *words, **options):
        return json.loads(self.ask(code, url, '--json', *words, **options).out)

    def test_answers_are_as_without(self):
        for kind in ('socks5', 'http'):
            for user, password in (('', None), (f'bob:{CODED}@', SECRET)):
                with self.subTest(kind=kind, user=user):
                    proxy = self.proxy(kind, password)
                    url = f'{kind}://{user}{proxy.place}'
                    self.assertEqual(self.record(0, url, 'live@d.example')['sub_status'], 'accepted')
                    self.assertEqual(self.record(1, url, 'dead@d.example')['sub_status'], 'mailbox_not_found')
                    self.assertEqual(proxy.tunnels, 2)

    def test_transcript_names_the_proxy_only(self):
        proxy = self.proxy('socks5', SECRET)
        run = self.ask(0, f'socks5://bob:{CODED}@{proxy.place}', '--transcript', 'live@d.example')
        self.assertIn(f'connected to 127.0.0.1 through SOCKS5 proxy {proxy.place}\n', run.err)
        self.assertNotIn('bob', run.err)

    def test_wrong_password(self):
        for kind in ('socks5', 'http'):
            for user, words in ((f'bob:x{CODED}@', 'refuses the user or the password'),
                                ('', 'wants a user and a password')):
                with self.subTest(kind=kind, user=user):
                    proxy = self.proxy(kind, SECRET)
                    run = self.ask(3, f'{kind}://{user}{proxy.place}', 'dead@d.example')
                    self.assertIn('internal_error', run.out)
                    self.assertIn(f'proxy {proxy.place}: {words}', run.out)
                    self.assertEqual(self.mailer.heard, [])

    def test_dead_proxy(self):
        for kind in ('socks5', 'http', 'proxyv2'):
            with self.subTest(kind=kind):
                record = self.record(3, f'{kind}://127.0.0.1:{closed_port()}', 'dead@d.example')
                self.assertEqual((record['status'], record['sub_status']), ('unknown', 'internal_error'))
                self.assertIn('connection refused', record['reasons'][0]['detail'])
        self.assertEqual(self.mailer.heard, [])

    def test_silent_proxy(self):
        with socket.create_server(('127.0.0.1', 0)) as silent:
            url = f'socks5://127.0.0.1:{silent.getsockname()[1]}'
            record = self.record(3, url, '--stage-timeout=connect=1', 'dead@d.example')
        self.assertEqual(record['sub_status'], 'internal_error')
        self.assertIn('does not answer', record['reasons'][0]['detail'])

    def test_dead_destination(self):
        port = closed_port()
        for kind in ('socks5', 'http'):
            with self.subTest(kind=kind):
                record = self.record(3, f'{kind}://{self.proxy(kind).place}', '--port', port, 'dead@d.example')
                self.assertEqual(record['sub_status'], 'connect_failed')

    def test_password_from_elsewhere(self):
        proxy = self.proxy('socks5', SECRET)
        url = f'socks5://bob@{proxy.place}'
        for ending in ('', '\n', '\r\n', '\nanother line\n'):
            path = self.write('password', SECRET + ending)
            self.ask(0, url, '--proxy-password-file', path, 'live@d.example')
        self.ask(0, url, 'live@d.example', env={'HELOISE_PROXY_PASSWORD': SECRET})
        self.ask(0, url, '--proxy-password-file', path, 'live@d.example', env={'HELOISE_PROXY_PASSWORD': 'x'})
        self.ask(3, url, 'live@d.example', env={'HELOISE_PROXY_PASSWORD': 'x'})

    def test_configured(self):
        proxy = self.proxy('socks5', SECRET)
        secret = self.write('secret', SECRET + '\n')
        os.chmod(secret, 0o600)
        for text in (f'proxy socks5://bob@{proxy.place}\nproxy-password-file secret\n',
                     f'egress far {{\n  proxy socks5://bob@{proxy.place}\n  proxy-password-file secret\n}}\n'):
            with self.subTest(text=text):
                conf = self.write('heloise.conf', text)
                run = self.expect(0, 'verify', *self.mailer.options, '--no-store', '--config', conf, 'live@d.example')
                self.assertEqual(run.err, '')
                shown = self.expect(0, 'config', 'show', conf)
                self.assertIn(f'socks5://bob@{proxy.place}', shown.out)
                self.assertNotIn(SECRET, shown.out + shown.err)
                other = f'http://127.0.0.1:{closed_port()}'
                self.ask(3, other, '--config', conf, 'live@d.example')
        self.assertEqual(proxy.tunnels, 2)

    def test_set_is_blanked_too(self):
        run = self.expect(0, 'config', 'show', '--set', f'proxy=socks5://bob:{CODED}@192.0.2.9:1')
        self.assertIn('socks5://bob:***@192.0.2.9:1', run.out)
        self.assertNotIn(CODED, run.out)

    def test_process_list_has_no_password(self):
        proxy = self.proxy('socks5', SECRET)
        process = self.start('verify', *self.mailer.options, '--no-store', '--json', '--proxy',
                             f'socks5://bob:{CODED}@{proxy.place}', '-', stdin=subprocess.PIPE)
        process.stdin.write(b'live@d.example\n')
        process.stdin.flush()
        self.assertEqual(json.loads(process.stdout.readline())['sub_status'], 'accepted')
        seen = pathlib.Path(f'/proc/{process.pid}/cmdline').read_text(encoding='utf-8')
        self.assertIn(f'socks5://bob@{proxy.place}\0', seen)
        self.assertNotIn(CODED, seen)
        process.stdin.close()
        process.stdin = None
        self.assertEqual(self.finish(process).code, 0)

    def test_what_goes_on_asks_for_the_password(self):
        proxy = self.proxy('socks5', SECRET)
        self.mailer.delay_s = 30
        rows = self.write('list.csv', 'email\nlive@d.example\n')
        process = self.start('bulk', *self.mailer.options, '--proxy', f'socks5://bob:{CODED}@{proxy.place}', rows)
        rig.wait_until(self.mailer.rcpts, 'the first address is asked')
        process.send_signal(signal.SIGINT)
        run = self.finish(process)
        self.assertEqual(run.code, 130, run)
        self.assertIn(f'socks5://bob@{proxy.place}', run.err)
        self.assertNotIn(CODED, run.err)
        for part in (self.folder / '.local/state/heloise').iterdir():
            if part.is_file():
                self.assertNotIn(CODED.encode(), part.read_bytes())
        self.mailer.delay_s = 0
        self.assertIn('no password', self.expect(64, 'jobs', 'resume', '1').err)
        run = self.expect(0, 'jobs', 'resume', '1', env={'HELOISE_PROXY_PASSWORD': SECRET})
        self.assertIn('deliverable', run.out)


class WrongUsage(rig.Case):
    def check(self, words, *argv, **options):
        run = self.expect(64, 'verify', '--no-smtp', *argv, 'a@d.example', **options)
        self.assertEqual(run.out, '')
        self.assertIn(words, run.err)
        self.assertNotIn('secret', run.err)

    def test_bad_urls_are_not_repeated(self):
        for url, words in (('', '--proxy: a proxy is written'), ('bob:secret@192.0.2.1:1', '--proxy: a proxy is written'),
                           ('ftp://bob:secret@192.0.2.1:1', '--proxy: a proxy is written'),
                           ('socks5://bob:secret@proxy.example:1', 'names of proxies are not looked up'),
                           ('socks5://bob:secret%@192.0.2.1:1', '%25'),
                           ('socks5://bob:secret@192.0.2.1:x', 'no port from 1 to 65535'),
                           ('proxyv2://bob:secret@192.0.2.1:1', 'proxyv2 knows no user'),
                           ('http://b%3Ab:secret@192.0.2.1:1', 'no user with a colon'),
                           ('socks5://bob@192.0.2.1:1', 'a user and no password')):
            with self.subTest(url=url):
                self.check(words, '--proxy', url)

    def test_passwords(self):
        url = 'socks5://bob@192.0.2.1:1'
        for content in ('', '\nsecret', 's' * 256):
            with self.subTest(content=content):
                self.check('holds no password', '--proxy', url, '--proxy-password-file', self.write('password', content))
        self.check('cannot be read', '--proxy', url, '--proxy-password-file', self.path('none'))
        self.check('Is a directory', '--proxy', url, '--proxy-password-file', self.path(''))
        good = self.write('password', 'secret')
        self.check('no proxy that this', '--proxy-password-file', good)
        self.check('a password already', '--proxy', 'socks5://bob:secret@192.0.2.1:1', '--proxy-password-file', good)
        self.check('no user', '--proxy', 'socks5://192.0.2.1:1', '--proxy-password-file', good)
        self.check('proxyv2 knows no password', '--proxy', 'proxyv2://192.0.2.1:1', '--proxy-password-file', good)
        conf = self.write('heloise.conf', 'egress a {\n}\n')
        self.check('no proxy that this', '--config', conf, '--proxy-password-file', good)
        self.check('HELOISE_PROXY_PASSWORD', '--proxy', url, env={'HELOISE_PROXY_PASSWORD': 's' * 256})

    def test_source_is_for_relays(self):
        for kind in ('socks5', 'http'):
            self.check('leave out the source', '--proxy', f'{kind}://192.0.2.1:1', '--source', '192.0.2.7')
        self.expect(3, 'verify', '--no-smtp', '--no-store', '--resolver', '127.0.0.1:1', '--proxy',
                    'proxyv2://192.0.2.1:1', '--source', '192.0.2.7', 'a@d.example')
