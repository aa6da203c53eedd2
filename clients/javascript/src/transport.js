/* transport: one request to the service, asked again where it says when (429, 503 with Retry-After).
 * SPDX-License-Identifier: Apache-2.0 */
import { errorOf, HeloiseUnreachable, retryAfterMs } from './errors.js';

const ASK_AGAIN = new Set([429, 503]);

function pause(ms, signal) {
    return new Promise((resolve, reject) => {
        const timer = setTimeout(finish, ms);
        function stop() {
            clearTimeout(timer);
            reject(signal.reason);
        }
        function finish() {
            signal?.removeEventListener('abort', stop);
            resolve();
        }
        if (signal?.aborted) {
            stop();
        }
        signal?.addEventListener('abort', stop, { once: true });
    });
}

export class Transport {
    constructor({ baseUrl, key, retries, retryWaitMaxMs, fetch }) {
        this.baseUrl = String(baseUrl).replace(/\/+$/, '');
        this.key = key;
        this.retries = retries;
        this.retryWaitMaxMs = retryWaitMaxMs;
        this.fetch = fetch;
    }

    url(path, query = {}) {
        const parts = Object.entries(query).filter(([, value]) => value !== undefined && value !== null);
        const search = new URLSearchParams(parts.map(([name, value]) => [name, String(value)]));
        return `${this.baseUrl}${path}${parts.length > 0 ? `?${search}` : ''}`;
    }

    async once(url, init, timeoutMs) {
        const controller = new AbortController();
        const caller = init.signal;
        const abort = () => controller.abort(caller.reason);
        const timer = timeoutMs === undefined ? undefined
            : setTimeout(() => controller.abort(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
        if (caller?.aborted) {
            abort();
        }
        caller?.addEventListener('abort', abort, { once: true });
        try {
            return await this.fetch(url, { ...init, signal: controller.signal });
        } catch (error) {
            caller?.throwIfAborted();
            const reason = controller.signal.aborted ? controller.signal.reason : error;
            throw new HeloiseUnreachable(`${new URL(url).origin}: ${reason.cause?.message || reason.message}`, reason);
        } finally {
            clearTimeout(timer);
        }
    }

    /** The response, which is a success. timeoutMs: until its head has come. */
    async send(method, path, { query, headers = {}, body, signal, timeoutMs } = {}) {
        const url = this.url(path, query);
        const init = { method, headers: { ...headers }, body, signal };
        if (this.key) {
            init.headers.Authorization = `Bearer ${this.key}`;
        }
        if (typeof ReadableStream !== 'undefined' && body instanceof ReadableStream) {
            init.duplex = 'half'; /* fetch wants it said */
        }
        const isOnce = init.duplex !== undefined; /* a stream cannot be sent a second time */
        for (let tries = 0; ; tries += 1) {
            const response = await this.once(url, init, timeoutMs);
            if (response.ok) {
                return response;
            }
            const waitMs = ASK_AGAIN.has(response.status) ? retryAfterMs(response) : null;
            if (isOnce || waitMs === null || tries >= this.retries || waitMs > this.retryWaitMaxMs) {
                throw await errorOf(response);
            }
            await response.body?.cancel();
            await pause(waitMs, signal);
        }
    }

    async json(method, path, options = {}) {
        const { value, ...rest } = options;
        const headers = { Accept: 'application/json', ...rest.headers };
        if (value !== undefined) {
            headers['Content-Type'] = 'application/json';
            rest.body = JSON.stringify(value);
        }
        const response = await this.send(method, path, { ...rest, headers });
        const text = await response.text();
        return text === '' ? null : JSON.parse(text);
    }
}
