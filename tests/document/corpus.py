"""tests/document/corpus: files of every kind with addresses that are known and things that only look like some, made from a
seed. SPDX-License-Identifier: Apache-2.0
"""
import base64
import gzip
import io
import json
import random
import tarfile
import zipfile
from email.message import EmailMessage
from html import escape
from urllib.parse import quote
from xml.sax.saxutils import escape as xml_escape

NAMES = ['jane', 'joe', 'maria', 'o.brien', 'li', 'anna-lena', 'k_smith', 'info', 'sales', 'p.müller', 'jörg', 'x1', 'first.last']
DOMAINS = ['example.com', 'example.org', 'mail.example.net', 'sub.dept.example.co.uk', 'bücher.de', 'firma-gmbh.de', 'city.travel',
           'university.edu', 'xn--bcher-kva.de', 'example.io']
NEGATIVES = ['image@2x.png', 'icon@3x.jpg', 'user@localhost', 'react@18.2.0', 'package@1.2.3', 'lodash@^4.17', '@jane', 'jane@',
             'https://jane:secret@host.example.com/x', 'ftp://joe@files.example.org/', 'ssh://git@code.example.com:22/r.git',
             'a@b', 'root@db1', '@media print', 'x @ y.com', 'array[@id=5]', 'commit@{upstream}', 'v2.0@beta', '@@ -1,3 +1,4 @@',
             'key@nosuchtopleveldomain', 'foo@.com', 'bar@-x.com', '5 apples @ 2.50', 'T@x', 'npm i left-pad@1.3.0']
WORDS = 'the quick brown fox writes to nobody in particular and waits until somebody answers again'.split()


class Corpus:
    """Makes files; each is (name, bytes, addresses in it, in lower case)."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.number = 0

    def address(self, is_ascii=False):
        while True:
            self.number += 1
            tag = self.random.choice(['', '+list', '+a.b'])
            name = f'{self.random.choice(NAMES)}{self.number}{tag}@{self.random.choice(DOMAINS)}'
            if not is_ascii or name.isascii():
                return name

    def addresses(self, count=40, is_ascii=False):
        return [self.address(is_ascii) for _ in range(count)]

    def words(self):
        return ' '.join(self.random.choices(WORDS, k=self.random.randint(1, 9)))

    def sentence(self, address):
        shape = self.random.choice(['{w} {a} {w}', '{w} <{a}>, {w}.', '{w} ({a}) {w}', '"{a}";{w}', '{w}: {a}.', "'{a}' {w}",
                                    'mailto:{a}', '[{a}]', '{w},{a},{w}', 'to={a} {w}'])
        return shape.format(w=self.words(), a=address)

    def lines(self, addresses):
        lines = [self.sentence(a) for a in addresses] + [f'{self.words()} {n} {self.words()}' for n in NEGATIVES]
        self.random.shuffle(lines)
        return lines

    def text(self, charset='utf-8'):
        found = self.addresses()
        return '\n'.join(self.lines(found)).encode(charset), found

    def glued(self, address):
        """A line of a log, of program text or of a terminal in which something stands at the address that is no part of it."""
        shapes = ['\x1b[31m{a}\x1b[0m', '\x1b[1;38;5;9m\x1b[K{a}\x1b[m\x1b[K', '{n}\x1b[01;31m\x1b[K@\x1b[m\x1b[K{d}', '\x1b(B{a}',
                  '\x1b]8;;mailto:{a}\x07{a}\x1b]8;;\x1b\\', '\\x1b[31m{a}\\x1b[0m', '\\033[31m{a}', '^[[31m{a}^[[0m', '#033[31m{a}#033[0m',
                  '\ufeff{a}', '\u200b{a}\u200b', '{n}@\u200b{d}', '\u202a{a}\u202c', '\u200e{a}', '{n}\xad@{d}', '{n}\u2060@\u2060{d}',
                  '=3C{a}=3E', 'Hi=20{a}', '%3C{a}%3E', '?x=1%2C{a}%26', 'mailto%3A{a}', '?to={q}&x', '{n}\uff20{d}', '{n}@{w}', '{a}\u3002',
                  '\u8bf7{a}\u3002\u8c22', '&lt{a}&gt', '&lt;{a}&gt;', '&#60;{a}&#62;', '{{"to":{j}}}', '"\\u003c{a}\\u003e"', '"{n}\\u0040{d}"',
                  '"x\\n{a}\\r\\n"', '\\t{a}', '\\"{a}\\"', '#012{a}#012', "b'{a}'", '{a}...', '{a})', "{a}'s", 'C:\\new\\{a}']
        name, domain = address.split('@')
        fill = {'a': address, 'n': name, 'd': domain, 'q': quote(address), 'j': json.dumps(address), 'w': domain.replace('.', '\u3002')}
        return f'{self.words()} ' + shapes[self.number % len(shapes)].format(**fill) + f' {self.words()}'

    def log(self):
        found = self.addresses(200)
        lines = [self.glued(a) for a in found] + [f'{self.words()} {n} {self.words()}' for n in NEGATIVES]
        broken = self.address(is_ascii=True)
        lines += ['x' * 55 + f' {broken[:8]}=\r\n{broken[8:]} is broken in two']
        return '\n'.join(lines).encode(), [*found, broken]

    def disguise(self, address):
        """An address in HTML in one of the ways in which people write them."""
        way = self.random.randrange(7)
        if way == 0:
            return f'<a href="mailto:{quote(address)}?subject=hello">write</a>'
        if way == 1:
            return ''.join(f'&#{ord(c)};' for c in address)
        if way == 2:
            return ''.join(f'&#x{ord(c):x};' for c in address)
        if way == 3:
            return escape(address).replace('@', '&commat;').replace('ü', '&uuml;').replace('ö', '&ouml;')
        if way == 4:
            at = self.random.randrange(1, len(address) - 1)
            return f'<b>{address[:at]}</b><span class="x">{address[at:]}</span>'
        if way == 5:
            return f'<td>{address}</td><td>{self.words()}</td>'
        return f'&lt;{address}&gt;'

    def html(self, charset='utf-8'):
        found = self.addresses()
        body = [f'<p>{self.words()} {self.disguise(a)} {self.words()}</p>' for a in found]
        pair = self.addresses(2)
        found += pair
        body.append(f'<a href="mailto:{quote(pair[0])},{quote(pair[1])}">both</a>')
        body += [f'<p>{escape(n)}</p>' for n in NEGATIVES] + ['<!-- old@hidden.example.com -->',
                 '<script>var from = "script@hidden.example.com";</script>', '<style>@import url(x.css); a{b:c}</style>',
                 '<img srcset="logo@2x.png 2x">']
        self.random.shuffle(body)
        head = f'<!DOCTYPE html><html><head><meta charset="{charset}"><title>x</title></head><body>'
        return (head + '\n'.join(body) + '</body></html>').encode(charset), found

    def xml(self):
        found = self.addresses()
        items = [f'<item mail="{xml_escape(a)}"/>' if i % 3 else f'<m><![CDATA[{a}]]></m>' for i, a in enumerate(found)]
        return ('<?xml version="1.0"?>\n<list>' + '\n'.join(items) + '</list>').encode(), found

    def message(self, attachments=True):
        sender, *to = self.addresses(4, is_ascii=True)
        plain, page, subject = self.addresses(8), self.addresses(8), self.address(is_ascii=True)
        message = EmailMessage()
        message['Message-ID'] = f'<{self.random.randrange(10**12)}.abc@host.example.com>'
        message['References'] = '<1.2.3@other.example.com> <4.5.6@third.example.com>'
        message['Date'] = 'Thu, 1 Jan 2026 00:00:00 +0000'
        message['From'] = f'Jörg Müller <{sender}>'
        message['To'] = ', '.join(f'"Name, {i}" <{a}>' for i, a in enumerate(to))
        message['Subject'] = f'Grüße an {subject}'
        message.set_content('\n'.join(self.lines(plain)), cte=self.random.choice(['quoted-printable', 'base64', '8bit']),
                            charset=self.random.choice(['utf-8', 'iso-8859-1']))
        message.add_alternative('<p>' + '<p>'.join(self.disguise(a) for a in page), subtype='html',
                                cte=self.random.choice(['quoted-printable', 'base64']))
        found = [sender, *to, subject, *plain, *page]
        if attachments:
            data, inside = self.zip()
            message.add_attachment(data, maintype='application', subtype='octet-stream', filename='x.bin')
            other, more = self.message(attachments=False)
            inner = EmailMessage()
            inner['From'] = self.address(is_ascii=True)
            inner['To'] = self.address(is_ascii=True)
            inner.set_content(f'forwarded {self.random.choice(WORDS)}')
            message.add_attachment(inner)
            message.add_attachment(other, maintype='message', subtype='x-raw', filename='raw.eml')
            found += [*inside, *more, inner['From'], inner['To']]
        return message.as_bytes(), found

    def mbox(self):
        data, found = b'', []
        for _ in range(5):
            message, inside = self.message(attachments=False)
            data += b'From MAILER-DAEMON Thu Jan  1 00:00:00 2026\n' + message.replace(b'\nFrom ', b'\n>From ') + b'\n\n'
            found += inside
        return data, found

    def vcard(self, version):
        found = self.addresses()
        text = ''
        for address in found:
            text += f'BEGIN:VCARD\r\nVERSION:{version}\r\nUID:{self.number}@made.up.example.com\r\n'
            if version == '2.1':
                coded = ''.join(f'={byte:02X}' for byte in address.encode())
                text += f'EMAIL;INTERNET;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:{coded[:30]}=\r\n{coded[30:]}\r\n'
            else:
                line = f'item1.EMAIL;TYPE=INTERNET:{address}'
                text += f'{line[:30]}\r\n {line[30:]}\r\n'
            text += 'END:VCARD\r\n'
        return text.encode(), found

    def ldif(self):
        found = self.addresses()
        text = 'version: 1\n# old@hidden.example.com\n'
        for i, address in enumerate(found):
            text += f'dn: cn=person {i},dc=example,dc=com\n'
            if i % 2 == 0 or not address.isascii():
                coded = base64.b64encode(address.encode()).decode()
                text += f'mail:: {coded[:20]}\n {coded[20:]}\n\n'
            else:
                text += f'mail: {address[:7]}\n {address[7:]}\n\n'
        return text.replace('# old@hidden.example.com\n', '').encode(), found

    def pdf(self):
        """Pages of text lines in Helvetica."""
        found = self.addresses(is_ascii=True)
        lines = self.lines(found)
        pages = [lines[i:i + 20] for i in range(0, len(lines), 20)]
        objects = ['<</Type/Catalog/Pages 2 0 R>>',
                   f'<</Type/Pages/Count {len(pages)}/Kids[{" ".join(f"{4 + 2 * i} 0 R" for i in range(len(pages)))}]>>',
                   '<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>']
        for page in pages:
            stream = 'BT /F1 8 Tf 20 800 Td 14 TL ' + ' '.join(
                '(' + line.replace('\\', '\\\\').replace('(', '\\(').replace(')', '\\)') + ') Tj T*' for line in page) + ' ET'
            number = len(objects) + 1
            objects.append(f'<</Type/Page/Parent 2 0 R/MediaBox[0 0 900 842]/Resources<</Font<</F1 3 0 R>>>>/Contents {number + 1} 0 R>>')
            objects.append(f'<</Length {len(stream)}>>\nstream\n{stream}\nendstream')
        data, places = '%PDF-1.4\n', []
        for i, content in enumerate(objects):
            places.append(len(data))
            data += f'{i + 1} 0 obj\n{content}\nendobj\n'
        table = len(data)
        data += f'xref\n0 {len(objects) + 1}\n0000000000 65535 f \n' + ''.join(f'{p:010} 00000 n \n' for p in places)
        data += f'trailer<</Size {len(objects) + 1}/Root 1 0 R>>\nstartxref\n{table}\n%%EOF\n'
        return data.encode('latin-1'), found

    @staticmethod
    def archive(members):
        data = io.BytesIO()
        with zipfile.ZipFile(data, 'w', zipfile.ZIP_DEFLATED) as archive:
            for name, content in members.items():
                archive.writestr(name, content)
        return data.getvalue()

    def docx(self):
        found = self.addresses()
        link = found.pop()
        space = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
        body = ''
        for line in self.lines(found):
            at = self.random.randrange(len(line))
            runs = [xml_escape(part) for part in (line[:at], line[at:])]
            body += '<w:p>' + ''.join(f'<w:r><w:rPr><w:b/></w:rPr><w:t xml:space="preserve">{r}</w:t></w:r>' for r in runs) + '</w:p>'
        links = ('<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
                 f'<Relationship Id="r1" Target="mailto:{quote(link)}" TargetMode="External"/></Relationships>')
        return self.archive({
            '[Content_Types].xml': '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
            'word/document.xml': f'<?xml version="1.0"?><w:document {space}><w:body>{body}</w:body></w:document>',
            'word/_rels/document.xml.rels': links}), [*found, link]

    def odt(self):
        found = self.addresses()
        space = ('xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
                 'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"')
        body = ''.join(f'<text:p>{xml_escape(line[:5])}<text:span>{xml_escape(line[5:])}</text:span></text:p>' for line in self.lines(found))
        return self.archive({'mimetype': 'application/vnd.oasis.opendocument.text',
                             'content.xml': f'<?xml version="1.0"?><office:document-content {space}><office:body>{body}'
                                            '</office:body></office:document-content>'}), found

    def xlsx(self):
        found = self.addresses()
        half = len(found) // 2
        main = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main'
        office = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships'
        package = 'http://schemas.openxmlformats.org/package/2006/relationships'
        shared = ''.join(f'<si><t>{xml_escape(a)}</t></si>' for a in found[:half])
        first = ''.join(f'<row r="{i + 1}"><c r="B{i + 1}" t="s"><v>{i}</v></c></row>' for i in range(half))
        second = ''.join(f'<row r="{i + 1}"><c r="A{i + 1}" t="inlineStr"><is><t>{xml_escape(a)}</t></is></c></row>'
                         for i, a in enumerate(found[half:]))
        sheet = '<?xml version="1.0"?><worksheet xmlns="{}"><sheetData>{}</sheetData></worksheet>'
        return self.archive({
            '[Content_Types].xml': '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
            '_rels/.rels': f'<?xml version="1.0"?><Relationships xmlns="{package}"><Relationship Id="r1" Type="{office}/officeDocument" '
                           'Target="xl/workbook.xml"/></Relationships>',
            'xl/workbook.xml': f'<?xml version="1.0"?><workbook xmlns="{main}" xmlns:r="{office}"><sheets>'
                               '<sheet name="People" sheetId="1" r:id="r1"/><sheet name="More" sheetId="2" r:id="r2"/></sheets></workbook>',
            'xl/_rels/workbook.xml.rels': f'<?xml version="1.0"?><Relationships xmlns="{package}">'
                                          f'<Relationship Id="r1" Type="{office}/worksheet" Target="worksheets/sheet1.xml"/>'
                                          f'<Relationship Id="r2" Type="{office}/worksheet" Target="worksheets/sheet2.xml"/>'
                                          f'<Relationship Id="r3" Type="{office}/sharedStrings" Target="sharedStrings.xml"/></Relationships>',
            'xl/sharedStrings.xml': f'<?xml version="1.0"?><sst xmlns="{main}">{shared}</sst>',
            'xl/worksheets/sheet1.xml': sheet.format(main, first),
            'xl/worksheets/sheet2.xml': sheet.format(main, second)}), found

    def csv(self, charset):
        found = self.addresses()
        rows = [f'{i};"{a}";"says ""hello"" to {self.random.choice(NEGATIVES)}"' for i, a in enumerate(found)]
        return ('id;email;note\r\n' + '\r\n'.join(rows)).encode(charset), found

    def gzip(self):
        data, found = self.text()
        return gzip.compress(data, mtime=0), found

    def zip(self):
        (one, found), (two, more), (three, last) = self.text(), self.gzip(), self.html()
        return self.archive({'a.txt': one, 'd/b': two, 'c.png': three}), found + more + last

    def tar(self):
        data = io.BytesIO()
        found = []
        with tarfile.open(fileobj=data, mode='w:gz') as archive:
            for name, (content, inside) in {'m.eml': self.message(), 'v.vcf': self.vcard('4.0'), 'b.docx': self.docx()}.items():
                about = tarfile.TarInfo(name)
                about.size = len(content)
                archive.addfile(about, io.BytesIO(content))
                found += inside
        return data.getvalue(), found

    def files(self):
        """(kind, bytes, addresses) of each."""
        makers = {'text': self.text, 'log': self.log, 'text in UTF-16': lambda: self.text('utf-16'), 'text in UTF-32': lambda: self.text('utf-32'),
                  'HTML': self.html, 'HTML in Latin-1': lambda: self.html('iso-8859-1'), 'XML': self.xml, 'mail': self.message,
                  'mbox': self.mbox, 'vCard 2.1': lambda: self.vcard('2.1'), 'vCard 3.0': lambda: self.vcard('3.0'),
                  'vCard 4.0': lambda: self.vcard('4.0'), 'LDIF': self.ldif, 'PDF': self.pdf, 'DOCX': self.docx, 'ODT': self.odt,
                  'XLSX': self.xlsx, 'CSV': lambda: self.csv('utf-8-sig'), 'CSV in UTF-16': lambda: self.csv('utf-16'),
                  'gzip': self.gzip, 'ZIP': self.zip, 'tar': self.tar}
        for kind, make in makers.items():
            yield kind, *make()
