// What a person does on the page, in a browser, against the real program and the demo village.
// A case is {name, run(world)}; world has page(options), origin, shot(page, name), axe(page, name), and the files to hand in.
// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createServer } from 'node:tls';

const PHONE = { width: 360, height: 740 };

const text = (page, selector) => page.$eval(selector, (e) => e.textContent.replace(/\s+/g, ' ').trim());
const clickText = (page, selector, words) => page.$$eval(selector, (all, wanted) => {
  const found = all.find((e) => e.textContent.includes(wanted));
  if (!found) throw new Error(`nothing says "${wanted}"`);
  found.click();
}, words);
const until = (page, what, ...values) => page.waitForFunction(what, { timeout: 60000, polling: 100 }, ...values);
const said = (page, selector, words) => until(page, (s, w) => document.querySelector(s)?.textContent.includes(w), selector, words);

async function check(page, address) {
  await page.waitForSelector('.ask input');
  await page.$eval('.ask input', (input) => { input.value = ''; });
  await page.type('.ask input', address);
  await page.keyboard.press('Enter');
  await page.waitForSelector('.verdict .badge.large');
}

async function noOverflow(page, what) {
  const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(over <= 0, `${what} is ${over} pixels too wide`);
}

/** Waits for a file to be whole in a folder of downloads: its path. */
async function downloaded(folder, ending) {
  for (let i = 0; i < 300; i++) {
    const name = (await readdir(folder)).find((n) => n.endsWith(ending));
    if (name) return join(folder, name);
    await new Promise((resolve) => { setTimeout(resolve, 100); });
  }
  throw new Error(`no ${ending} was downloaded`);
}

async function handIn(page, file) {
  const input = await page.waitForSelector('input[type=file]');
  await input.uploadFile(file);
  await page.waitForSelector('.chosen-file .preview');
}

/** A mail server on loopback that speaks TLS from the first byte, and says these words wherever it can. */
async function mailServer(world, words) {
  const [key, cert] = [join(world.work, 'mail.key'), join(world.work, 'mail.pem')];
  await world.shell(`openssl req -x509 -newkey rsa:2048 -nodes -keyout '${key}' -out '${cert}' -subj '/CN=<b>mx' -days 30 2>&1`);
  const server = createServer({ key: await readFile(key), cert: await readFile(cert) }, (line) => {
    line.on('error', () => {});
    line.write(`220 mx ${words}\r\n`);
    line.on('data', (data) => {
      const verb = data.toString().slice(0, 4).toUpperCase();
      if (verb === 'EHLO') line.write(`250-mx ${words}\r\n250 X${words}\r\n`);
      else if (verb === 'QUIT') line.end(`221 2.0.0 ${words}\r\n`);
      else line.write(`502 5.5.1 ${words}\r\n`);
    });
  });
  server.on('tlsClientError', () => {});
  const port = Number(world.asks_village.find((word) => word.startsWith('--port=')).slice(7));
  await new Promise((done, fail) => {
    server.once('error', fail);
    server.listen(port, '127.0.0.1', done);
  });
  return server;
}

/** Everything that outlives the tab, or that another page of this site could read. */
function kept(page) {
  return page.evaluate(() => JSON.stringify([{ ...localStorage }, document.cookie, location.href, document.documentElement.outerHTML]));
}

async function giveKey(page, key) {
  const input = await page.waitForSelector('.key-form input');
  await input.click({ count: 3 });
  await input.type(key);
  await clickText(page, '.key-form button', 'Use this key');
}

/** As if an address that is refused had been there when its list was asked first. */
function forge(world, address) {
  return world.shell(`python3 - <<'END'
import sqlite3
db = sqlite3.connect(${JSON.stringify(world.store)}, timeout=30)
db.execute("""UPDATE job_result SET status='deliverable', result=json_set(result, '$.status', 'deliverable', '$.sub_status', 'accepted')
              WHERE json_extract(result, '$.email')='${address}'""")
db.commit()
END`);
}

async function startBatch(page, world, file) {
  await page.goto(`${world.origin}/#/batches`);
  await handIn(page, file);
  await clickText(page, '.chosen-file button', 'Check this list');
  await page.waitForSelector('.progress-card');
}

const FIRST_LOAD_MAX = 150 * 1000; // bytes on the wire

export const cases = [
  { name: 'the first load: few bytes, and headers that let nothing else in', async run(world) {
    const page = await world.page();
    const session = await page.createCDPSession();
    let bytes = 0;
    session.on('Network.loadingFinished', (event) => { bytes += event.encodedDataLength; });
    await session.send('Network.enable');
    const answer = await page.goto(world.origin, { waitUntil: 'networkidle0' });
    const headers = answer.headers();
    assert.match(headers['content-security-policy'], /^default-src 'self';/);
    assert.doesNotMatch(headers['content-security-policy'], /unsafe|https?:|\*/);
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.ok(bytes > 10000 && bytes < FIRST_LOAD_MAX, `${bytes} bytes`);
    console.log(`    ${bytes} bytes with headers`);
  } },

  { name: 'one address: the conversation appears line by line, then the verdict', async run(world) {
    const page = await world.page();
    await page.goto(world.origin);
    await page.waitForSelector('.ask input');
    await page.evaluate(() => {
      window.seenCounts = new Set();
      new MutationObserver(() => window.seenCounts.add(document.querySelectorAll('.say.S, .say.C').length)).observe(document.body, { childList: true, subtree: true });
    });
    await check(page, 'nora@slow.example');
    assert.ok((await page.evaluate(() => window.seenCounts.size)) >= 3, 'lines came in more than one step');
    const lines = await page.$$eval('.say', (all) => all.map((e) => e.querySelector('code')?.textContent ?? ''));
    assert.ok(lines.some((l) => l.startsWith('RCPT TO:<nora@slow.example>')), lines.join('\n'));
    await page.waitForSelector('.reasons li');
    await world.axe(page, 'verdict');
    await world.shot(page, 'verdict-light');
  } },

  { name: 'one address: score, reasons and JSON agree with the API', async run(world) {
    const page = await world.page();
    await page.goto(`${world.origin}/#/check/anna.weber%40catchall.example`);
    await page.waitForSelector('.verdict .badge.large');
    assert.match(await text(page, '.verdict .badge.large'), /Risky/);
    const record = JSON.parse(await page.$eval('.json pre', (e) => e.textContent));
    assert.equal(record.sub_status, 'catch_all');
    assert.equal(await text(page, '.ring b'), String(record.score));
    assert.equal(await page.$$eval('.reasons li', (all) => all.length), record.reasons.length);
  } },

  { name: 'one address: did you mean is asked by a click', async run(world) {
    const page = await world.page();
    await page.goto(`${world.origin}/#/check/jane%40gmial.com`);
    await said(page, '.hint', 'jane@gmail.com');
    await clickText(page, '.hint button', 'Check it');
    await until(page, () => document.querySelector('.ask input').value === 'jane@gmail.com');
  } },

  { name: 'a domain: grade, findings and records to publish', async run(world) {
    const page = await world.page();
    await page.goto(`${world.origin}/#/dns`);
    await page.waitForSelector('.ask input');
    await page.type('.ask input', 'plain.example');
    await page.keyboard.press('Enter');
    await said(page, '.card-head', 'Grade');
    assert.match(await text(page, 'main'), /plain\.example has no DMARC policy/);
    await noOverflow(page, 'the view of a domain');
    await world.axe(page, 'domain');
  } },

  { name: 'lists: which entry decides, and own entries over ours', async run(world) {
    for (const dark of [false, true]) {
      const page = await world.page(dark ? { dark, viewport: PHONE } : {});
      await page.goto(`${world.origin}/#/entries`);
      await page.waitForSelector('.table tbody tr');
      assert.match(await text(page, '.table tbody tr'), /disposable.*throw-away/s);
      await page.type('.ask input', 'sub.throw.example');
      await page.keyboard.press('Enter');
      await said(page, '.card', 'not disposable');
      await page.type('form .field input', 'Throw.Example');
      await clickText(page, 'form button', 'Add');
      await said(page, '[role=status]', 'throw.example is on the list now');
      await said(page, '.card .badge', 'By a parent');
      assert.match(await text(page, '.card .table'), /disposable\.own, line 2 \(your own\)/);
      await noOverflow(page, 'the view of the lists');
      await world.axe(page, 'lists with an entry');
      await world.shot(page, `own-lists-${dark ? 'dark-phone' : 'light'}`);
      await page.click('[aria-label="Remove throw.example"]');
      await said(page, '[role=status]', 'throw.example is off the list');
      await page.type('form .field input', 'no domain');
      await clickText(page, 'form button', 'Add');
      await said(page, '.trouble', 'domain like example.com');
    }
  } },


  { name: 'a mail server: its conversation as it happens, then what was found', async run(world) {
    for (const [dark, viewport] of [[false, undefined], [true, PHONE]]) {
      const page = await world.page({ dark, viewport });
      await page.goto(`${world.origin}/#/probe`);
      await page.waitForSelector('.ask input');
      await page.click('details summary');
      await page.type('.options input[placeholder="jane@example.com"]', 'nobody@plain.example');
      await page.type('.ask input', 'plain.example');
      await page.keyboard.press('Enter');
      await page.waitForSelector('.say.S');
      await said(page, '.card-head', 'To mend');
      const talk = await page.$$eval('.say', (lines) => lines.map((line) => [line.querySelector('b').textContent, line.querySelector('code').textContent]));
      assert.ok(talk.some(([side, words]) => side === 'C' && words.startsWith('EHLO ')), JSON.stringify(talk));
      assert.ok(talk.some(([side, words]) => side === 'S*' && words.startsWith('550 5.1.1') && words.includes('there is no such mailbox')), JSON.stringify(talk));
      assert.match(await text(page, 'main'), /refused at rcpt/);
      assert.match(await text(page, 'main'), /TLS 1\.3\s*offered/);
      assert.match(await text(page, '[role=status]'), /The test is over: To mend/);
      await noOverflow(page, 'the view of a mail server');
      await world.axe(page, 'probe');
      await world.shot(page, `probe-result-${dark ? 'dark' : 'light'}`);
    }
  } },
  { name: 'a mail server: inside TLS, and what it says is never markup', needs: 'program', async run(world) {
    const server = await mailServer(world, '<img src=x onerror="document.title=\'owned\'">');
    try {
      const page = await world.page();
      await page.goto(`${world.origin}/#/probe`);
      await page.waitForSelector('.ask input');
      await page.click('details summary');
      await page.$$eval('.options select', (all) => {
        all[1].value = 'at_once';
        all[1].dispatchEvent(new Event('change', { bubbles: true }));
      });
      await page.type('.ask input', '127.0.0.1');
      await page.keyboard.press('Enter');
      await said(page, '.card-head', 'To mend');
      const all = await text(page, 'main');
      assert.match(all, /TLS 1\.3\s*offered/);
      assert.ok(all.includes('/CN=<b>mx'), all);
      assert.match(all, /the certificate is not trusted/);
      assert.ok(all.includes('<img src=x'), 'it is shown as it was said');
      assert.equal(await page.$('main img'), null);
      assert.equal(await page.$('main dd b, main li b'), null);
      assert.notEqual(await page.title(), 'owned');
      assert.ok((await page.$$eval('.say b', (sides) => sides.map((side) => side.textContent))).includes('S*'));
      await noOverflow(page, 'the view of a mail server with TLS');
      await world.axe(page, 'probe with TLS');
      await world.shot(page, 'probe-tls');
    } finally {
      server.close();
    }
  } },
  { name: 'a mail server: a wrong target is told so, and a test can be stopped', async run(world) {
    const page = await world.page();
    await page.goto(`${world.origin}/#/probe/mx..example`);
    await page.waitForSelector('.trouble');
    assert.match(await text(page, '.trouble'), /is no host name/);
    await page.goto(`${world.origin}/#/probe/slow.example`);
    await page.waitForSelector('.ask button:not([type=submit])');
    await clickText(page, '.ask button', 'Stop');
    await said(page, '.trouble', 'Stopped');
    await page.waitForSelector('.ask button[type=submit]');
  } },

  { name: 'addresses in a file: found, saved, verified', needs: 'batches', async run(world) {
    const page = await world.page();
    const file = join(world.work, '=letter.zip');
    await world.shell(`cd '${world.work}' && rm -f '=letter.zip' && python3 - <<'END'
import gzip, zipfile
with zipfile.ZipFile('=letter.zip', 'w') as archive:
    archive.writestr('a.html', '<p>jane&#64;plain.example and jane [at] catchall [dot] example<script>x@plain.example</script>')
    archive.writestr('<img src=x>.txt', '\\n'.join(f'person{i}@nowhere.example' for i in range(150)))
    archive.writestr('cut.gz', gzip.compress(b'info@plain.example')[:-2])
END`);
    await page.goto(`${world.origin}/#/extract`);
    const input = await page.waitForSelector('input[type=file]');
    await world.axe(page, 'extract, before a file');
    await input.uploadFile(file);
    await said(page, 'main', '152 addresses');
    const rows = () => page.$$eval('tbody tr', (all) => all.map((row) => [...row.cells].map((cell) => cell.textContent.trim())));
    assert.deepEqual((await rows()).slice(0, 2), [['jane@plain.example', 'a.html, line 1'], ['person0@nowhere.example', '<img src=x>.txt, line 1']]);
    assert.equal((await rows()).length, 100);
    await clickText(page, 'main button', 'Show more');
    await until(page, () => document.querySelectorAll('tbody tr').length === 152);
    assert.match(await text(page, '.trouble'), /cut\.gz: the gzip data ends too early/);
    assert.equal(await page.$$eval('main img', (all) => all.length), 0);
    await noOverflow(page, 'addresses that were found');
    await world.axe(page, 'extract');
    await world.shot(page, 'extract');
    await page.click('.tick input');
    await said(page, 'main', '153 addresses');
    const folder = await world.downloads(page);
    await clickText(page, 'main button', 'Download as CSV');
    const saved = await readFile(await downloaded(folder, 'addresses.csv'), 'utf8');
    assert.equal(saved.split('\r\n')[1], 'jane@plain.example,"a.html, line 1"');
    await clickText(page, 'main button', 'Verify these');
    await said(page, 'h1', 'Addresses in =letter.zip');
    await said(page, 'main', 'jane@plain.example');
  } },

  { name: 'one address: a wrong one is told so', async run(world) {
    const page = await world.page();
    await page.goto(world.origin);
    await check(page, 'not an address');
    assert.match(await text(page, '.verdict .badge.large'), /Undeliverable/);
    assert.match(await text(page, '.reasons'), /column 4/);
  } },

  { name: 'texts of others are never markup', async run(world) {
    const page = await world.page();
    await page.goto(world.origin);
    await check(page, '<img src=x onerror=alert(1)>@plain.example');
    assert.equal(await page.$$eval('main img', (all) => all.length), 0);
    assert.match(await text(page, '.verdict h2'), /<img/);
  } },

  { name: 'dark: by the system, and by the switch, which is kept', async run(world) {
    const page = await world.page({ dark: true });
    await page.goto(`${world.origin}/#/check/jane%40plain.example`);
    await page.waitForSelector('.verdict .badge.large');
    const ground = () => page.evaluate(() => getComputedStyle(document.body.parentElement).backgroundColor);
    const dark = await ground();
    await world.axe(page, 'verdict, dark');
    await world.shot(page, 'verdict-dark');
    await page.click('.side-foot button');
    await until(page, (old) => getComputedStyle(document.documentElement).backgroundColor !== old, dark);
    const light = await ground();
    await page.reload();
    await page.waitForSelector('.ask input');
    assert.equal(await ground(), light);
  } },

  { name: 'phone: every view fits 360 pixels', async run(world) {
    const page = await world.page({ viewport: PHONE });
    for (const view of ['check', 'check/jane%40plain.example', 'batches', 'extract', 'lists', 'dns', 'entries', 'probe', 'ways', 'api', 'settings']) {
      await page.goto(`${world.origin}/#/${view}`);
      await page.waitForSelector('main h1');
      if (view.startsWith('check/')) await page.waitForSelector('.verdict .badge.large');
      await noOverflow(page, view);
    }
    await page.goto(`${world.origin}/#/check/jane%40plain.example`);
    await page.waitForSelector('.verdict .badge.large');
    await world.shot(page, 'verdict-phone');
  } },

  { name: 'keyboard: the page is walked and used without a mouse', async run(world) {
    const page = await world.page();
    await page.goto(`${world.origin}/#/settings`);
    await page.waitForSelector('main h1');
    const stops = [];
    for (let i = 0; i < 12; i++) {
      await page.keyboard.press('Tab');
      stops.push(await page.evaluate(() => {
        const e = document.activeElement;
        return { what: e.textContent.trim() || e.getAttribute('aria-label') || e.tagName, outline: getComputedStyle(e).outlineStyle };
      }));
    }
    assert.equal(stops[0].what, 'Skip to the content');
    assert.ok(stops.every((stop) => stop.outline !== 'none'), `focus can be seen: ${JSON.stringify(stops)}`);
    assert.ok(stops.some((stop) => stop.what === 'Batches'));
    await page.$eval('nav a[href="#/batches"]', (e) => e.focus());
    await page.keyboard.press('Enter');
    await said(page, 'h1', 'Batches');
    assert.equal(await page.evaluate(() => document.activeElement.tagName), 'H1');
  } },

  { name: 'the other views: no barriers', async run(world) {
    for (const dark of [false, true]) {
      const page = await world.page({ dark });
      for (const view of ['check', 'batches', 'extract', 'lists', 'dns', 'entries', 'probe', 'ways', 'api', 'settings']) {
        await page.goto(`${world.origin}/#/${view}`);
        await page.waitForSelector('main h1');
        await until(page, () => document.querySelector('.loading') === null);
        await world.axe(page, view);
        await world.shot(page, `${view}-${dark ? 'dark' : 'light'}`);
      }
    }
  } },

  { name: 'API examples carry the address of this server, and run', async run(world) {
    const page = await world.page();
    await page.goto(`${world.origin}/#/api`);
    await page.waitForSelector('pre.code');
    const first = await page.$eval('pre.code', (e) => e.textContent);
    assert.ok(first.includes(`${world.origin}/v1/verify`), first);
    const answer = await world.shell(first.replace('jane@example.com', 'jane@plain.example'));
    assert.equal(JSON.parse(answer).status, 'deliverable');
    await page.waitForSelector('.endpoints');
    const { paths } = await (await fetch(`${world.origin}/openapi.json`)).json();
    const there = Object.entries(paths).flatMap(([path, item]) => Object.keys(item).filter((name) => name !== 'parameters')
      .map((method) => `${method.toUpperCase()} ${path}`));
    const shown = await page.$$eval('.endpoints code', (all) => all.map((e) => e.textContent));
    assert.deepEqual(shown.sort(), there.sort());
  } },

  { name: 'a list: columns and rows are shown before it is handed in', needs: 'batches', async run(world) {
    const page = await world.page();
    await page.goto(`${world.origin}/#/batches`);
    await handIn(page, world.contacts);
    assert.deepEqual(await page.$$eval('.preview th', (all) => all.map((e) => e.textContent)), ['id', 'name', 'email', 'company', 'note']);
    assert.equal(await text(page, '.preview th.chosen'), 'email');
    assert.equal(await page.$$eval('.preview tbody tr', (all) => all.length), 6);
    await world.axe(page, 'upload');
    await world.shot(page, 'upload-light');
  } },

  { name: 'a list of 10,000 rows: from upload to download', needs: 'batches', async run(world) {
    const page = await world.page();
    await startBatch(page, world, world.tenThousand);
    await page.waitForSelector('.chart canvas');
    await said(page, '.progress-card .badge', 'Done');
    assert.match(await text(page, '.numbers'), /10,000/);
    await clickText(page, '.segments button', 'By provider');
    const rows = await page.$$eval('[aria-label="Results by provider"] tbody tr', (all) => all.map((e) => Number(e.querySelector('.num').textContent.replace(/,/g, ''))));
    assert.equal(rows.reduce((sum, n) => sum + n, 0), 10000);
    assert.ok(await page.$('.chart canvas'));
    await world.axe(page, 'by provider');
    await world.shot(page, 'provider-light');
    await clickText(page, '.segments button', 'By status');
    await clickText(page, '.chip', 'Undeliverable');
    await until(page, () => [...document.querySelectorAll('.results .badge')].every((e) => e.textContent.includes('Undeliverable')));
    await world.axe(page, 'batch');
    await world.shot(page, 'batch-light');
    const folder = await world.downloads(page);
    await clickText(page, '.chip', 'All');
    await clickText(page, '.downloads button', 'CSV');
    const csv = await readFile(await downloaded(folder, '.csv'), 'utf8');
    assert.equal(csv.trimEnd().split('\n').length, 10001);
  } },

  { name: 'a list: pause, resume, cancel, delete', needs: 'batches', async run(world) {
    const page = await world.page({ viewport: PHONE, dark: true });
    await startBatch(page, world, world.slowList);
    await page.waitForSelector('.page-head .actions button');
    await said(page, '.page-head .actions', 'Pause');
    await clickText(page, '.page-head .actions button', 'Pause');
    await said(page, '.progress-card .badge', 'Paused');
    await noOverflow(page, 'batch');
    await world.shot(page, 'batch-dark-phone');
    await clickText(page, '.page-head .actions button', 'Resume');
    await said(page, '.progress-card .badge', 'Running');
    await clickText(page, '.page-head .actions button', 'Cancel');
    await world.axe(page, 'a question');
    await clickText(page, 'dialog button', 'Cancel the batch');
    await said(page, '.progress-card .badge', 'Cancelled');
    await clickText(page, '.page-head .actions button', 'Delete');
    await clickText(page, 'dialog button', 'Delete for good');
    await said(page, 'h1', 'Batches');
  } },

  { name: 'a list: its results as a workbook', needs: 'batches', async run(world) {
    const page = await world.page();
    await startBatch(page, world, world.fewPeople);
    await said(page, '.progress-card .badge', 'Done');
    const folder = await world.downloads(page);
    await clickText(page, '.downloads button', 'XLSX');
    const [head, ...rows] = await world.workbook(await downloaded(folder, '.xlsx'));
    assert.deepEqual(head.slice(0, 3), ['id', 'name', 'email']);
    const [email, status] = [head.indexOf('email'), head.indexOf('status')];
    assert.deepEqual(rows.map((row) => [row[0], row[email], row[status]]), [
      ['1', 'jane@catchall.example', 'risky'], ['2', 'paul.smith@nowhere.example', 'undeliverable'], ['3', "o'neil@catchall.example", 'risky'],
      ['4', 'info@nowhere.example', 'undeliverable'], ['5', 'person4@catchall.example', 'risky'],
      ['6', 'person5@nowhere.example', 'undeliverable']]);
  } },

  { name: 'a watched list: made, checked now, what changed, paused, stopped', needs: 'program', async run(world) {
    const page = await world.page();
    await startBatch(page, world, world.fewPeople);
    await said(page, '.progress-card .badge', 'Done');
    await forge(world, 'person5@nowhere.example');
    await page.goto(`${world.origin}/#/lists`);
    await said(page, '.empty', 'Nothing is watched yet');
    await clickText(page, '.page-head button', 'Watch a list');
    await until(page, () => document.querySelector('dialog select')?.options[0]?.text.startsWith('few.csv (6)'));
    await world.axe(page, 'a new watched list');
    await page.type('dialog input', 'Customers <b>');
    await page.$$eval('dialog select', ([, often]) => { often.value = '86400'; often.dispatchEvent(new Event('change', { bubbles: true })); });
    await clickText(page, 'dialog button', 'Watch it');
    await said(page, '.batch-row', 'Customers <b>');
    assert.match(await text(page, '.batch-row'), /6 addresses · Each day.*Waiting.*No changes/);
    await world.axe(page, 'watched lists');
    await page.click('.batch-row');
    await said(page, 'h1', 'Customers <b>');
    await said(page, 'main', 'Nothing changed since');
    await clickText(page, '.page-head button', 'Check now');
    await said(page, '[aria-label="Changes"]', 'person5@nowhere.example');
    assert.match(await text(page, '[aria-label="Changes"] tbody'), /^person5@nowhere\.example ?Deliverable ?Undeliverable/);
    assert.match(await text(page, '.facts'), /Changed then ?1/);
    await world.axe(page, 'a watched list');
    await world.shot(page, 'list-light');
    await clickText(page, '.page-head button', 'Pause');
    await said(page, '.card .badge', 'Paused');
    await clickText(page, '.page-head button', 'Resume');
    await said(page, '.card .badge', 'Waiting');
    await page.setViewport(PHONE);
    await noOverflow(page, 'a watched list');
    await clickText(page, '.page-head button', 'Stop watching');
    await world.axe(page, 'stop watching');
    await clickText(page, 'dialog button', 'Stop watching');
    await said(page, '.empty', 'Nothing is watched yet');
  } },

  { name: 'an API key: asked for, a wrong one refused, kept in this tab alone', needs: 'program', async run(world) {
    const { origin, key } = await world.keyedServer();
    const page = await world.page({ origin });
    const urls = [];
    page.on('request', (request) => urls.push(request.url()));
    await page.goto(`${origin}/#/check/jane%40plain.example`);
    await said(page, '.trouble', 'those who have a key');
    await world.axe(page, 'a key is wanted');
    await giveKey(page, `${key.slice(0, -4)}0000`);
    await said(page, '.key-trouble', 'does not know this key');
    assert.equal(await page.evaluate(() => sessionStorage.length), 0);
    await world.axe(page, 'a wrong key');
    await world.shot(page, 'key-light');
    await giveKey(page, key);
    await page.waitForSelector('.verdict .badge.large');
    assert.match(await text(page, '.verdict .badge.large'), /Deliverable/);
    assert.ok(!(await kept(page)).includes(key), 'the key is in sessionStorage alone');

    await startBatch(page, { origin }, world.fewPeople);
    await said(page, '.progress-card .badge', 'Done');
    const folder = await world.downloads(page);
    await clickText(page, '.downloads button', 'XLSX');
    assert.equal((await world.workbook(await downloaded(folder, '.xlsx'))).length, 7);
    assert.ok(urls.every((url) => !url.includes(key)), 'no URL has the key');

    const other = await page.browserContext().newPage();
    await other.goto(`${origin}/#/settings`);
    await other.waitForSelector('.key-form input');
    await other.close();
    await page.goto(`${origin}/#/settings`);
    await said(page, 'main', 'A key is set for this tab');
    await world.axe(page, 'settings with a key');
    await clickText(page, 'button', 'Forget it');
    await page.waitForSelector('.key-form input');
    assert.equal(await page.evaluate(() => sessionStorage.length), 0);
    await page.goto(`${origin}/#/batches`);
    await said(page, '.trouble', 'those who have a key');
  } },
];
