/* interop/front: HTTPS in front of a service that speaks HTTP, as a proxy of the user's would be: node front.mjs KEY
 * CERTIFICATE URL. Prints its port.
 * SPDX-License-Identifier: Apache-2.0 */
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';

const [keyFile, certificateFile, target] = process.argv.slice(2);
const { hostname, port } = new URL(target);

const server = https.createServer(
    { key: fs.readFileSync(keyFile), cert: fs.readFileSync(certificateFile) },
    (request, response) => {
        const headers = { ...request.headers, host: `${hostname}:${port}` };
        const onward = http.request({ hostname, port, method: request.method, path: request.url, headers }, (answer) => {
            response.writeHead(answer.statusCode, answer.headers);
            answer.pipe(response);
        });
        onward.on('error', () => response.destroy());
        request.pipe(onward);
    },
);

server.listen(0, '127.0.0.1', () => console.log(server.address().port));
