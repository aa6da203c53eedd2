"""`heloise policy`: policy delegation and socketmaps against the village: each status, pieces, garbage, slow answers,
exceptions, places to listen at, the end.
SPDX-License-Identifier: Apache-2.0
"""
import json
import os
import re
import signal
import socket
import subprocess
import threading

import rig

LIVE, DEAD, CATCH_ALL = 'jane@plain.example', 'g.fischer@plain.example', 'anna.weber@catchall.example'
REJECTED = '550 5.1.1 undeliverable address: the server says that there is no such mailbox'


def question(**attributes):
    given = {'request': 'smtpd_access_policy', 'protocol_state': 'RCPT', 'helo_name': 'client.example', **attributes}
    return ''.join(f'{name}={value}\n' for name, value in given.items()).encode() + b'\n'


def netstring(text):
    return b'%d:%b,' % (len(text.encode()), text.encode())


class Asking:
    """A connection to the server."""

    def __init__(self, place):
        if isinstance(place, str):
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(rig.PATIENCE_S)
            self.socket.connect(place)
        else:
            self.socket = socket.create_connection(('127.0.0.1', place), rig.PATIENCE_S)
        self.file = self.socket.makefile('rb')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.socket.close()

    def ask(self, **attributes):
        self.socket.sendall(question(**attributes))
        return self.action()

    def action(self):
        line = self.file.readline().decode()
        if not line:
            return None
        assert self.file.readline() == b'\n'
        return re.fullmatch(r'action=(.*)\n', line).group(1)

    def map(self, text):
        self.socket.sendall(netstring(text))
        length = b''
        while (byte := self.file.read(1)) not in (b':', b''):
            length += byte
        answer = self.file.read(int(length) + 1) if length else b''
        return answer[:-1].decode() if answer.endswith(b',') else None


class Policy(rig.Case):
    @classmethod
    def setUpClass(cls):
        cls.village = rig.Village()

    @classmethod
    def tearDownClass(cls):
        cls.village.close()

    def serve(self, *words, options=None, **more):
        """The process, its port for policy, and the lines of its standard error as they come."""
        process = self.start('policy', *(options or self.village.options), '--store', self.path('h.db'), '--listen',
                             'inet:127.0.0.1:0', *words, **more)
        self.said, self.ports = [], {}
        ready = threading.Event()

        def read():
            for line in process.stderr:
                text = line.decode()
                self.said.append(text)
                found = re.match(r'heloise: (policy|socketmap)\D* at inet:127\.0\.0\.1:(\d+)', text)
                if found:
                    self.ports[found.group(1)] = int(found.group(2))
                    ready.set()
            ready.set()
        threading.Thread(target=read, daemon=True).start()
        ready.wait(rig.PATIENCE_S)
        rig.wait_until(lambda: 'policy' in self.ports or process.poll() is not None, 'it listens')
        return process

    def log(self):
        return [json.loads(line) for line in self.said if line.startswith('{')]

    def stop(self, process):
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(rig.PATIENCE_S), 0)

    def test_what_each_status_does(self):
        process = self.serve()
        with Asking(self.ports['policy']) as line:
            self.assertEqual(line.ask(recipient=LIVE), 'DUNNO')
            self.assertEqual(line.ask(recipient=DEAD), REJECTED)
            self.assertEqual(line.ask(recipient=DEAD), REJECTED)
            self.assertEqual(line.ask(recipient=CATCH_ALL), 'DUNNO')
            self.assertEqual(line.ask(recipient='a@nomail.example'),
                             '550 5.1.10 undeliverable address: the domain says that it takes no mail (null MX)')
            self.assertEqual(line.ask(recipient='a@nowhere.example')[:9], '550 5.1.2')
            self.assertEqual(line.ask(recipient='postmaster'), 'DUNNO')
            self.assertEqual(line.ask(sender='', recipient=''), 'DUNNO')
            self.assertEqual(line.ask(recipient=LIVE, sender=DEAD), 'DUNNO')
            self.assertEqual(line.ask(recipient=LIVE, sender=DEAD, policy_context='both')[:9], '550 5.1.7')
            self.assertEqual(line.ask(recipient=DEAD, sender=DEAD, policy_context='sender')[:9], '550 5.1.7')
            self.assertEqual(line.ask(sender=DEAD, protocol_state='MAIL')[:9], '550 5.1.7')
            self.assertEqual(line.ask(sender='a@nowhere.example', protocol_state='MAIL')[:9], '550 5.1.8')
            self.assertEqual(line.ask(recipient=DEAD, helo_name='probe.example.net'), 'DUNNO')
        self.stop(process)
        entries = self.log()
        self.assertEqual(entries[1]['status'], 'undeliverable')
        self.assertEqual(entries[1]['sub_status'], 'mailbox_not_found')
        self.assertTrue(entries[2]['cached'])
        self.assertEqual(entries[-1]['skipped'], 'ourselves')
        self.assertNotIn('fischer', ''.join(self.said))

    def test_settings(self):
        process = self.serve('--senders', '--set', 'policy.undeliverable=defer', '--set', 'policy.risky=reject', '--set',
                             'policy.log-addresses=yes')
        with Asking(self.ports['policy']) as line:
            self.assertEqual(line.ask(recipient=DEAD), 'DEFER_IF_PERMIT 4.1.1 undeliverable address: the server says '
                                                       'that there is no such mailbox')
            self.assertEqual(line.ask(recipient=CATCH_ALL)[:22], '550 5.1.1 risky addres')
            self.assertEqual(line.ask(recipient=LIVE, sender=DEAD)[:21], 'DEFER_IF_PERMIT 4.1.7')
        self.stop(process)
        self.assertEqual(self.log()[0]['address'], DEAD)
        self.assertEqual(self.heloise('policy', '--set', 'policy.risky=maybe').code, 64)
        self.assertIn('is none of reject, defer, dunno', self.heloise('policy', '--set', 'policy.risky=maybe').err)

    def test_lists_that_change(self):
        own = self.path('own')
        process = self.serve('--lists', own, '--set', 'policy.risky=reject')

        def ask():
            with Asking(self.ports['policy']) as line:
                return line.ask(recipient=LIVE)
        self.assertEqual(ask(), 'DUNNO')
        self.expect(0, 'lists', '--lists', own, 'add', 'disposable', 'plain.example')
        process.send_signal(signal.SIGHUP)
        rig.wait_until(lambda: ask() != 'DUNNO', 'the lists are read at a signal')
        self.expect(0, 'lists', '--lists', own, 'remove', 'disposable', 'plain.example')
        rig.wait_until(lambda: ask() == 'DUNNO', 'a change of the files is noticed')
        self.stop(process)

    def test_in_pieces_and_several_at_once(self):
        process = self.serve()
        with Asking(self.ports['policy']) as line:
            for byte in question(recipient=DEAD).replace(b'\n', b'\r\n'):
                line.socket.sendall(bytes([byte]))
            self.assertEqual(line.action(), REJECTED)
            line.socket.sendall(question(recipient=DEAD) * 20 + question(recipient=LIVE)[:-1])
            self.assertEqual([line.action() for _ in range(20)], [REJECTED] * 20)
            line.socket.sendall(b'\n')
            self.assertEqual(line.action(), 'DUNNO')
        with Asking(self.ports['policy']) as line:  # the sending side is closed, as Exim's readsocket does
            line.socket.sendall(question(recipient=DEAD))
            line.socket.shutdown(socket.SHUT_WR)
            self.assertEqual(line.action(), REJECTED)
            self.assertIsNone(line.action())
        self.stop(process)

    def test_garbage_ends_its_line_only(self):
        process = self.serve()
        for data in (b'\n', b'GET / HTTP/1.1\n\n', b'request=junk\n\n', b'a=b\0c\n\n', b'=x\n\n', b'x' * 70000 + b'\n',
                     b'a=b\n' * 300, b'recipient=' + b'x' * 2000 + b'\n\n'):
            with Asking(self.ports['policy']) as line:
                try:
                    line.socket.sendall(data)
                    self.assertIsNone(line.action(), data[:20])
                except ConnectionError:
                    pass  # closed before all was sent
        with Asking(self.ports['policy']) as line:
            self.assertEqual(line.ask(recipient=DEAD, sender='\x1b[31m"\x7f', queue_id='\x1b]0;x\x07'), REJECTED)
        self.stop(process)
        self.assertNotIn('\x1b', ''.join(self.said))

    def test_too_many_connections(self):
        process = self.serve('--set', 'policy.connections=2')
        with Asking(self.ports['policy']) as one, Asking(self.ports['policy']) as two:
            self.assertEqual(one.ask(recipient=LIVE), 'DUNNO')
            self.assertEqual(two.ask(recipient=DEAD), REJECTED)
            with Asking(self.ports['policy']) as three:
                self.assertEqual(three.file.read(), b'')
            self.assertEqual(one.ask(recipient=DEAD), REJECTED)
        self.stop(process)

    def test_what_takes_long_is_known_the_next_time(self):
        silent = threading.Event()

        def say(verb, _):
            if verb == 'RCPT':
                silent.wait(rig.PATIENCE_S)
        mailer = rig.Mailer(say)
        self.addCleanup(mailer.close)
        process = self.serve('--set', 'policy.timeout=300ms', '--set', 'policy.pending=defer', options=mailer.options)
        with Asking(self.ports['policy']) as line:
            self.assertEqual(line.ask(recipient='dead@d.example'),
                             'DEFER_IF_PERMIT 4.1.1 unverified address: it is being verified')
            silent.set()
            rig.wait_until(lambda: line.ask(recipient='dead@d.example') == REJECTED, 'the answer is known')
        self.stop(process)
        self.assertTrue(self.log()[0]['pending'])
        self.assertEqual(mailer.rcpts().count('dead@d.example'), 1)

    def test_the_end_does_not_wait_for_answers(self):
        silent = threading.Event()
        self.addCleanup(silent.set)
        mailer = rig.Mailer(lambda verb, _: silent.wait(rig.PATIENCE_S) and None if verb == 'RCPT' else None)
        self.addCleanup(mailer.close)
        process = self.serve('--set', 'policy.timeout=4m', options=mailer.options)
        with Asking(self.ports['policy']) as line, Asking(self.ports['policy']):
            line.socket.sendall(question(recipient='dead@d.example'))
            rig.wait_until(mailer.rcpts, 'it asks')
            self.stop(process)

    def test_exceptions(self):
        words = self.write('except', '# ours\nplain.example\n@\n')
        run = self.expect(65, 'policy', '--store', self.path('x.db'), '--except', words)
        self.assertIn(f'{words}:3:', run.err)
        words = self.write('except', 'Plain.Example # ours\nanna.weber@catchall.example\n192.0.2.0/24\n')
        process = self.serve('--except', words, '--set', 'policy.risky=reject')
        with Asking(self.ports['policy']) as line:
            self.assertEqual(line.ask(recipient=DEAD), 'DUNNO')
            self.assertEqual(line.ask(recipient='x@sub.plain.example'), 'DUNNO')
            self.assertEqual(line.ask(recipient=CATCH_ALL), 'DUNNO')
            self.assertEqual(line.ask(recipient='b@catchall.example')[:3], '550')
            self.assertEqual(line.ask(recipient='a@nomail.example', client_address='192.0.2.7'), 'DUNNO')
            self.assertEqual(line.ask(recipient='a@nomail.example', client_address='192.0.3.7')[:3], '550')
        self.stop(process)
        self.expect(66, 'policy', '--store', self.path('x.db'), '--except', self.path('missing'))

    def test_socketmap(self):
        place = self.path('map')
        process = self.serve('--socketmap', f'unix:{place}')
        rig.wait_until(lambda: os.path.exists(place), 'the socket is there')
        with Asking(place) as line:
            self.assertEqual(line.map(f'recipient {DEAD}'), 'OK ' + REJECTED)
            self.assertEqual(line.map(f'recipient {LIVE}'), 'NOTFOUND ')
            self.assertEqual(line.map('recipient plain.example'), 'NOTFOUND ')
            self.assertEqual(line.map(f'sender {DEAD}')[:12], 'OK 550 5.1.7')
            self.assertEqual(line.map(f'verdict {DEAD}'), 'OK undeliverable mailbox_not_found')
            self.assertEqual(line.map(f'verdict {LIVE}'), 'OK deliverable accepted')
            self.assertEqual(line.map('nonsense x')[:5], 'PERM ')
            self.assertEqual(line.map('verdict')[:8], 'NOTFOUND')
        for data in (b'x', b'99999:x', b'5:hello;', b'05:hello,', b':', b'9' * 30):
            with Asking(place) as line:
                line.socket.sendall(data)
                self.assertEqual(line.file.read(), b'', data)
        self.stop(process)
        self.assertFalse(os.path.exists(place))

    def test_places(self):
        place = self.path('p')
        left = socket.socket(socket.AF_UNIX)
        left.bind(place)
        left.close()  # nobody listens there any more
        process = self.serve('--listen', f'unix:{place}')
        rig.wait_until(lambda: any(f'unix:{place}' in line for line in self.said), 'it listens')
        with Asking(place) as line:
            self.assertEqual(line.ask(recipient=DEAD), REJECTED)
        run = self.heloise('policy', *self.village.options, '--store', self.path('2.db'), '--listen', f'unix:{place}')
        self.assertEqual(run.code, 73)
        self.assertIn('another process does', run.err)
        self.stop(process)
        for bad in ('inet:localhost:1', 'unix:x', '127.0.0.1:1', 'inet:127.0.0.1', ''):
            self.assertEqual(self.heloise('policy', '--listen', bad).code, 64, bad)
        self.expect(64, 'policy', '--no-store')

    def test_beside_the_service(self):
        service = self.start('serve', *self.village.options, '--store', self.path('h.db'), '--listen', '127.0.0.1:0')
        for line in service.stderr:
            if b'listening at' in line:
                break
        process = self.serve()
        with Asking(self.ports['policy']) as line:
            self.assertEqual(line.ask(recipient=DEAD), REJECTED)
        self.stop(process)
        self.assertIsNone(service.poll())

    def test_a_socket_of_the_service_manager(self):
        listening = socket.create_server(('127.0.0.1', 0))
        port = listening.getsockname()[1]
        script = 'import os,sys\nos.dup2(int(sys.argv[1]), 3)\nos.environ["LISTEN_PID"] = str(os.getpid())\n' \
                 'os.execv(sys.argv[2], sys.argv[2:])'
        os.set_inheritable(listening.fileno(), True)
        process = subprocess.Popen(
            ['python3', '-c', script, str(listening.fileno()), rig.Settings.heloise, 'policy', *self.village.options,
             '--store', self.path('h.db')], env={**self.env, 'LISTEN_FDS': '1'}, stderr=subprocess.PIPE,
            pass_fds=[listening.fileno()])
        self.addCleanup(self.end, process)
        with Asking(port) as line:
            self.assertEqual(line.ask(recipient=DEAD), REJECTED)
        self.stop(process)
