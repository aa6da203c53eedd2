#!/usr/bin/python3
"""tests/clients: our clients and the forms that use them against `heloise serve` and the village.

    tests/clients/clients_test.py build/src/cli/heloise data SUITE

SPDX-License-Identifier: Apache-2.0
"""
import importlib
import sys
import unittest

sys.dont_write_bytecode = True

from service import Settings, served


def main():
    Settings.heloise, Settings.data, suite = sys.argv[1:4]
    with served() as base_url:
        Settings.base_url = base_url
        tests = unittest.defaultTestLoader.loadTestsFromModule(importlib.import_module(f'{suite}_suite'))
        result = unittest.TextTestRunner(verbosity=2).run(tests)
    return 0 if result.wasSuccessful() else 1


if __name__ == '__main__':
    sys.exit(main())
