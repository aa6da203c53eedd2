"""groups: the same list asked in groups and one by one must get the same verdicts from every server.

Heloise goes through a relay of ours (HTTP CONNECT), in plain text, which sees how many RCPTs go out in one piece.
SPDX-License-Identifier: Apache-2.0
"""
import csv
import socket
import threading

from world import users_of

DOMAINS = ('plain', 'limits', 'exim', 'eximlimit', 'opensmtpd', 'sendmail', 'qpsmtpd', 'aiosmtpd', 'smtpserver', 'haraka')
OFFERS = {'plain', 'limits', 'exim', 'eximlimit', 'sendmail', 'qpsmtpd', 'smtpserver', 'haraka'}  # PIPELINING
DEAD_BEFORE, DEAD_BETWEEN = 3, 4
GROUP_MAX = 5  # of data/providers/default.conf
BUFFER_BYTES = 65536


class Relay:
    """Takes CONNECT from anybody and passes bytes on; groups: RCPTs in each piece that had any."""

    def __init__(self):
        self.groups = []
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.url = f'http://127.0.0.1:{self.listener.getsockname()[1]}'
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        head = b''
        while b'\r\n\r\n' not in head:
            piece = client.recv(BUFFER_BYTES)
            if not piece:
                return
            head += piece
        host, port = head.split()[1].decode().rsplit(':', 1)
        server = socket.create_connection((host, int(port)))
        for line in (client, server):
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.sendall(b'HTTP/1.1 200 OK\r\n\r\n')
        threading.Thread(target=self.pass_on, args=(server, client), daemon=True).start()
        self.pass_on(client, server, self.count)

    def count(self, piece):
        if rcpts := piece.count(b'RCPT TO:'):
            self.groups.append(rcpts)

    @staticmethod
    def pass_on(source, target, look=lambda piece: None):
        try:
            while piece := source.recv(BUFFER_BYTES):
                look(piece)
                target.sendall(piece)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # the other side is gone

    def close(self):
        self.listener.close()


def addresses(domain):
    """Dead and live ones in turns: {address: status}."""
    truth = {}
    for part, live in enumerate(users_of(domain)):
        dead = DEAD_BETWEEN if part else DEAD_BEFORE
        truth.update({f'nobody{part}{n}@{domain}.test': 'undeliverable' for n in range(dead)})
        truth[live] = 'deliverable'
    truth.update({f'nobody9{n}@{domain}.test': 'undeliverable' for n in range(DEAD_BETWEEN)})
    return truth


def ask(heloise, folder, domain, *options):
    """The statuses of a run, and the groups that it sent."""
    folder.mkdir(parents=True, exist_ok=True)
    source, out = folder / 'list.csv', folder / 'out.csv'
    source.write_text('email\n' + ''.join(f'{address}\n' for address in addresses(domain)), encoding='utf-8')
    relay = Relay()
    try:
        done = heloise(folder, 'bulk', '--no-tls', '--proxy', relay.url, '--timeout', '120', '--invalids-per-hour', '1000',
                       *options, source, '-o', out)
    finally:
        relay.close()
    if done.returncode != 0:
        raise RuntimeError(f'exit {done.returncode}: {done.stderr[-300:]}')
    with open(out, newline='', encoding='utf-8') as rows:
        rows = list(csv.DictReader(rows))
    key = next(k for k in rows[0] if k.endswith('status') and not k.endswith('sub_status'))
    return {row['email']: row[key] for row in rows}, relay.groups


def check(heloise, report, world, domain):
    truth = addresses(domain)
    try:
        together, groups = ask(heloise, world.folder(f'client/groups/{domain}'), domain)
        single, ones = ask(heloise, world.folder(f'client/single/{domain}'), domain, '--pipelined-rcpts', '1')
    except (RuntimeError, OSError, LookupError, StopIteration) as error:
        report.case(False, f'groups: {domain}', repr(error))
        return
    wrong = [f'{address} is {together.get(address)} in groups and {single.get(address)} one by one, should be {status}'
             for address, status in truth.items() if not together.get(address) == single.get(address) == status]
    peak = max(groups, default=0)
    is_shape_right = set(ones) == {1} and (1 < peak <= GROUP_MAX if domain in OFFERS else peak == 1)
    if not is_shape_right:
        wrong.append(f'pieces with {groups} and {ones} RCPTs')
    way = f'in groups of up to {peak} and one by one' if peak > 1 else 'one by one both times: PIPELINING is not offered'
    report.case(not wrong, f'groups: {domain}: the same verdicts for {len(truth)} addresses {way}', '; '.join(wrong))


def run(heloise, report, world, rigs):
    ready = {domain for rig in rigs for domain in rig.domains}
    for domain in DOMAINS:
        if domain in ready:
            check(heloise, report, world, domain)
