#!/usr/bin/python3
"""tests/late/program_test.py PROGRAM: no library that is loaded late starts with the program, and none of the functions
that stand for a library's is seen by other libraries.
SPDX-License-Identifier: Apache-2.0
"""
import subprocess
import sys
import unittest

LATE = ['libcurl', 'libexpat', 'libidn2', 'libjansson', 'liblz4', 'liburing', 'libmicrohttpd', 'libpcre2', 'libpsl', 'libsqlite3', 'libssl',
        'libunistring', 'libxlsxwriter', 'libz', 'libzip']
NAMES = ('idn2_', 'json_', 'pcre2_', 'psl_', 'sqlite3_', 'u8_', 'LZ4_', 'io_uring_', 'uc_', 'deflate', 'inflate', 'crc32')
PROGRAM = sys.argv.pop()


def lines(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


class Program(unittest.TestCase):
    def test_starts_without_them(self):
        needed = [line.split('[')[1].split(']')[0] for line in lines('readelf', '-d', PROGRAM) if '(NEEDED)' in line]
        self.assertTrue(needed)
        self.assertEqual([name for name in needed if name.split('.')[0].split('-')[0] in LATE], [])

    def test_keeps_names_to_itself(self):
        seen = [line.split()[-1] for line in lines('nm', '-D', '--defined-only', PROGRAM)]
        self.assertEqual([name for name in seen if name.startswith(NAMES)], [])


unittest.main()
