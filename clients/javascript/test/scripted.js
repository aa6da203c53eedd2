/* test/scripted: a server that answers what the test says, for what no sane service does on demand: 429, broken lines,
 * silence.
 * SPDX-License-Identifier: Apache-2.0 */
import http from 'node:http';

/** answer(request, response, body), once for each request. Returns {baseUrl, seen, close}. */
export async function scripted(answer) {
    const seen = [];
    const server = http.createServer((request, response) => {
        const chunks = [];
        request.on('data', (chunk) => chunks.push(chunk));
        request.on('end', () => {
            const body = Buffer.concat(chunks).toString();
            seen.push({ method: request.method, url: request.url, headers: request.headers, body });
            answer(request, response, body);
        });
    });
    await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
    return {
        baseUrl: `http://127.0.0.1:${server.address().port}`,
        seen,
        close() {
            server.closeAllConnections();
            server.close();
        },
    };
}

export function reply(response, status, value, headers = {}) {
    response.writeHead(status, { 'Content-Type': 'application/json', ...headers });
    response.end(JSON.stringify(value));
}
