"""Mail servers for tests of probes, on sockets and TLS of their own: right ones, to which a test gives its faults.
SPDX-License-Identifier: Apache-2.0
"""
import base64
import contextlib
import hashlib
import hmac
import pathlib
import shutil
import socketserver
import ssl
import subprocess
import tempfile
import threading

import rig


class Certificates:
    """Made with openssl when they are first wanted, kept for the run."""
    folder = None

    @classmethod
    def path(cls, name):
        if cls.folder is None:
            cls.folder = pathlib.Path(tempfile.mkdtemp(prefix='heloise-certs-'))
            cls.make()
        return str(cls.folder / name)

    @classmethod
    def openssl(cls, *words, text=None):
        subprocess.run(['openssl', *words], cwd=cls.folder, check=True, capture_output=True, input=text)

    @classmethod
    def signed(cls, name, host, days, *kind):
        """name.pem: certificate and key, signed by ca.pem; days may be negative."""
        cls.openssl('req', '-newkey', *(kind or ('rsa:2048',)), '-nodes', '-keyout', f'{name}.key', '-out',
                    f'{name}.csr', '-subj', f'/CN={host}')
        cls.openssl('ca', '-config', 'ca.cnf', '-batch', '-in', f'{name}.csr', '-out', f'{name}.crt', '-startdate',
                    '20200101000000Z', '-enddate', '20210101000000Z' if days < 0 else '20490101000000Z', '-notext')
        (cls.folder / f'{name}.pem').write_bytes((cls.folder / f'{name}.crt').read_bytes()
                                                 + (cls.folder / f'{name}.key').read_bytes())

    @classmethod
    def make(cls):
        (cls.folder / 'index').write_text('')
        (cls.folder / 'serial').write_text('01')
        (cls.folder / 'ca.cnf').write_text(
            '[ca]\ndefault_ca=d\n[d]\ndatabase=index\nserial=serial\nnew_certs_dir=.\ncertificate=ca.pem\n'
            'private_key=ca.key\ndefault_md=sha256\npolicy=p\nx509_extensions=e\nunique_subject=no\n'
            '[p]\ncommonName=supplied\n[e]\nsubjectAltName=DNS:mx.d.example,DNS:*.d.example\n')
        cls.openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'ca.key', '-out', 'ca.pem', '-subj',
                    '/CN=Test CA', '-days', '3000')
        cls.signed('good', 'mx.d.example', 1)
        cls.signed('expired', 'mx.d.example', -1)
        cls.signed('weak', 'mx.d.example', 1, 'rsa:1024')
        (cls.folder / 'chain.pem').write_bytes((cls.folder / 'good.pem').read_bytes() + (cls.folder / 'ca.pem').read_bytes())
        cls.openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'own.key', '-out', 'own.crt', '-subj',
                    '/CN=other.example', '-days', '3000')
        (cls.folder / 'own.pem').write_bytes((cls.folder / 'own.crt').read_bytes() + (cls.folder / 'own.key').read_bytes())

    @classmethod
    def context(cls, name, oldest=None, newest=None):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_ciphers('ALL:@SECLEVEL=0')
        context.minimum_version = oldest or ssl.TLSVersion.TLSv1_2
        if newest:
            context.maximum_version = newest
        context.load_cert_chain(cls.path(f'{name}.pem'))
        return context


class Server(socketserver.ThreadingTCPServer):
    """handle(line) is called for each connection with a Line; heard has what was said to it."""
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, handle):
        self.handle, self.heard, self.messages = handle, [], []
        super().__init__(('127.0.0.1', 0), Line)
        self.port = self.server_address[1]
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def close(self):
        self.shutdown()
        self.server_close()


class Line(socketserver.BaseRequestHandler):
    def handle(self):
        self.rest = b''
        self.request.settimeout(rig.PATIENCE_S)
        with contextlib.suppress(OSError, EOFError):
            self.server.handle(self)

    def say(self, text):
        self.request.sendall(text if isinstance(text, bytes) else text.encode())

    def line(self):
        while b'\n' not in self.rest:
            block = self.request.recv(65536)
            if not block:
                raise EOFError
            self.rest += block
        line, self.rest = self.rest.split(b'\n', 1)
        text = line.rstrip(b'\r').decode('utf-8', 'replace')
        self.server.heard.append(text)
        return text

    def take(self, count):
        while len(self.rest) < count:
            block = self.request.recv(65536)
            if not block:
                raise EOFError
            self.rest += block
        bytes_, self.rest = self.rest[:count], self.rest[count:]
        return bytes_

    def secure(self, context, keeps=False):
        """keeps: what came in the clear is obeyed inside (CVE-2011-0411)."""
        rest = self.rest if keeps else b''
        self.request = context.wrap_socket(self.request, server_side=True)
        self.rest = rest


class Good:
    """An ordinary server, with what a test wants of it."""

    def __init__(self, context=None, mechanisms='', at_once=False, keeps=False, says=None, lmtp=False, clear_login=True,
                 extensions=('PIPELINING', 'SIZE 10240000', '8BITMIME', 'ENHANCEDSTATUSCODES', 'CHUNKING', 'X-ODD')):
        self.context, self.mechanisms, self.at_once, self.keeps = context, mechanisms, at_once, keeps
        self.says, self.lmtp, self.clear_login, self.extensions = says or {}, lmtp, clear_login, extensions

    def __call__(self, line):
        line.tls, line.accepted = False, 0
        if self.at_once:
            line.secure(self.context)
            line.tls = True
        line.say(self.says.get('', '220 mx.d.example ESMTP\r\n'))
        while True:
            text = line.line()
            verb = text.split(' ')[0].upper()
            if verb in self.says:
                line.say(self.says[verb])
            else:
                getattr(self, 'on_' + verb.lower(), self.on_other)(line, text)
            if verb == 'QUIT':
                return

    def on_other(self, line, text):
        line.say('502 5.5.1 what\r\n')

    def on_ehlo(self, line, text):
        words = list(self.extensions)
        if self.context and not line.tls:
            words.append('STARTTLS')
        if self.mechanisms and (line.tls or self.clear_login):
            words.append('AUTH ' + self.mechanisms)
        lines = ['mx.d.example', *words]
        line.say(''.join(f'250{"-" if i < len(lines) - 1 else " "}{text}\r\n' for i, text in enumerate(lines)))

    on_lhlo = on_ehlo

    def on_starttls(self, line, text):
        line.say('220 2.0.0 go\r\n')
        line.secure(self.context, self.keeps)
        line.tls = True

    def on_noop(self, line, text):
        line.say('250 2.0.0 Ok\r\n')

    on_rset = on_noop

    def on_xclient(self, line, text):
        line.say('220 mx.d.example ESMTP\r\n')

    def on_mail(self, line, text):
        line.accepted = 0
        line.say('250 2.1.0 Ok\r\n')

    def on_rcpt(self, line, text):
        good = 'dead' not in text
        line.accepted += good
        line.say('250 2.1.5 Ok\r\n' if good else '550 5.1.1 No such user\r\n')

    def on_data(self, line, text):
        line.say('354 go\r\n')
        lines = []
        while (one := line.line()) != '.':
            lines.append(one[1:] if one.startswith('.') else one)
        line.server.messages.append('\n'.join(lines) + '\n')
        line.say('250 2.0.0 queued\r\n' * (line.accepted if self.lmtp else 1))

    def on_bdat(self, line, text):
        words = text.split()
        line.chunks = getattr(line, 'chunks', b'') + line.take(int(words[1]))
        if len(words) > 2:
            line.server.messages.append(line.chunks.decode().replace('\r\n', '\n'))
        line.say('250 2.0.0 taken\r\n')

    def on_quit(self, line, text):
        line.say('221 2.0.0 Bye\r\n')

    # Logins: user "jane", password "secret".

    @staticmethod
    def ask(line, challenge):
        line.say(b'334 ' + base64.b64encode(challenge) + b'\r\n')
        return base64.b64decode(line.line())

    def on_auth(self, line, text):
        words = text.split(' ')
        initial = base64.b64decode(words[2]) if len(words) > 2 else None
        mechanism = words[1].lower().replace('-', '_')
        good = getattr(self, 'log_in_' + mechanism)(line, initial)
        line.say('235 2.7.0 welcome\r\n' if good else '535 5.7.8 wrong\r\n')

    def log_in_plain(self, line, initial):
        return initial.split(b'\0')[1:] == [b'jane', b'secret']

    def log_in_login(self, line, initial):
        return [self.ask(line, b'Username:'), self.ask(line, b'Password:')] == [b'jane', b'secret']

    def log_in_cram_md5(self, line, initial):
        challenge = b'<1.2@mx.d.example>'
        answer = self.ask(line, challenge)
        return answer == b'jane ' + hmac.new(b'secret', challenge, 'md5').hexdigest().encode()

    def log_in_xoauth2(self, line, initial):
        if initial == b'user=jane\x01auth=Bearer secret\x01\x01':
            return True
        self.ask(line, b'{"status":"400"}')
        return False

    def log_in_oauthbearer(self, line, initial):
        return initial.startswith(b'n,a=jane,\x01') and initial.endswith(b'\x01auth=Bearer secret\x01\x01')

    def scram(self, line, initial, kind):
        bare = initial.decode().split(',', 2)[2]
        fields = dict(part.split('=', 1) for part in bare.split(','))
        nonce, salt = fields['r'] + 'server', b'saltsalt'
        first = f'r={nonce},s={base64.b64encode(salt).decode()},i=4096'
        final = self.ask(line, first.encode()).decode()
        without, proof = final.rsplit(',p=', 1)
        salted = hashlib.pbkdf2_hmac(kind, b'secret', salt, 4096)

        def mac(key, text):
            return hmac.new(key, text.encode(), kind).digest()
        client_key = mac(salted, 'Client Key')
        message = f'{bare},{first},{without}'
        signature = mac(hashlib.new(kind, client_key).digest(), message)
        wanted = bytes(a ^ b for a, b in zip(client_key, signature))
        if fields['n'] != 'jane' or base64.b64decode(proof) != wanted:
            return False
        server = mac(mac(salted, 'Server Key'), message)
        return self.ask(line, b'v=' + base64.b64encode(server)) == b''

    def log_in_scram_sha_1(self, line, initial):
        return self.scram(line, initial, 'sha1')

    def log_in_scram_sha_256(self, line, initial):
        return self.scram(line, initial, 'sha256')


ALL = 'SCRAM-SHA-256 SCRAM-SHA-1 CRAM-MD5 PLAIN LOGIN XOAUTH2 OAUTHBEARER'


def forget_certificates():
    """At the end of a run."""
    if Certificates.folder:
        shutil.rmtree(Certificates.folder, True)
        Certificates.folder = None
