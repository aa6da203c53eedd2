#!/usr/bin/env python3
"""Builds the Debian packages and installs them in a clean root: Debian 12 as debootstrap makes it, nothing else.

    tests/packaging/package_test.py --work FOLDER

Needs root. Each line "ok ..." or "not ok ..." is a claim about what a user of the package finds. The samples for
proxies and the systemd unit are looked at by the programs that read them.
SPDX-License-Identifier: Apache-2.0
"""
import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
failed = 0


def claim(name, is_true, why=''):
    global failed
    print(('ok ' if is_true else 'not ok ') + name, flush=True)
    if not is_true:
        failed += 1
        print('\n'.join('    ' + line for line in str(why).splitlines()[-30:]), flush=True)
    return is_true


def run(*argv, seconds=600, **more):
    environment = {**os.environ, 'DEBIAN_FRONTEND': 'noninteractive', 'LC_ALL': 'C.UTF-8', **more}
    done = subprocess.run([str(a) for a in argv], capture_output=True, text=True, timeout=seconds, check=False,
                          stdin=subprocess.DEVNULL, env=environment)
    return done.returncode, done.stdout + done.stderr


class CleanRoot:
    """A Debian of its own in a folder, entered by chroot."""

    def __init__(self, folder):
        self.folder = folder
        self.mounted = []

    def make(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        code, text = run('debootstrap', '--variant=minbase', 'bookworm', self.folder, mirror(), seconds=900)
        if code != 0:
            return False, text
        shutil.copy('/etc/resolv.conf', self.folder / 'etc/resolv.conf')
        for name in ('proc', 'dev'):
            run('mount', '--bind', '/' + name, self.folder / name)
            self.mounted.append(self.folder / name)
        return True, text

    def run(self, *argv, **more):
        return run('chroot', self.folder, *argv, PATH='/usr/sbin:/usr/bin:/sbin:/bin', **more)

    def drop(self):
        for place in reversed(self.mounted):
            run('umount', '-l', place)
        shutil.rmtree(self.folder, ignore_errors=True)


def mirror():
    """Where this machine gets its own packages from."""
    places = [*pathlib.Path('/etc/apt').glob('sources.list'), *pathlib.Path('/etc/apt/sources.list.d').glob('*')]
    for place in places:
        found = re.search(r'^(?:URIs:|deb(?: \[[^\]]*\])?) *(https?://\S+/debian)/?\s', place.read_text() + '\n', re.M)
        if found:
            return found[1]
    return 'http://deb.debian.org/debian'


def build(packages):
    code, text = run(ROOT / 'run', 'package', packages, seconds=2000)
    built = sorted(p.name.split('_')[0] for p in packages.glob('*.deb'))
    claim('./run package builds the packages',
          code == 0 and {'heloise', 'libheloise0', 'libheloise-dev'} <= set(built), text)
    return next(packages.glob('heloise_*.deb'), None)


def look_at_installed(root):
    folder = root.folder
    code, text = root.run('heloise', '--version')
    claim('the installed program runs', code == 0, text)
    code, text = root.run('id', 'heloise')
    claim('the service has a user of its own', code == 0, text)
    for place in ('usr/lib/systemd/system/heloise.service', 'usr/share/bash-completion/completions/heloise',
                  'usr/share/zsh/site-functions/_heloise', 'usr/share/fish/vendor_completions.d/heloise.fish',
                  'usr/share/heloise/providers', 'usr/share/doc/heloise/copyright'):
        there = (folder / place).exists() or (folder / place.removeprefix('usr/')).exists()
        claim(f'{place} is there', there)
    script = ('source /usr/share/bash-completion/completions/heloise; COMP_WORDS=(heloise ver) COMP_CWORD=1; _heloise; '
              'echo "${COMPREPLY[*]}"; COMP_WORDS=(heloise bulk --outp) COMP_CWORD=2; compopt() { :; }; _heloise; '
              'echo "${COMPREPLY[*]}"')
    code, text = root.run('bash', '-c', script)
    claim('bash completes commands and options', sorted(text.split()) == ['--output-format=', '--output=', 'verify'], text)
    (folder / 'tmp/list.csv').write_text('email\njane@plain.example\nnobody@plain.example\n')
    code, text = root.run('heloise', 'village', '--demo', '/tmp/list.csv', seconds=120, HOME='/tmp')
    claim('it verifies a list against the village with the installed data',
          code == 0 and 'deliverable' in text, text)


def look_at_unit(root):
    if not claim('systemd-analyze is there', shutil.which('systemd-analyze')):
        return
    code, text = run('systemd-analyze', '--man=no', 'verify', f'--root={root.folder}', 'heloise.service')
    claim('systemd takes the unit', code == 0 and 'heloise.service:' not in text, text)
    code, text = run('systemd-analyze', 'security', f'--root={root.folder}', '--offline=true', '--threshold=25',
                     'heloise.service')
    claim('its sandbox leaves an exposure of at most 2.5 of 10', code == 0, text)


def unpack(folder, *packages):
    """The files of Debian packages, without installing them: nothing is started."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    done = subprocess.run(['apt-get', '-qq', 'download', *packages], cwd=folder, capture_output=True, text=True, check=False)
    for package in folder.glob('*.deb'):
        run('dpkg', '-x', package, folder / 'root')
    claim(f'apt fetches {" and ".join(packages)}', done.returncode == 0, done.stderr)
    return folder / 'root'


def look_at_library(work, packages):
    folder = work / 'library'
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for package in packages.glob('libheloise-dev_*.deb'):
        run('dpkg', '-x', package, folder)
    program = folder / 'program.c'
    program.write_text('#include <heloise/reply.h>\nint main(void)\n{\n'
                       '    struct hel_reply reply;\n    char scratch[64];\n'
                       '    struct slice text = {"250 OK\\r\\n", 8};\n'
                       '    return hel_reply_parse(text, scratch, sizeof scratch, &reply) == ERR_NONE && reply.code == 250 ? 0 : 1;\n}\n')
    code, text = run('clang', '-I', folder / 'usr/include', program, *folder.glob('usr/lib/*/libheloise.a'), '-lidn2',
                     '-lunistring', '-o', folder / 'program')
    claim('another compiler links the static library', code == 0, text)
    claim('what it links runs', code == 0 and run(folder / 'program')[0] == 0)


def look_at_proxies(work):
    folder = work / 'proxy'
    folder.mkdir(exist_ok=True)
    programs = unpack(work / 'programs', 'nginx', 'caddy')
    run('openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-subj', '/CN=verify.example.com',
        '-keyout', folder / 'key.pem', '-out', folder / 'cert.pem')
    sample = (ROOT / 'packaging/proxy/nginx.conf').read_text()
    sample = re.sub(r'/etc/ssl/certs/\S+(?=;)', str(folder / 'cert.pem'), sample)
    sample = re.sub(r'/etc/ssl/private/\S+(?=;)', str(folder / 'key.pem'), sample)
    # Debian's places for them are made when nginx is installed.
    rooms = ''.join(f'{of}_temp_path {folder}/{of};\n' for of in ('client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'))
    (folder / 'nginx.conf').write_text(f'pid {folder}/pid; error_log {folder}/log;\nevents {{}}\nhttp {{\n'
                                       f'access_log off;\n{rooms}{sample}}}\n')
    code, text = run(programs / 'usr/sbin/nginx', '-t', '-c', folder / 'nginx.conf')
    claim('nginx takes its sample', code == 0, text)
    code, text = run(programs / 'usr/bin/caddy', 'validate', '--config', ROOT / 'packaging/proxy/Caddyfile', '--adapter', 'caddyfile',
                     HOME=str(folder))
    claim('Caddy takes its sample', code == 0, text)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--work', required=True, type=pathlib.Path)
    work = parser.parse_args().work.resolve()
    if os.geteuid() != 0:
        sys.exit('package_test.py makes a root of its own and must run as root')
    work.mkdir(parents=True, exist_ok=True)
    package = build(work / 'packages')
    look_at_library(work, work / 'packages')
    look_at_proxies(work)
    if package is None:
        return 1
    root = CleanRoot(work / 'root')
    try:
        good, text = root.make()
        if claim('debootstrap makes a clean Debian 12', good, text):
            shutil.copy(package, root.folder / 'tmp')
            code, text = root.run('apt-get', '-qq', 'install', '-y', '--no-install-recommends',
                                  f'/tmp/{package.name}', seconds=900)
            claim('apt installs the package there', code == 0, text)
            look_at_installed(root)
            look_at_unit(root)
            code, text = root.run('apt-get', '-qq', 'purge', '-y', 'heloise')
            gone = not (root.folder / 'usr/bin/heloise').exists()
            claim('apt removes it again', code == 0 and gone, text)
    finally:
        root.drop()
    return 1 if failed else 0


sys.exit(main())
