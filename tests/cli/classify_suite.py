"""`heloise classify`: one row for each line, whatever the line is.
SPDX-License-Identifier: Apache-2.0
"""
import json

import rig

REPLIES = ('550 5.1.1 <x@d.example>: Recipient address rejected: User unknown in virtual mailbox table\n'
           'rcpt\t452 4.2.2 The recipient\'s mailbox is over quota\n'
           'mail\tgoogle\t421 4.7.0 Try again later, closing connection.\n'
           'banner\t554 5.7.1 Service unavailable; client [192.0.2.1] blocked using zen.spamhaus.org\n'
           '250-first\\n250 2.1.5 Ok\n')


class Classify(rig.Case):
    def test_tsv(self):
        run = self.expect(0, 'classify', text=REPLIES)
        rows = [line.split('\t') for line in run.out.splitlines()]
        self.assertEqual([len(row) for row in rows], [5] * 5, run)
        self.assertEqual(rows[0][1], 'mailbox_unknown')
        self.assertNotEqual(rows[3][3], '')
        self.assertTrue(all(row[4].isdigit() for row in rows))
        self.assertEqual(run.err, '')

    def test_json_says_the_same(self):
        tsv = [line.split('\t') for line in self.expect(0, 'classify', text=REPLIES).out.splitlines()]
        rows = [json.loads(line) for line in self.expect(0, 'classify', '--json', text=REPLIES).out.splitlines()]
        self.assertEqual([row['line'] for row in rows], [1, 2, 3, 4, 5])
        for short, row in zip(tsv, rows):
            self.assertEqual(short, [row['scope'], row['reason'], row['rule'], row['block_kind'],
                                     str(row['retry_after'])])
            self.assertEqual(set(row), {'line', 'scope', 'reason', 'rule', 'block_kind', 'retry_after',
                                        'in_progress', 'forwarded'})

    def test_lines_that_are_no_replies_keep_their_rows(self):
        text = 'hello\n250 ok\n\n550\n' + 'x' * 100000 + '\n250 ok'
        run = self.expect(65, 'classify', text=text)
        self.assertEqual(len(run.out.splitlines()), 6)
        for number in (1, 3, 5):
            self.assertIn(f'line {number}:', run.err)

    def test_nothing(self):
        run = self.expect(0, 'classify', text='')
        self.assertEqual((run.out, run.err), ('', ''))

    def test_any_bytes(self):
        text = b'550 \xff\xfe\x00\x1b[2J no such user\r\n\x00\n\x80\t\t550 x\nrcpt\t\xff\t550 5.1.1 x\n'
        run = self.heloise('classify', text=text)
        self.assertEqual(len(run.out.splitlines()), 4, run)
        self.assertNotIn('\033', run.out + run.err)

    def test_unknown_provider_is_told(self):
        run = self.expect(0, 'classify', text='rcpt\tnosuchprovider\t250 ok\n')
        self.assertIn('line 1', run.err)
        self.assertEqual(len(run.out.splitlines()), 1)
