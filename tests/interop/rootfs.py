"""rootfs: Debian's mail servers side by side in one folder, for use by chroot.

Debian's mail servers exclude each other, so they are not installed: their packages and all that these
depend on are fetched by apt and unpacked into a folder of our own. No maintainer script runs and
nothing of the machine changes. Users are those of the folder's own /etc/passwd.
SPDX-License-Identifier: Apache-2.0
"""
import os
import pathlib
import shutil
import subprocess

# Resolved one by one: together they would conflict.
PACKAGES = ['postfix', 'postgrey', 'exim4-daemon-light', 'opensmtpd', 'sendmail-bin sendmail-cf m4', 'qpsmtpd',
            'python3-aiosmtpd', 'nsd', 'openssl', 'nodejs', 'microsocks dante-server tinyproxy squid haproxy',
            'dash coreutils sed grep hostname libc-bin perl-base']
USERS = ['postfix', 'postdrop', 'postgrey', 'Debian-exim', 'opensmtpd', 'opensmtpq', 'smmta', 'smmsp', 'qpsmtpd',
         'nsd', 'vmail', 'proxy']
FIRST_ID = 61000


def run(argv, **more):
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False, **more)
    if done.returncode != 0:
        raise RuntimeError(f'{" ".join(map(str, argv))} ended with {done.returncode}:\n{done.stdout[-3000:]}')
    return done.stdout


def apt(root, packages):
    """Downloads packages with all they depend on, as if nothing were installed."""
    archives = root / 'var/cache/apt/archives'
    empty = root / 'var/lib/dpkg/status.empty'
    run(['apt-get', '-qq', '-y', '-o', f'Dir::State::status={empty}', '-o', f'Dir::Cache::archives={archives}',
         '-o', 'Debug::NoLocking=1', '-o', 'APT::Install-Recommends=0', '-o', 'APT::Sandbox::User=root',
         '--download-only', 'install', *packages], env={**os.environ, 'DEBIAN_FRONTEND': 'noninteractive'})
    return archives


def lay_out(root):
    for name in ('usr/bin', 'usr/sbin', 'usr/lib', 'usr/lib64', 'dev', 'proc', 'tmp', 'run', 'etc', 'root', 'srv',
                 'var/cache/apt/archives/partial', 'var/lib/dpkg', 'var/log', 'var/tmp', 'var/mail'):
        (root / name).mkdir(parents=True, exist_ok=True)
    for name in ('bin', 'sbin', 'lib', 'lib64'):
        if not (root / name).is_symlink():
            (root / name).symlink_to(f'usr/{name}')
    (root / 'var/run').symlink_to('../run')
    (root / 'var/lib/dpkg/status.empty').touch()
    for name in ('tmp', 'var/tmp'):
        (root / name).chmod(0o1777)
    for name, minor in (('null', 3), ('zero', 5), ('full', 7), ('random', 8), ('urandom', 9)):
        if not (root / 'dev' / name).exists():
            os.mknod(root / 'dev' / name, 0o666 | 0o020000, os.makedev(1, minor))
            (root / 'dev' / name).chmod(0o666)


def write_users(root, people):
    """people: names of local mailboxes, for servers that know only the users of their machine."""
    passwd = ['root:x:0:0::/root:/bin/sh', 'daemon:x:1:1::/:/bin/sh', 'mail:x:8:8::/var/mail:/bin/sh',
              'nobody:x:65534:65534::/:/bin/sh']
    group = ['root:x:0:', 'daemon:x:1:', 'mail:x:8:', 'nogroup:x:65534:', 'nobody:x:65533:']
    for number, name in enumerate(USERS + people, FIRST_ID):
        passwd.append(f'{name}:x:{number}:{number}::/:/bin/sh')
        group.append(f'{name}:x:{number}:')
    (root / 'etc/passwd').write_text('\n'.join(passwd) + '\n')
    (root / 'etc/group').write_text('\n'.join(group) + '\n')
    (root / 'etc/shadow').unlink(missing_ok=True)
    (root / 'etc/nsswitch.conf').write_text('passwd: files\ngroup: files\nhosts: files dns\nservices: files\n')


def user_id(name):
    return FIRST_ID + USERS.index(name)


def own(path, user, mode=0o755):
    """A folder that belongs to a user of the root."""
    path.mkdir(parents=True, exist_ok=True)
    os.chown(path, user_id(user), user_id(user))
    path.chmod(mode)


def prepare(root, people, say):
    """The root, complete: from its stamp when it was made before, else fetched and unpacked."""
    stamp = root / 'complete'
    wanted = '\n'.join(PACKAGES)
    if not stamp.exists() or stamp.read_text() != wanted:
        shutil.rmtree(root, ignore_errors=True)
        root.mkdir(parents=True)
        lay_out(root)
        say('fetching mail servers from Debian')
        for line in PACKAGES:
            try:
                archives = apt(root, line.split())
            except RuntimeError:
                run(['apt-get', '-qq', 'update'])
                archives = apt(root, line.split())
        say('unpacking them')
        for package in sorted(archives.glob('*.deb')):
            run(['sh', '-c', 'dpkg-deb --fsys-tarfile "$1" | tar -x -C "$2" --keep-directory-symlink',
                 'unpack', package, root])
            package.unlink()
        stamp.write_text(wanted)
    write_users(root, people)
    return root
