/* heloise: the service as an object. Every method may throw HeloiseError (the service refuses) or HeloiseUnreachable.
 * SPDX-License-Identifier: Apache-2.0 */
import { HeloiseError } from './errors.js';
import { events, ndjson } from './streams.js';
import { Transport } from './transport.js';

const ANSWER_GRACE_MS = 5000; /* on top of the time that the service was given */
const POLL_MS = 2000;
const PROBE_MS = 60000; /* that the service gives a test where nothing is said */

const path = (...parts) => `/v1/${parts.map(encodeURIComponent).join('/')}`;

function sleep(ms) {
    return new Promise((resolve) => setTimeout(resolve, ms));
}

/** The events of a stream; one that says what went wrong is thrown. */
async function* withoutErrors(stream) {
    for await (const event of stream) {
        if (event.type === 'error') {
            throw new HeloiseError(500, { detail: event.data.text });
        }
        yield event;
    }
}

function probeValue(target, timeoutMs, options) {
    const {
        allHosts, serverName, testLogins, relayDomain, relayTo, ...same
    } = options;
    return {
        target, all_hosts: allHosts, server_name: serverName, test_logins: testLogins, relay_domain: relayDomain, relay_to: relayTo,
        timeout_ms: timeoutMs, ...same,
    };
}

function contentTypeOf(filename) {
    const types = {
        csv: 'text/csv', txt: 'text/plain', ndjson: 'application/x-ndjson', json: 'application/json',
        xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
    };
    return types[filename.split('.').pop().toLowerCase()] ?? 'text/csv';
}

export class Heloise {
    constructor({
        baseUrl = 'http://127.0.0.1:8025', key = null, retries = 2, retryWaitMaxMs = 30000,
        fetch = (...args) => globalThis.fetch(...args),
    } = {}) {
        this.transport = new Transport({ baseUrl, key, retries, retryWaitMaxMs, fetch });
    }

    /** One address: its record. Where the time is over first, `pending` is true and it says what is known by then. */
    verify(email, { timeoutMs, fresh, transcript, signal } = {}) {
        return this.transport.json('POST', '/v1/verify', {
            value: { email, timeout_ms: timeoutMs, fresh, transcript },
            timeoutMs: timeoutMs === undefined ? undefined : timeoutMs + ANSWER_GRACE_MS,
            signal,
        });
    }

    /** The conversation as it happens: events of type stage and line, and verdict or pending as the last. */
    async* verifyStream(email, { timeoutMs, fresh, signal } = {}) {
        const response = await this.transport.send('GET', '/v1/verify/stream', {
            query: { email, timeout_ms: timeoutMs, fresh }, headers: { Accept: 'text/event-stream' }, signal,
        });
        yield* withoutErrors(events(response.body));
    }

    /** Up to 1,000 addresses; records come as they are found, each with its `row` in the list, from 1. */
    async* verifyMany(emails, { timeoutMs, fresh, signal } = {}) {
        const response = await this.transport.send('POST', '/v1/verify/many', {
            body: JSON.stringify({ emails: [...emails], timeout_ms: timeoutMs, fresh }),
            headers: { 'Content-Type': 'application/json', Accept: 'application/x-ndjson' }, signal,
        });
        yield* ndjson(response.body);
    }

    /** Uploads a list: text, bytes, a Blob or a ReadableStream of a CSV, text, NDJSON, JSON or XLSX file. */
    createBatch(body, {
        filename = 'list.csv', column, label, webhook, webhookResults, idempotencyKey, contentType = contentTypeOf(filename), signal,
    } = {}) {
        const headers = { 'Content-Type': contentType };
        if (idempotencyKey !== undefined) {
            headers['Idempotency-Key'] = idempotencyKey;
        }
        const results = webhookResults === undefined ? undefined : webhookResults ? 'yes' : 'no';
        const query = { name: filename, column, label, webhook, webhook_results: results };
        return this.transport.json('POST', '/v1/batches', { query, headers, body, signal });
    }

    /** One page, newest first; pass its `next` as before for the one after it. */
    batches({ limit, before } = {}) {
        return this.transport.json('GET', '/v1/batches', { query: { limit, before } });
    }

    batch(id) {
        return this.transport.json('GET', path('batches', id));
    }

    pauseBatch(id) {
        return this.transport.json('POST', path('batches', id, 'pause'));
    }

    resumeBatch(id) {
        return this.transport.json('POST', path('batches', id, 'resume'));
    }

    cancelBatch(id) {
        return this.transport.json('POST', path('batches', id, 'cancel'));
    }

    deleteBatch(id) {
        return this.transport.json('DELETE', path('batches', id));
    }

    /** The batch when nothing more will happen to it. */
    async waitForBatch(id, { pollMs = POLL_MS, signal } = {}) {
        for (;;) {
            signal?.throwIfAborted();
            const batch = await this.batch(id);
            if (['done', 'cancelled', 'failed'].includes(batch.state)) {
                return batch;
            }
            await sleep(pollMs);
        }
    }

    /** Progress as events: progress, and over as the last. */
    async* batchEvents(id, { signal } = {}) {
        const response = await this.transport.send('GET', path('batches', id, 'events'), {
            headers: { Accept: 'text/event-stream' }, signal,
        });
        yield* events(response.body);
    }

    /** The results as a file: a Response, whose body may be streamed. status: one or several, joined by commas. */
    downloadResults(id, { format = 'csv', status, subStatus, finishedOnly, signal } = {}) {
        return this.transport.send('GET', path('batches', id, 'results'), {
            query: { format, status, sub_status: subStatus, finished_rows_only: finishedOnly }, signal,
        });
    }

    /** The rows of the list, each with its record as `heloise`; null: there is no result yet. */
    async* results(id, options = {}) {
        const response = await this.downloadResults(id, { ...options, format: 'ndjson' });
        yield* ndjson(response.body);
    }

    /** The lists that flags and suggestions come from: what each is for, holds and comes from. */
    async lists() {
        return (await this.transport.json('GET', '/v1/lists')).lists;
    }

    /** Which lists speak of a domain or an address (one of them), and which entry of which file decides. */
    testLists({ domain, address } = {}) {
        return this.transport.json('GET', '/v1/lists/test', { query: { domain, address } });
    }

    /** Own entries of a list, so many after the first `offset`. */
    listEntries(list, { limit, offset } = {}) {
        return this.transport.json('GET', path('lists', list, 'entries'), { query: { limit, offset } });
    }

    /** Puts an entry on a list; it counts at once. The key needs the scope admin. */
    addListEntry(list, entry) {
        return this.transport.json('POST', path('lists', list, 'entries'), { value: { entry } });
    }

    /** Takes an entry off a list, an own one or one of the program's. The key needs the scope admin. */
    removeListEntry(list, entry) {
        return this.transport.json('DELETE', path('lists', list, 'entries', entry));
    }

    /** What is stored of an address and still alive; nobody is asked. */
    address(email) {
        return this.transport.json('GET', path('addresses', email));
    }

    /** What was seen of an address in earlier runs, newest first. */
    history(email, { limit } = {}) {
        return this.transport.json('GET', path('addresses', email, 'history'), { query: { limit } });
    }

    /** Removes all that is stored of an address. */
    erase(email) {
        return this.transport.json('DELETE', path('addresses', email));
    }

    /** The test of a mail server: a domain, HOST:PORT, an address, or an URL. See ProbeOptions for what may be asked. */
    probe(target, { timeoutMs, signal, ...options } = {}) {
        return this.transport.json('POST', '/v1/probe', {
            value: probeValue(target, timeoutMs, options),
            timeoutMs: (timeoutMs ?? PROBE_MS) + ANSWER_GRACE_MS,
            signal,
        });
    }

    /** The same as it happens: events of type stage and line, and result as the last. */
    async* probeStream(target, { timeoutMs, signal, ...options } = {}) {
        const response = await this.transport.send('POST', '/v1/probe', {
            body: JSON.stringify(probeValue(target, timeoutMs, options)),
            headers: { 'Content-Type': 'application/json', Accept: 'text/event-stream' }, signal,
        });
        yield* withoutErrors(events(response.body));
    }

    /** What is known of a domain and who serves it; nobody is asked. */
    domain(name) {
        return this.transport.json('GET', path('domains', name));
    }

    /** What the DNS of a domain does to its mail. selectors: of DKIM, joined by commas; smtp false: mail servers are not contacted. */
    dnsHealth(domain, { selectors, smtp, signal } = {}) {
        return this.transport.json('GET', path('dns', domain), { query: { selectors, smtp }, signal });
    }

    /** The ways out. */
    async egresses() {
        return (await this.transport.json('GET', '/v1/egresses')).egresses;
    }

    /** A page of the far ends that were talked to; pass its `next` as after for the one after it. */
    sites({ provider, health, limit, after } = {}) {
        return this.transport.json('GET', '/v1/sites', { query: { provider, health, limit, after } });
    }

    /** The addresses in a text or a file of any kind. */
    extract(body, { obfuscated, hidden, contentType = 'application/octet-stream', signal } = {}) {
        return this.transport.json('POST', '/v1/extract', {
            query: { obfuscated, hidden }, body, headers: { 'Content-Type': contentType }, signal,
        });
    }

    /** What became of messages: a CSV or NDJSON list with addresses, a column `outcome` and, maybe, `provider`. */
    reportOutcomes(body, { filename = 'outcomes.csv', contentType = contentTypeOf(filename), signal } = {}) {
        return this.transport.json('POST', '/v1/outcomes', { body, headers: { 'Content-Type': contentType }, signal });
    }

    /** Has the list of a batch checked again, every '12h' or '7d'. */
    createWatch(batch, every, { label, webhook } = {}) {
        return this.transport.json('POST', '/v1/watches', { value: { batch, every, label, webhook } });
    }

    /** One page, newest first; pass its `next` as before for the one after it. */
    watches({ limit, before } = {}) {
        return this.transport.json('GET', '/v1/watches', { query: { limit, before } });
    }

    watch(id) {
        return this.transport.json('GET', path('watches', id));
    }

    /** Checks it now. */
    runWatch(id) {
        return this.transport.json('POST', path('watches', id, 'run'));
    }

    pauseWatch(id) {
        return this.transport.json('POST', path('watches', id, 'pause'));
    }

    resumeWatch(id) {
        return this.transport.json('POST', path('watches', id, 'resume'));
    }

    deleteWatch(id) {
        return this.transport.json('DELETE', path('watches', id));
    }

    /** Which answers became others, newest first; pages as those of watches. */
    watchChanges(id, { limit, before } = {}) {
        return this.transport.json('GET', path('watches', id, 'changes'), { query: { limit, before } });
    }

    /** A page of the log of webhooks, newest first. */
    webhooks({ batch, limit, before } = {}) {
        return this.transport.json('GET', '/v1/webhooks', { query: { batch, limit, before } });
    }

    /** The secret that verifyWebhook wants for what is sent to the URL; one that is given replaces it. */
    async webhookSecret(url, { secret } = {}) {
        return (await this.transport.json('POST', '/v1/webhooks/secret', { value: { url, secret } })).secret;
    }

    /** Sends an event once more, with its id. */
    replayWebhook(id) {
        return this.transport.json('POST', path('webhooks', id, 'replay'));
    }

    version() {
        return this.transport.json('GET', '/version');
    }
}
