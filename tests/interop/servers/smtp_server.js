/* smtp_server ADDRESS PORT USERS: the smtp-server package with a user table (one address a line).
 * Logs every command on standard error.
 * SPDX-License-Identifier: Apache-2.0 */
'use strict';
const fs = require('fs');
const path = require('path');
const { SMTPServer } = require(path.join(process.cwd(), 'node_modules/smtp-server'));

const [address, port, file] = process.argv.slice(2);
const users = new Set(fs.readFileSync(file, 'utf8').split('\n').filter(Boolean));
const log = (entry, text, ...rest) => process.stderr.write(require('util').format(text, ...rest) + '\n');

new SMTPServer({
    name: 'mx.smtpserver.test',
    authOptional: true,
    logger: { trace: log, debug: log, info: log, warn: log, error: log, fatal: log },
    onRcptTo(rcpt, session, done) {
        if (users.has(rcpt.address.toLowerCase())) {
            return done();
        }
        const refusal = new Error('5.1.1 Unknown mailbox');
        refusal.responseCode = 550;
        return done(refusal);
    },
}).on('error', (error) => log(null, 'client: %s', error.message)).listen(Number(port), address);
