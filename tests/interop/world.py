"""world: what all rigs share: addresses on loopback, the zone, users, certificate, system log.

Every mail server listens on its own address with the same port; the name server on port 53 of its own
address. Every domain has its own users: live@ and jane.roe@ exist, other local parts do not.
SPDX-License-Identifier: Apache-2.0
"""
import os
import pathlib
import shutil
import socket
import subprocess
import threading
import time

import rootfs

PORT = 2525
DNS = '127.0.1.53'
CLIENT_NAME = 'client.interop.test'
SENDER = 'probe@interop.test'
LIVE = ['live', 'jane.roe']
HOSTS = {  # domain under test. -> the address of its server
    'plain': '127.0.1.10', 'catchall': '127.0.1.11', 'grey': '127.0.1.12', 'verify': '127.0.1.13',
    'tlsonly': '127.0.1.14', 'limits': '127.0.1.15', 'gate': '127.0.1.16', 'gatestrict': '127.0.1.17',
    'exim': '127.0.1.20', 'eximlimit': '127.0.1.21', 'eximgate': '127.0.1.22',
    'opensmtpd': '127.0.1.30', 'opensmtpdall': '127.0.1.31', 'sendmail': '127.0.1.40', 'qpsmtpd': '127.0.1.50',
    'aiosmtpd': '127.0.1.60', 'smtpserver': '127.0.1.70', 'haraka': '127.0.1.71', 'eximlogin': '127.0.1.23',
}
POLICY, POLICY_PORT, MAP_PORT = '127.0.1.62', 10040, 10041  # where `heloise policy` answers
ZONE_HEAD = """$ORIGIN test.
$TTL 300
@ IN SOA ns.test. hostmaster.test. 1 3600 600 86400 60
@ IN NS ns.test.
ns IN A 127.0.1.53
interop IN A 127.0.0.1
interop IN MX 10 client.interop.test.
client.interop IN A 127.0.0.1
"""
ZONE_ODD = """
nullmx IN MX 0 .
nullmx IN A 127.0.1.10
nohost IN TXT "no mail host here"
implicit IN A 127.0.1.10
alias IN MX 10 mx.alias.test.
mx.alias IN CNAME mx.plain.test.
backup IN MX 10 nobody.backup.test.
backup IN MX 20 mx.plain.test.
nobody.backup IN A 127.0.1.99
down IN MX 10 nobody.backup.test.
private IN MX 10 mx.private.test.
mx.private IN A 10.0.0.1
nowhere IN MX 10 missing.nowhere.test.
large IN MX 1 mx.plain.test.
xn--bcher-kva IN MX 10 mx.plain.test.
six IN MX 10 mx.six.test.
mx.six IN AAAA ::1
"""
HAS_IPV6 = '00000000000000000000000000000001' in (
    pathlib.Path('/proc/net/if_inet6').read_text() if pathlib.Path('/proc/net/if_inet6').exists() else '')


def zone():
    lines = [ZONE_HEAD, ZONE_ODD]
    for name, address in HOSTS.items():
        lines.append(f'{name} IN MX 10 mx.{name}.test.\nmx.{name} IN A {address}\n')
    # More hosts than fit into a datagram: the answer is truncated and asked for again over TCP.
    lines += [f'large IN MX {n + 10} a-mail-exchanger-with-a-long-name-{n}.large.test.\n' for n in range(120)]
    return ''.join(lines)


def users_of(domain):
    return [f'{name}@{domain}.test' for name in LIVE]


class SystemLog(threading.Thread):
    """Listens where servers in the root send their log lines; writes them to one file."""

    def __init__(self, path, file):
        super().__init__(daemon=True)
        path.unlink(missing_ok=True)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        path.chmod(0o666)
        self.file = open(file, 'ab', buffering=0)

    def run(self):
        while True:
            self.file.write(self.socket.recv(65536).rstrip(b'\0\n') + b'\n')


class World:
    """The root with its folders, and the processes started in it."""

    def __init__(self, root, sources):
        self.root, self.sources = root, sources
        self.children = []
        shutil.rmtree(root / 'srv', ignore_errors=True)
        (root / 'srv/log').mkdir(parents=True)
        (root / 'srv/log').chmod(0o777)
        (root / 'etc/hosts').write_text(f'127.0.0.1 {CLIENT_NAME} localhost\n' + ''.join(
            f'{address} mx.{name}.test\n' for name, address in HOSTS.items()))
        (root / 'etc/resolv.conf').write_text(f'nameserver {DNS}\n')
        (root / 'etc/services').write_text('smtp 25/tcp\ndomain 53/tcp\ndomain 53/udp\n')
        SystemLog(root / 'dev/log', root / 'srv/log/system').start()
        self.make_certificate()

    def make_certificate(self):
        folder = self.folder('tls')
        self.call('openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '30', '-subj', '/CN=mx.test',
                  '-keyout', '/srv/tls/key.pem', '-out', '/srv/tls/cert.pem')
        both = (folder / 'key.pem').read_text() + (folder / 'cert.pem').read_text()
        (folder / 'both.pem').write_text(both)
        (folder / 'exim.pem').write_text(both)
        os.chown(folder / 'exim.pem', rootfs.user_id('Debian-exim'), rootfs.user_id('Debian-exim'))
        for name in ('key.pem', 'both.pem', 'exim.pem'):
            (folder / name).chmod(0o600)

    def folder(self, name, user=None, mode=0o755):
        path = self.root / 'srv' / name
        path.mkdir(parents=True, exist_ok=True)
        if user is not None:
            rootfs.own(path, user, mode)
        return path

    def call(self, *argv):
        """Runs a program in the root to its end."""
        return rootfs.run(['chroot', str(self.root), *argv])

    def start(self, name, *argv, outside=None, env=None):
        """Starts a program in the root (or outside, in a folder) that stays in the foreground."""
        log = open(self.log_path(name), 'ab')
        command = list(argv) if outside else ['chroot', str(self.root), *argv]
        child = subprocess.Popen([str(a) for a in command], cwd=outside, stdin=subprocess.DEVNULL, stdout=log,
                                 stderr=log, start_new_session=True, env={**os.environ, **(env or {})})
        self.children.append(child)
        return child

    def log_path(self, name):
        return self.root / 'srv/log' / name

    def read_log(self, name):
        path = self.log_path(name)
        return path.read_text(errors='replace') if path.exists() else ''

    def await_port(self, address, port=PORT, seconds=15):
        """True once something accepts connections there and, for SMTP, has greeted."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                with socket.create_connection((address, port), 1) as line:
                    line.settimeout(5)
                    return port != PORT or line.recv(3) in (b'220', b'2')
            except OSError:
                time.sleep(0.1)
        return False

    def stop(self):
        for child in reversed(self.children):
            try:
                os.killpg(child.pid, 15)
            except ProcessLookupError:
                pass
        end = time.monotonic() + 5
        for child in self.children:
            try:
                child.wait(max(0.1, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, 9)
                child.wait()
        self.stop_strays()

    def stop_strays(self):
        """Daemons that left their group: processes whose root is our folder. Nothing else is touched."""
        for entry in pathlib.Path('/proc').glob('[0-9]*'):
            try:
                if os.readlink(entry / 'root') == str(self.root):
                    os.kill(int(entry.name), 9)
            except OSError:
                pass
