/* The JavaScript client against the real service at HELOISE_URL.
 * SPDX-License-Identifier: Apache-2.0 */
import assert from 'node:assert/strict';
import test from 'node:test';

import { Heloise, HeloiseError } from '../../clients/javascript/src/index.js';

const LIST = 'name,email\nJane,jane@plain.example\nGone,g.fischer@plain.example\nAnna,anna@catchall.example\n';
const FOUND = {
    'jane@plain.example': 'deliverable', 'g.fischer@plain.example': 'undeliverable', 'anna@catchall.example': 'risky',
};

const heloise = new Heloise({ baseUrl: process.env.HELOISE_URL });

async function statuses(records) {
    const found = {};
    for await (const record of records) {
        found[record.email] = record.status;
    }
    return found;
}

test('verify', async () => {
    const answer = await heloise.verify('jane@plain.example', { timeoutMs: 60000, fresh: true, transcript: true });
    assert.equal(answer.status, 'deliverable');
    assert.equal(answer.pending, undefined);
    assert.ok(answer.transcript.some(({ line }) => line.startsWith('RCPT TO:')));
    assert.equal((await heloise.verify('jane@plain.example')).cached, true);
});

test('verify, pending', async () => {
    const answer = await heloise.verify('nora@grey.example', { timeoutMs: 100 });
    assert.equal(answer.pending, true);
    assert.equal(answer.status, 'unknown');
});

test('a stream', async () => {
    const seen = [];
    for await (const event of heloise.verifyStream('otto@full.example', { fresh: true })) {
        seen.push(event);
    }
    assert.equal(seen.at(-1).type, 'verdict');
    assert.equal(seen.at(-1).data.sub_status, 'mailbox_full');
    assert.ok(seen.some(({ type, data }) => type === 'line' && data.text === 'RCPT TO:<otto@full.example>'));
});

test('many', async () => {
    assert.deepEqual(await statuses(heloise.verifyMany(Object.keys(FOUND))), FOUND);
});

test('a problem', async () => {
    await assert.rejects(heloise.verify(''), (error) => error instanceof HeloiseError
        && [400, 422].includes(error.status) && typeof error.problem.title === 'string');
});

test('a batch', async () => {
    const batch = await heloise.createBatch(new Blob([LIST]), { filename: 'contacts.csv', label: 'Spring' });
    const done = await heloise.waitForBatch(batch.id, { pollMs: 50 });
    assert.deepEqual([done.state, done.label, done.counts.rows], ['done', 'Spring', 3]);
    const found = {};
    for await (const row of heloise.results(batch.id)) {
        found[row.email] = row.heloise.status;
    }
    assert.deepEqual(found, FOUND);
    const file = await (await heloise.downloadResults(batch.id, { status: 'risky' })).text();
    assert.equal(file.trim().split('\n').length, 2);
    for await (const event of heloise.batchEvents(batch.id)) {
        assert.equal(event.type, 'over');
    }
    assert.ok((await heloise.batches({ limit: 100 })).batches.some(({ id }) => id === batch.id));
    assert.equal(await heloise.deleteBatch(batch.id), null);
    await assert.rejects(heloise.batch(batch.id), { status: 404 });
});

test('a watched list', async () => {
    const batch = await heloise.waitForBatch((await heloise.createBatch(LIST)).id, { pollMs: 50 });
    assert.ok(batch.providers.length > 0);
    const watch = await heloise.createWatch(batch.id, '7d', { label: 'Weekly' });
    assert.equal((await heloise.watch(watch.id)).label, 'Weekly');
    assert.deepEqual(await heloise.watchChanges(watch.id), { changes: [], next: null });
    assert.equal((await heloise.pauseWatch(watch.id)).paused, true);
    assert.equal(await heloise.deleteWatch(watch.id), null);
});

test('webhooks and outcomes', async () => {
    assert.match(await heloise.webhookSecret('https://receiver.example/hook'), /^whsec_/);
    await assert.rejects(heloise.replayWebhook('evt_none'), { status: 404 });
    const learned = await heloise.reportOutcomes('email,outcome\nanna@catchall.example,bounced\n');
    assert.deepEqual([learned.gone, learned.faults], [1, []]);
});

test('what the engine says', async () => {
    assert.equal((await heloise.dnsHealth('plain.example', { smtp: false })).domain, 'plain.example');
    assert.ok((await heloise.egresses()).length > 0);
    assert.equal((await heloise.version()).name, 'heloise');
});

test('what is known', async () => {
    await heloise.verify('li@full.example');
    assert.equal((await heloise.address('li@full.example')).sub_status, 'accepted_forward');
    assert.equal((await heloise.domain('full.example')).domain, 'full.example');
    assert.equal((await heloise.history('li@full.example', { limit: 5 })).email, 'li@full.example');
});

test('lists', async () => {
    assert.equal((await heloise.lists())[0].list, 'disposable');
    assert.ok((await heloise.testLists({ domain: 'sub.mailinator.com' })).is_disposable);
    assert.equal((await heloise.addListEntry('roles', 'Zzkantoor')).change, 'added');
    assert.ok((await heloise.testLists({ address: 'zzkantoor@plain.example' })).is_role);
    assert.equal((await heloise.listEntries('roles', { limit: 5 })).total, 1);
    assert.equal((await heloise.removeListEntry('roles', 'zzkantoor')).change, 'dropped');
});
