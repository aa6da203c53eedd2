"""xlsx_file: workbooks, made part by part with nothing but zipfile, whole or broken as the caller likes; and read back.

SPDX-License-Identifier: Apache-2.0
"""
import io
import re
import xml.etree.ElementTree as ET
import zipfile
from xml.sax.saxutils import escape, quoteattr

MAIN = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main'
RELATIONS = 'http://schemas.openxmlformats.org/package/2006/relationships'
TYPES = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships'
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'


def column_name(index):
    name = ''
    index += 1
    while index > 0:
        index, rest = divmod(index - 1, 26)
        name = chr(ord('A') + rest) + name
    return name


def cell(reference, value, kind=None, style=None):
    """One <c>; kind: None (number), s, str, inlineStr, b, e, d."""
    attributes = f' r="{reference}"' if reference else ''
    attributes += f' s="{style}"' if style is not None else ''
    attributes += f' t="{kind}"' if kind else ''
    if kind == 'inlineStr':
        return f'<c{attributes}><is><t xml:space="preserve">{escape(value)}</t></is></c>'
    return f'<c{attributes}><v>{escape(str(value))}</v></c>'


class Workbook:
    """Sheets of rows; texts are shared, numbers are numbers. parts overrides or adds parts; None leaves one out."""

    def __init__(self, is_1904=False):
        self.sheets, self.parts, self.strings, self.numbers = [], {}, [], {}
        self.is_1904, self.formats = is_1904, []

    def share(self, text):
        if text not in self.numbers:
            self.numbers[text] = len(self.strings)
            self.strings.append(text)
        return self.numbers[text]

    def add(self, name, rows=(), state=None, data=None):
        """rows: lists of texts, numbers or None; data: what stands in <sheetData> instead."""
        if data is None:
            data = ''.join(self.row(number, row) for number, row in enumerate(rows, 1))
        self.sheets.append((name, state, data))

    def row(self, number, row):
        cells = []
        for index, value in enumerate(row):
            if value is None:
                continue
            reference = column_name(index) + str(number)
            if isinstance(value, str):
                cells.append(cell(reference, self.share(value), 's'))
            else:
                cells.append(cell(reference, value))
        return f'<row r="{number}">{"".join(cells)}</row>'

    def all_parts(self):
        sheets = ''.join(f'<sheet name={quoteattr(name)} sheetId="{i}" r:id="rId{i}"'
                         + (f' state="{state}"' if state else '') + '/>'
                         for i, (name, state, _) in enumerate(self.sheets, 1))
        relations = ''.join(f'<Relationship Id="rId{i}" Type="{TYPES}/worksheet" '
                            f'Target="worksheets/sheet{i}.xml"/>' for i in range(1, len(self.sheets) + 1))
        own = ''.join(f'<numFmt numFmtId="{164 + i}" formatCode={quoteattr(code)}/>'
                      for i, code in enumerate(self.formats))
        styles = ''.join(f'<xf numFmtId="{number}"/>' for number in [0, 14, 22, 46]
                         + [164 + i for i in range(len(self.formats))])
        parts = {
            '[Content_Types].xml': HEAD + '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
            '_rels/.rels': HEAD + f'<Relationships xmlns="{RELATIONS}"><Relationship Id="rId1" '
                                  f'Type="{TYPES}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
            'xl/workbook.xml': HEAD + f'<workbook xmlns="{MAIN}" xmlns:r="{TYPES}">'
                                      f'<workbookPr{" date1904=" + quoteattr("1") if self.is_1904 else ""}/>'
                                      f'<sheets>{sheets}</sheets></workbook>',
            'xl/_rels/workbook.xml.rels': HEAD + f'<Relationships xmlns="{RELATIONS}">{relations}'
                                                 f'<Relationship Id="rS" Type="{TYPES}/sharedStrings" Target="sharedStrings.xml"/>'
                                                 f'<Relationship Id="rT" Type="{TYPES}/styles" Target="/xl/styles.xml"/>'
                                                 '</Relationships>',
            'xl/sharedStrings.xml': HEAD + f'<sst xmlns="{MAIN}">'
                                    + ''.join(f'<si><t xml:space="preserve">{escape(text)}</t></si>' for text in self.strings)
                                    + '</sst>',
            'xl/styles.xml': HEAD + f'<styleSheet xmlns="{MAIN}"><numFmts>{own}</numFmts><cellStyleXfs><xf numFmtId="14"/>'
                                    f'</cellStyleXfs><cellXfs>{styles}</cellXfs></styleSheet>',
        }
        for i, (_, _, data) in enumerate(self.sheets, 1):
            parts[f'xl/worksheets/sheet{i}.xml'] = HEAD + (f'<worksheet xmlns="{MAIN}"><sheetData>{data}</sheetData>'
                                                           '</worksheet>')
        parts.update(self.parts)
        return {name: text for name, text in parts.items() if text is not None}

    def bytes(self, method=zipfile.ZIP_DEFLATED):
        out = io.BytesIO()
        with zipfile.ZipFile(out, 'w', method) as archive:
            for name, text in self.all_parts().items():
                archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), text, method)
        return out.getvalue()

    def save(self, path, method=zipfile.ZIP_DEFLATED):
        path.write_bytes(self.bytes(method))


def unescape(text):
    return re.sub('_x([0-9A-Fa-f]{4})_', lambda m: chr(int(m[1], 16)), text)


def read(path):
    """[(sheet's name, rows of (kind, text))] of a workbook with inline texts; checks that its archive is whole."""
    found = []
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        book = ET.fromstring(archive.read('xl/workbook.xml'))
        for i, sheet in enumerate(book.iter(f'{{{MAIN}}}sheet'), 1):
            root = ET.fromstring(archive.read(f'xl/worksheets/sheet{i}.xml'))
            rows = []
            for row in root.iter(f'{{{MAIN}}}row'):
                cells = []
                for c in row.iter(f'{{{MAIN}}}c'):
                    assert c.find(f'{{{MAIN}}}f') is None, 'a formula'
                    kind = c.get('t', 'n')
                    text = ''.join(c.itertext())
                    cells.append((c.get('r'), kind, unescape(text) if kind == 'inlineStr' else text))
                rows.append(cells)
            found.append((sheet.get('name'), rows, root))
    return found
