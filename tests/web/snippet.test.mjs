// Requests to copy: of every example and every operation of the OpenAPI document, in each language.
// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { LANGUAGES, requestOf, snippet } from '../../web/app/snippet.js';

const ORIGIN = 'http://127.0.0.1:8025';
const document = JSON.parse(readFileSync(new URL('../../data/api/openapi.json', import.meta.url), 'utf8'));

function of(path, method) {
  return requestOf(document, ORIGIN, path, method, document.paths[path][method]);
}

test('what a request needs is in it', () => {
  assert.deepEqual(of('/v1/verify', 'post'), { method: 'POST', url: `${ORIGIN}/v1/verify`, json: { email: 'jane@example.com' } });
  assert.deepEqual(of('/v1/verify/stream', 'get').url, `${ORIGIN}/v1/verify/stream?email=jane@example.com`);
  assert.deepEqual(of('/v1/batches/{id}', 'delete'), { method: 'DELETE', url: `${ORIGIN}/v1/batches/ID` });
  assert.deepEqual(of('/v1/outcomes', 'post'), { method: 'POST', url: `${ORIGIN}/v1/outcomes`, file: 'list.csv', type: 'text/csv' });
  assert.deepEqual(of('/v1/watches', 'post').json, { batch: 'ID', every: '7d' });
});

test('curl', () => {
  assert.equal(snippet('curl', of('/v1/batches/{id}', 'delete'), false), `curl -X DELETE "${ORIGIN}/v1/batches/ID"`);
  assert.equal(snippet('curl', of('/v1/outcomes', 'post'), true), [`curl "${ORIGIN}/v1/outcomes"`,
    '-H "Authorization: Bearer $HELOISE_KEY"', '-H "Content-Type: text/csv"', '--data-binary @list.csv'].join(' \\\n  '));
  assert.match(snippet('curl', { method: 'POST', url: ORIGIN, json: { email: "o'neil@example.com" } }, false), /'\{"email":"o'\\''neil@example.com"\}'/);
});

test('each is a program', () => {
  for (const [path, item] of Object.entries(document.paths)) {
    for (const method of Object.keys(item).filter((name) => name !== 'parameters')) {
      for (const [language] of LANGUAGES) {
        for (const key of [false, true]) {
          const text = snippet(language, of(path, method), key);
          assert.doesNotMatch(text, /undefined|\[object|\/[{]\w+[}]/, text);
          if (language === 'javascript') assert.ok(new Function('fetch', 'key', 'file', `return (async () => { ${text} });`), text);
        }
      }
    }
  }
});

test('Python reads what is for Python', (context) => {
  const texts = Object.entries(document.paths).flatMap(([path, item]) => Object.keys(item).filter((name) => name !== 'parameters')
    .map((method) => snippet('python', of(path, method), true)));
  texts.push(snippet('python', { method: 'POST', url: ORIGIN, json: { a: true, b: [null, false, 'it is true, null'], c: {} } }, true));
  assert.match(texts.at(-1), /json=\{"a": True, "b": \[None, False, "it is true, null"\], "c": \{\}\}/);
  try {
    execFileSync('python3', ['-c', 'import ast, json, sys\nfor text in json.load(sys.stdin): ast.parse(text)'], { input: JSON.stringify(texts) });
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
    context.skip('there is no Python');
  }
});
