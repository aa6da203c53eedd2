#!/usr/bin/env python3
"""man_test.py HELOISE MAN CODES: the manual and the program name the same options and exit codes.

For every command, the long options of `heloise COMMAND --help` are those of MAN/heloise-COMMAND.1; the exit
codes of heloise.1 from 64 on are those of CODES (src/cli/exit.h); mandoc, where it is there, finds nothing.
SPDX-License-Identifier: Apache-2.0
"""
import pathlib
import re
import shutil
import subprocess
import sys

COMMANDS = ('verify', 'bulk', 'classify', 'config', 'dns', 'doctor', 'extract', 'forecast', 'jobs', 'key', 'lists',
            'policy', 'probe', 'providers', 'score', 'serve', 'store', 'village')
PRINTED = re.compile(r'(?m)^ +(?:-\S, )?--([a-z-]+)')
WRITTEN = re.compile(r'Fl Fl ([a-z-]+)')


def compare(what, left, right):
    return [f'{what}: {item} stands in {here} only'
            for here, items in (('the program', left - right), ('the manual', right - left))
            for item in sorted(items)]


def check_options(heloise, folder):
    complaints = []
    for command in COMMANDS:
        run = subprocess.run([heloise, command, '--help'], capture_output=True, text=True, timeout=60, check=True)
        page = (folder / f'heloise-{command}.1').read_text(encoding='utf-8')
        printed, written = set(PRINTED.findall(run.stdout)), set(WRITTEN.findall(page))
        if not printed:
            complaints.append(f'{command}: --help lists no options')
        complaints += compare(command, {'--' + name for name in printed}, {'--' + name for name in written})
    return complaints


def check_codes(folder, header):
    page = (folder / 'heloise.1').read_text(encoding='utf-8').partition('.Sh EXIT STATUS')[2]
    coded = {code for code in re.findall(r'EXIT_\w+ = (\d+)', header.read_text(encoding='utf-8')) if int(code) > 3}
    written = set(re.findall(r'(?m)^\.It (\d+)$', page))
    return compare('exit codes', coded, written)


def check_layout(folder):
    mandoc = shutil.which('mandoc')
    if mandoc is None:
        return []
    complaints = []
    for page in sorted(folder.glob('*.[1-9]')):
        run = subprocess.run([mandoc, '-Tlint', str(page)], capture_output=True, text=True, timeout=60, check=False)
        complaints += [line for line in run.stdout.splitlines()
                       if 'referenced manual not found' not in line]  # they are not installed yet
    return complaints


def main():
    heloise, folder, header = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    complaints = check_options(heloise, folder) + check_codes(folder, header) + check_layout(folder)
    for complaint in complaints:
        print(complaint)
    print(f'{len(COMMANDS)} commands, {len(complaints)} complaints')
    return 1 if complaints else 0


if __name__ == '__main__':
    sys.exit(main())
