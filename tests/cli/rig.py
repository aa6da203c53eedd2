"""tests/cli/rig: what the tests of the program share: runs of it, a village, and a mail server with a name
server of our own where a test must see or say what the village does not.
SPDX-License-Identifier: Apache-2.0
"""
import contextlib
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import socket
import socketserver
import struct
import subprocess
import tempfile
import threading
import time
import unittest

PATIENCE_S = 120  # for anything that must happen at all; machines are loaded


class Settings:
    """Filled by cli_test.py from its arguments."""
    heloise = ''
    data = ''


class Run:
    """How a run ended."""

    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    def __repr__(self):
        return f'exit {self.code}\n--- out\n{self.out}\n--- err\n{self.err}'


def wait_until(condition, what, limit_s=PATIENCE_S):
    end = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f'did not happen: {what}')
        time.sleep(0.02)


def catches(process, number):
    """Whether the signal has a handler by now."""
    with open(f'/proc/{process.pid}/status', encoding='ascii') as status:
        caught = next(line for line in status if line.startswith('SigCgt:')).split()[1]
    return int(caught, 16) >> (number - 1) & 1


class Case(unittest.TestCase):
    """A folder of its own, no store and no settings from outside."""
    longMessage = True
    maxDiff = None

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='heloise-cli-'))
        self.addCleanup(shutil.rmtree, self.folder, True)
        self.env = {'PATH': os.environ['PATH'], 'HOME': str(self.folder), 'TMPDIR': str(self.folder),
                    'LC_ALL': 'C.UTF-8', 'HELOISE_DATA': Settings.data, 'HELOISE_CONFIG': '/dev/null'}
        for name in ('ASAN_OPTIONS', 'UBSAN_OPTIONS', 'LSAN_OPTIONS'):
            if name in os.environ:
                self.env[name] = os.environ[name]

    def path(self, name):
        return str(self.folder / name)

    def write(self, name, content):
        data = content if isinstance(content, bytes) else content.encode()
        (self.folder / name).write_bytes(data)
        return self.path(name)

    def read(self, name):
        return (self.folder / name).read_bytes().decode()

    def start(self, *words, **options):
        """A process; killed at the end of the test if it still runs. wrap: words before the program's."""
        options.setdefault('stdin', subprocess.DEVNULL)
        options.setdefault('stdout', subprocess.PIPE)
        options.setdefault('stderr', subprocess.PIPE)
        env = dict(self.env, **options.pop('env', {}))
        folder = self.folder / options.pop('cwd', '.')
        argv = [*options.pop('wrap', []), Settings.heloise, *map(str, words)]
        process = subprocess.Popen(argv, env=env, cwd=folder, **options)
        self.addCleanup(self.end, process)
        return process

    @staticmethod
    def end(process):
        if process.poll() is None:
            process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                stream.close()

    @staticmethod
    def finish(process, text=None):
        out, err = process.communicate(text, timeout=PATIENCE_S)
        return Run(process.returncode, (out or b'').decode('utf-8', 'surrogateescape'),
                   (err or b'').decode('utf-8', 'surrogateescape'))

    def heloise(self, *words, text=None, **options):
        if text is not None:
            options['stdin'] = subprocess.PIPE
            text = text if isinstance(text, bytes) else text.encode()
        return self.finish(self.start(*words, **options), text)

    def expect(self, code, *words, **options):
        run = self.heloise(*words, **options)
        self.assertEqual(run.code, code, run)
        return run

    def on_terminal(self, *words):
        """The process and a function that reads its standard error, which is a terminal, to the end."""
        ours, theirs = pty.openpty()
        process = self.start(*words, stderr=theirs)
        os.close(theirs)
        self.addCleanup(os.close, ours)

        def read_all():
            seen = b''
            end = time.monotonic() + PATIENCE_S
            while time.monotonic() < end:
                if not select.select([ours], [], [], 0.2)[0]:
                    continue
                try:
                    block = os.read(ours, 65536)
                except OSError:  # the other end is closed
                    block = b''
                if not block:
                    break
                seen += block
            return seen.decode('utf-8', 'surrogateescape')
        return process, read_all


class Village:
    """`heloise village` on free ports, shared by the cases of a class."""

    def __init__(self):
        env = {'PATH': os.environ['PATH'], 'HELOISE_DATA': Settings.data}
        self.process = subprocess.Popen([Settings.heloise, 'village', '--port', '0', '--dns-port', '0'], env=env,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        self.text = ''
        for line in self.process.stdout:
            self.text += line
            if line.startswith('Ctrl-C'):
                break
        found = re.search(r'(--resolver \S+ --port \d+ --allow-net \S+)', self.text)
        if not found:
            raise AssertionError('the village does not say how to ask it:\n' + self.text)
        self.options = found.group(1).split() + ['--helo', 'probe.example.net']

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(PATIENCE_S)
        self.process.stdout.close()
        return code


class Names(threading.Thread):
    """A name server: records by (name, type); type 1 A, 12 PTR, 15 MX as a name or (preference, name), 16 TXT. What
    it has not does not exist; None is a failure; names with the type None are silent. A value in bytes stands as it
    is. is_authentic: who asks for it is told that DNSSEC proves the answers (RFC 6840 5.7), all of them or those for
    which is_authentic(name, kind) holds."""

    def __init__(self, records, is_authentic=False):
        super().__init__(daemon=True)
        self.records = records
        self.asked = []  # (name, type)
        self.is_authentic = is_authentic
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(('127.0.0.1', 0))
        self.port = self.socket.getsockname()[1]
        self.start()

    @staticmethod
    def pack_name(name):
        return b''.join(bytes([len(label)]) + label.encode() for label in name.split('.') if label) + b'\0'

    def pack_value(self, kind, value):
        if isinstance(value, bytes):
            return value
        if kind == 1:
            return socket.inet_aton(value)
        if kind == 12:
            return self.pack_name(value)
        if kind == 16:
            return bytes([len(value)]) + value.encode()
        preference, name = value if isinstance(value, tuple) else (10, value)
        return struct.pack('>H', preference) + self.pack_name(name)

    def answer(self, query):
        name, at = [], 12
        while query[at]:
            name.append(query[at + 1:at + 1 + query[at]].decode())
            at += 1 + query[at]
        question = query[12:at + 5]
        kind = struct.unpack('>H', query[at + 1:at + 3])[0]
        name = '.'.join(name).lower()
        self.asked.append((name, kind))
        is_known = any(known == name for known, _ in self.records)
        if (name, None) in self.records:
            return None
        answers = b''
        values = self.records.get((name, kind), [])
        for value in values or []:
            data = self.pack_value(kind, value)
            answers += b'\xc0\x0c' + struct.pack('>HHIH', kind, 1, 300, len(data)) + data
        is_asked = query[3] & 0x20  # AD
        flags = 0x8180 | (3 if not is_known else 2 if values is None else 0)
        is_proven = self.is_authentic(name, kind) if callable(self.is_authentic) else self.is_authentic
        flags |= 0x20 if is_proven and is_asked else 0
        return query[:2] + struct.pack('>HHHHH', flags, 1, len(values or []), 0, 0) + question + answers

    def run(self):
        with contextlib.suppress(OSError):
            while True:
                query, peer = self.socket.recvfrom(4096)
                if not query:  # closed
                    return
                answer = self.answer(query)
                if answer is not None:
                    self.socket.sendto(answer, peer)

    def close(self):
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


class Mailer(socketserver.ThreadingTCPServer):
    """A mail server for d.example. say(command, argument) gives the reply or None for the usual one; b'' is
    silence. Everything it was told is in `heard`, as (peer, line)."""
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, say=None, delay_s=0.0, live='live', records=None):
        self.say, self.delay_s, self.live = say, delay_s, live
        self.heard = []
        super().__init__(('127.0.0.1', 0), MailerLine)
        self.names = Names(records or {('d.example', 15): ['mx.d.example'], ('mx.d.example', 1): ['127.0.0.1'],
                                       ('mx.d.example', 28): []})
        self.port = self.server_address[1]
        self.options = ['--resolver', f'127.0.0.1:{self.names.port}', '--port', str(self.port), '--allow-net',
                        '127.0.0.0/8', '--helo', 'probe.example.net']
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def rcpts(self):
        """Recipients asked, without the made-up ones of controls."""
        found = [re.match(r'(?i)RCPT TO:<(.*)>', line) for _, line in list(self.heard)]
        return [match.group(1) for match in found if match and re.match(r'live|dead', match.group(1))]

    def reply(self, verb, line):
        if self.say is not None:
            said = self.say(verb, line)
            if said is not None:
                return said
        if verb == 'RCPT':
            time.sleep(self.delay_s)
            is_live = re.match(rf'(?i)RCPT TO:<{self.live}', line)
            return b'250 2.1.5 Ok\r\n' if is_live else b'550 5.1.1 No such user here\r\n'
        return {'EHLO': b'250-mx.d.example\r\n250 ENHANCEDSTATUSCODES\r\n', 'QUIT': b'221 2.0.0 Bye\r\n',
                'MAIL': b'250 2.1.0 Ok\r\n', 'RSET': b'250 2.0.0 Ok\r\n'}.get(verb, b'502 5.5.1 No\r\n')

    def close(self):
        self.shutdown()
        self.server_close()
        self.names.close()


class MailerLine(socketserver.StreamRequestHandler):
    def handle(self):
        with contextlib.suppress(OSError):
            banner = self.server.say('', '') if self.server.say is not None else None
            self.wfile.write(banner or b'220 mx.d.example ESMTP\r\n')
            for raw in self.rfile:
                line = raw.decode('utf-8', 'replace').rstrip('\r\n')
                self.server.heard.append((self.client_address[0], line))
                verb = line[:4].upper()
                self.wfile.write(self.server.reply(verb, line))
                if verb == 'QUIT':
                    return
