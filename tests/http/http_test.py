#!/usr/bin/python3
"""tests/http/http_test.py HELOISE DATA SUITE...: the HTTP service over real sockets. SUITE: a file *_suite.py beside this one,
without that ending, or all where none is named.
SPDX-License-Identifier: Apache-2.0
"""
import pathlib
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path[:0] = [str(HERE), str(HERE.parent / 'cli'), str(HERE.parent / 'document')]

import rig  # noqa: E402


def main():
    rig.Settings.heloise, rig.Settings.data = (str(pathlib.Path(word).resolve()) for word in sys.argv[1:3])
    names = sys.argv[3:] or sorted(path.stem.removesuffix('_suite') for path in HERE.glob('*_suite.py'))
    loader = unittest.TestLoader()
    suite = unittest.TestSuite(loader.loadTestsFromName(name + '_suite') for name in names)
    result = unittest.TextTestRunner(verbosity=2).run(suite)
    return 0 if result.wasSuccessful() and result.testsRun > 0 else 1


if __name__ == '__main__':
    sys.exit(main())
