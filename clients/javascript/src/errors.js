/* errors: what the service refuses, and that it cannot be reached.
 * SPDX-License-Identifier: Apache-2.0 */

/** The service answered with a problem (RFC 9457). */
export class HeloiseError extends Error {
    constructor(status, problem, retryAfterMs = null) {
        super(problem.detail || problem.title || `HTTP status ${status}`);
        this.name = 'HeloiseError';
        this.status = status;
        this.problem = problem;
        this.retryAfterMs = retryAfterMs;
    }
}

/** No answer: nobody listens, the line broke, or the time was over. `cause` has the reason. */
export class HeloiseUnreachable extends Error {
    constructor(message, cause) {
        super(message, { cause });
        this.name = 'HeloiseUnreachable';
    }
}

async function readProblem(response) {
    try {
        const problem = await response.json();
        return problem !== null && typeof problem === 'object' ? problem : {};
    } catch {
        return {}; /* a proxy in between speaks HTML, or nothing */
    }
}

/** The wait that Retry-After asks for, in ms: seconds or a date (RFC 9110 10.2.3); null: none is given. */
export function retryAfterMs(response, nowMs = Date.now()) {
    const text = response.headers.get('retry-after');
    if (text === null) {
        return null;
    }
    const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - nowMs;
    return Number.isFinite(ms) ? Math.max(0, ms) : null;
}

export async function errorOf(response) {
    return new HeloiseError(response.status, await readProblem(response), retryAfterMs(response));
}
