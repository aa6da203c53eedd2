#!/usr/bin/env python3
"""list_test: docs/scenarios.md and the tests name each other.

    list_test.py ROOT

Every row of the list stands in the page once; every scene, function or case that the page names exists; every
scene of tests/scenarios stands in the page.
SPDX-License-Identifier: Apache-2.0
"""
import pathlib
import re
import sys

ROWS = '1-4 6-11 14-16 19-25 27-45 47-52 54-62 64-70 72 73 76-82 85 87-92 94-98 100-108 110-122'
ROW = re.compile(r'^\| *(\d+) *\|.*\| *(.*?) *\|$')
NAMED = re.compile(r'`([^`]+\.(?:c|py))`([^;]*)')
SCENE = re.compile(r'^ *\{"(\d+[a-z]?)", *"', re.MULTILINE)
FUNCTION = re.compile(r'\brow_((?:\d+_)+)')


def expected_rows():
    rows = set()
    for part in ROWS.split():
        first, _, last = part.partition('-')
        rows.update(range(int(first), int(last or first) + 1))
    return rows


def scenes_of(text):
    """The rows that a test file plays: scenes by their string, functions by their name."""
    scenes = set(SCENE.findall(text))
    for digits in FUNCTION.findall(text):
        scenes.update(digits.strip('_').split('_'))
    return scenes


def check_named(row, cell, tests, named):
    complaints = []
    for file, items in NAMED.findall(cell):
        path = tests / file
        if not path.is_file():
            complaints.append(f'row {row}: there is no tests/{file}')
            continue
        text = path.read_text(encoding='utf-8')
        scenes = scenes_of(text)
        for item in (item.strip() for item in items.split(',')):
            if re.fullmatch(r'\d+[a-z]?', item):
                named.add((file, item))
                if item not in scenes:
                    complaints.append(f'row {row}: tests/{file} plays no {item}')
                elif item.rstrip('abcdefghijklmnopqrstuvwxyz') != row:
                    complaints.append(f'row {row}: {item} is another row')
            elif item and not re.search(rf'\b{re.escape(item)}\b', text):
                complaints.append(f'row {row}: there is no {item} in tests/{file}')
    return complaints


def check(root):
    tests = root / 'tests'
    complaints, seen, named = [], [], set()
    page = (root / 'docs' / 'scenarios.md').read_text(encoding='utf-8')
    played, _, left_out = page.partition('Left out\n')
    for line in played.splitlines():
        if found := ROW.match(line):
            seen.append(int(found[1]))
            if not NAMED.search(found[2]):
                complaints.append(f'row {found[1]}: no test is named')
            complaints += check_named(found[1], found[2], tests, named)
    seen += [int(found[1]) for found in map(ROW.match, left_out.splitlines()) if found]
    complaints += [f'row {row} is missing' for row in sorted(expected_rows() - set(seen))]
    complaints += [f'row {row} is no row of the list' for row in sorted(set(seen) - expected_rows())]
    complaints += [f'row {row} stands twice' for row in sorted({row for row in seen if seen.count(row) > 1})]
    for path in sorted((tests / 'scenarios').glob('*_test.c')):
        for scene in sorted(scenes_of(path.read_text(encoding='utf-8'))):
            if (f'scenarios/{path.name}', scene) not in named:
                complaints.append(f'{path.name} plays {scene}, which docs/scenarios.md does not say')
    return complaints, len(seen)


def main():
    complaints, count = check(pathlib.Path(sys.argv[1]))
    for complaint in complaints:
        print(complaint)
    print(f'{count} rows, {len(complaints)} complaints')
    return 1 if complaints or count == 0 else 0


if __name__ == '__main__':
    sys.exit(main())
