#!/usr/bin/python3
"""tests/document/corpus_test HELOISE DATA: what `heloise extract` finds in files of every kind, against what is known to be in
them: precision and recall of each kind at least 0.99, and the same through a pipe as from the file.
SPDX-License-Identifier: Apache-2.0
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

from corpus import Corpus

HELOISE, DATA = sys.argv[1:3]
SEEDS = range(2)
LIMIT_S = 120


def extract(path=None, data=None):
    argv = [HELOISE, 'extract', '--json', path or '-']
    env = dict(os.environ, HELOISE_DATA=DATA)
    run = subprocess.run(argv, input=data, env=env, capture_output=True, timeout=LIMIT_S, check=False)
    assert run.returncode == 0, (run.returncode, run.stderr.decode())
    return [json.loads(line) for line in run.stdout.splitlines()]


class CorpusTest(unittest.TestCase):
    def test_precision_and_recall(self):
        has_pdf = shutil.which('pdftotext') is not None
        tally = {}
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, 'file')
            for seed in SEEDS:
                for kind, data, known in Corpus(seed).files():
                    if kind == 'PDF' and not has_pdf:
                        continue
                    path.write_bytes(data)
                    rows = extract(str(path))
                    found = {row['email'].lower() for row in rows}
                    if seed == 0:
                        self.assertEqual(rows, [dict(row, file=str(path)) for row in extract(data=data)], kind)
                    known = {address.lower() for address in known}
                    counts = tally.setdefault(kind, [0, 0, 0, set(), set()])
                    counts[0] += len(found & known)
                    counts[1] += len(found)
                    counts[2] += len(known)
                    counts[3] |= found - known
                    counts[4] |= known - found
        for kind, (right, found, known, wrong, missed) in tally.items():
            precision, recall = right / max(found, 1), right / known
            print(f'{kind:16} precision {precision:.4f}  recall {recall:.4f}  of {known}', file=sys.stderr)
            with self.subTest(kind):
                self.assertGreaterEqual(precision, 0.99, sorted(wrong)[:20])
                self.assertGreaterEqual(recall, 0.99, sorted(missed)[:20])

    def test_places(self):
        corpus = Corpus(7)
        data, known = corpus.xlsx()
        rows = {row['email']: row for row in extract(data=data)}
        self.assertEqual((rows[known[2]]['member'], rows[known[2]]['cell']), ('People', 'B3'))
        self.assertEqual((rows[known[20]]['member'], rows[known[20]]['cell']), ('More', 'A1'))
        data, known = corpus.vcard('3.0')
        self.assertEqual({row['email']: row['line'] for row in extract(data=data)}[known[1]], 10)
        if shutil.which('pdftotext'):
            data, known = corpus.pdf()
            self.assertEqual({row['page'] for row in extract(data=data)}, {1, 2, 3, 4})


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1], verbosity=2)
