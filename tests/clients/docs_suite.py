"""The examples with curl in the documentation: each is run as it stands, against this service.

SPDX-License-Identifier: Apache-2.0
"""
import json
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
    """ID is the batch that was uploaded last, WATCH the list that was watched last."""

    def run_one(self, command):
        for name, value in PLACEHOLDERS.items():
            command = command.replace(name, value or Settings.base_url)
        for before in '/"=':
            command = command.replace(f'{before}ID', f'{before}{self.batch}').replace(f'{before}WATCH', f'{before}{self.watched}')
        command = command.replace('-o checked.csv', '-o -')
        argv = shlex.split(command)
        return subprocess.run([argv[0], '--silent', '--show-error', '--fail-with-body', *argv[1:]], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=PATIENCE_S, check=False, cwd=ROOT)

    def check(self, page):
        commands = examples(page)
        self.assertTrue(commands)
        self.batch = self.watched = 'none'
        for command in commands:
            with self.subTest(command):
                done = self.run_one(command)
                is_over = command.endswith('/cancel') and '"status":409' in done.stdout  # by then
                is_placeholder = '/EVENT/' in command and 'no webhook of this id' in done.stdout  # http/hooks has real ones
                self.assertTrue(done.returncode == 0 or is_over or is_placeholder, done.stdout + done.stderr)
                self.assertTrue(done.stdout or 'DELETE' in command)
                if '@examples' in command:
                    self.batch = json.loads(done.stdout)['id']
                if command.endswith('/v1/watches'):
                    self.watched = json.loads(done.stdout)['id']

    def test_api(self):
        self.check('api.md')

    def test_drop_in(self):
        self.check('drop-in.md')
