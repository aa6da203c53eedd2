/* streams: lines and server-sent events out of a response as they arrive.
 * SPDX-License-Identifier: Apache-2.0 */
import { HeloiseUnreachable } from './errors.js';

/** A line longer than this is not ours; so memory stays bounded whatever answers. */
const LINE_CHARACTERS_MAX = 4 << 20;

/** The lines of a body, without their ends. */
export async function* lines(body) {
    const reader = body.getReader();
    const decoder = new TextDecoder();
    let rest = '';
    try {
        for (;;) {
            const { done, value } = await reader.read();
            rest += done ? decoder.decode() : decoder.decode(value, { stream: true });
            const parts = rest.split('\n');
            rest = parts.pop();
            for (const part of parts) {
                yield part.endsWith('\r') ? part.slice(0, -1) : part;
            }
            if (done) {
                break;
            }
            if (rest.length > LINE_CHARACTERS_MAX) {
                throw new HeloiseUnreachable('a line without end', null);
            }
        }
        if (rest !== '') {
            yield rest;
        }
    } finally {
        await reader.cancel().catch(() => {}); /* who stops listening ends the request */
    }
}

/** One JSON value a line. */
export async function* ndjson(body) {
    for await (const line of lines(body)) {
        if (line.trim() !== '') {
            yield JSON.parse(line);
        }
    }
}

/** Server-sent events whose data is JSON, as {type, data}. Comments, which keep the line alive, are skipped. */
export async function* events(body) {
    let type = 'message';
    let data = [];
    for await (const line of lines(body)) {
        if (line === '') {
            if (data.length > 0) {
                yield { type, data: JSON.parse(data.join('\n')) };
            }
            type = 'message';
            data = [];
            continue;
        }
        const [, field, value] = /^([^:]*)(?:: ?(.*))?$/.exec(line);
        if (field === 'event') {
            type = value ?? '';
        } else if (field === 'data') {
            data.push(value ?? '');
        }
    }
}
