// web/app/format: numbers and times as people read them.
// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as format from '../../web/app/format.js';

const CASES = [
  ['count', [0], '0'], ['count', [1234567], '1,234,567'], ['count', [null], '–'], ['count', [NaN], '–'],
  ['brief', [950], '950'], ['brief', [12345], '12.3K'],
  ['plural', [1, 'line'], '1 line'], ['plural', [2, 'line'], '2 lines'], ['plural', [1000, 'address', 'addresses'], '1,000 addresses'],
  ['percent', [0, 10], '0 %'], ['percent', [1, 1000], '< 1 %'], ['percent', [999, 1000], '99 %'], ['percent', [10, 10], '100 %'],
  ['percent', [1, 3], '33 %'], ['percent', [1, 0], '–'], ['percent', [undefined, 5], '–'],
  ['duration', [0], '0 s'], ['duration', [0.4], '< 1 s'], ['duration', [59], '59 s'], ['duration', [60], '1 min'],
  ['duration', [138], '2 min 18 s'], ['duration', [7205], '2 h'], ['duration', [90061], '1 d 1 h'], ['duration', [-1], '–'],
  ['duration', [null], '–'],
  ['millis', [7.6], '8 ms'], ['millis', [1250], '1.25 s'], ['millis', [12500], '12.5 s'], ['millis', [123000], '2 min 3 s'],
  ['clock', [12], '0.012'], ['clock', [61500], '61.500'], ['clock', [undefined], ''],
  ['rate', [41.5], '42 / s'], ['rate', [4.25], '4.3 / s'], ['rate', [0.5], '30 / min'], ['rate', [0], '–'], ['rate', [null], '–'],
  ['size', [0], '0 bytes'], ['size', [999], '999 bytes'], ['size', [1500], '1.5 KB'], ['size', [2.5e8], '250 MB'], ['size', [1e9], '1.0 GB'],
  ['ago', ['2026-01-01T00:00:00Z', Date.parse('2026-01-01T00:00:02Z')], 'just now'],
  ['ago', ['2026-01-01T00:00:00Z', Date.parse('2026-01-01T00:03:10Z')], '3 min ago'],
  ['ago', ['2026-01-01T02:00:00Z', Date.parse('2026-01-01T00:00:00Z')], 'in 2 h'], ['ago', [null], '–'],
  ['spoken', ['rcpt_no_user'], 'Rcpt no user'], ['spoken', [''], '–'], ['spoken', [null], '–'],
  ['cellName', [3, 1], 'A3'], ['cellName', [1, 26], 'Z1'], ['cellName', [1, 27], 'AA1'], ['cellName', [9, 702], 'ZZ9'], ['cellName', [1, 703], 'AAA1'],
  ['csv', [[['a', 'b'], ['x,y', '"z"']]], 'a,b\r\n"x,y","\"\"z\"\""\r\n'], ['csv', [[['=1+1', '@x', 'a\nb']]], '\'=1+1,\'@x,"a\nb"\r\n'], ['csv', [[]], ''],
  ['sparkline', [[1], 10, 10], ''], ['sparkline', [[0, 10], 10, 10], '0.0,10.0 10.0,0.0'], ['sparkline', [[0, 0, 0], 10, 4], '0.0,4.0 5.0,4.0 10.0,4.0'],
];

for (const [name, given, wanted] of CASES) {
  test(`${name}(${given.map((v) => JSON.stringify(v)).join(', ')})`, () => assert.equal(format[name](...given), wanted));
}
