#!/usr/bin/python3
"""tests/tools/dns_zones/dns_zones_test.py HELOISE DATA CACHE: `heloise dns` on the domains of zones.py, served by NSD and
asked through Unbound. In each exactly the faults are found that it has.
SPDX-License-Identifier: Apache-2.0
"""
import collections
import csv
import io
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(HERE))

import servers  # noqa: E402
import zones  # noqa: E402

SKIPPED = 77
PATIENCE_S = 300
BLOCKLISTS = {
    'lists': 'blocklist ip\nlabel "List of addresses"\nzone ip.bl.health\npage "https://ip.bl.health/"\nasks ipv4\n'
             'weight heavy\nlisted 127.0.0.2 "spam"\nsource "test"\ndate 2026-11\n'
             'blocklist dom\nlabel "List of domains"\nzone dom.bl.health\npage "https://dom.bl.health/"\nasks domain\n'
             'weight light\nlisted 127.0.0.2 "spam"\nsource "test"\ndate 2026-11\n',
    'refusing': 'blocklist no\nlabel "Refusing list"\nzone no.bl.health\npage "https://no.bl.health/"\nasks ipv4\n'
                'weight heavy\nlisted 127.0.0.2 "spam"\nrefused 127.255.255.254 "no public resolvers"\n'
                'source "test"\ndate 2026-11\n',
}


class Settings:
    heloise = data = None
    world = folder = None


def data_folder(kind):
    """The shipped data with block lists of our own."""
    folder = Settings.folder / f'data-{kind}'
    if not folder.exists():
        (folder / 'blocklists').mkdir(parents=True)
        (folder / 'blocklists/test.conf').write_text(BLOCKLISTS[kind])
        for name in ('rules', 'providers', 'lists', 'dkim', 'score'):
            os.symlink(os.path.join(Settings.data, name), folder / name)
    return folder


def mail_file(case):
    path = Settings.folder / 'signed.eml'
    path.write_text(f'Received: from a\r\nDKIM-Signature: v=1; a=rsa-sha256; d={case.domain};\r\n\ts=inmail; bh=x; b=y\r\n'
                    'DKIM-Signature: v=1; d=other.example; s=theirs\r\nSubject: x\r\n\r\n'
                    f'DKIM-Signature: v=1; d={case.domain}; s=body\r\n')
    return path


def heloise(*words, lists='lists', text=None):
    env = {'PATH': os.environ['PATH'], 'HOME': str(Settings.folder), 'LC_ALL': 'C.UTF-8',
           **{name: os.environ[name] for name in ('ASAN_OPTIONS', 'UBSAN_OPTIONS', 'LSAN_OPTIONS') if name in os.environ}}
    argv = [Settings.heloise, 'dns', *Settings.world.options(), '--data', data_folder(lists), *words]
    return subprocess.run(list(map(str, argv)), env=env, input=text or '', capture_output=True, text=True,
                          timeout=PATIENCE_S, check=False)


class DnsZones(unittest.TestCase):
    maxDiff = None

    def check(self, case, record):
        self.assertEqual(record['domain'], case.domain)
        told = json.dumps(record['findings'], indent=1)
        found = collections.Counter(finding['check'] for finding in record['findings'])
        self.assertEqual(sorted(found.elements()), sorted(case.findings), told)
        self.assertTrue(record['complete'])
        if case.grade:
            self.assertEqual(record['grade'], case.grade, told)
        for finding in record['findings']:
            for key in ('area', 'level', 'text', 'why'):
                self.assertTrue(finding[key], finding)

    def test_zones_asked_together(self):
        cases = [case for case in zones.CASES if not case.options]
        run = heloise('--json', '--input', '-', text='\n'.join(case.domain for case in cases))
        self.assertEqual(run.stderr, '')
        self.assertEqual(run.returncode, 1)
        self.assertNotIn('\033', run.stdout)
        records = [json.loads(line) for line in run.stdout.splitlines()]
        self.assertEqual([record['domain'] for record in records], [case.domain for case in cases])
        for case, record in zip(cases, records):
            with self.subTest(case=case.name):
                self.check(case, record)

    def test_zones_with_options(self):
        for case in zones.CASES:
            if case.options:
                options = [mail_file(case) if word == 'MAIL' else word for word in case.options]
                with self.subTest(case=case.name):
                    run = heloise('--json', *options, case.domain, lists=case.lists)
                    self.assertEqual(run.stderr, '')
                    self.check(case, json.loads(run.stdout))
                    self.assertEqual(run.returncode, case.code)

    def test_enough_cases_and_every_check(self):
        named = {finding for case in zones.CASES for finding in case.findings}
        self.assertGreaterEqual(len(zones.CASES), 40)
        self.assertEqual(len({case.name for case in zones.CASES}), len(zones.CASES))
        self.assertGreaterEqual(len(named), 60)

    def test_report_for_people(self):
        run = heloise('clean.health')
        self.assertEqual((run.returncode, run.stderr), (0, ''), run.stdout)
        for text in ('clean.health: grade A, 100 of 100', 'NS ns1.clean.health  serial 2026112202',
                     'talks, STARTTLS', 'default: rsa, 2048 bits', 'TLSA 3 1 1', 'mode: enforce',
                     'signed, and the resolver vouches for it', '_submissions._tcp  mx1.clean.health:465'):
            self.assertIn(text, run.stdout)

    def test_tree_of_spf(self):
        run = heloise('--no-smtp', '--no-block-lists', 'spf-nested.health')
        self.assertIn('  spf-nested.health  [2]  v=spf1 include:six.inc.health', run.stdout)
        self.assertIn('  +- six.inc.health  [5]', run.stdout)
        self.assertIn('  |  +- ok0.inc.health  [0]', run.stdout)
        self.assertIn('11 of 10 lookups', run.stdout)

    def test_hostile_text_is_safe(self):
        for name in ('escapes', 'mx-refusing', 'mx-garbage', 'huge'):
            for shape in ((), ('--fix',), ('--csv',), ('--json',)):
                with self.subTest(name=name, shape=shape):
                    run = heloise(*shape, f'{name}.health')
                    self.assertNotIn('\033', run.stdout + run.stderr)
                    self.assertNotIn('\007', run.stdout + run.stderr)
                    self.assertLess(len(run.stdout), 200000)
        self.assertIn('\\x1b[31mred', heloise('escapes.health').stdout)

    def test_fix_prints_records(self):
        run = heloise('--fix', 'bare.health')
        self.assertEqual(run.returncode, 1)
        for line in ('bare.health. IN TXT "v=spf1 mx -all"',
                     '_dmarc.bare.health. IN TXT "v=DMARC1; p=quarantine; rua=mailto:postmaster@bare.health"',
                     '_mta-sts.bare.health. IN TXT "v=STSv1; id=1"',
                     '_smtp._tls.bare.health. IN TXT "v=TLSRPTv1; rua=mailto:postmaster@bare.health"'):
            self.assertIn(line, run.stdout.splitlines())

    def test_csv(self):
        run = heloise('--csv', 'clean.health', 'spf-ptr.health', 'Mx-Silent.HEALTH.')
        rows = list(csv.DictReader(io.StringIO(run.stdout)))
        self.assertEqual([(row['domain'], row['grade'], row['check']) for row in rows],
                         [('clean.health', 'A', ''), ('spf-ptr.health', 'A', 'spf_ptr'),
                          ('mx-silent.health', 'B', 'mx_silent')])
        self.assertEqual(run.returncode, 0)

    def test_wrong_words(self):
        cases = ((64, ()), (64, ('--json', '--csv', 'a.health')), (64, ('--selector', 'a b', 'a.health')),
                 (64, ('--egress', 'x', 'a.health')), (64, ('--ns-port', '0', 'a.health')), (65, ('not a domain',)),
                 (65, ('[192.0.2.1]',)), (66, ('--input', '/nowhere')), (66, ('--mail', '/nowhere', 'a.health')))
        for code, words in cases:
            with self.subTest(words=words):
                run = heloise(*words)
                self.assertEqual((run.returncode, run.stdout), (code, ''), run.stderr)
                self.assertTrue(run.stderr)
        run = heloise('--input', '-', text='clean.health\nno domain\n')
        self.assertIn("-:2: 'no domain' is no domain", run.stderr)


def main():
    Settings.heloise, Settings.data = (str(pathlib.Path(word).resolve()) for word in sys.argv[1:3])
    with tempfile.TemporaryDirectory(prefix='heloise-zones-') as folder:
        Settings.folder = pathlib.Path(folder)
        try:
            Settings.world = servers.World(folder, sys.argv[3])
        except servers.Missing as missing:
            print(missing)
            return SKIPPED
        try:
            loader = unittest.TestLoader()
            names = sys.argv[4:]
            module = sys.modules[__name__]
            suite = loader.loadTestsFromNames(names, module) if names else loader.loadTestsFromModule(module)
            result = unittest.TextTestRunner(verbosity=2).run(suite)
        finally:
            Settings.world.close()
        return 0 if result.wasSuccessful() and result.testsRun > 0 else 1


if __name__ == '__main__':
    sys.exit(main())
