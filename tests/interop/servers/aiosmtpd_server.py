"""aiosmtpd_server ADDRESS PORT USERS: aiosmtpd with a user table (one address a line).

Logs every command on standard error.
SPDX-License-Identifier: Apache-2.0
"""
import asyncio
import logging
import sys

from aiosmtpd.smtp import SMTP


class Handler:
    def __init__(self, users):
        self.users = users

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.lower() not in self.users:
            return '550 5.1.1 Mailbox does not exist'
        envelope.rcpt_tos.append(address)
        return '250 2.1.5 Recipient ok'


async def serve(host, port, users):
    loop = asyncio.get_running_loop()
    handler = Handler(users)
    server = await loop.create_server(lambda: SMTP(handler, hostname='mx.aiosmtpd.test', enable_SMTPUTF8=True),
                                      host, port)
    await server.serve_forever()


logging.basicConfig(level=logging.DEBUG, stream=sys.stderr)
asyncio.run(serve(sys.argv[1], int(sys.argv[2]), set(open(sys.argv[3], encoding='utf-8').read().split())))
