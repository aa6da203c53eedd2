#!/usr/bin/env node
// Tests of the page in a browser: Debian's Chromium, the real program, and the demo village on loopback.
//     tests/web/run.mjs --heloise build/src/cli/heloise [--work FOLDER] [WORD...]
// With words only the cases whose names have one of them run; --url ORIGIN takes a server that already runs.
// SPDX-License-Identifier: Apache-2.0
import { execFile, spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { cases } from './cases.mjs';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const ROOT = resolve(HERE, '../..');
const NPM_DAY = '2025-12-31';
const CASE_SECONDS = 180;
const START_SECONDS = 60;
const ROWS = 10000;
const ADVICE = ['color-contrast', 'serious', 'critical'];
const run = promisify(execFile);

const { values: options, positionals: words } = parseArgs({ allowPositionals: true, options: {
  heloise: { type: 'string' }, work: { type: 'string', default: join(tmpdir(), 'heloise-web') }, url: { type: 'string' } } });

/** The folder whose node_modules hold what drives the browser; filled once. */
async function modules(work) {
  const folder = join(work, 'node');
  const wanted = NPM_DAY + await readFile(join(HERE, 'package.json'), 'utf8');
  if (await readFile(join(folder, 'complete'), 'utf8').catch(() => '') !== wanted) {
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    await cp(join(HERE, 'package.json'), join(folder, 'package.json'));
    await run('npm', ['install', '--before', NPM_DAY, '--no-package-lock', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: folder });
    await writeFile(join(folder, 'complete'), wanted);
  }
  const require = createRequire(pathToFileURL(join(folder, 'package.json')));
  const { default: puppeteer } = await import(pathToFileURL(require.resolve('puppeteer-core')));
  return { puppeteer, axe: await readFile(require.resolve('axe-core/axe.min.js'), 'utf8') };
}

function freePort() {
  return new Promise((done, fail) => {
    const server = createServer();
    server.once('error', fail);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });
}

const children = [];

function start(program, argv, log) {
  const child = spawn(program, argv, { stdio: ['ignore', 'pipe', 'pipe'], env: { HELOISE_DATA: join(ROOT, 'data'), ...process.env } });
  children.push(child);
  child.lines = [];
  for (const pipe of [child.stdout, child.stderr]) pipe.on('data', (data) => child.lines.push(data.toString()));
  child.on('exit', (code) => { child.ended = `${log} ended with ${code}: ${child.lines.join('').slice(-2000)}`; });
  return child;
}

async function settled(child, is_up) {
  for (let i = 0; i < START_SECONDS * 10; i++) {
    if (child.ended) throw new Error(child.ended);
    if (await is_up().catch(() => false)) return;
    await new Promise((done) => { setTimeout(done, 100); });
  }
  throw new Error('it did not come up');
}

/** The demo village: what a program that is to ask it is told. */
async function village(program) {
  const [smtp, dns] = [await freePort(), await freePort()];
  const child = start(program, ['village', `--port=${smtp}`, `--dns-port=${dns}`], 'village');
  await settled(child, async () => child.lines.join('').includes('Ctrl-C'));
  return [`--resolver=127.0.83.53:${dns}`, `--port=${smtp}`, '--allow-net=127.0.0.0/8', '--helo=tests.example'];
}

/** A program that asks the village; the origin of its page. */
async function serve(program, store, asks_village) {
  const http = await freePort();
  const server = start(program, ['serve', `--listen=127.0.0.1:${http}`, `--store=${store}`, `--lists=${store}.lists`, ...asks_village], 'serve');
  const origin = `http://127.0.0.1:${http}`;
  await settled(server, async () => (await fetch(`${origin}/readyz`)).ok);
  return origin;
}

/** What must not be there from an earlier run. */
async function emptyStore(path) {
  await Promise.all([path, `${path}-wal`, `${path}-shm`].map((file) => rm(file, { force: true })));
  await Promise.all([`${path}.batches`, `${path}.lists`].map((folder) => rm(folder, { recursive: true, force: true })));
  return path;
}

/** A list of many people of the village's honest house and of its catch-all, some of whom exist. */
function people(count, domains) {
  const known = ['jane', 'paul.smith', "o'neil", 'info'];
  const rows = Array.from({ length: count }, (_, i) => `${i + 1},Person ${i + 1},${i < known.length ? known[i] : `person${i}`}@${domains[i % domains.length]}`);
  return `id,name,email\n${rows.join('\n')}\n`;
}

class World {
  constructor(parts) {
    Object.assign(this, parts, { pages: [], troubles: [] }); // browser, axe_text, origin, work; program, asks_village, store unless --url
    this.contacts = join(ROOT, 'examples/contacts.csv');
    this.tenThousand = join(this.work, 'ten-thousand.csv');
    this.slowList = join(this.work, 'slow.csv');
    this.fewPeople = join(this.work, 'few.csv');
  }

  /** Another program with a store of its own, which has an API key: {origin, key}. */
  async keyedServer() {
    const store = await emptyStore(join(this.work, 'keyed.db'));
    const { stdout } = await run(this.program, ['key', 'add', `--store=${store}`, '--label=tests']);
    const [key] = stdout.match(/hel_\S+/);
    return { key, origin: await serve(this.program, store, this.asks_village) };
  }

  /** A workbook's first sheet as another reader sees it: rows of texts. */
  async workbook(path) {
    const reads = `import json, sys; sys.path.insert(0, ${JSON.stringify(join(ROOT, 'tests/engine'))}); import xlsx_file
print(json.dumps([[cell[2] for cell in row] for row in xlsx_file.read(sys.argv[1])[0][1]]))`;
    return JSON.parse((await run('python3', ['-c', reads, path])).stdout);
  }

  async page({ viewport = { width: 1320, height: 900 }, dark = false, origin = this.origin } = {}) {
    const context = await this.browser.createBrowserContext();
    const page = await context.newPage();
    this.pages.push(context);
    await page.setViewport(viewport);
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: dark ? 'dark' : 'light' }]);
    page.on('pageerror', (error) => this.troubles.push(`error on the page: ${error.message}`));
    page.on('console', (message) => {
      if (/Content Security Policy|Refused to/.test(message.text())) this.troubles.push(message.text());
    });
    page.on('request', (request) => {
      if (!/^(blob|data):/.test(request.url()) && !request.url().startsWith(`${origin}/`)) this.troubles.push(`a request to ${request.url()}`);
    });
    return page;
  }

  async shot(page, name) {
    const folder = join(this.work, 'screenshots');
    await mkdir(folder, { recursive: true });
    await page.screenshot({ path: join(folder, `${name}.png`), fullPage: page.viewport().width > 500 });
  }

  /** Nothing serious is found by axe. */
  async axe(page, name) {
    await page.evaluate(this.axe_text);
    const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
    const bad = violations.filter((v) => ADVICE.includes(v.impact) || ADVICE.includes(v.id));
    if (bad.length > 0) throw new Error(`${name}: ${bad.map((v) => `${v.id}: ${v.nodes.map((n) => n.html.slice(0, 160)).join(' | ')}`).join('\n')}`);
  }

  /** The folder that a page's downloads go to. */
  async downloads(page) {
    const folder = await mkdtemp(join(this.work, 'downloads-'));
    const session = await page.createCDPSession();
    await session.send('Browser.setDownloadBehavior', { behavior: 'allow', downloadPath: folder, browserContextId: page.browserContext().id });
    return folder;
  }

  async shell(text) {
    return (await run('bash', ['-c', text])).stdout;
  }

  async close() {
    await Promise.all(this.pages.splice(0).map((context) => context.close()));
  }
}

function within(promise, seconds) {
  let timer;
  const late = new Promise((_, fail) => { timer = setTimeout(() => fail(new Error(`not done after ${seconds} s`)), seconds * 1000); });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

async function runCases(world) {
  const has_batches = (await fetch(`${world.origin}/v1/batches`)).ok;
  let failed = 0;
  for (const one of cases) {
    if (words.length > 0 && !words.some((word) => one.name.includes(word))) continue;
    if (one.needs === 'batches' && !has_batches) {
      console.log(`skip ${one.name}: this program has no batches`);
      continue;
    }
    if (one.needs === 'program' && !world.program) {
      console.log(`skip ${one.name}: it wants --heloise`);
      continue;
    }
    try {
      await within(one.run(world), CASE_SECONDS);
      if (world.troubles.length > 0) throw new Error(world.troubles.join('\n'));
      console.log(`ok ${one.name}`);
    } catch (trouble) {
      failed += 1;
      console.log(`not ok ${one.name}\n    ${String(trouble.stack ?? trouble).replaceAll('\n', '\n    ')}`);
    }
    world.troubles.length = 0;
    await world.close();
  }
  return failed;
}

async function main() {
  if (!options.heloise && !options.url) throw new Error('--heloise PROGRAM or --url ORIGIN is wanted');
  const work = resolve(options.work);
  await mkdir(work, { recursive: true });
  const { puppeteer, axe } = await modules(work);
  const parts = { axe_text: axe, work, origin: options.url?.replace(/\/$/, '') };
  if (!options.url) {
    parts.program = resolve(options.heloise);
    parts.asks_village = await village(parts.program);
    parts.store = await emptyStore(join(work, 'store.db'));
    parts.origin = await serve(parts.program, parts.store, parts.asks_village);
  }
  const browser = await puppeteer.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', headless: true,
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-background-networking'] });
  try {
    const world = new World({ browser, ...parts });
    await writeFile(world.tenThousand, people(ROWS, ['catchall.example', 'plain.example', 'nowhere.example', 'nomail.example']));
    await writeFile(world.slowList, people(400, ['slow.example']));
    await writeFile(world.fewPeople, people(6, ['catchall.example', 'nowhere.example']));
    return await runCases(world);
  } finally {
    await browser.close();
  }
}

main().then((failed) => { process.exitCode = failed > 0 ? 1 : 0; }, (trouble) => {
  console.error(trouble.message);
  process.exitCode = 2;
}).finally(() => children.forEach((child) => child.kill('SIGTERM')));
