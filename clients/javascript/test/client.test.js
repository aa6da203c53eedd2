/* SPDX-License-Identifier: Apache-2.0 */
import assert from 'node:assert/strict';
import test from 'node:test';

import { Heloise, HeloiseError, HeloiseUnreachable } from '../src/index.js';
import { retryAfterMs } from '../src/errors.js';
import { events, lines } from '../src/streams.js';
import { reply, scripted } from './scripted.js';

async function collect(iterable) {
    const all = [];
    for await (const one of iterable) {
        all.push(one);
    }
    return all;
}

function bodyOf(bytes, step) {
    let at = 0;
    return new ReadableStream({
        pull(controller) {
            if (at >= bytes.length) {
                controller.close();
                return;
            }
            controller.enqueue(bytes.subarray(at, at + step));
            at += step;
        },
    });
}

async function withServer(answer, use, options = {}) {
    const server = await scripted(answer);
    try {
        return await use(new Heloise({ baseUrl: server.baseUrl, ...options }), server);
    } finally {
        server.close();
    }
}

test('verify sends what the service reads, and the key', () => withServer(
    (request, response) => reply(response, 200, { status: 'deliverable' }),
    async (heloise, server) => {
        const answer = await heloise.verify('jane@plain.example', { timeoutMs: 1500, fresh: true });
        assert.equal(answer.status, 'deliverable');
        assert.equal(server.seen[0].url, '/v1/verify');
        assert.equal(server.seen[0].headers.authorization, 'Bearer k');
        assert.deepEqual(JSON.parse(server.seen[0].body), { email: 'jane@plain.example', timeout_ms: 1500, fresh: true });
    },
    { key: 'k' },
));

test('429 is asked again when the service says', async () => {
    let count = 0;
    await withServer(
        (request, response) => {
            count += 1;
            if (count < 3) {
                reply(response, 429, { title: 'Too Many Requests' }, { 'Retry-After': '0' });
            } else {
                reply(response, 200, { status: 'deliverable' });
            }
        },
        async (heloise) => {
            await heloise.verify('a@b.example');
            assert.equal(count, 3);
        },
    );
});

const refusals = [
    ['no wait is named', 429, {}, 1],
    ['the wait is too long', 429, { 'Retry-After': '3600' }, 1],
    ['it never ends', 503, { 'Retry-After': '0' }, 3],
    ['it is no matter of time', 422, { 'Retry-After': '0' }, 1],
];
for (const [name, status, headers, requests] of refusals) {
    test(`${status} is an error when ${name}`, () => withServer(
        (request, response) => reply(response, status, { title: 'No', detail: 'because', row: 7 }, headers),
        async (heloise, server) => {
            await assert.rejects(heloise.verify('a@b.example'), (error) => error instanceof HeloiseError
                && error.status === status && error.message === 'because' && error.problem.row === 7);
            assert.equal(server.seen.length, requests);
        },
    ));
}

test('an error that is no problem document', () => withServer(
    (request, response) => {
        response.writeHead(502, { 'Content-Type': 'text/html' });
        response.end('<h1>Bad gateway</h1>');
    },
    (heloise) => assert.rejects(heloise.verify('a@b.example'), (error) => error instanceof HeloiseError
        && error.status === 502 && error.message === 'HTTP status 502'),
));

test('nobody listens', async () => {
    const server = await scripted(() => {});
    server.close();
    await assert.rejects(new Heloise({ baseUrl: server.baseUrl }).verify('a@b.example'), HeloiseUnreachable);
});

test('a silent service', () => withServer(
    () => {},
    async (heloise) => {
        await assert.rejects(heloise.transport.send('GET', '/version', { timeoutMs: 20 }), HeloiseUnreachable);
    },
));

test('the caller may stop', () => withServer(
    () => {},
    async (heloise) => {
        const controller = new AbortController();
        const asked = heloise.verify('a@b.example', { signal: controller.signal });
        controller.abort(new Error('stop'));
        await assert.rejects(asked, /stop/);
    },
));

test('Retry-After as seconds and as a date', () => {
    const cases = [['7', 7000], ['Thu, 01 Jan 1970 00:00:09 GMT', 9000], ['soon', null]];
    for (const [text, expected] of cases) {
        const response = { headers: new Headers({ 'retry-after': text }) };
        assert.equal(retryAfterMs(response, 0), expected, text);
    }
    assert.equal(retryAfterMs({ headers: new Headers() }), null);
});

test('lines, however they are cut', async () => {
    const bytes = new TextEncoder().encode('eins\r\nzw\u00f6i\n\n\u{1f600}drei');
    for (let step = 1; step <= bytes.length; step += 1) {
        assert.deepEqual(await collect(lines(bodyOf(bytes, step))), ['eins', 'zw\u00f6i', '', '\u{1f600}drei']);
    }
});

test('events, however they are cut', async () => {
    const text = ': hello\n\nevent: stage\ndata: {"stage":\ndata: "mx"}\n\ndata:{"n":1}\n\nretry\nevent: lost\ndata: {}\n';
    const bytes = new TextEncoder().encode(text);
    for (let step = 1; step <= bytes.length; step += 1) {
        assert.deepEqual(await collect(events(bodyOf(bytes, step))),
            [{ type: 'stage', data: { stage: 'mx' } }, { type: 'message', data: { n: 1 } }]);
    }
});

test('who leaves a stream ends the request', () => withServer(
    (request, response) => {
        response.writeHead(200, { 'Content-Type': 'application/x-ndjson' });
        response.write('{"email":"a"}\n{"email":"b"}\n');
        request.socket.once('close', () => response.destroy());
    },
    async (heloise) => {
        for await (const record of heloise.verifyMany(['a', 'b', 'c'])) {
            assert.equal(record.email, 'a');
            break;
        }
    },
));

test('an error in an event stream', () => withServer(
    (request, response) => {
        response.writeHead(200, { 'Content-Type': 'text/event-stream' });
        response.end('event: error\ndata: {"text": "no way out"}\n\n');
    },
    (heloise) => assert.rejects(collect(heloise.verifyStream('a@b.example')), /no way out/),
));

test('a probe, whole and as it happens', () => withServer(
    (request, response) => {
        if (request.headers.accept === 'application/json') {
            reply(response, 200, { worst: 'ok', hosts: [] });
            return;
        }
        response.writeHead(200, { 'Content-Type': 'text/event-stream' });
        response.end('event: line\ndata: {"text":"220 hi"}\n\nevent: result\ndata: {"worst":"ok"}\n\n');
    },
    async (heloise, server) => {
        const found = await heloise.probe('d.example', { to: ['a@d.example'], testLogins: true, timeoutMs: 2000 });
        assert.equal(found.worst, 'ok');
        const seen = await collect(heloise.probeStream('d.example', { ports: true }));
        assert.deepEqual(seen.map(({ type }) => type), ['line', 'result']);
        assert.deepEqual(server.seen.map(({ url, body }) => [url, JSON.parse(body)]), [
            ['/v1/probe', { target: 'd.example', test_logins: true, timeout_ms: 2000, to: ['a@d.example'] }],
            ['/v1/probe', { target: 'd.example', ports: true }],
        ]);
    },
));

test('an upload says what it is, and may be a stream', () => withServer(
    (request, response) => reply(response, 202, { id: 'b1', state: 'loading' }),
    async (heloise, server) => {
        const bytes = new TextEncoder().encode('email\na@b.example\n');
        await heloise.createBatch(bodyOf(bytes, 4), { filename: 'a b.csv', idempotencyKey: 'once' });
        await heloise.createBatch('a@b.example\n', { filename: 'x.txt', label: 'May' });
        assert.equal(server.seen[0].url, '/v1/batches?name=a+b.csv');
        assert.equal(server.seen[0].headers['content-type'], 'text/csv');
        assert.equal(server.seen[0].headers['idempotency-key'], 'once');
        assert.equal(server.seen[0].body, 'email\na@b.example\n');
        assert.equal(server.seen[1].url, '/v1/batches?name=x.txt&label=May');
        assert.equal(server.seen[1].headers['content-type'], 'text/plain');
    },
));

test('names in paths cannot leave their place', () => withServer(
    (request, response) => reply(response, 200, {}),
    async (heloise, server) => {
        await heloise.history('a/../b@c.example?x', { limit: 3 });
        assert.equal(server.seen[0].url, '/v1/addresses/a%2F..%2Fb%40c.example%3Fx/history?limit=3');
    },
));
