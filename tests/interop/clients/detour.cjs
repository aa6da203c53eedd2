/* interop/detour: loaded before a package whose host is fixed: connections to INTEROP_DETOUR_HOST:443 go to port
 * INTEROP_DETOUR_PORT of this machine. The name in the certificate is still checked.
 * SPDX-License-Identifier: Apache-2.0 */
'use strict';

const tls = require('node:tls');

const { INTEROP_DETOUR_HOST: host, INTEROP_DETOUR_PORT: port } = process.env;
const connect = tls.connect;

tls.connect = function detour(options, ...rest) {
    const isMeant = options.host === host || options.servername === host;
    return connect.call(this, isMeant ? { ...options, host: '127.0.0.1', port } : options, ...rest);
};
