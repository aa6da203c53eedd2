"""`heloise extract`: addresses out of any text.
SPDX-License-Identifier: Apache-2.0
"""
import gzip
import io
import json
import os
import signal
import subprocess
import zipfile

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

    def test_once_or_all_or_counted(self):
        path = self.write('list', 'Jane@example.com joe@example.com jane@EXAMPLE.com')
        self.assertEqual(self.expect(0, 'extract', path, path).out, 'Jane@example.com\njoe@example.com\n')
        self.assertEqual(self.expect(0, 'extract', '--all', path).out,
                         'Jane@example.com\njoe@example.com\njane@EXAMPLE.com\n')
        self.assertEqual(self.expect(0, 'extract', '--counts', path, path).out,
                         '4\tJane@example.com\n2\tjoe@example.com\n')
        self.assertEqual(self.heloise('extract', '--counts', '--all', path).code, 64)

    def test_obfuscated(self):
        text = 'jane [at] example [dot] com, meet me at example.com'
        self.assertEqual(self.expect(0, 'extract', text=text).out, '')
        self.assertEqual(self.expect(0, 'extract', '--deobfuscate', text=text).out, 'jane@example.com\n')

    def test_unreadable_files(self):
        path = self.write('list', 'jane@example.com')
        run = self.expect(66, 'extract', self.path('none'), path)
        self.assertEqual(run.out, 'jane@example.com\n')
        self.assertRegex(run.err, r'cannot read .*none: No such file')

    def test_folders(self):
        """All files in them, in the order of their names; no link leads out, no pipe is waited for."""
        os.makedirs(self.path('d/e'))
        self.write('outside', 'outside@example.com')
        self.write('d/b', 'b@example.com')
        self.write('d/e/a.gz', gzip.compress(b'packed@example.com'))
        os.symlink('../outside', self.path('d/link'))
        os.symlink('..', self.path('d/up'))
        os.mkfifo(self.path('d/pipe'))
        os.symlink('/dev/zero', self.path('d/zero'))
        run = self.expect(0, 'extract', '--with-place', 'd', cwd='.')
        self.assertEqual(run.out, 'b@example.com\td/b:1\npacked@example.com\td/e/a.gz:1\n')

    def test_its_own_output(self):
        """A result that is written into the folder that is read does not grow by itself."""
        self.write('d', 'x')
        os.unlink(self.path('d'))
        os.mkdir(self.path('d'))
        self.write('d/a', 'a@example.com\n')
        with open(self.path('d/z'), 'ab') as out:
            out.write(b'old@example.com\n')
            out.flush()
            run = self.finish(self.start('extract', 'd', stdout=out))
        self.assertEqual(run.code, 0, run)
        self.assertIn('passed over', run.err)
        self.assertEqual(self.read('d/z'), 'old@example.com\na@example.com\n')

    def test_damaged_files(self):
        """Each is told, and the rest goes on."""
        whole = gzip.compress(b'jane@example.com ' * 1000 + os.urandom(5000))
        cut = self.write('cut.gz', whole[:-2000])
        bad = self.write('bad.zip', b'PK\x03\x04' + b'x' * 5000)
        pdf = self.write('bad.pdf', b'%PDF-1.4\nnothing that makes sense')
        good = self.write('good', 'joe@example.com')
        run = self.expect(65, 'extract', cut, bad, pdf, good)
        self.assertEqual(run.out, 'jane@example.com\njoe@example.com\n')
        self.assertRegex(run.err, r'cut\.gz: the gzip data ends too early')
        self.assertRegex(run.err, r'bad\.zip: damaged ZIP')
        self.assertRegex(run.err, r'bad\.pdf: (the PDF is damaged|.*install poppler-utils)')

    def test_bombs(self):
        """What unpacks to far too much is refused soon, and so is what is packed in itself for ever."""
        bomb = gzip.compress(gzip.compress(b'x' * (256 << 20)) * 20)
        run = self.expect(65, 'extract', self.write('bomb.gz', bomb))
        self.assertIn('unpacks to too much', run.err)
        nested = b'deep@example.com'
        for _ in range(20):
            nested = gzip.compress(nested)
        self.assertIn('packed too often', self.expect(65, 'extract', self.write('nested.gz', nested)).err)

    def test_names_that_act_on_terminals(self):
        data = io.BytesIO()
        with zipfile.ZipFile(data, 'w') as archive:
            archive.writestr('\x1b[31mred.gz', gzip.compress(b'x@example.com')[:-3])
        run = self.expect(65, 'extract', '--with-place', self.write('a.zip', data.getvalue()))
        self.assertNotIn('\x1b', run.out + run.err)
        data = io.BytesIO()
        with zipfile.ZipFile(data, 'w') as archive:
            archive.writestr('=1+1', 'x@example.com')
        run = self.expect(0, 'extract', '--csv', self.write('a.zip', data.getvalue()))
        self.assertIn(",'=1+1,1,,", run.out)

    def test_csv_feeds_bulk(self):
        path = self.write('a, b.txt', 'jane@example.com\njoe@example.com jane@example.com')
        run = self.expect(0, 'extract', '--csv', '--counts', path)
        self.assertEqual(run.out, 'email,count,file,member,line,page,cell\n'
                                  f'jane@example.com,2,"{path}",,1,,\njoe@example.com,1,"{path}",,2,,\n')

    def test_stopped(self):
        process = self.start('extract', stdin=subprocess.PIPE)
        process.stdin.write(b'jane@example.com\n')
        process.stdin.flush()
        self.assertEqual(os.read(process.stdout.fileno(), 100), b'jane@example.com\n')
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(rig.PATIENCE_S), 130)

    def test_stopped_before_a_pipe(self):
        """That nobody writes to."""
        os.mkfifo(self.path('pipe'))
        process = self.start('extract', '-', self.path('pipe'), stdin=subprocess.PIPE)
        process.stdin.write(b'jane@example.com\n')
        process.stdin.close()
        self.assertEqual(os.read(process.stdout.fileno(), 100), b'jane@example.com\n')
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(rig.PATIENCE_S), 130)

    def test_progress(self):
        path = self.write('list', 'jane@example.com ' * 400000)
        process, read_all = self.on_terminal('extract', path)
        self.assertEqual(process.stdout.read(), b'jane@example.com\n')
        self.assertIn('addresses found', read_all())

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
