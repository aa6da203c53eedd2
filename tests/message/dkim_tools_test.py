#!/usr/bin/python3
"""dkim_tools_test.py DKIM_TOOL: DKIM held against others: what ours signs, dkimpy verifies; what dkimpy and OpenDKIM
sign, ours verifies; with both canonical forms of header and body, RSA and Ed25519, and messages with what the forms are
about.
SPDX-License-Identifier: Apache-2.0
"""
import itertools
import pathlib
import subprocess
import sys
import tempfile
import unittest

import dkim
import nacl.encoding
import nacl.signing

TOOL = sys.argv.pop(1)
DOMAIN = 'example.com'
FORMS = list(itertools.product(['simple', 'relaxed'], repeat=2))
HEADER = (b'Received: from x by y;\r\n\tSat, 1 Jan 2022 00:00:00 +0000\r\nFrom: Jane  Doe <jane@example.com>\r\n'
          b'To: "Li"\r\n\t<li@example.org>,\r\n  bo@example.org\r\nSUBJECT:  folded\r\n \t twice\r\n  over \r\n'
          b'Date: Sat, 1 Jan 2022 00:00:00 +0000\r\nCc: one@example.org\r\nCc: two@example.org\r\n'
          b'Message-ID: <a@example.com>\r\nMIME-Version: 1.0\r\n\r\n')
MESSAGES = {
    'plain': HEADER + b'hello\r\n',
    'no body': HEADER,
    'empty lines': HEADER + b'\r\na\r\n\r\n\r\n',
    'white space': HEADER + b' a\t \tb  \r\n \t\r\nc \r\n  \r\n',
    'eight bits': HEADER + 'gr\u00fc\u00dfe\r\n.\r\n..\r\n'.encode(),
    'long': HEADER + b'line of some length \r\n' * 20000,
}


def tool(*words, given=b''):
    return subprocess.run([TOOL, *map(str, words)], input=given, capture_output=True, check=True, timeout=60).stdout


class DkimTools(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.path = pathlib.Path(cls.folder.name)
        cls.kinds = {}
        for kind, words in {'rsa': ['RSA', '-pkeyopt', 'rsa_keygen_bits:2048'], 'ed25519': ['ED25519']}.items():
            file = cls.path / kind
            subprocess.run(['openssl', 'genpkey', '-quiet', '-algorithm', *words, '-out', file], check=True,
                           capture_output=True)
            file.chmod(0o600)
            cls.kinds[kind] = tool('public', file).decode().strip()
        lines = [f'{kind}._domainkey.{DOMAIN} TXT v=DKIM1; k={kind}; p={key}' for kind, key in cls.kinds.items()]
        (cls.path / 'keys').write_text('\n'.join(lines) + '\n')

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def record(self, name, timeout=5):
        kind = name.decode().split('.')[0]
        return f'v=DKIM1; k={kind}; p={self.kinds[kind]}'.encode()

    def private(self, kind):
        """As dkimpy takes it."""
        if kind == 'rsa':
            return subprocess.run(['openssl', 'rsa', '-traditional', '-in', self.path / kind], check=True,
                                  capture_output=True).stdout
        der = subprocess.run(['openssl', 'pkey', '-in', self.path / kind, '-outform', 'DER'], check=True,
                             capture_output=True).stdout
        return nacl.signing.SigningKey(der[-32:]).encode(nacl.encoding.Base64Encoder)

    def judged(self, message):
        return tool('verify', self.path, 'keys', given=message).decode().strip()

    def for_each(self, check):
        for kind, (header, body), name in itertools.product(self.kinds, FORMS, MESSAGES):
            with self.subTest(kind=kind, header=header, body=body, message=name):
                check(kind, header, body, MESSAGES[name])

    def test_dkimpy_verifies_ours(self):
        def check(kind, header, body, message):
            signed = tool('sign', DOMAIN, kind, header, body, self.path / kind, given=message)
            self.assertTrue(dkim.DKIM(signed).verify(dnsfunc=self.record))
            self.assertEqual(self.judged(signed), f'pass {DOMAIN} {kind}')
            self.assertFalse(dkim.verify(signed.replace(b'jane@', b'june@'), dnsfunc=self.record))
        self.for_each(check)

    def test_ours_verifies_dkimpys(self):
        def check(kind, header, body, message):
            field = dkim.sign(message, kind.encode(), DOMAIN.encode(), self.private(kind),
                              canonicalize=(header.encode(), body.encode()),
                              signature_algorithm=f'{kind}-sha256'.encode())
            self.assertEqual(self.judged(field + message), f'pass {DOMAIN} {kind}')
            self.assertTrue(self.judged(field + message + b'x\r\n').startswith('fail '))
        self.for_each(check)

    def test_ours_verifies_opendkims(self):
        for name, message in MESSAGES.items():
            with self.subTest(message=name):
                done = subprocess.run(['opendkim-testmsg', '-d', DOMAIN, '-s', 'rsa', '-k', self.path / 'rsa'],
                                      input=message.replace(b'\r\n', b'\n'), capture_output=True, timeout=60)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertEqual(self.judged(done.stdout), f'pass {DOMAIN} rsa')


if __name__ == '__main__':
    unittest.main()
