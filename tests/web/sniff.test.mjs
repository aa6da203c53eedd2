// web/app/sniff: what a list looks like from its first bytes.
// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decode, findDelimiter, jsonValues, looksLikeAddress, sniff, splitRows } from '../../web/app/sniff.js';

const bytes = (text) => new TextEncoder().encode(text);

const LISTS = [
  { name: 'commas with a heading', file: 'a.csv', text: 'id,name,email\n1,Jane,jane@a.example\n2,Bob,bob@b.example\n',
    wanted: { format: 'csv', delimiter: ',', has_header: true, email: 3, first: ['1', 'Jane', 'jane@a.example'] } },
  { name: 'semicolons, quotes, CRLF', file: 'a.csv', text: 'Name;E-Mail\r\n"Miller; Jane";jane@a.example\r\n"say ""hi""";b@b.example\r\n',
    wanted: { format: 'csv', delimiter: ';', has_header: true, email: 2, first: ['Miller; Jane', 'jane@a.example'] } },
  { name: 'tabs without a heading', file: 'a.txt', text: 'jane@a.example\tJane\nbob@b.example\tBob\n',
    wanted: { format: 'csv', delimiter: '\t', has_header: false, email: 1, first: ['jane@a.example', 'Jane'] } },
  { name: 'an address a line', file: 'a.txt', text: 'jane@a.example\nbob@b.example\n',
    wanted: { format: 'txt', delimiter: null, has_header: false, email: 1, first: ['jane@a.example'] } },
  { name: 'one column with a heading', file: 'a.csv', text: 'email\njane@a.example\n',
    wanted: { format: 'csv', delimiter: null, has_header: true, email: 1, first: ['jane@a.example'] } },
  { name: 'a byte order mark', file: 'a.csv', text: '\ufeffemail,x\njane@a.example,1\n',
    wanted: { format: 'csv', delimiter: ',', has_header: true, email: 1, first: ['jane@a.example', '1'] } },
  { name: 'two columns of addresses, one of them named', file: 'a.csv', text: 'referrer,email\nx@a.example,jane@a.example\ny@a.example,bob@a.example\n',
    wanted: { format: 'csv', delimiter: ',', has_header: true, email: 2, first: ['x@a.example', 'jane@a.example'] } },
  { name: 'NDJSON objects', file: 'a.ndjson', text: '{"n":1,"mail":"jane@a.example"}\n{"n":2,"mail":"bob@a.example","more":{"a":1}}\n',
    wanted: { format: 'ndjson', delimiter: null, has_header: true, email: 2, first: ['1', 'jane@a.example', ''] } },
  { name: 'a JSON array of texts', file: 'a.json', text: '["jane@a.example", "bob@a.example"]',
    wanted: { format: 'json', delimiter: null, has_header: false, email: 1, first: ['jane@a.example'] } },
  { name: 'no addresses at all', file: 'a.csv', text: 'a,b\n1,2\n3,4\n', wanted: { format: 'csv', delimiter: ',', has_header: false, email: null, first: ['a', 'b'] } },
  { name: 'nothing', file: 'a.csv', text: '', wanted: { format: 'csv', delimiter: null, has_header: false, email: null, first: undefined } },
];

for (const { name, file, text, wanted } of LISTS) {
  test(`sniff: ${name}`, () => {
    const seen = sniff(bytes(text), file, false);
    assert.deepEqual({ format: seen.format, delimiter: seen.delimiter, has_header: seen.has_header, email: seen.email, first: seen.rows[0] }, wanted);
  });
}

test('sniff: a workbook is known by its first bytes', () => {
  assert.equal(sniff(new Uint8Array([0x50, 0x4b, 3, 4, 0]), 'list.csv', true).format, 'xlsx');
});

test('sniff: any cut of a list gives some answer', () => {
  for (const { file, text } of LISTS) {
    const whole = bytes(text);
    for (let i = 0; i <= whole.length; i++) assert.ok(Array.isArray(sniff(whole.slice(0, i), file, i < whole.length).rows));
  }
});

test('sniff: long cells and many columns are clipped', () => {
  const seen = sniff(bytes(`${'a,'.repeat(500)}b\n${'x'.repeat(5000)},jane@a.example\n`), 'a.csv', false);
  assert.ok(seen.columns.length <= 100);
  assert.ok(seen.rows.flat().every((cell) => cell.length <= 301));
});

test('splitRows leaves out a row that was cut', () => {
  assert.deepEqual(splitRows('a,b\nc,d', ',', true), [['a', 'b']]);
  assert.deepEqual(splitRows('a,b\nc,d', ',', false), [['a', 'b'], ['c', 'd']]);
  assert.deepEqual(splitRows('a,"b\nc",d\n', ','), [['a', 'b\nc', 'd']]);
});

test('findDelimiter wants rows of the same width', () => {
  assert.equal(findDelimiter('a;b;c\n1;2,5;3\n', false), ';');
  assert.equal(findDelimiter('jane@a.example\nbob@b.example\n', false), null);
});

test('decode knows marks, UTF-8 and Windows-1252', () => {
  assert.equal(decode(new Uint8Array([0xff, 0xfe, 0x61, 0])), 'a');
  assert.equal(decode(new Uint8Array([0xfe, 0xff, 0, 0x61])), 'a');
  assert.equal(decode(new Uint8Array([0x4d, 0xc3, 0xbc])), 'Mü');
  assert.equal(decode(new Uint8Array([0x4d, 0xfc, 0x6c])), 'Mül');
  assert.equal(decode(new Uint8Array([0x4d, 0xc3])), 'M');
});

test('jsonValues takes the complete values of a cut array', () => {
  assert.deepEqual(jsonValues('[{"a":"x,]"},{"a":'), [{ a: 'x,]' }]);
  assert.deepEqual(jsonValues('["a\\"b", "c", "d'), ['a"b', 'c']);
});

test('looksLikeAddress', () => {
  for (const good of ['jane@a.example', ' jane@a.example ', '<jane@a.example>', 'Jane <jane@a.example>', 'jürgen@müller.example']) assert.ok(looksLikeAddress(good), good);
  for (const bad of ['', 'jane', 'jane@', '@a.example', 'jane@localhost', 'a b@c.example d']) assert.ok(!looksLikeAddress(bad), bad);
});
