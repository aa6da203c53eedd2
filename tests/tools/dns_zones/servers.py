"""servers: the world that the zones live in: NSD serves them, signed by ldns, a second one an old copy; Unbound asks and
validates, a second one does not; mail servers and a server of MTA-STS policies are ours.
SPDX-License-Identifier: Apache-2.0
"""
import asyncio
import contextlib
import json
import os
import pathlib
import re
import shutil
import socket
import ssl
import subprocess
import threading
import time

import zones

SERVERS = ['nsd', 'unbound']
SIGNERS = ['ldns-keygen', 'ldns-signzone', 'ldns-key2ds']
SERIAL, OLD_SERIAL = 2026112202, 2026112201
PATIENCE_S = 60
FETCH_S = 300


class Programs:
    """Debian's programs. Those that sign come with `tools/install check`. The servers would be started by their
    installation, at port 53: where they are not installed, their packages are unpacked below a folder instead."""

    def __init__(self, folder):
        self.root = pathlib.Path(folder).resolve()
        self.env = dict(os.environ)
        if not all(self.find(name) for name in SIGNERS):
            raise RuntimeError('ldnsutils is not installed: run tools/install check')
        if not all(self.find(name) for name in SERVERS):
            self.unpack()
        libraries = [str(path) for path in self.root.glob('usr/lib/*-linux-gnu')]
        if libraries:
            self.env['LD_LIBRARY_PATH'] = ':'.join(libraries)

    def unpack(self):
        """The servers, and what of their libraries is not installed."""
        archives = self.root / 'archives'
        (archives / 'partial').mkdir(parents=True, exist_ok=True)
        fetch = ['apt-get', '-qq', '-y', '-o', f'Dir::Cache::archives={archives}', '-o', 'Debug::NoLocking=1', '-o',
                 'APT::Install-Recommends=0', '-o', 'APT::Sandbox::User=root', '--download-only', 'install', *SERVERS]
        try:
            run(fetch)
        except RuntimeError:
            run(['apt-get', '-qq', 'update'])  # the lists may be old or absent
            run(fetch)
        for archive in archives.glob('*.deb'):
            run(['dpkg', '-x', archive, self.root])

    def find(self, name):
        folders = ['/usr/sbin', '/usr/bin', self.root / 'usr/sbin', self.root / 'usr/bin']
        return shutil.which(name, path=':'.join(map(str, folders)))

    def call(self, folder, name, *words):
        done = subprocess.run([self.find(name), *map(str, words)], cwd=folder, env=self.env, text=True,
                              capture_output=True, check=False, stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            raise RuntimeError(f'{name} {words}: {done.stdout}{done.stderr}')
        return done.stdout


def run(argv):
    done = subprocess.run(list(map(str, argv)), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
                          timeout=FETCH_S)
    if done.returncode != 0:
        raise RuntimeError(f'{" ".join(map(str, argv))}: {done.stdout}{done.stderr}')


def free_port(address):
    """One that is free for UDP and TCP."""
    for _ in range(50):
        with socket.socket() as tcp, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            tcp.bind((address, 0))
            with contextlib.suppress(OSError):
                udp.bind(tcp.getsockname())
                return tcp.getsockname()[1]
    raise RuntimeError('no free port')


def public_key(bits):
    key = subprocess.run(['openssl', 'genrsa', str(bits)], capture_output=True, check=True).stdout
    pem = subprocess.run(['openssl', 'rsa', '-pubout'], input=key, capture_output=True, check=True).stdout.decode()
    text = ''.join(line for line in pem.splitlines() if not line.startswith('-'))
    return ' '.join(f'"{text[i:i + 200]}"' for i in range(0, len(text), 200))


def cut_string(match):
    """A string of a TXT record has 255 bytes at most."""
    text = match.group(1)
    return ' '.join(f'"{text[i:i + 250]}"' for i in range(0, len(text), 250))


class Zones:
    """Writes and signs the zones."""

    def __init__(self, programs, folder):
        self.programs, self.folder = programs, folder
        self.keys = {name: public_key(bits) for name, bits in (('KEY512', 512), ('KEY1024', 1024), ('KEY', 2048))}
        self.places = {case.name: i + 1 for i, case in enumerate(zones.CASES)}

    def address(self, case, host):
        return f'127.0.{1 if host == "mx1" else 2}.{self.places[case.name]}'

    def fill(self, case, text):
        for name in ('mx1', 'mx2'):
            text = text.replace(name.upper(), self.address(case, name))
        for name, key in self.keys.items():
            text = text.replace(' ' + name, ' ' + key) if text.endswith(' ' + name) else text
        return re.sub('"([^"]{256,})"', cut_string, text.replace('DOMAIN', case.domain))

    def records(self, case):
        records = {**zones.CLEAN, **case.changes}
        return [(name, kind, self.fill(case, value)) for (name, kind), values in records.items()
                for value in values or []]

    @staticmethod
    def text(origin, records, serial=SERIAL, host='ns1'):
        lines = [f'$ORIGIN {origin}', '$TTL 300',
                 f'@ IN SOA {host} hostmaster.health. {serial} 3600 600 864000 300']
        lines += [f'{name} IN {kind} {value}' for name, kind, value in records]
        return '\n'.join(lines) + '\n'

    def sign(self, origin, path):
        """The DS records of the zone, which is signed in place."""
        name = self.programs.call(self.folder, 'ldns-keygen', '-a', 'ECDSAP256SHA256', '-k', origin).strip()
        self.programs.call(self.folder, 'ldns-signzone', '-o', origin, '-f', path, path, name)
        return name, self.programs.call(self.folder, 'ldns-key2ds', '-n', '-2', f'{name}.key').strip()

    @staticmethod
    def spoil(path, owner, kind):
        """Another signature than the right one for records of that owner and kind."""
        lines = path.read_text().splitlines()
        spoilt = [i for i, line in enumerate(lines) if line.split()[:1] == [owner] and f'RRSIG\t{kind} ' in line]
        if not spoilt:
            raise RuntimeError(f'{path} has no signature of {owner} {kind}')
        for i in spoilt:
            words = lines[i].split(' ')
            words[-1] = words[-1][:8][::-1] + words[-1][8:]
            lines[i] = ' '.join(words)
        path.write_text('\n'.join(lines) + '\n')

    def write(self):
        """Names of zones and their files; the second for the old copies; the trust anchor."""
        files, old = {}, {}
        root = [(name, kind, value) for (name, kind), values in zones.EXTRA.items() for value in values]
        root += [('@', 'NS', 'ns1.clean.health.')]
        for case in zones.CASES:
            if not case.is_there:
                continue
            origin = f'{case.domain}.'
            path = self.folder / f'{case.name}.zone'
            path.write_text(self.text(origin, self.records(case)))
            root += [(origin, 'NS', 'ns1.clean.health.')]
            if case.keys != 'unsigned':
                ds = self.sign(origin, path)[1]
                digest = ds.split()[-1]
                wrong = digest[:-4] + ('0000' if digest[-4:] != '0000' else '1111')
                root += [(origin, 'DS', ' '.join(ds.split()[-4:-1] + [wrong if case.keys == 'bogus' else digest]))]
            if case.spoilt:
                self.spoil(path, (case.spoilt[0] + '.' if case.spoilt[0] != '@' else '') + origin, case.spoilt[1])
            if case.old_copy:
                old[origin] = self.folder / f'{case.name}.old'
                old[origin].write_text(self.text(origin, self.records(case), OLD_SERIAL))
            files[origin] = path
        root += [('127.in-addr.arpa.', 'NS', 'ns1.clean.health.')]
        files['127.in-addr.arpa.'] = self.write_reverse()
        listed = next(case for case in zones.CASES if case.name == 'listed')
        root += [('.'.join(reversed(self.address(listed, 'mx2').split('.'))) + '.ip.bl.health.', 'A', '127.0.0.2')]
        files['.'] = self.folder / 'root.zone'
        files['.'].write_text(self.text('.', root, host='ns1.clean.health.'))
        anchor = self.sign('.', files['.'])[0]
        return files, old, self.folder / f'{anchor}.key'

    def write_reverse(self):
        records = [('@', 'NS', 'ns1.clean.health.'), ('8.9.0', 'PTR', 'out.inc.health.')]
        for case in zones.CASES:
            for host in ('mx1', 'mx2'):
                name = case.reverse.get(host, host)
                first, second = self.address(case, host).split('.')[2:]
                if name is not None:
                    records.append((f'{second}.{first}.0', 'PTR', f'{name}.{case.domain}.'))
        path = self.folder / 'reverse.zone'
        path.write_text(self.text('127.in-addr.arpa.', records, host='ns1.clean.health.'))
        return path


class Mail(threading.Thread):
    """Mail servers as far as EHLO, and the server of policies, in one loop."""

    def __init__(self, places, folder, port, policy_port):
        super().__init__(daemon=True)
        self.port, self.policy_port, self.folder = port, policy_port, folder
        self.manners = {}
        for case in zones.CASES:
            for host in ('mx1', 'mx2'):
                self.manners[places.address(case, host)] = case.smtp.get(host, 'good')
        self.policies = {f'mta-sts.{case.domain}': case for case in zones.CASES}
        self.loop = asyncio.new_event_loop()
        self.is_up = threading.Event()

    async def talk(self, reader, writer):
        manner = self.manners[writer.get_extra_info('sockname')[0]]
        greeting = {'refusing': b'554 5.7.1 no \033[31mservice for you\r\n', 'hostile': b'\033]0;x\007' * 2000}
        if manner not in ('silent', 'mute'):
            writer.write(greeting.get(manner, b'220 mx ESMTP\r\n'))
        if manner == 'mute':
            await reader.read()  # until we are given up
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, ValueError):
            while manner not in ('silent', 'mute', 'hostile'):
                line = await reader.readline()
                if not line or line.upper().startswith(b'QUIT'):
                    writer.write(b'221 2.0.0 bye\r\n')
                    break
                writer.write(b'250-mx\r\n250-STARTTLS\r\n250 SIZE 1000\r\n' if manner == 'good' else b'250 mx\r\n')
        with contextlib.suppress(ConnectionError):
            writer.close()
            await writer.wait_closed()

    async def serve_policy(self, reader, writer):
        with contextlib.suppress(ConnectionError, ssl.SSLError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b'\r\n\r\n')).decode('latin-1')
            host = [line.split(':')[1].strip() for line in head.split('\r\n') if line.lower().startswith('host:')][0]
            case = self.policies[host]
            answer = case.policy
            if answer is None:
                answer = b'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'
            elif isinstance(answer, str):
                body = answer.replace('DOMAIN', case.domain).encode()
                answer = (b'HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n'
                          b'Content-Length: %d\r\n\r\n%s' % (len(body), body))
            writer.write(answer)
            await writer.drain()
        writer.close()
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            await writer.wait_closed()

    @staticmethod
    async def serve_registration(reader, writer):
        """RFC 9083 4.5: any domain was registered yesterday."""
        day = time.strftime('%Y-%m-%dT00:00:00Z', time.gmtime(time.time() - 86400))
        body = json.dumps({'objectClassName': 'domain', 'events': [{'eventAction': 'registration', 'eventDate': day}]})
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readuntil(b'\r\n\r\n')
            writer.write(b'HTTP/1.1 200 OK\r\nContent-Type: application/rdap+json\r\nConnection: close\r\n'
                         b'Content-Length: %d\r\n\r\n%s' % (len(body), body.encode()))
            await writer.drain()
        writer.close()

    def context(self, name):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / f'{name}.pem', self.folder / f'{name}.key')
        return context

    async def open(self):
        await asyncio.start_server(self.talk, list(self.manners), self.port)
        await asyncio.start_server(self.serve_policy, '127.0.4.1', self.policy_port, ssl=self.context('policy'))
        await asyncio.start_server(self.serve_policy, '127.0.4.2', self.policy_port, ssl=self.context('stranger'))
        await asyncio.start_server(self.serve_registration, '127.0.4.3', self.policy_port)
        self.is_up.set()

    def run(self):
        asyncio.set_event_loop(self.loop)
        self.loop.run_until_complete(self.open())
        self.loop.run_forever()

    def close(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.join()


def openssl(folder, *words):
    subprocess.run(['openssl', *map(str, words)], cwd=folder, check=True, capture_output=True)


def make_certificates(folder):
    """policy.pem for the hosts of all policies, by ca.pem; stranger.pem by nobody."""
    names = ','.join(f'DNS:mta-sts.{case.domain}' for case in zones.CASES)
    for name, subject in (('ca', 'Tests'), ('stranger', 'stranger')):
        openssl(folder, 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', f'/CN={subject}',
                '-addext', f'subjectAltName={names}', '-keyout', f'{name}.key', '-out', f'{name}.pem')
    openssl(folder, 'req', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=policies', '-keyout', 'policy.key',
            '-out', 'policy.csr')
    (folder / 'policy.ext').write_text(f'subjectAltName={names}\n')
    openssl(folder, 'x509', '-req', '-in', 'policy.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial',
            '-days', '2', '-extfile', 'policy.ext', '-out', 'policy.pem')


class World:
    """All of it, running."""

    def __init__(self, folder, cache):
        self.folder = pathlib.Path(folder)
        self.processes = []
        self.programs = Programs(cache)
        self.zones = Zones(self.programs, self.folder)
        self.ns_port = free_port('127.0.3.1')
        self.resolver_ports = {'unbound-validating': free_port('127.0.0.1'), 'unbound-trusting': free_port('127.0.0.2')}
        self.port, self.policy_port = free_port('127.0.1.1'), free_port('127.0.4.1')
        make_certificates(self.folder)
        (self.folder / 'heloise.conf').write_text(f'rdap {{\n    url http://127.0.4.3:{self.policy_port}\n}}\n')
        files, old, anchor = self.zones.write()
        try:
            self.start_nsd('nsd', ['127.0.3.1', '127.0.3.2'], files)
            self.start_nsd('old', ['127.0.3.3'], old)
            self.start_unbound('unbound-validating', '127.0.0.1', 'validator iterator', anchor)
            self.start_unbound('unbound-trusting', '127.0.0.2', 'iterator', anchor)
            self.mail = Mail(self.zones, self.folder, self.port, self.policy_port)
            self.mail.start()
            self.await_all()
        except Exception:
            self.close()
            raise

    def start(self, name, *words):
        log = open(self.folder / f'{name}.log', 'wb')
        with log:
            self.processes.append(subprocess.Popen([self.programs.find(name.split('-')[0]), *map(str, words)],
                                                   cwd=self.folder, env=self.programs.env, stdin=subprocess.DEVNULL,
                                                   stdout=log, stderr=subprocess.STDOUT))

    def start_nsd(self, name, addresses, files):
        lines = ['server:', '  server-count: 1', '  username: ""', f'  zonesdir: "{self.folder}"',
                 f'  zonelistfile: "{self.folder}/{name}.list"', f'  database: ""', f'  pidfile: "{self.folder}/{name}.pid"',
                 f'  xfrdir: "{self.folder}"', f'  xfrdfile: "{self.folder}/{name}.xfrd"', '  do-ip6: no', '  rrl-ratelimit: 0']
        lines += [f'  ip-address: {address}@{self.ns_port}' for address in addresses]
        lines += ['remote-control:', '  control-enable: no']
        for origin, path in files.items():
            lines += ['zone:', f'  name: "{origin}"', f'  zonefile: "{path}"']
        config = self.folder / f'{name}.conf'
        config.write_text('\n'.join(lines) + '\n')
        self.start(f'nsd-{name}', '-d', '-c', config)

    def start_unbound(self, name, address, modules, anchor):
        config = self.folder / f'{name}.conf'
        config.write_text(f"""server:
  interface: {address}@{self.resolver_ports[name]}
  do-ip6: no
  do-daemonize: no
  use-syslog: no
  logfile: ""
  username: ""
  chroot: ""
  directory: "{self.folder}"
  pidfile: ""
  do-not-query-localhost: no
  trust-anchor-file: "{anchor}"
  unblock-lan-zones: yes
  insecure-lan-zones: yes
  local-zone: "127.in-addr.arpa." nodefault
  qname-minimisation: no
  module-config: "{modules}"
  val-log-level: 2
forward-zone:
  name: "."
  forward-addr: 127.0.3.1@{self.ns_port}
remote-control:
  control-enable: no
""")
        self.start(name, '-d', '-p', '-c', config)

    def logs(self):
        return '\n'.join(f'--- {path.name}\n{path.read_text(errors="replace")[-1500:]}'
                         for path in self.folder.glob('*.log'))

    def await_all(self):
        end = time.monotonic() + PATIENCE_S
        wanted = [('127.0.3.1', self.ns_port), ('127.0.3.3', self.ns_port),
                  ('127.0.0.1', self.resolver_ports['unbound-validating']),
                  ('127.0.0.2', self.resolver_ports['unbound-trusting'])]
        while wanted:
            with contextlib.suppress(OSError), socket.create_connection(wanted[0], 1):
                wanted.pop(0)
                continue
            if time.monotonic() > end or any(process.poll() is not None for process in self.processes):
                raise RuntimeError(f'{wanted[0]} does not answer\n{self.logs()}')
            time.sleep(0.05)
        if not self.mail.is_up.wait(PATIENCE_S):
            raise RuntimeError('the mail servers do not start')

    def resolver(self, is_trusting):
        name, address = ('unbound-trusting', '127.0.0.2') if is_trusting else ('unbound-validating', '127.0.0.1')
        return f'{address}:{self.resolver_ports[name]}'

    def options(self, is_trusting=False):
        return ['--config', self.folder / 'heloise.conf', '--resolver', self.resolver(is_trusting), '--ns-port', self.ns_port, '--port', self.port,
                '--policy-port', self.policy_port, '--policy-ca', self.folder / 'ca.pem', '--allow-net',
                '127.0.0.0/8', '--helo', 'probe.example.net']

    def close(self):
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait(PATIENCE_S)
        if getattr(self, 'mail', None) is not None and self.mail.is_up.is_set():
            self.mail.close()
