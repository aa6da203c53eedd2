// web/app/sse: events out of pieces of text.
// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sseParser } from '../../web/app/sse.js';

const TEXT = ': hello\n\nevent: line\ndata: {"a":1}\n\ndata: one\r\ndata:two\r\n\r\nevent: verdict\rdata: {}\r\r\nid: 7\nretry: 5\nevent: empty\n\n';
const WANTED = [{ type: 'line', data: '{"a":1}' }, { type: 'message', data: 'one\ntwo' }, { type: 'verdict', data: '{}' }];

function fed(pieces) {
  const parser = sseParser();
  return pieces.flatMap((piece) => parser.feed(piece));
}

test('whole', () => assert.deepEqual(fed([TEXT]), WANTED));
test('character by character', () => assert.deepEqual(fed([...TEXT]), WANTED));
test('at every split', () => {
  for (let i = 0; i <= TEXT.length; i++) assert.deepEqual(fed([TEXT.slice(0, i), TEXT.slice(i)]), WANTED, `at ${i}`);
});
test('an event without end is not kept for ever', () => {
  const parser = sseParser();
  assert.throws(() => {
    for (let i = 0; i < 6; i++) parser.feed(`data: ${'x'.repeat(1024 * 1024)}\n`);
  }, /too large/);
});
