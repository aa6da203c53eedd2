#!/usr/bin/python3
"""xlsx_test: workbooks as programs write them and as nobody should, read by the program; and what it writes, read with
zipfile and ElementTree. Usage: xlsx_test.py TABLE_DUMP [unittest options]

SPDX-License-Identifier: Apache-2.0
"""
import pathlib
import struct
import subprocess
import sys
import tempfile
import unittest
import zipfile

import xlsx_file
from xlsx_file import Workbook, cell

DUMP = sys.argv.pop(1)


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = pathlib.Path(self.folder.name) / 'list.xlsx'

    def dump(self, data, sheet='', column='', write=None):
        """The lines that table_dump prints; data: bytes, or a workbook."""
        self.path.write_bytes(data if isinstance(data, bytes) else data.bytes())
        more = ['xlsx', str(write)] if write else []
        done = subprocess.run([DUMP, self.path, sheet, column, *more], capture_output=True, timeout=120, check=False)
        self.assertIn(done.returncode, (0, 1), done.stderr.decode())
        self.memory_kib = int(done.stderr.split()[-1])
        return done.stdout.decode().splitlines()

    def cells(self, *cells, formats=(), is_1904=False):
        """How cells of one row are shown, behind an address."""
        book = Workbook(is_1904=is_1904)
        book.formats = list(formats)
        book.add('S', data=f'<row r="1">{cell("A1", "a@b.c", "inlineStr")}{"".join(cells)}</row>')
        lines = self.dump(book, column='1')
        return lines[1].split('|')[1:] if len(lines) > 1 else lines

    def fails(self, data, expected, **options):
        lines = self.dump(data, **options)
        self.assertTrue(lines[-1].startswith('error: '), lines)
        self.assertIn(expected, lines[-1])


class Reading(Case):
    def test_list(self):
        book = Workbook()
        book.add('People', [['Name', 'E-Mail', 'n'], ['Ann, "A"', 'a@b.c', 12.5], [], ['multi\nline', None, 0.1],
                            [None, 'd@e.f']])
        self.assertEqual(self.dump(book), [
            'csv header Name *E-Mail n', '1@2 Ann, "A"|a@b.c|12.5', '2@4 multi\\x0aline||0.1', '3@5 |d@e.f|'])

    def test_every_separator_is_text(self):
        book = Workbook()
        book.add('S', [['x;y', 'E-Mail'], [' a;b\t|', 'a@b.c'], ['"', 'd@e.f'], ['\r\n', 'g@h.i']])
        self.assertEqual(self.dump(book)[0], 'csv header x;y *E-Mail')
        self.assertEqual(self.dump(book)[2:], ['2@3 "|d@e.f', '3@4 \\x0a|g@h.i'])

    def test_no_header(self):
        book = Workbook()
        book.add('S', [['a@b.c'], ['d@e.f']])
        self.assertEqual(self.dump(book), ['csv bare *email', '1@1 a@b.c', '2@2 d@e.f'])

    def test_empty(self):
        book = Workbook()
        book.add('S')
        self.assertEqual(self.dump(book), ['csv bare *email'])

    def test_sheets(self):
        book = Workbook()
        for name, state in ('Secret', 'veryHidden'), ('Old', 'hidden'), ('List', None), ('Älter', 'visible'):
            book.add(name, [[f'{len(name)}@b.c']], state)
        for sheet, expected in ('', '4'), ('3', '4'), ('list', '4'), ('Älter', '5'), ('4', '5'), ('Old', '3'), ('1', '6'):
            self.assertEqual(self.dump(book, sheet)[1], f'1@1 {expected}@b.c', sheet)
        self.fails(book, "list.xlsx has no sheet 'X'; its sheets: Secret, Old, List, Älter", sheet='X')
        self.fails(book, "has no sheet '5'", sheet='5')

    def test_kinds_of_cells(self):
        self.assertEqual(self.cells(
            cell('B1', 'x', 'inlineStr'), cell('C1', 1, 'b'), cell('D1', 0, 'b'), cell('E1', '#N/A', 'e'),
            cell('F1', 'formula', 'str'), cell('G1', '2024-02-29T01:02:03', 'd'), '<c r="H1"/>', '<c r="I1" t="s"/>',
            '<c r="J1"><f>SUM(1,2)</f><v>3</v></c>', '<c r="K1" t="inlineStr"><is><r><t>a</t></r><r><t>b</t></r>'
            '<rPh sb="0" eb="1"><t>no</t></rPh></is></c>', cell('L1', '_x0041__x005F_x0042_', 'str')),
            ['x', 'TRUE', 'FALSE', '#N/A', 'formula', '2024-02-29T01:02:03', '', '', '3', 'ab', 'A_x0042_'])

    def test_numbers(self):
        rows = [('1', '1'), ('-7.0', '-7'), ('0.10000000000000001', '0.1'), ('4912345678901', '4912345678901'),
                ('1.5E3', '1500'), ('1e300', '1e+300'), ('x', 'x'), ('1e999', '1e999'), ('0x10', '0x10'), ('nan', 'nan'),
                ('123456789012345678', '1.23456789012346e+17'), (' 5 ', '5')]
        made = [cell(xlsx_file.column_name(i) + '1', text) for i, (text, _) in enumerate(rows, 1)]
        self.assertEqual(self.cells(*made), [shown for _, shown in rows])

    def test_dates(self):
        formats = ['yyyy-mm-dd', '"day" 0', '[h]:mm', '[Red]0.00;[Blue]-0.00;d', '\\d0', 'General" days"', '[$-409]h:mm AM/PM']
        rows = [(1, 45351, '2024-02-29'), (2, 45351.5, '2024-02-29T12:00:00'), (1, 0.25, '06:00:00'), (1, 1, '1900-01-01'),
                (1, 59, '1900-02-28'), (1, 60, '1900-02-29'), (1, 61, '1900-03-01'), (1, 25568, '1969-12-31'),
                (1, 25569, '1970-01-01'), (1, 2958465, '9999-12-31'), (1, 2958466, '2958466'), (1, -1, '-1'),
                (2, 44196.999999, '2021-01-01'), (3, 1.5, '36:00:00'), (0, 45351, '45351'), (4, 45351, '2024-02-29'),
                (5, 45351, '45351'), (6, 1.5, '36:00:00'), (7, 45351, '45351'), (8, 5, '5'), (9, 5, '5'), (10, 0.5, '12:00:00'),
                (99, 5, '5')]
        made = [cell(xlsx_file.column_name(i) + '1', value, None, style) for i, (style, value, _) in enumerate(rows, 1)]
        self.assertEqual(self.cells(*made, formats=formats), [shown for _, _, shown in rows])

    def test_dates_of_1904(self):
        self.assertEqual(self.cells(cell('B1', 0, None, 1), cell('C1', 43889, None, 1), cell('D1', 60, None, 1),
                                    is_1904=True), ['00:00:00', '2024-02-29', '1904-03-01'])

    def test_places_left_out(self):
        """Rows and cells without references count on; namespaces may have prefixes."""
        book = Workbook()
        book.add('S', data='')
        book.parts['xl/worksheets/sheet1.xml'] = (
            f'<x:worksheet xmlns:x="{xlsx_file.MAIN}"><x:sheetData><x:row><x:c t="inlineStr"><x:is><x:t>a@b.c</x:t></x:is></x:c>'
            '<x:c><x:v>1</x:v></x:c></x:row><x:row r="7"><x:c r="B7"><x:v>2</x:v></x:c><x:c><x:v>3</x:v></x:c></x:row>'
            '<x:row><x:c><x:v>4</x:v></x:c></x:row></x:sheetData></x:worksheet>')
        self.assertEqual(self.dump(book, column='1')[1:], ['1@1 a@b.c|1|', '2@7 |2|3', '3@8 4||'])

    def test_strings_across_blocks(self):
        """More texts than the blocks that are kept, asked for in any order."""
        book = Workbook()
        texts = [f'{i}{"x" * (i * 37 % 400)}@b.c' for i in range(30000)]
        for text in texts:
            book.share(text)
        order = [i * 7919 % len(texts) for i in range(len(texts))]
        book.add('S', [[texts[i]] for i in order])
        lines = self.dump(book)
        self.assertEqual([line.split(' ', 1)[1] for line in lines[1:]], [texts[i] for i in order])

    def test_wide_and_long(self):
        book = Workbook()
        book.add('S', data=f'<row r="1">{cell("A1", "a@b.c", "inlineStr")}{cell("XFD1", 1)}</row>'
                           f'<row r="2">{cell("A2", "d@e.f", "inlineStr")}'
                           + ''.join(cell(xlsx_file.column_name(i) + '2', 'x"\n' * 20000, 'str') for i in range(1, 20))
                           + f'</row><row r="1048576">{cell("A1048576", "g@h.i", "inlineStr")}</row>')
        self.assertEqual(self.dump(book, column='1')[1:], [
            '1@1 !the row has more than 4096 cells', '2@2 !the row is longer than 1 MiB', '3@1048576 g@h.i'])


class Refusing(Case):
    def book(self, **parts):
        book = Workbook()
        book.add('Péople', [['a@b.c']])
        book.parts.update(parts)
        return book

    def test_rows_out_of_place(self):
        for data, expected in (
                ('<row r="2"/><row r="2"/>', "list.xlsx: sheet 'S', behind row 2: the next row does not come after it"),
                ('<row r="0"/>', 'behind row 0: the next row does not come after it'),
                ('<row r="1048577"/>', 'has no number from 1 to 1048576'),
                ('<row r="x"/>', 'has no number from 1 to 1048576'),
                ('<row r="1"><row r="2"/></row>', 'a row begins inside a row'),
                ('<row r="3"><c r="B3"/><c r="A3"/></row>', "sheet 'S', cell A3: the cell does not come after"),
                ('<row r="3"><c r="XFE3"/></row>', 'cell A3: the name of this or the next cell is none'),
                ('<row r="3"><c r="7"/></row>', 'is none'),
                ('<row r="3"><c r="C3" t="s"><v>0</v></c></row>', 'cell C3: it names a text that is not there'),
                ('<row r="3"><c r="AB3" t="s"><v>-1</v></c></row>', 'cell AB3: it names no text')):
            book = Workbook()
            book.add('S', data=data)
            self.fails(book, expected)

    def test_later_row(self):
        """What stands before the break is read; the error says where it is."""
        rows = ''.join(f'<row r="{i}">{cell(f"A{i}", f"{i:030}@b.c", "inlineStr")}</row>' for i in range(1, 40001))
        book = Workbook()
        book.add('S', data=rows + '<row r="1"/>')
        lines = self.dump(book)
        self.assertGreater(len(lines), 20000)
        self.assertIn('behind row 40000', lines[-1])

    def test_missing_parts(self):
        for part, expected in (('[Content_Types].xml', 'is an archive; unpack it first'),
                               ('_rels/.rels', 'is an archive; unpack it first'),
                               ('xl/workbook.xml', 'its part xl/workbook.xml is missing'),
                               ('xl/_rels/workbook.xml.rels', 'its part xl/_rels/workbook.xml.rels is missing'),
                               ('xl/worksheets/sheet1.xml', 'its part xl/worksheets/sheet1.xml is missing'),
                               ('xl/sharedStrings.xml', 'its part xl/sharedStrings.xml is missing'),
                               ('xl/styles.xml', 'its part xl/styles.xml is missing')):
            self.fails(self.book(**{part: None}), expected)
        self.fails(self.book(**{'xl/workbook.xml': '<workbook/>'}), 'list.xlsx has no sheets')
        self.fails(self.book(**{'xl/_rels/workbook.xml.rels': '<Relationships/>'}), "sheet 'Péople' holds no rows")

    def test_other_archives(self):
        for part, expected in (('content.xml', 'OpenDocument file; save it as XLSX or CSV'),
                               ('xl/workbook.bin', 'binary workbook (XLSB)'), ('word/document.xml', 'text document'),
                               ('ppt/presentation.xml', 'presentation')):
            self.fails(self.book(**{part: 'x'}), expected)

    def test_broken_xml(self):
        self.fails(self.book(**{'xl/worksheets/sheet1.xml': '<worksheet>\n <sheetData><row></sheetData></worksheet>'}),
                   'list.xlsx: its part xl/worksheets/sheet1.xml is broken at line 2, column 20: mismatched tag')
        self.fails(self.book(**{'xl/sharedStrings.xml': ''}), 'sharedStrings.xml is broken')
        self.fails(self.book(**{'xl/workbook.xml': '<a>' * 300}), 'is nested too deep')

    def test_entities(self):
        bomb = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><sst><si><t>&b;</t></si></sst>'
        self.fails(self.book(**{'xl/sharedStrings.xml': bomb}), 'holds a document type declaration')
        self.fails(self.book(**{'xl/worksheets/sheet1.xml': '<!DOCTYPE x SYSTEM "file:///etc/passwd"><worksheet/>'}),
                   'holds a document type declaration')

    def test_bombs(self):
        """Forty megabytes in forty kilobytes."""
        self.fails(self.book(**{'xl/worksheets/sheet1.xml': '<worksheet><sheetData>' + ' ' * 40000000}),
                   'unpacks to far more than a list can be')
        self.fails(self.book(**{'xl/sharedStrings.xml': '<sst><si><t>' + 'x' * 40000000}), 'unpacks to far more')
        self.assertLess(self.memory_kib, 400 << 10)

    def test_encrypted(self):
        data = bytearray(self.book().bytes(zipfile.ZIP_STORED))
        for magic, offset in (b'PK\3\4', 6), (b'PK\1\2', 8):
            at = data.find(magic)
            while at >= 0:
                data[at + offset] |= 1
                at = data.find(magic, at + 4)
        self.fails(bytes(data), 'list.xlsx is encrypted; open it with its password')

    def test_cut_anywhere(self):
        """No cut makes it crash, and none passes for the whole."""
        data = self.book().bytes()
        for length in range(4, len(data), 13):
            self.fails(data[:length], 'list.xlsx')

    def test_flipped_anywhere(self):
        data = self.book().bytes()
        for at in range(0, len(data), 29):
            flipped = bytearray(data)
            flipped[at] ^= 0x55
            self.dump(bytes(flipped))

    def test_huge_directory(self):
        """A directory that claims more than there is, and one with very many entries."""
        data = bytearray(self.book().bytes())
        end = data.rfind(b'PK\5\6')
        struct.pack_into('<HHII', data, end + 8, 0xfffe, 0xfffe, 0xfffffffe, 0)
        self.fails(bytes(data), 'its archive is damaged')


class Writing(Case):
    def write(self, data):
        out = pathlib.Path(self.folder.name) / 'out.xlsx'
        self.dump(data, write=out)
        return xlsx_file.read(out)

    def test_texts_stay_texts(self):
        texts = ['=1+1', '+49', '-1', '@x', '007', '1e5', ' lead', 'a\x01b\x1f', 'ü 😀', '_x0041_', '<&">', 'x' * 40000,
                 'true', '12', "'q", 'http://a.example/', '#N/A']
        csv = 'n,email\r\n' + ''.join('"' + text.replace('"', '""') + '",a@b.c\r\n' for text in texts)
        (name, rows, root), = self.write(csv.encode())
        self.assertEqual(name, 'Sheet1')
        self.assertEqual([c[2] for c in rows[0]][:5], ['n', 'email', 'status', 'sub_status', 'score'])
        self.assertEqual([row[0] for row in rows[1:]],
                         [(f'A{i}', 'inlineStr', text[:32767]) for i, text in enumerate(texts, 2)])
        kinds = {heading[2]: value[1] for heading, value in zip(rows[0], rows[1])}
        numbers = {name for name, kind in kinds.items() if kind == 'n'}
        self.assertEqual(numbers, {'score', 'confidence', 'smtp_code', 'retry_after'})
        pane = root.find(f'.//{{{xlsx_file.MAIN}}}pane')
        self.assertEqual((pane.get('ySplit'), pane.get('state')), ('1', 'frozen'))

    def test_what_is_written_is_read(self):
        book = Workbook()
        book.add('S', [['Name', 'E-Mail'], ['a\nb', 'a@b.c'], [None, 'd@e.f'], ['_x005F_x0041__x000B_', 'g@h.i']])
        out = pathlib.Path(self.folder.name) / 'out.xlsx'
        first = self.dump(book, write=out)
        self.assertEqual(first[-1], '3@4 _x0041_\\x0b|g@h.i')
        second = self.dump(out.read_bytes(), column='E-Mail')
        self.assertTrue(second[0].startswith('csv header Name *E-Mail status'), second[0])
        for before, after in zip(first[1:], second[1:]):
            self.assertTrue(after.split(' ', 1)[1].startswith(before.split(' ', 1)[1] + '|'), (before, after))

    def test_names_that_clash(self):
        (_, rows, _), = self.write(b'status,email\nx,a@b.c\n')
        self.assertEqual([c[2] for c in rows[0]][:4], ['status', 'email', 'heloise_status', 'sub_status'])

    def test_bad_rows(self):
        (_, rows, _), = self.write(b'n,email\nx,a@b.c\n"open,d@e.f\n')
        self.assertEqual(rows[2][0][2], '"open,d@e.f')


if __name__ == '__main__':
    unittest.main()
