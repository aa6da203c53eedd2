"""The JavaScript client: its own tests, and against the real service.

SPDX-License-Identifier: Apache-2.0
"""
import os
import subprocess
import unittest

from service import PATIENCE_S, ROOT, Settings


class JavaScriptClient(unittest.TestCase):
    def run_node(self, *paths):
        done = subprocess.run(['node', '--test', *[str(path) for path in paths]], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=PATIENCE_S, check=False,
                              env={**os.environ, 'HELOISE_URL': Settings.base_url})
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_alone(self):
        self.run_node(*(ROOT / 'clients/javascript/test').glob('*.test.js'))

    def test_with_the_service(self):
        self.run_node(ROOT / 'tests/clients/javascript.test.mjs')
