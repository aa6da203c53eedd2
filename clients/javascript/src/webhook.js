/* webhook: is a call really from our service (Standard Webhooks: HMAC-SHA-256 over "id.timestamp.body")?
 * SPDX-License-Identifier: Apache-2.0 */

const TOLERANCE_S = 300;

export class WebhookError extends Error {
    constructor(message) {
        super(message);
        this.name = 'WebhookError';
    }
}

async function subtle() {
    return (globalThis.crypto ?? (await import('node:crypto')).webcrypto).subtle; /* node 18 has no global one */
}

function bytesOf(base64) {
    try {
        return Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
    } catch {
        return null;
    }
}

function header(headers, name) {
    const value = typeof headers.get === 'function' ? headers.get(name) : headers[name];
    if (typeof value !== 'string' || value === '') {
        throw new WebhookError(`the header ${name} is missing`);
    }
    return value;
}

function checkAge(timestamp, toleranceS, nowS) {
    if (!/^\d{1,12}$/.test(timestamp)) {
        throw new WebhookError('webhook-timestamp is no number of seconds');
    }
    if (Math.abs(nowS - Number(timestamp)) > toleranceS) {
        throw new WebhookError(`webhook-timestamp is more than ${toleranceS} s away from now`);
    }
}

/** The event in body, which must be the raw bytes or text of the request, or WebhookError. headers: Headers, or an
 * object with names in lower case. secret: "whsec_" and base64. */
export async function verifyWebhook(secret, headers, body, { toleranceS = TOLERANCE_S, nowS = Date.now() / 1000 } = {}) {
    const id = header(headers, 'webhook-id');
    const timestamp = header(headers, 'webhook-timestamp');
    const signatures = header(headers, 'webhook-signature').split(' ');
    checkAge(timestamp, toleranceS, nowS);
    const keyBytes = bytesOf(secret.replace(/^whsec_/, ''));
    if (keyBytes === null || keyBytes.length === 0) {
        throw new WebhookError('the secret is not "whsec_" and base64');
    }
    const text = typeof body === 'string' ? body : new TextDecoder().decode(body);
    const signed = new TextEncoder().encode(`${id}.${timestamp}.${text}`);
    const crypto = await subtle();
    const key = await crypto.importKey('raw', keyBytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['verify']);
    for (const signature of signatures) {
        const mac = signature.startsWith('v1,') ? bytesOf(signature.slice(3)) : null;
        if (mac !== null && await crypto.verify('HMAC', key, mac, signed)) { /* in constant time */
            return JSON.parse(text);
        }
    }
    throw new WebhookError('no signature fits');
}
