/* interop/peers: the clients of other services, unchanged, with the calls of their own examples.
 * SPDX-License-Identifier: Apache-2.0 */
'use strict';

const assert = require('node:assert/strict');
const { createRequire } = require('node:module');
const test = require('node:test');
const { pathToFileURL } = require('node:url');

const { INTEROP_URL: service, INTEROP_MODULES: modules, INTEROP_DETOUR_PORT: tlsPort } = process.env;
const load = createRequire(`${modules}/`);

const GOOD = 'jane@plain.example';
const GONE = 'g.fischer@plain.example';
const ANY = 'anna.weber@catchall.example';
const FULL = 'otto@full.example';
const NONE = 'not an address';

function shape(value) {
    if (value === null || typeof value !== 'object') {
        return value === null ? 'null' : typeof value;
    }
    if (Array.isArray(value)) {
        return value.length > 0 ? [shape(value[0])] : [];
    }
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, shape(member)]));
}

/* Every member of expected is there and of that type; several types are joined by '|'. */
function assertShape(found, expected, at = '') {
    if (typeof expected === 'string') {
        assert.ok(expected.split('|').includes(found), `${at} is ${JSON.stringify(found)}, not ${expected}`);
        return;
    }
    for (const [key, member] of Object.entries(expected)) {
        assert.ok(found !== null && typeof found === 'object' && key in found, `${at}.${key} is missing`);
        assertShape(found[key], member, `${at}.${key}`);
    }
}

/* ---- Reacher ---- */

const REACHER = { /* the types of the package, and of the service's documentation */
    input: 'string',
    is_reachable: 'string',
    misc: { is_disposable: 'boolean', is_role_account: 'boolean', is_b2c: 'boolean', gravatar_url: 'null|string' },
    mx: { accepts_mail: 'boolean', records: {} },
    smtp: {
        can_connect_smtp: 'boolean', has_full_inbox: 'boolean', is_catch_all: 'boolean', is_deliverable: 'boolean',
        is_disabled: 'boolean',
    },
    syntax: { address: 'null|string', domain: 'string', is_valid_syntax: 'boolean', username: 'string', suggestion: 'null|string' },
    debug: { start_time: 'string', end_time: 'string', duration: { secs: 'number', nanos: 'number' } },
};

const REACHABLE = [[GOOD, 'safe'], [GONE, 'invalid'], [ANY, 'risky'], [FULL, 'risky'], [NONE, 'invalid']];

for (const version of ['v0', 'v1']) {
    for (const [address, expected] of REACHABLE) {
        test(`@reacherhq/api ${version}: checkSingle ${address}`, async () => {
            const { checkSingle } = load('@reacherhq/api');
            const result = await checkSingle({ to_email: address }, { backendUrl: `${service}/${version}/check_email` });
            assert.equal(result.input, address);
            assert.equal(result.is_reachable, expected);
            assertShape(shape(result), REACHER);
        });
    }
}

test('@reacherhq/api: batchQueue', async () => {
    const { batchQueue } = load('@reacherhq/api');
    const found = new Map();
    const queue = batchQueue({
        apiToken: 'test_api_token',
        backendUrl: `${service}/v0/check_email`,
        onSuccessSingle: (result) => found.set(result.input, result.is_reachable),
    });
    queue.push({ to_email: GOOD });
    queue.push([{ to_email: GONE, from_email: 'me@example.com', hello_name: 'example.com' }, { to_email: ANY }]);
    await queue.drain();
    assert.deepEqual([...found].sort(), [[ANY, 'risky'], [GONE, 'invalid'], [GOOD, 'safe']]);
});

test('@reacherhq/api: an error', async () => {
    const { checkSingle } = load('@reacherhq/api');
    await assert.rejects(checkSingle({ to_email: '' }, { backendUrl: `${service}/v0/check_email` }), (error) => {
        assert.equal(error.response.status, 400);
        assert.equal(error.response.data.error, 'to_email field is required.');
        return true;
    });
});

/* ---- ZeroBounce ---- */

const ZEROBOUNCE = {
    address: 'string', status: 'string', sub_status: 'string', free_email: 'boolean', did_you_mean: 'null|string',
    account: 'null|string', domain: 'null|string', domain_age_days: 'null|string', smtp_provider: 'null|string',
    mx_found: 'string', mx_record: 'null|string', firstname: 'null|string', lastname: 'null|string', gender: 'null|string',
    country: 'null|string', region: 'null|string', city: 'null|string', zipcode: 'null|string', processed_at: 'string',
};

const VALID = [
    [GOOD, 'valid', ''], [GONE, 'invalid', 'mailbox_not_found'], [ANY, 'catch-all', ''],
    [FULL, 'invalid', 'mailbox_quota_exceeded'], [NONE, 'invalid', 'failed_syntax_check'],
];

function zeroBounce() {
    const ZeroBounceSDK = load('@zerobounce/zero-bounce-sdk');
    const client = new ZeroBounceSDK();
    client.init('any key', `${service}/v2`);
    return client;
}

for (const [address, status, subStatus] of VALID) {
    test(`@zerobounce/zero-bounce-sdk: validateEmail ${address}`, async () => {
        const result = await zeroBounce().validateEmail(address, '127.0.0.1');
        assert.deepEqual([result.address, result.status, result.sub_status], [address, status, subStatus]);
        assertShape(shape(result), ZEROBOUNCE);
        assert.match(result.processed_at, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}$/);
        assert.match(result.mx_found, /^(true|false)$/);
    });
}

test('@zerobounce/zero-bounce-sdk: validateEmail with a timeout', async () => {
    const result = await zeroBounce().validateEmail(GOOD, { timeout: 30 });
    assert.equal(result.status, 'valid');
});

test('@zerobounce/zero-bounce-sdk: getCredits', async () => {
    assert.ok(Number((await zeroBounce().getCredits()).Credits) > 0);
});

test('@zerobounce/zero-bounce-sdk: validateBatch, to its fixed host', async () => {
    const result = await zeroBounce().validateBatch([{ email_address: GOOD }, { email_address: GONE, ip_address: '1.1.1.1' }]);
    assert.deepEqual(result.errors, []);
    assert.deepEqual(result.email_batch.map((one) => [one.address, one.status]), [[GOOD, 'valid'], [GONE, 'invalid']]);
    assertShape(shape(result.email_batch[0]), ZEROBOUNCE);
});

/* ---- Kickbox ---- */

const KICKBOX = {
    result: 'string', reason: 'string', role: 'boolean', free: 'boolean', disposable: 'boolean', accept_all: 'boolean',
    did_you_mean: 'null|string', sendex: 'number', email: 'string', user: 'null|string', domain: 'null|string',
    success: 'boolean', message: 'null|string',
};

const DELIVERABLE = [
    [GOOD, 'deliverable', 'accepted_email'], [GONE, 'undeliverable', 'rejected_email'], [ANY, 'risky', 'low_deliverability'],
    [NONE, 'undeliverable', 'invalid_email'],
];

function kickboxVerify(...given) {
    const kickbox = load('kickbox').client('Your_API_Key_Here', { base: service }).kickbox();
    return new Promise((resolve, reject) => {
        kickbox.verify(...given, (error, response) => (error ? reject(error) : resolve(response)));
    });
}

for (const [address, result, reason] of DELIVERABLE) {
    test(`kickbox: verify ${address}`, async () => {
        const response = await kickboxVerify(address, { timeout: 6000 });
        assert.equal(response.code, 200);
        assert.deepEqual([response.body.result, response.body.reason, response.body.success], [result, reason, true]);
        assertShape(shape(response.body), KICKBOX);
        assert.ok(response.body.sendex >= 0 && response.body.sendex <= 1);
        assert.match(response.headers['x-kickbox-balance'], /^\d+$/);
        assert.match(response.headers['x-kickbox-response-time'], /^\d+$/);
    });
}

test('kickbox: an address in capitals comes back in lower case', async () => {
    assert.equal((await kickboxVerify('JANE@Plain.Example')).body.email, GOOD);
});

test('kickbox: an error', async () => {
    await assert.rejects(kickboxVerify(''), /email field is required/);
});

/* ---- NeverBounce ---- */

async function neverBounce() {
    const { default: NeverBounce } = await import(pathToFileURL(load.resolve('neverbounce').replace('/cjs/', '/esm/')));
    return new NeverBounce({ apiKey: 'any key', opts: { host: 'localhost', port: Number(tlsPort) } });
}

for (const [address, expected] of [[GOOD, 'valid'], [GONE, 'invalid'], [ANY, 'catchall'], [NONE, 'invalid']]) {
    test(`neverbounce: single.check ${address}`, async () => {
        const client = await neverBounce();
        const result = await client.single.check(address, true, true);
        assert.equal(result.getResult(), expected);
        assert.ok(result.is(expected));
        assert.equal(result.hasFlag('bad_syntax'), address === NONE);
        assertShape(shape(result.getResponse()), {
            status: 'string', result: 'string', suggested_correction: 'string', execution_time: 'number', flags: {},
        });
    });
}

test('neverbounce: an error', async () => {
    const client = await neverBounce();
    await assert.rejects(client.single.check(''), /general_failure/);
});
