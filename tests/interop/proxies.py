"""proxies: the ways out that are tried: SOCKS5 (microsocks, Dante), HTTP CONNECT (Squid, tinyproxy), and a relay
that takes the PROXY protocol (HAProxy). The mail servers behind them are those of rigs.py.
SPDX-License-Identifier: Apache-2.0
"""

from rigs import Rig
from world import PORT

USER, PASSWORD = 'bob', 'open-sesame'
RELAY_SOURCE = '127.0.0.77'


class Proxy(Rig):
    """A rig without mail of its own."""
    scheme, address, port = '', '', 0
    has_users = True

    def url(self, password=PASSWORD):
        user = f'{USER}:{password}@' if self.has_users else ''
        return f'{self.scheme}://{user}{self.address}:{self.port}'

    def is_ready(self, world):
        return world.await_port(self.address, self.port)


class Microsocks(Proxy):
    name = 'microsocks'
    scheme, address, port = 'socks5', '127.0.1.80', 1080

    def start(self, world):
        world.start(self.name, '/usr/bin/microsocks', '-i', self.address, '-p', str(self.port), '-u', USER, '-P', PASSWORD)


class Dante(Proxy):
    """Knows the users of its machine: one is added to the root's."""
    name = 'dante'
    scheme, address, port = 'socks5', '127.0.0.1', 1081  # an address of an interface

    def start(self, world):
        coded = world.call('openssl', 'passwd', '-6', PASSWORD).strip()
        with open(world.root / 'etc/passwd', 'a', encoding='utf-8') as users:
            users.write(f'{USER}:x:60999:60999::/:/bin/sh\n')
        (world.root / 'etc/shadow').write_text(f'{USER}:{coded}:20000:0:99999:7:::\n')
        (world.folder('dante') / 'danted.conf').write_text(f"""logoutput: stderr
internal: {self.address} port = {self.port}
external: 127.0.0.1
clientmethod: none
socksmethod: username
user.privileged: root
user.unprivileged: nobody
client pass {{ from: 127.0.0.0/8 to: 0.0.0.0/0 }}
socks pass {{ from: 127.0.0.0/8 to: 127.0.0.0/8 command: connect }}
""")
        world.start(self.name, '/usr/sbin/danted', '-f', '/srv/dante/danted.conf')


class Squid(Proxy):
    name = 'squid'
    scheme, address, port = 'http', '127.0.1.82', 3128

    def start(self, world):
        folder = world.folder('squid', 'proxy')
        (world.root / 'dev/shm').mkdir(exist_ok=True)
        (world.root / 'dev/shm').chmod(0o1777)
        coded = world.call('openssl', 'passwd', '-apr1', PASSWORD).strip()
        (folder / 'users').write_text(f'{USER}:{coded}\n')
        (folder / 'squid.conf').write_text(f"""http_port {self.address}:{self.port}
visible_hostname proxy.test
cache_effective_user proxy
auth_param basic program /usr/lib/squid/basic_ncsa_auth /srv/squid/users
acl known proxy_auth REQUIRED
acl smtp port {PORT}
acl tunnel method CONNECT
http_access allow tunnel smtp known
http_access deny all
connect_timeout 5 seconds
cache deny all
cache_log stdio:/srv/squid/log
access_log none
pid_filename none
coredump_dir /srv/squid
""")
        world.start(self.name, '/usr/sbin/squid', '-N', '-d', '1', '-f', '/srv/squid/squid.conf')


class Tinyproxy(Proxy):
    name = 'tinyproxy'
    scheme, address, port = 'http', '127.0.1.83', 8888

    def start(self, world):
        (world.folder('tinyproxy') / 'tinyproxy.conf').write_text(f"""Listen {self.address}
Port {self.port}
User nobody
Group nogroup
Timeout 60
MaxClients 100
Allow 127.0.0.0/8
ConnectPort {PORT}
BasicAuth {USER} {PASSWORD}
""")
        world.start(self.name, '/usr/bin/tinyproxy', '-d', '-c', '/srv/tinyproxy/tinyproxy.conf')


class Haproxy(Proxy):
    """Has no server of its own: it connects to where the header says, from where the header says."""
    name = 'haproxy'
    scheme, address, port = 'proxyv2', '127.0.1.84', 2600
    has_users = False

    def start(self, world):
        (world.folder('haproxy') / 'haproxy.cfg').write_text(f"""defaults
    mode tcp
    timeout connect 5s
    timeout client 60s
    timeout server 60s
listen relay
    bind {self.address}:{self.port} accept-proxy
    source 0.0.0.0 usesrc clientip
    server any 0.0.0.0
""")
        world.start(self.name, '/usr/sbin/haproxy', '-db', '-f', '/srv/haproxy/haproxy.cfg')


PROXIES = [Microsocks(), Dante(), Squid(), Tinyproxy(), Haproxy()]
