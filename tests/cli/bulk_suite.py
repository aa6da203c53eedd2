"""`heloise bulk`: lists of all kinds in, the same rows with verdicts out.
SPDX-License-Identifier: Apache-2.0
"""
import csv
import io
import json
import os
import pathlib
import stat
import sys

import rig

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / 'engine'))
import xlsx_file  # noqa: E402

RESULTS = ('status sub_status score confidence reason did_you_mean normalized domain mx_host provider catch_all '
           'smtp_code smtp_enhanced smtp_text is_role is_free is_disposable is_tag retry_after checked_at '
           'expires_at').split()


def rows_of(text):
    return list(csv.reader(io.StringIO(text, newline='')))


def table_of(text):
    return list(csv.DictReader(io.StringIO(text, newline='')))


class Lists(rig.Case):
    @classmethod
    def setUpClass(cls):
        cls.village = rig.Village()

    @classmethod
    def tearDownClass(cls):
        cls.village.close()

    def bulk(self, *words, code=0, **options):
        return self.expect(code, 'bulk', *self.village.options, '--store', self.path('h.db'), *words, **options)

    def test_text(self):
        path = self.write('list.txt', 'jane@plain.example\n\nghost@plain.example\nnot an address\n'
                                      'x@catchall.example\njane@blocked.example')
        run = self.bulk(path)
        table = table_of(run.out)
        self.assertEqual([row['email'] for row in table], ['jane@plain.example', 'ghost@plain.example',
                                                           'not an address', 'x@catchall.example',
                                                           'jane@blocked.example'])
        self.assertEqual([row['sub_status'] for row in table], ['accepted', 'mailbox_not_found', 'invalid_syntax',
                                                                'catch_all', 'blocked'])
        self.assertEqual(rows_of(run.out)[0], ['email', *RESULTS])
        self.assertIn('5 rows, 4 addresses', run.err)
        self.assertRegex(run.err, r'no address +1 rows')

    def test_a_block_is_said_first(self):
        names = [f'a{i}' for i in range(12)]
        path = self.write('list.txt', '\n'.join(f'{name}@blocked.example' for name in names))
        run = self.bulk(path)
        self.assertEqual({row['sub_status'] for row in table_of(run.out)}, {'blocked'})
        self.assertRegex(run.err, r'^heloise: \d+ addresses were not asked: mx.blocked.example lets us ask through '
                                  r'none of our addresses: .*zen.spamhaus.org.* \(again in \d+:\d\d\)\n12 rows')

    def test_semicolons_quotes_and_column_seven(self):
        path = self.write('list.csv', 'id;name;note;a;b;c;E-Mail;z\r\n'
                                      '1;"Doe; Jane";"first\r\nsecond";;;;jane@plain.example;end\r\n'
                                      '2;"say ""hi""";plain;"";x;y;ghost@plain.example;"tail\n"\r\n')
        out = rows_of(self.bulk(path).out)
        self.assertEqual(out[0], ['id', 'name', 'note', 'a', 'b', 'c', 'E-Mail', 'z', *RESULTS])
        self.assertEqual(out[1][:9], ['1', 'Doe; Jane', 'first\r\nsecond', '', '', '', 'jane@plain.example', 'end',
                                      'deliverable'])
        self.assertEqual(out[2][:9], ['2', 'say "hi"', 'plain', '', 'x', 'y', 'ghost@plain.example', 'tail\n',
                                      'undeliverable'])
        self.assertEqual({len(row) for row in out}, {8 + len(RESULTS)})

    def test_workbook(self):
        book = xlsx_file.Workbook()
        book.add('Notes', [['Note', 'Page'], ['nothing', 'here']])
        book.add('People', [['Name', 'E-Mail', 'Since'], ['=1+1', 'jane@plain.example', 7],
                            [None, 'ghost@plain.example', None]])
        path = self.write('list.xlsx', book.bytes())
        run = self.bulk(path, code=65)
        self.assertIn('--column', run.err)
        out = self.path('out.xlsx')
        self.bulk(path, '--sheet', 'People', '-o', out)
        (_, rows, _), = xlsx_file.read(out)
        self.assertEqual([c[2] for c in rows[0]], ['Name', 'E-Mail', 'Since', *RESULTS])
        self.assertEqual([c[1:] for c in rows[1][:5]],
                         [('inlineStr', '=1+1'), ('inlineStr', 'jane@plain.example'), ('inlineStr', '7'),
                          ('inlineStr', 'deliverable'), ('inlineStr', 'accepted')])
        table = table_of(self.bulk(path, '--sheet', '2').out)
        self.assertEqual([(row['E-Mail'], row['status']) for row in table],
                         [('jane@plain.example', 'deliverable'), ('ghost@plain.example', 'undeliverable')])
        self.assertEqual(table[0]['Name'], "'=1+1")

    def test_workbook_to_standard_output(self):
        path = self.write('list.txt', 'jane@plain.example\n')
        process = self.start('bulk', *self.village.options, '--no-store', '--output-format', 'xlsx', path)
        out, _ = process.communicate(timeout=rig.PATIENCE_S)
        self.write('out.xlsx', out)
        (_, rows, _), = xlsx_file.read(self.path('out.xlsx'))
        self.assertEqual(rows[1][1][2], 'deliverable')

    def test_json_array(self):
        path = self.write('list.json', '[{"email": "jane@plain.example",\n  "tags": ["a", {"b": 1}]},\n "ghost@plain.example"]')
        table = table_of(self.bulk(path).out)
        self.assertEqual([(row['email'], row['tags'], row['status']) for row in table],
                         [('jane@plain.example', '["a",{"b":1}]', 'deliverable'),
                          ('ghost@plain.example', '', 'undeliverable')])
        rows = [json.loads(line) for line in self.bulk('--output-format', 'ndjson', path).out.splitlines()]
        self.assertEqual(rows[0]['tags'], ['a', {'b': 1}])
        run = self.bulk(self.write('broken.json', '["jane@plain.example"\n "x@plain.example"]'), code=65)
        self.assertIn("broken.json:2:2: this is no JSON array: ',' or ']' is missing before this", run.err)

    def test_column_by_name_and_number(self):
        path = self.write('list.csv', 'old,new\nghost@plain.example,jane@plain.example\n')
        for column, status in (('new', 'deliverable'), ('2', 'deliverable'), ('old', 'undeliverable'),
                               ('1', 'undeliverable')):
            with self.subTest(column=column):
                self.assertEqual(table_of(self.bulk('--column', column, path).out)[0]['status'], status)
        for column in ('third', '3', '0'):
            run = self.bulk('--column', column, path, code=65)
            self.assertIn(column, run.err)

    def test_ndjson(self):
        path = self.write('list.ndjson', '{"email":"jane@plain.example","n":1.50,"deep":{"a":[1,"\\u00e9"]}}\n'
                                         '{"n":2}\nno json\n{"email":"ghost@plain.example"}\n')
        for words in (['--output-format', 'ndjson'], ['-o', 'out.ndjson'], ['-o', 'out.jsonl'], []):
            with self.subTest(words=words):
                run = self.bulk(path, *words)
                text = run.out if '-o' not in words else self.read(words[1])
                rows = [json.loads(line) for line in text.splitlines()]
                self.assertEqual(len(rows), 4)
                self.assertEqual((rows[0]['email'], rows[0]['n'], rows[0]['deep']),
                                 ('jane@plain.example', 1.5, {'a': [1, 'é']}))
                self.assertEqual([row['heloise']['sub_status'] for row in rows],
                                 ['accepted', 'skipped', 'skipped', 'mailbox_not_found'])
                self.assertIn('"n":1.50', text)

    def test_ndjson_to_csv(self):
        path = self.write('list.ndjson', '{"email":"jane@plain.example","n":1}\n')
        table = table_of(self.bulk(path, '-o', 'out.csv').out or self.read('out.csv'))
        self.assertEqual(table[0]['status'], 'deliverable')

    def test_standard_input(self):
        run = self.bulk('-', text='mail,k\njane@plain.example,1\nghost@plain.example,2\n')
        self.assertEqual([(row['k'], row['status']) for row in table_of(run.out)],
                         [('1', 'deliverable'), ('2', 'undeliverable')])
        self.assertEqual([name for name in os.listdir(self.folder) if name.startswith('heloise-bulk')], [])

    def test_empty_lists(self):
        for text in ('', '\n\n', 'email\n'):
            with self.subTest(text=text):
                run = self.bulk('-', text=text)
                self.assertEqual(len(rows_of(run.out)), 1)
                self.assertIn('0 addresses', run.err)

    def test_output_file(self):
        path = self.write('list.txt', 'jane@plain.example\n')
        run = self.bulk(path, '-o', 'out.csv')
        self.assertEqual(run.out, '')
        self.assertEqual(table_of(self.read('out.csv'))[0]['status'], 'deliverable')
        self.assertEqual([name for name in os.listdir(self.folder) if name.startswith('out.')], ['out.csv'])

    def test_formulas_are_neutralised(self):
        cells = ['=1+1', '+1+2', '-2+3', '@SUM(A1)', '\t=1', '\r=1']
        text = 'email,' + ','.join(f'c{i}' for i in range(len(cells))) + '\n"=cmd@plain.example",'
        text += ','.join('"' + cell + '"' for cell in cells) + '\n'
        row = rows_of(self.bulk('-', text=text).out)[1]
        for cell in row:
            self.assertNotRegex(cell, r'^[=+\-@\t\r]')
        self.assertEqual([cell.lstrip("'") for cell in row[1:1 + len(cells)]], cells)

    def test_order_is_kept(self):
        hosts = ['plain', 'slow', 'catchall', 'busy', 'hangup', 'full', 'tls', 'relay', 'blocked']
        asked = [f'jane{i % 3 or ""}@{hosts[i % len(hosts)]}.example' for i in range(45)]
        table = table_of(self.bulk('-', '--no-retry', text='\n'.join(asked)).out)
        self.assertEqual([row['email'] for row in table], asked)
        verdicts = {}
        for row in table:
            verdicts.setdefault(row['email'], set()).add(row['status'])
        self.assertEqual({len(found) for found in verdicts.values()}, {1}, verdicts)

    def test_bad_rows_stay_in_place(self):
        run = self.bulk('-', text=b'email,b\njane@plain.example,1\n"never closed,2\n\xff\xfe@plain.example,3\n'
                                  b'ghost@plain.example,4\n')
        rows = rows_of(run.out)
        self.assertEqual(len(rows), 5)
        self.assertEqual(rows[4][:3], ['ghost@plain.example', '4', 'undeliverable'])

    def test_unreadable_inputs(self):
        os.mkdir(self.path('folder'))
        for name, hint in (('missing.csv', 'No such file'), ('folder', 'folder')):
            run = self.bulk(self.path(name), code=66)
            self.assertIn(hint, run.err)
            self.assertEqual(run.out, '')
        run = self.bulk(self.write('numbers.csv', 'a,b\n1,2\n3,4\n'), code=65)
        self.assertIn('--column', run.err)

    def test_stage_of_the_run_is_not_told_to_files(self):
        run = self.bulk('-', text='jane@slow.example\n')
        self.assertNotIn('\r', run.err)
        self.assertNotIn('\033', run.err)
        self.assertEqual(self.bulk('-', '-q', text='jane@plain.example\n').err, '')

    def test_progress_on_a_terminal(self):
        path = self.write('list.txt', 'jane@slow.example\njane@plain.example\n')
        process, read_all = self.on_terminal('bulk', *self.village.options, '--no-store', path)
        seen = read_all()
        run = self.finish(process)
        self.assertEqual(run.code, 0)
        self.assertRegex(seen, r'\r\033\[Kasked 1/2 ')
        self.assertRegex(seen, r'\r\033\[K2 rows, 2 addresses')
        self.assertLess(max(map(len, seen.replace('\r', '\n').split('\n'))), 90)
        self.assertEqual(len(rows_of(run.out)), 3)
        process, read_all = self.on_terminal('bulk', *self.village.options, '--no-store', '-q', path)
        self.assertEqual(read_all(), '')
        self.assertEqual(self.finish(process).code, 0)


class Outputs(rig.Case):
    def setUp(self):
        super().setUp()
        self.mailer = rig.Mailer()
        self.addCleanup(self.mailer.close)
        self.list = self.write('list.txt', 'live@d.example\nlive@D.EXAMPLE\n live@d.example \nlive2@d.example\n')

    def bulk(self, code, *words, **options):
        return self.expect(code, 'bulk', *self.mailer.options, '--store', self.path('h.db'), self.list, *words,
                           **options)

    def test_duplicates_are_asked_once(self):
        run = self.bulk(0)
        self.assertEqual([row['status'] for row in table_of(run.out)], ['deliverable'] * 4)
        self.assertEqual(sorted(self.mailer.rcpts()), ['live2@d.example', 'live@d.example'])
        self.assertIn('4 rows, 2 addresses', run.err)
        self.bulk(0)  # again: from the store
        self.assertEqual(len(self.mailer.rcpts()), 2)
        self.bulk(0, '--fresh')
        self.assertEqual(len(self.mailer.rcpts()), 4)

    def test_no_data_is_sent(self):
        self.bulk(0)
        self.assertLessEqual({line[:4] for _, line in self.mailer.heard}, {'EHLO', 'MAIL', 'RCPT', 'RSET', 'QUIT'})

    def test_output_that_cannot_be_is_told_first(self):
        os.mkdir(self.path('folder'))
        for place in ('/nonexistent/out.csv', self.path('folder'), '/proc/out.csv', self.path('x' * 300)):
            with self.subTest(place=place):
                run = self.bulk(73, '-o', place)
                self.assertIn('cannot write', run.err)
        self.assertEqual(self.mailer.heard, [])

    def test_full_disk_keeps_what_is_done(self):
        with open('/dev/full', 'wb') as full:
            run = self.bulk(73, stdout=full)
        self.assertIn('No space left', run.err)
        run = self.bulk(73, '-o', '/dev/full')
        self.assertIn('/dev/full', run.err)
        self.assertTrue(stat.S_ISCHR(os.stat('/dev/full').st_mode))
        self.assertEqual(len(table_of(self.bulk(0).out)), 4)
        self.assertEqual(len(self.mailer.rcpts()), 2)

    def test_devices_and_pipes_are_written_as_they_are(self):
        self.bulk(0, '-o', '/dev/null')
        self.assertTrue(stat.S_ISCHR(os.stat('/dev/null').st_mode))
        self.assertEqual(len(table_of(self.bulk(0, '-o', '/dev/stdout').out)), 4)

    def test_closed_pipe(self):
        ours, theirs = os.pipe()
        os.close(ours)
        with os.fdopen(theirs, 'wb') as pipe:
            run = self.bulk(73, stdout=pipe)
        self.assertIn('cannot write', run.err)

    def test_transcripts_of_hostile_servers_are_kept(self):
        evil = b'\0\033[2J\xff"'
        self.mailer.say = lambda verb, line: b'550 5.1.1 User unknown ' + evil + b'\r\n' if verb == 'RCPT' else (
            b'220 ' + evil + b'\r\n' if verb == '' else None)
        run = self.bulk(0, '--transcript', '--no-control', '--output-format', 'ndjson')
        for line in run.out.splitlines():
            self.assertNotEqual(json.loads(line)['heloise'], None)
        self.assertNotIn('\033', run.out + run.err)
