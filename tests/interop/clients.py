#!/usr/bin/python3
"""tests/interop/clients.py: other services' own clients from npm against our endpoints; the form in Express. See
clients/README.md.

    tests/interop/clients.py --install --heloise build/src/cli/heloise

SPDX-License-Identifier: Apache-2.0
"""
import argparse
import contextlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.parse
import urllib.request
import unittest

sys.dont_write_bytecode = True

HERE = pathlib.Path(__file__).resolve().parent
TREE = HERE.parent.parent
sys.path.insert(0, str(TREE / 'tests/clients'))

import forms_suite
from service import PATIENCE_S, Settings, served

NPM_DAY = '2026-11-01'
FIXED_HOST = 'bulkapi.zerobounce.net'


def install(folder):
    """The packages, fetched once; our own client beside them as a package."""
    sources = HERE / 'clients'
    wanted = NPM_DAY + (sources / 'package.json').read_text()
    stamp = folder / 'complete'
    if not stamp.exists() or stamp.read_text() != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        shutil.copy(sources / 'package.json', folder)
        subprocess.run(['npm', 'install', '--before', NPM_DAY, '--no-package-lock', '--ignore-scripts', '--no-audit',
                        '--no-fund', '--loglevel=error'], cwd=folder, check=True, stdin=subprocess.DEVNULL, timeout=600)
        stamp.write_text(wanted)
    for name, source in (('heloise-client', 'clients/javascript'), ('../form', 'examples/forms/express')):
        place = folder / 'node_modules' / name
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(TREE / source, place)


def certificate(folder):
    """A key and a certificate for this machine and the fixed host, good for a day."""
    key, certificate_file = folder / 'key.pem', folder / 'certificate.pem'
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days',
                    '1', '-subj', '/CN=localhost', '-addext', f'subjectAltName=DNS:localhost,DNS:{FIXED_HOST}', '-keyout', key,
                    '-out', certificate_file], check=True, capture_output=True, stdin=subprocess.DEVNULL)
    return key, certificate_file


@contextlib.contextmanager
def node(pattern, *argv, env=None):
    """A program of Node's; what the first line that it prints has of pattern."""
    process = subprocess.Popen(['node', *map(str, argv)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                               env={**os.environ, **(env or {})})
    try:
        line = process.stdout.readline()
        found = re.search(pattern, line)
        if found is None:
            raise RuntimeError(f'{argv[0]} says {line!r}')
        yield found.group(0)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


class PeersClients(unittest.TestCase):
    modules = None

    def test_unchanged(self):
        with tempfile.TemporaryDirectory(prefix='heloise-interop-') as name:
            key, certificate_file = certificate(pathlib.Path(name))
            with node(r'^\d+', HERE / 'clients/front.mjs', key, certificate_file, Settings.base_url) as port:
                env = {**os.environ, 'INTEROP_URL': Settings.base_url, 'INTEROP_MODULES': str(self.modules),
                       'INTEROP_DETOUR_HOST': FIXED_HOST, 'INTEROP_DETOUR_PORT': port,
                       'NODE_EXTRA_CA_CERTS': str(certificate_file)}
                done = subprocess.run(['node', '--require', str(HERE / 'clients/detour.cjs'), '--test-reporter=tap', '--test',
                                       str(HERE / 'clients/peers.test.cjs')], env=env, stdin=subprocess.DEVNULL,
                                      capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        cases = re.findall(r'^ *(?:not )?ok \d+ - (?!/).*$', done.stdout, re.M)
        print('\n'.join(re.sub(r'^ *((?:not )?ok) \d+ - ', r'\1 ', case) for case in cases))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertTrue(cases)


class ExpressForm(forms_suite.FormCase):
    modules = None

    def open(self, base_url):
        server = node(r'http://127\.0\.0\.1:\d+/', self.modules / 'form/server.js', env={'HELOISE_URL': base_url, 'PORT': '0'})
        self.url = server.__enter__()
        self.addCleanup(server.__exit__, None, None, None)

    def post(self, email, asked=''):
        data = urllib.parse.urlencode({'email': email, 'asked': asked}).encode()
        try:
            with urllib.request.urlopen(self.url, data, timeout=PATIENCE_S) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def test_real(self):
        self.check_real()

    def test_odd(self):
        self.check_odd()

    def test_away(self):
        self.check_away()

    def test_insists(self):
        self.check_insists()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--heloise', type=pathlib.Path, default=TREE / 'build/src/cli/heloise')
    parser.add_argument('--work', type=pathlib.Path, default=pathlib.Path(
        os.environ.get('XDG_CACHE_HOME', os.path.expanduser('~/.cache'))) / 'heloise-interop')
    parser.add_argument('--install', action='store_true', help='fetch the packages when they are not there')
    parser.add_argument('--url', help='a service that runs already, with the village behind it')
    args = parser.parse_args()
    modules = args.work.resolve() / 'clients'
    if not args.install and not (modules / 'complete').exists():
        print(f'skip interop clients: no packages in {modules}; --install fetches them')
        return 0
    install(modules)
    PeersClients.modules = ExpressForm.modules = modules
    Settings.heloise, Settings.data = str(args.heloise.resolve()), str(TREE / 'data')
    with contextlib.nullcontext(args.url) if args.url else served() as Settings.base_url:
        load = unittest.defaultTestLoader.loadTestsFromTestCase
        result = unittest.TextTestRunner(verbosity=2).run(unittest.TestSuite([load(PeersClients), load(ExpressForm)]))
    return 0 if result.wasSuccessful() else 1


if __name__ == '__main__':
    sys.exit(main())
