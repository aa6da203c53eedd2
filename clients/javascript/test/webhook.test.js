/* SPDX-License-Identifier: Apache-2.0 */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import test from 'node:test';

import { verifyWebhook, WebhookError } from '../src/index.js';

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const BODY = '{"type":"batch.done","data":{"id":"b1"}}';
const NOW_S = 1763712345;

function sign(secret, id, timestamp, body) {
    const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
    return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
}

function headers(changes = {}) {
    return {
        'webhook-id': 'msg_1', 'webhook-timestamp': String(NOW_S), 'webhook-signature': sign(SECRET, 'msg_1', NOW_S, BODY),
        ...changes,
    };
}

test('the example of Standard Webhooks', async () => {
    const body = '{"test": 2432232314}';
    const event = await verifyWebhook(SECRET, {
        'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek', 'webhook-timestamp': '1614265330',
        'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    }, body, { nowS: 1614265330 });
    assert.deepEqual(event, { test: 2432232314 });
});

test('a good call, as text, bytes and with Headers; one of several signatures is enough', async () => {
    const expected = JSON.parse(BODY);
    assert.deepEqual(await verifyWebhook(SECRET, headers(), BODY, { nowS: NOW_S }), expected);
    assert.deepEqual(await verifyWebhook(SECRET, new Headers(headers()), Buffer.from(BODY), { nowS: NOW_S + 299 }), expected);
    const several = headers({ 'webhook-signature': `v1a,xx v1,AAAA ${headers()['webhook-signature']}` });
    assert.deepEqual(await verifyWebhook(SECRET, several, BODY, { nowS: NOW_S }), expected);
});

const forgeries = [
    ['another body', headers(), `${BODY} `, NOW_S],
    ['another id', headers({ 'webhook-id': 'msg_2' }), BODY, NOW_S],
    ['an old call', headers(), BODY, NOW_S + 301],
    ['a call from the future', headers(), BODY, NOW_S - 301],
    ['no number', headers({ 'webhook-timestamp': '1e9' }), BODY, NOW_S],
    ['no signature', headers({ 'webhook-signature': undefined }), BODY, NOW_S],
    ['an empty signature', headers({ 'webhook-signature': 'v1,' }), BODY, NOW_S],
    ['another scheme', headers({ 'webhook-signature': headers()['webhook-signature'].replace('v1', 'v2') }), BODY, NOW_S],
    ['no base64', headers({ 'webhook-signature': 'v1,%%%' }), BODY, NOW_S],
];
for (const [name, given, body, nowS] of forgeries) {
    test(`refused: ${name}`, () => assert.rejects(verifyWebhook(SECRET, given, body, { nowS }), WebhookError));
}

test('a secret that is none', async () => {
    for (const secret of ['', 'whsec_', 'whsec_%']) {
        await assert.rejects(verifyWebhook(secret, headers(), BODY, { nowS: NOW_S }), WebhookError);
    }
});
