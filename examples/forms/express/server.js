/* SPDX-License-Identifier: Apache-2.0 */
import { Heloise } from 'heloise-client';

import { createApp } from './app.js';

const { HELOISE_URL: baseUrl, HELOISE_KEY: key, PORT: port = '3000' } = process.env;

const server = createApp(new Heloise({ baseUrl, key })).listen(Number(port), '127.0.0.1', () => {
    console.log(`http://127.0.0.1:${server.address().port}/`);
});
