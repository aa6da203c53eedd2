"""rigs: how each mail server is set up and started, and how its log shows the commands it was given.

A rig knows its domains, starts its server in the world, and says with `commands` (a pattern whose
group 1 is a command line) what the client sent. Each server has its own user table.
SPDX-License-Identifier: Apache-2.0
"""
import shutil

import rootfs
from world import DNS, HAS_IPV6, HOSTS, POLICY, POLICY_PORT, PORT, users_of, zone


# Versions as of this day, so that every run gets the same. Packages of Haraka from 2026 on want Node 20;
# Debian 12 has 18.
NPM_DAY = '2025-12-31'


class Rig:
    name = ''
    domains = ()
    commands = ''

    def start(self, world):
        raise NotImplementedError

    def is_ready(self, world):
        return all(world.await_port(HOSTS[d]) for d in self.domains)

    def log(self, world):
        return world.read_log(self.name)

    def table(self, world, form='{}'):
        return ''.join(form.format(address) + '\n' for d in self.domains for address in users_of(d))


class Nsd(Rig):
    name = 'nsd'

    def start(self, world):
        folder = world.folder('nsd', 'nsd')
        (folder / 'test.zone').write_text(zone())
        (folder / 'nsd.conf').write_text(f"""server:
    ip-address: {DNS}
    port: 53
    username: nsd
    zonesdir: /srv/nsd
    zonelistfile: /srv/nsd/zone.list
    xfrdfile: ""
    xfrdir: /srv/nsd
    database: ""
    pidfile: ""
    server-count: 1
    tcp-count: 50
remote-control:
    control-enable: no
zone:
    name: test
    zonefile: test.zone
zone:
    name: broken
    zonefile: missing.zone
""")
        world.start(self.name, '/usr/sbin/nsd', '-d', '-c', '/srv/nsd/nsd.conf')

    def is_ready(self, world):
        return world.await_port(DNS, 53)


class Postgrey(Rig):
    name = 'postgrey'
    address, port, delay = '127.0.1.61', 10023, 4

    def start(self, world):
        world.folder('postgrey', 'postgrey')
        for name in ('whitelist_clients', 'whitelist_recipients'):
            (world.root / 'srv/postgrey' / name).write_text('')
        world.start(self.name, '/usr/sbin/postgrey', f'--inet={self.address}:{self.port}', f'--delay={self.delay}',
                    '--dbdir=/srv/postgrey', '--user=postgrey', '--group=postgrey',
                    '--whitelist-clients=/srv/postgrey/whitelist_clients',
                    '--whitelist-recipients=/srv/postgrey/whitelist_recipients',
                    '--greylist-text=Greylisted for %s seconds', '--hostname=mx.grey.test')

    def is_ready(self, world):
        return world.await_port(self.address, self.port)


POSTFIX_MAIN = """compatibility_level = 3.6
queue_directory = /srv/postfix/queue
data_directory = /srv/postfix/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = /srv/log/postfix
maillog_file_prefixes = /srv/log
myhostname = mx.postfix.test
mydestination =
mynetworks = 127.0.9.9/32
inet_interfaces = 127.0.0.1
inet_protocols = %(protocols)s
alias_maps =
virtual_mailbox_domains = plain.test catchall.test grey.test tlsonly.test limits.test implicit.test alias.test
    backup.test large.test xn--bcher-kva.test six.test
virtual_mailbox_maps = texthash:/srv/postfix/users
virtual_mailbox_base = /srv/postfix/mail
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
relay_domains = verify.test exim.test
transport_maps = inline:{ {verify.test = smtp:[%(backend)s]:%(port)d} }
address_verify_poll_count = 1
address_verify_sender = <>
smtpd_tls_cert_file = /srv/tls/cert.pem
smtpd_tls_key_file = /srv/tls/key.pem
smtpd_tls_security_level = may
smtp_tls_security_level = none
smtpd_recipient_restrictions = reject_unauth_destination, reject_unlisted_recipient
smtpd_client_connection_rate_limit = 0
debug_peer_list = 127.0.0.0/8 [::1]/128
debug_peer_level = 1
smtp_host_lookup = native
"""
# As docs/policy.md has it: what of Exim's domain comes in is asked about at Heloise's policy server.
POSTFIX_GATE = ('{{ smtpd_recipient_restrictions = reject_unauth_destination, check_policy_service {{ inet:%s:%d, '
                'timeout=20s, try_limit=1, default_action={}, policy_context=both }} }}' % (POLICY, POLICY_PORT))
POSTFIX_SERVICES = {  # domain: what its smtpd does otherwise
    'plain': [], 'catchall': [],
    'grey': ['smtpd_recipient_restrictions=reject_unauth_destination,reject_unlisted_recipient,'
             f'check_policy_service,inet:{Postgrey.address}:{Postgrey.port}'],
    'verify': ['smtpd_recipient_restrictions=reject_unauth_destination,reject_unverified_recipient'],
    'tlsonly': ['smtpd_tls_security_level=encrypt'],
    'gate': [POSTFIX_GATE.format('DUNNO')],
    'gatestrict': [POSTFIX_GATE.format('{ 451 4.3.5 Try again later }')],
    'limits': ['smtpd_soft_error_limit=2', 'smtpd_hard_error_limit=4', 'smtpd_error_sleep_time=1s'],
}
POSTFIX_DAEMONS = """cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


class Postfix(Rig):
    name = 'postfix'
    domains = tuple(POSTFIX_SERVICES)
    commands = r'smtpd\[\d+\]: < [^:]*\[(?:127\.0\.0\.1|::1)\]: (.*)'

    def start(self, world):
        etc = world.folder('postfix/etc')
        world.folder('postfix/data', 'postfix')
        world.folder('postfix/queue')
        world.folder('postfix/mail')
        for name in ('active', 'bounce', 'corrupt', 'defer', 'deferred', 'flush', 'hold', 'incoming', 'private',
                     'saved', 'trace'):
            world.folder(f'postfix/queue/{name}', 'postfix', 0o700)
        world.folder('postfix/queue/public', 'postfix', 0o755)
        world.folder('postfix/queue/maildrop', 'postfix', 0o730)
        world.folder('postfix/queue/pid')
        (etc / 'main.cf').write_text(POSTFIX_MAIN % {'backend': HOSTS['exim'], 'port': PORT,
                                                   'protocols': 'all' if HAS_IPV6 else 'ipv4'})
        # Postfix parts an option's words at blanks unless they are commas.
        services = ''.join(f'{HOSTS[d]}:{PORT} inet n - n - - smtpd -o myhostname=mx.{d}.test'
                           + ''.join(f' -o {option}' for option in options) + '\n'
                           for d, options in POSTFIX_SERVICES.items())
        if HAS_IPV6:
            services += f'[::1]:{PORT} inet n - n - - smtpd -o myhostname=mx.six.test\n'
        (etc / 'master.cf').write_text(services + POSTFIX_DAEMONS)
        own = [d for d in self.domains if d not in ('catchall', 'verify', 'gate', 'gatestrict')]
        own += ['implicit', 'alias', 'backup', 'large', 'xn--bcher-kva', 'six']
        users = [f'{address} x' for d in own for address in users_of(d)] + ['@catchall.test x']
        (etc.parent / 'users').write_text('\n'.join(users) + '\n')
        world.start('postfix-master', '/usr/lib/postfix/sbin/master', '-d', '-c', '/srv/postfix/etc')


EXIM_CONFIG = """primary_hostname = mx.exim.test
domainlist ours = exim.test : eximlimit.test : verify.test
local_interfaces = <; %(addresses)s
daemon_smtp_ports = %(port)d
spool_directory = /srv/exim/spool
log_file_path = /srv/log/exim-%%slog
pid_file_path = /srv/exim/spool/pid
host_lookup =
rfc1413_query_timeout = 0s
keep_environment =
tls_advertise_hosts = *
tls_certificate = /srv/tls/exim.pem
acl_smtp_rcpt = check_rcpt

begin acl
check_rcpt:
  drop    domains   = eximlimit.test
          condition = ${if >{$rcpt_fail_count}{2}}
          message   = Rejected for too many bad recipients

  # As docs/policy.md has it, for one of our addresses only.
  warn    condition = ${if eq{$received_ip_address}{%(gate)s}}
          set acl_m_policy = ${readsocket{inet:%(policy)s}{request=smtpd_access_policy\\n\\
            protocol_state=RCPT\\npolicy_context=both\\nsender=$sender_address\\n\\
            recipient=$local_part@$domain\\nclient_address=$sender_host_address\\n\\
            helo_name=$sender_helo_name\\n\\n}{20s}{}{action=DUNNO}}
  deny    condition = ${if match{$acl_m_policy}{\\N^action=5\\d\\d \\N}}
          message   = ${sg{$acl_m_policy}{^action=}{}}
  defer   condition = ${if match{$acl_m_policy}{^action=DEFER_IF_PERMIT}}
          message   = ${sg{$acl_m_policy}{^action=DEFER_IF_PERMIT}{451}}

  accept  condition = ${if eq{$received_ip_address}{%(gate)s}}
          domains   = plain.test
  deny    !domains  = +ours
          message   = relay not permitted
  deny    !verify   = recipient
  accept

begin routers
users:
  driver    = accept
  domains   = +ours
  condition = ${lookup{$local_part@$domain}lsearch{/srv/exim/users}{yes}{no}}
  transport = discard

begin transports
discard:
  driver = appendfile
  file   = /dev/null
  user   = nobody
"""


class Exim(Rig):
    name = 'exim'
    domains = ('exim', 'eximlimit', 'eximgate')
    commands = r'SMTP<< (.*)'

    def start(self, world):
        folder = world.folder('exim')
        world.folder('exim/spool', 'Debian-exim')
        (folder / 'users').write_text(self.table(world, '{}: x') + ''.join(f'{a}: x\n' for a in users_of('verify')))
        (folder / 'exim.conf').write_text(EXIM_CONFIG % {
            'addresses': ' ; '.join(HOSTS[d] for d in self.domains), 'port': PORT, 'gate': HOSTS['eximgate'],
            'policy': f'{POLICY}:{POLICY_PORT}'})
        world.start(self.name, '/usr/sbin/exim4', '-C', '/srv/exim/exim.conf', '-bdf', '-d-all+receive')


class EximLogin(Rig):
    """Takes messages, also for others from who logs in; for `heloise probe`."""
    name = 'eximlogin'
    domains = ('eximlogin',)

    def start(self, world):
        folder = world.folder('eximlogin')
        world.folder('eximlogin/spool', 'Debian-exim')
        world.folder('eximlogin/mail', 'Debian-exim')
        (folder / 'exim.conf').write_text(f"""primary_hostname = mx.eximlogin.test
local_interfaces = {HOSTS['eximlogin']}
daemon_smtp_ports = {PORT}
spool_directory = /srv/eximlogin/spool
log_file_path = /srv/log/eximlogin-%slog
pid_file_path = /srv/eximlogin/spool/pid
host_lookup =
rfc1413_query_timeout = 0s
keep_environment =
tls_advertise_hosts = *
tls_certificate = /srv/tls/exim.pem
auth_advertise_hosts = ${{if def:tls_in_cipher{{*}}{{}}}}
acl_smtp_rcpt = check_rcpt
queue_only = false

begin acl
check_rcpt:
  accept authenticated = *
  deny   !domains = eximlogin.test
         message  = relay not permitted
  accept local_parts = live

begin routers
all:
  driver    = accept
  transport = file

begin transports
file:
  driver = appendfile
  file   = /srv/eximlogin/mail/all
  user   = Debian-exim

begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${{if and{{{{eq{{$auth2}}{{jane}}}}{{eq{{$auth3}}{{secret}}}}}}}}
  server_set_id = $auth2
login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = <| Username: | Password:
  server_condition = ${{if and{{{{eq{{$auth1}}{{jane}}}}{{eq{{$auth2}}{{secret}}}}}}}}
  server_set_id = $auth1
cram:
  driver = cram_md5
  public_name = CRAM-MD5
  server_secret = ${{if eq{{$auth1}}{{jane}}{{secret}}fail}}
  server_set_id = $auth1
""")
        world.start(self.name, '/usr/sbin/exim4', '-C', '/srv/eximlogin/exim.conf', '-bdf')


class OpenSmtpd(Rig):
    name = 'opensmtpd'
    domains = ('opensmtpd', 'opensmtpdall')
    commands = r'smtp: 0x[0-9a-f]+: <<< (.*)'

    def start(self, world):
        folder = world.folder('opensmtpd')
        users = ', '.join(f'"{a}" = "vmail"' for a in users_of('opensmtpd'))
        listen = '\n'.join(f'listen on {HOSTS[d]} port {PORT} tls pki mx.test hostname mx.{d}.test' for d in self.domains)
        (folder / 'smtpd.conf').write_text(f"""pki mx.test cert "/srv/tls/cert.pem"
pki mx.test key "/srv/tls/key.pem"
table users {{ {users} }}
table everybody {{ "@opensmtpdall.test" = "vmail" }}
{listen}
action known maildir "/srv/opensmtpd/mail" virtual <users>
action all maildir "/srv/opensmtpd/mail" virtual <everybody>
match from any for domain "opensmtpd.test" action known
match from any for domain "opensmtpdall.test" action all
""")
        for path in ('var/spool/smtpd', 'var/lib/opensmtpd/empty', 'run/smtpd', 'var/empty'):
            shutil.rmtree(world.root / path, ignore_errors=True)
            (world.root / path).mkdir(parents=True)
        (world.root / 'var/spool/smtpd').chmod(0o711)
        world.start(self.name, '/usr/sbin/smtpd', '-d', '-v', '-T', 'smtp', '-f', '/srv/opensmtpd/smtpd.conf')


SENDMAIL_MC = """divert(0)dnl
OSTYPE(`linux')dnl
define(`QUEUE_DIR', `/srv/sendmail/queue')dnl
define(`confPID_FILE', `/srv/sendmail/pid')dnl
define(`STATUS_FILE', `/srv/sendmail/statistics')dnl
define(`ALIAS_FILE', `/srv/sendmail/aliases')dnl
define(`confDOMAIN_NAME', `mx.sendmail.test')dnl
define(`confLOG_LEVEL', `20')dnl
define(`confTO_IDENT', `0')dnl
define(`confQUEUE_LA', `1000')dnl
define(`confREFUSE_LA', `1000')dnl
define(`confDELAY_LA', `0')dnl
define(`confDONT_PROBE_INTERFACES', `True')dnl
define(`confDEF_USER_ID', `nobody:nogroup')dnl
define(`confTRUSTED_USERS', `root')dnl
define(`confSERVER_CERT', `/srv/tls/cert.pem')dnl
define(`confSERVER_KEY', `/srv/tls/key.pem')dnl
FEATURE(`no_default_msa')dnl
FEATURE(`nocanonify')dnl
FEATURE(`accept_unresolvable_domains')dnl
DAEMON_OPTIONS(`Port=%(port)d, Addr=%(address)s, Name=MTA')dnl
LOCAL_DOMAIN(`sendmail.test')dnl
MAILER(`local')dnl
MAILER(`smtp')dnl
"""


class Sendmail(Rig):
    name = 'sendmail'
    domains = ('sendmail',)
    commands = r'sendmail\[\d+\]: [^:]+: <-- (.*)'

    def start(self, world):
        folder = world.folder('sendmail')
        world.folder('sendmail/queue').chmod(0o700)
        (folder / 'sendmail.mc').write_text(SENDMAIL_MC % {'port': PORT, 'address': HOSTS['sendmail']})
        text = world.call('sh', '-c', 'm4 -D_CF_DIR_=/usr/share/sendmail/cf/ /usr/share/sendmail/cf/m4/cf.m4 '
                          '/srv/sendmail/sendmail.mc 2>/dev/null')
        (folder / 'sendmail.cf').write_text(text)
        (folder / 'aliases').write_text('postmaster: root\n')
        world.call('/usr/libexec/sendmail/sendmail', '-C', '/srv/sendmail/sendmail.cf', '-bi')
        world.start(self.name, '/usr/libexec/sendmail/sendmail', '-C', '/srv/sendmail/sendmail.cf', '-bD')

    def log(self, world):
        return world.read_log('system') + world.read_log(self.name)


class Qpsmtpd(Rig):
    name = 'qpsmtpd'
    domains = ('qpsmtpd',)
    commands = r'dispatching (.*)'

    def start(self, world):
        folder = world.folder('qpsmtpd')
        world.folder('qpsmtpd/spool', 'qpsmtpd', 0o700)
        plugins = world.folder('qpsmtpd/plugins')
        shutil.copy(world.sources / 'servers/qpsmtpd_users', plugins / 'users')
        config = world.folder('qpsmtpd/config')
        for name, text in {'plugins': 'users\nrcpt_ok\n', 'plugin_dirs': '/srv/qpsmtpd/plugins\n/usr/share/qpsmtpd/plugins\n',
                           'rcpthosts': 'qpsmtpd.test\n', 'me': 'mx.qpsmtpd.test\n', 'loglevel': '7\n',
                           'logging': 'logging/warn 7\n', 'spool_dir': '/srv/qpsmtpd/spool\n',
                           'users': self.table(world)}.items():
            (config / name).write_text(text)
        world.start(self.name, '/usr/bin/env', 'QPSMTPD_CONFIG=/srv/qpsmtpd/config', '/usr/bin/qpsmtpd-forkserver',
                    '-u', 'qpsmtpd', '-l', HOSTS['qpsmtpd'], '-p', str(PORT), '-m', '100', '-c', '100',
                    '-H', '--pid-file', '/srv/qpsmtpd/spool/pid')


class Aiosmtpd(Rig):
    name = 'aiosmtpd'
    domains = ('aiosmtpd',)
    commands = r">> b'(.*)'"

    def start(self, world):
        folder = world.folder('aiosmtpd')
        (folder / 'users').write_text(self.table(world))
        shutil.copy(world.sources / 'servers/aiosmtpd_server.py', folder / 'server.py')
        world.start(self.name, '/usr/bin/python3', '/srv/aiosmtpd/server.py', HOSTS['aiosmtpd'], str(PORT),
                    '/srv/aiosmtpd/users')


class FromNpm(Rig):
    """Servers that npm brings; they run with the machine's own Node, outside the root."""

    def modules(self, world):
        """The folder whose node_modules hold the servers, filled once."""
        missing = [command for command in ('node', 'npm') if shutil.which(command) is None]
        if missing:
            raise RuntimeError(f'no {" and no ".join(missing)} on PATH; install the Debian packages nodejs and npm')
        folder = world.root.parent / 'node'
        wanted = NPM_DAY + (world.sources / 'node/package.json').read_text()
        stamp = folder / 'complete'
        if not stamp.exists() or stamp.read_text() != wanted:
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(world.sources / 'node', folder)
            rootfs.run(['npm', 'install', '--before', NPM_DAY, '--no-package-lock', '--ignore-scripts', '--no-audit',
                        '--no-fund'], cwd=folder)
            stamp.write_text(wanted)
        return folder


class SmtpServer(FromNpm):
    name = 'smtp-server'
    domains = ('smtpserver',)
    commands = r'C: (.*)'

    def start(self, world):
        (world.folder('smtp-server') / 'users').write_text(self.table(world))
        world.start(self.name, 'node', world.sources / 'servers/smtp_server.js', HOSTS['smtpserver'], PORT,
                    world.root / 'srv/smtp-server/users', outside=self.modules(world))


class Haraka(FromNpm):
    name = 'haraka'
    domains = ('haraka',)
    commands = r'\[PROTOCOL\].*C: (.*?)(?: state=.*)?$'

    def start(self, world):
        folder = world.folder('haraka')
        config = world.folder('haraka/config')
        shutil.copy(world.sources / 'servers/haraka_users.js', world.folder('haraka/plugins') / 'users.js')
        for name, text in {'smtp.ini': f'listen={HOSTS["haraka"]}:{PORT}\nnodes=0\n', 'plugins': 'users\n',
                           'me': 'mx.haraka.test\n', 'log.ini': 'level=PROTOCOL\n', 'users': self.table(world),
                           'host_list': 'haraka.test\n'}.items():
            (config / name).write_text(text)
        (folder / 'queue').mkdir(exist_ok=True)
        modules = self.modules(world)
        shutil.copy(modules / 'node_modules/Haraka/config/connection.ini', config)
        world.start(self.name, 'node', modules / 'node_modules/Haraka/bin/haraka', '-c', folder, outside=modules)


RIGS = [Nsd(), Postgrey(), Exim(), EximLogin(), Postfix(), OpenSmtpd(), Sendmail(), Qpsmtpd(), Aiosmtpd(), SmtpServer(), Haraka()]
