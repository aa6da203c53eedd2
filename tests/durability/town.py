"""tests/durability/town: mail servers and a name server on loopback whose answers depend on the question and on
what they were asked before, never on chance: two runs that ask the same get the same. Local parts that begin with
"real" exist (two vowels in a row: no control probe has them). `reset` forgets what was asked before.
SPDX-License-Identifier: Apache-2.0
"""
import asyncio
import contextlib
import re
import socket
import threading
import time

import rig

OPEN_TRIES = 16  # for one port that is free at every address
OK, BYE = '250 2.1.5 Ok', '221 2.0.0 Bye'
UNKNOWN = '550 5.1.1 No such user here'


class House:
    """How one host behaves."""

    def __init__(self, **traits):
        self.catch_all = traits.get('catch_all', False)
        self.greylist_s = traits.get('greylist_s', 0)
        self.turns_away_every = traits.get('turns_away_every', 0)  # n-th connection: 421 for a banner
        self.rcpts_max = traits.get('rcpts_max', 0)  # in a session, then 421
        self.recipients_max = traits.get('recipients_max', 0)  # in a transaction, then 452
        self.refusal = traits.get('refusal', UNKNOWN)
        self.for_all = traits.get('for_all')  # one answer to every recipient
        self.hangs_up = traits.get('hangs_up', False)  # after each refusal
        self.delay_s = traits.get('delay_s', 0.0)
        self.reset()

    def reset(self):
        self.connections, self.first_seen, self.asked = 0, {}, []

    def banner(self):
        self.connections += 1
        is_away = self.turns_away_every and self.connections % self.turns_away_every == 0
        return '421 4.3.2 Too many connections, please try again in 1 seconds' if is_away else '220 mx ESMTP'

    def special(self, local):
        for word, reply in (('full', '452 4.2.2 The mailbox is over quota'),
                            ('closed', '550 5.2.1 This mailbox is disabled'),
                            ('moved', '251 2.1.5 User not local; will forward to <real@elsewhere.example>')):
            if local.startswith(word):
                return reply
        return None

    def greylisted(self, sender, rcpt):
        if not self.greylist_s:
            return None
        first = self.first_seen.setdefault((sender, rcpt), time.monotonic())
        if time.monotonic() - first >= self.greylist_s:
            return None
        return f'451 4.7.1 Greylisted, please try again in {self.greylist_s} seconds'

    def rcpt(self, session, address):
        local = address.partition('@')[0]
        self.asked.append(address)
        session.rcpts += 1
        session.recipients += 1
        if self.rcpts_max and session.rcpts > self.rcpts_max:
            return '421 4.7.0 Too many recipients in this session'
        if self.recipients_max and session.recipients > self.recipients_max:
            return '452 4.5.3 Too many recipients'
        if self.for_all:
            return self.for_all
        reply = self.special(local)
        if reply is None and (self.catch_all or local.startswith('real')):
            reply = OK
        return self.greylisted(session.sender, address) or reply or self.refusal


class Session:
    def __init__(self):
        self.sender, self.rcpts, self.recipients = '', 0, 0


def houses():
    """domain: its exchangers as (preference, house or None for one that refuses connections)."""
    return {
        'plain.test': [(10, House())],
        'catchall.test': [(10, House(catch_all=True))],
        'grey.test': [(10, House(greylist_s=1))],
        'away.test': [(10, House(turns_away_every=3))],
        'short.test': [(10, House(rcpts_max=6))],
        'single.test': [(10, House(recipients_max=1))],
        'vague.test': [(10, House(refusal='550 Requested action not taken'))],
        'blocked.test': [(10, House(for_all='550 5.7.1 Service unavailable; client [127.0.0.1] blocked using '
                                            'zen.spamhaus.org'))],
        'hangup.test': [(10, House(hangs_up=True))],
        'slow.test': [(10, House(delay_s=0.05))],
        'dead.test': [(10, None)],
        'second.test': [(10, None), (20, House())],
    }


class Town:
    def __init__(self):
        self.houses = houses()
        self.loop = asyncio.new_event_loop()
        self.records, self.places = {('nomail.test', 15): [(0, '')], ('broken.test', 15): None}, []
        number = 0
        for domain, exchangers in self.houses.items():
            self.records[(domain, 15)] = []
            for preference, house in exchangers:
                number += 1
                host, ip = f'mx{number}.test', f'127.84.0.{number}'
                self.records[(domain, 15)].append((preference, host))
                self.records[(host, 1)], self.records[(host, 28)] = [ip], []
                if house is not None:
                    self.places.append((ip, house))
        self.names = rig.Names(self.records)
        self.tasks = set()
        self.port = self.open()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        self.options = ['--resolver', f'127.0.0.1:{self.names.port}', '--port', str(self.port), '--allow-net',
                        '127.0.0.0/8', '--helo', 'probe.example.net', '--from', 'probe@example.net']

    def open(self):
        for _ in range(OPEN_TRIES):
            with contextlib.ExitStack() as stack:
                try:
                    sockets, port = [], 0
                    for ip, _ in self.places:
                        one = stack.enter_context(socket.create_server((ip, port), backlog=256))
                        port = one.getsockname()[1]
                        sockets.append(one)
                except OSError:
                    continue
                stack.pop_all()
            for one, (_, house) in zip(sockets, self.places):
                self.loop.run_until_complete(asyncio.start_server(self.serve(house), sock=one))
            return port
        raise AssertionError('no port is free at every address')

    def serve(self, house):
        async def talk(reader, writer):
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                await self.converse(house, reader, writer)
            writer.close()
        return talk

    @staticmethod
    async def converse(house, reader, writer):
        session, banner = Session(), house.banner()
        writer.write(banner.encode() + b'\r\n')
        while banner.startswith('220'):
            line = (await reader.readuntil(b'\r\n')).decode('utf-8', 'replace')
            if house.delay_s:
                await asyncio.sleep(house.delay_s)
            reply = Town.reply(house, session, line)
            writer.write(reply.encode() + b'\r\n')
            await writer.drain()
            if reply == BYE or reply.startswith('421') or (house.hangs_up and reply.startswith('550')):
                return

    @staticmethod
    def reply(house, session, line):
        verb = line[:4].upper()
        if verb == 'EHLO':
            return '250-mx\r\n250-PIPELINING\r\n250 ENHANCEDSTATUSCODES'
        if verb == 'MAIL':
            session.sender, session.recipients = re.sub(r'.*<(.*)>.*', r'\1', line.strip()), 0
            return '250 2.1.0 Ok'
        if verb == 'RCPT':
            return house.rcpt(session, re.sub(r'.*<(.*)>.*', r'\1', line.strip()))
        return {'RSET': '250 2.0.0 Ok', 'QUIT': BYE}.get(verb, '502 5.5.1 No')

    def reset(self):
        """Forgets; not while somebody asks."""
        for _, house in self.places:
            house.reset()

    def asked(self):
        """Every recipient that was asked, in no order across hosts."""
        return [address for _, house in self.places for address in list(house.asked)]
