"""`heloise extract`: addresses out of any text.
SPDX-License-Identifier: Apache-2.0
"""
import json
import os
import subprocess

import rig


class Extract(rig.Case):
    def test_files_and_standard_input(self):
        html = self.write('a.html', '<a href="mailto:jane%2Bx@example.com">Jane</a>\n&lt;joe&#64;example.org&gt;')
        run = self.expect(0, 'extract', html, '-', text='to=<ann@example.net>, logo@2x.png')
        self.assertEqual(run.out, 'jane+x@example.com\njoe@example.org\nann@example.net\n')
        self.assertEqual(run.err, '')
        self.assertEqual(self.expect(0, 'extract', text='nothing here').out, '')

    def test_json(self):
        path = self.write('log', 'x\n' * 70000 + 'from=Jane@M\u00dcLLER.de')
        run = self.expect(0, 'extract', '--json', path)
        self.assertEqual(json.loads(run.out), {'email': 'Jane@M\u00dcLLER.de', 'wire': 'Jane@xn--mller-kva.de',
                                               'file': path, 'line': 70001, 'offset': 140005})

    def test_unique(self):
        path = self.write('list', 'Jane@example.com joe@example.com jane@EXAMPLE.com')
        self.assertEqual(self.expect(0, 'extract', '--unique', path, path).out, 'Jane@example.com\njoe@example.com\n')

    def test_obfuscated(self):
        text = 'jane [at] example [dot] com, meet me at example.com'
        self.assertEqual(self.expect(0, 'extract', text=text).out, '')
        self.assertEqual(self.expect(0, 'extract', '--obfuscated', text=text).out, 'jane@example.com\n')

    def test_unreadable_files(self):
        path = self.write('list', 'jane@example.com')
        run = self.expect(66, 'extract', self.path('none'), self.path('.'), path)
        self.assertEqual(run.out, 'jane@example.com\n')
        self.assertRegex(run.err, r'cannot read .*none: No such file[^\n]*\n.*cannot read .*: Is a directory')

    def test_a_log_that_grows(self):
        """What has been found is written before more comes."""
        process = self.start('extract', stdin=subprocess.PIPE)
        process.stdin.write(b'jane@example.com\n')
        process.stdin.flush()
        self.assertEqual(os.read(process.stdout.fileno(), 100), b'jane@example.com\n')

    def test_full_disk(self):
        with open('/dev/full', 'wb') as full:
            run = self.finish(self.start('extract', self.write('list', 'jane@example.com'), stdout=full))
        self.assertEqual(run.code, 73, run)
