/* A Haraka plugin: the user table. config/users holds one address a line.
 * SPDX-License-Identifier: Apache-2.0 */
'use strict';

exports.register = function () {
    this.users = new Set(this.config.get('users', 'list'));
};

exports.hook_rcpt = function (next, connection, params) {
    if (this.users.has(params[0].address().toLowerCase())) {
        return next(OK);
    }
    return next(DENY, 'I cannot deliver mail for this recipient: no such user');
};
