// What can be seen of the page without a browser: sizes, no foreign hosts, nothing inline, libraries as they were noted.
// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const WEB = fileURLToPath(new URL('../../web', import.meta.url));
const FIRST_LOAD_MAX = 150 * 1000; // bytes, compressed
const LINE_MAX = 180;

function filesUnder(folder) {
  return readdirSync(folder).sort().flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? filesUnder(path) : [path];
  });
}

const all = filesUnder(WEB).map((path) => ({ path: relative(WEB, path), bytes: readFileSync(path), text: readFileSync(path, 'utf8') }));
const ours = all.filter((file) => !file.path.startsWith('vendor/'));

/** What a browser fetches before it shows anything: index.html, what it names, and the modules that those import. */
function firstLoad() {
  const wanted = ['index.html', 'icons.svg'];
  const html = readFileSync(join(WEB, 'index.html'), 'utf8');
  for (const [, path] of html.matchAll(/(?:href|src)="([^"]+)"/g)) wanted.push(path);
  const seen = new Set();
  while (wanted.length > 0) {
    const path = wanted.pop();
    if (seen.has(path)) continue;
    seen.add(path);
    if (!path.endsWith('.js')) continue;
    const text = readFileSync(join(WEB, path), 'utf8');
    for (const [, from] of text.matchAll(/\bfrom\s*["'](\.[^"']+)["']/g)) wanted.push(join(dirname(path), from));
  }
  return [...seen].sort();
}

test('the first load is small', () => {
  const sizes = firstLoad().map((path) => [path, gzipSync(readFileSync(join(WEB, path))).length]);
  const sum = sizes.reduce((total, [, size]) => total + size, 0);
  console.log(`first load: ${sizes.length} files, ${sum} bytes compressed`);
  assert.ok(sum < FIRST_LOAD_MAX, `${sum} bytes: ${sizes.map((s) => s.join(' ')).join(', ')}`);
  assert.ok(!sizes.some(([path]) => path === 'vendor/uplot.js'), 'charts are fetched when the first one is shown');
});

test('all of the page is small', () => {
  const sum = all.filter((file) => /\.(html|js|css|svg)$/.test(file.path)).reduce((total, file) => total + gzipSync(file.bytes).length, 0);
  console.log(`with charts: ${sum} bytes compressed`);
  assert.ok(sum < FIRST_LOAD_MAX);
});

test('no file names another host', () => {
  for (const { path, text } of ours.filter((file) => /\.(html|js|css|svg)$/.test(file.path))) {
    const hosts = [...text.matchAll(/\b(?:https?:)?\/\/[a-z0-9]/gi)].map((m) => text.slice(m.index, m.index + 40).split(/[\s"'`]/)[0])
      .filter((url) => url !== 'http://www.w3.org/2000/svg' && !/^https:\/\/example\.com\//.test(url)); // RFC 2606
    assert.deepEqual(hosts.filter((url) => /^https?:/.test(url)), [], path);
    assert.doesNotMatch(text, /(?:src|href)=["']\/\//, path);
  }
});

test('nothing stands inline, nothing is evaluated, no text becomes markup', () => {
  for (const { path, text } of all.filter((file) => file.path.endsWith('.html'))) {
    assert.doesNotMatch(text, /\son[a-z]+\s*=/i, path);
    assert.doesNotMatch(text, /\sstyle\s*=/i, path);
    assert.doesNotMatch(text, /<style/i, path);
    for (const [, attributes, body] of text.matchAll(/<script([^>]*)>([^<]*)<\/script>/gi)) {
      assert.match(attributes, /src=/, path);
      assert.equal(body, '', path);
    }
  }
  for (const { path, text } of ours.filter((file) => file.path.endsWith('.js'))) {
    assert.doesNotMatch(text, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|dangerouslySet|\beval\(|new Function|createContextualFragment/, path);
    assert.doesNotMatch(text, /\sstyle="/, path);
  }
});

test('every module says what it is, and lines can be read', () => {
  for (const { path, text } of ours.filter((file) => file.path.endsWith('.js'))) {
    assert.match(text, /^\/\/ /, path);
    assert.match(text, /SPDX-License-Identifier: Apache-2\.0/, path);
    for (const line of text.split('\n')) assert.ok(line.length <= LINE_MAX, `${path}: ${line.length} characters: ${line.slice(0, 60)}`);
  }
});

test('every icon that is named exists', () => {
  const ids = new Set([...readFileSync(join(WEB, 'icons.svg'), 'utf8').matchAll(/<symbol id="([^"]+)"/g)].map((m) => m[1]));
  for (const { path, text } of ours.filter((file) => file.path.startsWith('app/'))) {
    for (const [, name] of text.matchAll(/\bicon(?:: |=)["']([a-z]+)["']/g)) assert.ok(ids.has(name), `${path}: ${name}`);
    for (const [, name] of text.matchAll(/<\$\{Icon\} name="([a-z]+)"/g)) assert.ok(ids.has(name), `${path}: ${name}`);
  }
});

test('libraries are those that vendor.json names, with their licences', () => {
  const { packages } = JSON.parse(readFileSync(join(WEB, 'vendor/vendor.json'), 'utf8'));
  const readme = readFileSync(join(WEB, 'vendor/README.md'), 'utf8');
  const known = new Set(['vendor.json', 'README.md']);
  for (const entry of packages) {
    assert.ok(entry.licence && existsSync(join(WEB, 'vendor', entry.licence_file)), entry.name);
    assert.ok(readme.includes(`| ${entry.name} | ${entry.version} |`), `${entry.name} ${entry.version} in README.md`);
    for (const { file, sha256 } of entry.files) {
      known.add(file);
      assert.equal(createHash('sha256').update(readFileSync(join(WEB, 'vendor', file))).digest('hex'), sha256, file);
    }
  }
  for (const name of readdirSync(join(WEB, 'vendor'))) assert.ok(known.has(name), `vendor/${name} is not in vendor.json`);
});
