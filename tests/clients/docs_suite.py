"""The examples with curl in the documentation: each is run as it stands, against this service.

SPDX-License-Identifier: Apache-2.0
"""
import re
import shlex
import subprocess
import unittest

from service import PATIENCE_S, ROOT, Settings

PLACEHOLDERS = {'http://127.0.0.1:8025': None, 'jane@example.com': 'jane@plain.example', 'joe@example.com': 'li@full.example',
                'example.com': 'plain.example'}


def examples(page):
    return re.findall(r'^    (curl .*)$', (ROOT / 'docs' / page).read_text(encoding='utf-8'), re.M)


class Curl(unittest.TestCase):
    def check(self, page):
        commands = examples(page)
        self.assertTrue(commands)
        for command in commands:
            for name, value in PLACEHOLDERS.items():
                command = command.replace(name, value or Settings.base_url)
            with self.subTest(command):
                argv = shlex.split(command)
                done = subprocess.run([argv[0], '--silent', '--show-error', '--fail-with-body', *argv[1:]], capture_output=True,
                                      text=True, stdin=subprocess.DEVNULL, timeout=PATIENCE_S, check=False)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                self.assertTrue(done.stdout)

    def test_api(self):
        self.check('api.md')

    def test_drop_in(self):
        self.check('drop-in.md')
