"""`heloise doctor`: a machine that is fit, and some that are not, against a mail server and a name server of our own.
SPDX-License-Identifier: Apache-2.0
"""
import json
import os
import signal
import socket
import stat
import threading

import rig

FAR = ('gmail-smtp-in.l.google.com', 'mx01.mail.icloud.com', 'mx00.gmx.net')
OWN = '5.9.7.7'
A, PTR, MX, TXT = 1, 12, 15, 16
LISTS = ('blocklist one\nlabel "List One"\nzone one.bl.example\npage "https://one.bl.example/"\nasks ipv4\n'
         'weight heavy\nlisted 127.0.0.2 "spam"\nrefused 127.255.255.254 "no public resolvers"\n'
         'source "test"\ndate 2026-11\n')


def fit_records():
    """Names with which 5.9.7.7 is fit; the far servers are on loopback."""
    records = {(name, A): ['127.0.0.1'] for name in FAR}
    records.update({('7.7.9.5.in-addr.arpa', PTR): ['mail.d.example'], ('mail.d.example', A): [OWN],
                    ('mail.d.example', 28): [], ('d.example', MX): ['mx.d.example'],
                    ('d.example', TXT): [f'v=spf1 ip4:{OWN} -all'], ('mx.d.example', A): ['127.0.0.1'],
                    ('mx.d.example', 28): [], ('2.0.0.127.one.bl.example', A): ['127.0.0.2']})
    return records


def has_ipv6():
    """Whether the kernel has a way into the IPv6 world; nothing is sent."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.connect(('2001:500:2::c', 53))
            return probe.getsockname()[0][:1] in '23'  # a public address
    except OSError:
        return False


class Doctor(rig.Case):
    def setUp(self):
        super().setUp()
        if has_ipv6():
            self.skipTest('the names of this machine\'s IPv6 address are not ours')
        # Rules, providers and lists are the shipped ones; the block lists are ours.
        data = self.folder / 'data'
        data.mkdir()
        for kind in ('rules', 'providers', 'lists', 'score'):
            os.symlink(os.path.join(rig.Settings.data, kind), data / kind)
        (data / 'blocklists').mkdir()
        (data / 'blocklists/test.conf').write_text(LISTS)
        self.env['HELOISE_DATA'] = str(data)

    def mailer(self, change=None, say=None, without=()):
        records = fit_records()
        for name in without:
            records = {key: value for key, value in records.items() if key[0] != name}
        records.update(change or {})
        mailer = rig.Mailer(say=say, records=records)
        self.addCleanup(mailer.close)
        return mailer

    def words(self, mailer, *more):
        return ('doctor', *[w for w in mailer.options if w not in ('--helo', 'probe.example.net')], '--helo',
                'mail.d.example', '--from', 'live@d.example', '--source', '127.0.0.1', '--public-ip', OWN,
                '--store', self.path('store/h.db'), '--color', 'never', *more)

    def findings(self, code, mailer, *more):
        """The findings that are not ok, as (level, check)."""
        run = self.expect(code, *self.words(mailer, '--json', *more))
        self.assertEqual(run.err, '', run)
        self.assertEqual(len(run.out.splitlines()), 1)
        record = json.loads(run.out)
        self.assertEqual(record['fitness'], {0: 'fit', 1: 'unfit', 3: 'unknown'}[code])
        self.assertEqual(record['egresses'][0]['ehlo_name'], 'mail.d.example')
        # What this machine itself is, is not the test's.
        return [(f['level'], f['check']) for f in record['findings']
                if f['level'] != 'ok' and f['check'] not in ('clock', 'open_files')]

    def test_fit(self):
        mailer = self.mailer()
        run = self.expect(0, *self.words(mailer))
        self.assertIn('The machine\n', run.out)
        self.assertIn('The way out: EHLO mail.d.example, MAIL FROM <live@d.example>\n', run.out)
        self.assertIn('3 of 3 large providers talk to us', run.out)
        self.assertIn(f'{OWN} is not on List One', run.out)
        self.assertRegex(run.out, r'\nFit to ask[^\n]*\.\n$')
        self.assertNotIn('\033', run.out)
        said = [line for _, line in mailer.heard]
        self.assertEqual(sorted(set(said)), ['EHLO mail.d.example', 'QUIT'])
        self.assertEqual(len(said), 6)

    def test_fit_as_json(self):
        self.assertEqual(self.findings(0, self.mailer()), [])

    def test_unfit(self):
        cases = (({('7.7.9.5.one.bl.example', A): ['127.0.0.2']}, (), [('mend', 'block_lists')]),
                 ({}, ('7.7.9.5.in-addr.arpa',), [('mend', 'reverse_name')]),
                 ({('d.example', TXT): ['v=spf1 -all']}, (), [('mend', 'spf')]),
                 ({('d.example', MX): ['mx.nowhere.example']}, (), [('mend', 'mail_from')]),
                 ({('mail.d.example', A): ['5.9.7.8']}, (), [('mend', 'reverse_name'), ('mend', 'ehlo_name')]))
        for change, without, wanted in cases:
            with self.subTest(change=change, without=without):
                self.assertEqual(self.findings(1, self.mailer(change, without=without)), wanted)

    def test_refusing_list_is_no_listing(self):
        refusal = {(name, A): ['127.255.255.254'] for name in
                   ('2.0.0.127.one.bl.example', '1.0.0.127.one.bl.example', '7.7.9.5.one.bl.example')}
        mailer = self.mailer(refusal)
        self.assertEqual(self.findings(3, mailer), [('unknown', 'block_lists')])
        self.assertIn('List One (no public resolvers)', self.expect(3, *self.words(mailer)).out)
        self.assertEqual(self.findings(0, mailer, '--no-block-lists'), [])

    def test_refusing_servers_are_quoted_safely(self):
        mailer = self.mailer(say=lambda verb, line: b'554 5.7.1 no \033[31mPTR\r\n' if verb == '' else None)
        run = self.expect(1, *self.words(mailer))
        self.assertIn('turns us away: 554 5.7.1 no \\x1b[31mPTR', run.out)
        self.assertNotIn('\033', run.out + run.err)

    def test_bounces_only_with_permission(self):
        mailer = self.mailer()
        self.expect(0, *self.words(mailer))
        self.assertEqual(mailer.rcpts(), [])
        self.assertEqual(self.findings(0, mailer, '--ask-bounce'), [])
        self.assertEqual(mailer.rcpts(), ['live@d.example'])
        self.assertIn('MAIL FROM:<>', [line for _, line in mailer.heard])
        self.assertNotIn('DATA', [line for _, line in mailer.heard])
        words = [w.replace('live@', 'dead@') for w in self.words(mailer, '--ask-bounce')]
        self.assertIn('dead@d.example takes no bounces: 550', self.expect(1, *words).out)

    def test_no_smtp(self):
        mailer = self.mailer()
        self.assertEqual(self.findings(0, mailer, '--no-smtp', '--ask-bounce'), [])
        self.assertEqual(mailer.heard, [])

    def test_address_behind_a_router(self):
        mailer = self.mailer()
        words = [w for w in self.words(mailer) if w not in ('--public-ip', OWN)]
        run = self.expect(3, *words)
        self.assertIn('--public-ip', run.out)
        mailer = self.mailer(say=lambda verb, line: f'250 mx.d.example sees [{OWN}]\r\n'.encode()
                             if verb == 'EHLO' else None)
        words = [w for w in self.words(mailer) if w not in ('--public-ip', OWN)]
        self.assertIn('so gmail-smtp-in.l.google.com sees us', self.expect(0, *words).out)

    def test_every_enabled_egress_of_the_configuration(self):
        mailer = self.mailer({('8.7.9.5.in-addr.arpa', PTR): ['two.d.example'], ('two.d.example', A): ['5.9.7.8']})
        conf = self.write('heloise.conf', '''mail-from live@d.example
egress one {
  helo mail.d.example
  source-v4 127.0.0.1
}
egress two {
  helo two.d.example
  source-v4 127.0.0.2
}
egress three {
  helo three.d.example
  enabled no
}
egress four {
  helo mail.d.example
  proxy socks5://proxy.d.example:1080
}
''')
        words = ('doctor', '--config', conf, '--no-store', '--json', '--port', mailer.port, '--resolver',
                 f'127.0.0.1:{mailer.names.port}', '--allow-net', '127.0.0.0/8')
        run = self.expect(1, *words, '--public-ip', f'one={OWN}', '--public-ip', 'two=5.9.7.8')
        record = json.loads(run.out)
        self.assertEqual([e['label'] for e in record['egresses']], ['one', 'two', 'four'])
        bad = [(f['egress'], f['check']) for f in record['findings'] if f['level'] == 'mend']
        self.assertEqual(bad, [(1, 'spf'), (2, 'port_25')])
        self.assertEqual({peer for peer, _ in mailer.heard}, {'127.0.0.1', '127.0.0.2'})
        for public, named in ((OWN, 'say of which'), (f'three={OWN}', "'three'"), (f'nine={OWN}', "'nine'")):
            run = self.expect(64, *words, '--public-ip', public)
            self.assertIn(named, run.err)

    def test_wrong_configuration(self):
        run = self.expect(78, 'doctor', '--config', self.write('bad.conf', 'nonsense\n'))
        self.assertIn('bad.conf:1:', run.err)

    def test_store(self):
        mailer = self.mailer()
        self.expect(0, *self.words(mailer))
        self.assertTrue(stat.S_ISREG(os.stat(self.path('store/h.db')).st_mode))
        bad = self.write('letter.txt', 'Dear reader, this is no data base.\n' * 100)
        self.assertEqual(self.findings(1, mailer, '--store', bad), [('mend', 'store')])
        self.assertEqual(self.findings(0, mailer, '--store', bad, '--no-store'), [])

    def test_port_is_closed(self):
        mailer = self.mailer()
        mailer.port = 1
        words = list(self.words(mailer))
        words[words.index('--port') + 1] = '1'
        run = self.expect(1, *words)
        self.assertIn('port 25 is blocked from here over IPv4', run.out)
        self.assertIn('Not fit to ask: 1 to mend', run.out)

    def test_wrong_usage(self):
        for words, named in ((('--public-ip', 'x'), '--public-ip'), (('--public-ip', '10.0.0.1'), 'public address'),
                             (('jane@plain.example',), 'jane@plain.example')):
            run = self.expect(64, 'doctor', *words)
            self.assertEqual(run.out, '')
            self.assertIn(named, run.err)

    def test_block_lists_that_are_wrong(self):
        (self.folder / 'data/blocklists/test.conf').write_text('nonsense\n')
        run = self.expect(65, *self.words(self.mailer()))
        self.assertIn('test.conf:1:', run.err)

    def test_full_disk(self):
        with open('/dev/full', 'wb') as full:
            run = self.expect(73, *self.words(self.mailer()), stdout=full)
        self.assertIn('standard output', run.err)

    def test_progress_and_interrupt(self):
        mailer = self.mailer({('7.7.9.5.in-addr.arpa', None): []})
        process, read_all = self.on_terminal(*self.words(mailer))
        ours = []
        reader = threading.Thread(target=lambda: ours.append(read_all()))
        reader.start()
        rig.wait_until(lambda: len(mailer.heard) >= 6, 'the far servers were asked')
        self.assertIsNone(process.poll())
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(rig.PATIENCE_S), 130)
        reader.join()

    def test_progress_on_a_terminal(self):
        mailer = self.mailer({('7.7.9.5.in-addr.arpa', None): []})
        process, read_all = self.on_terminal(*self.words(mailer, '--timeout', '4'))
        seen = read_all()
        self.assertEqual(process.wait(rig.PATIENCE_S), 3)
        self.assertRegex(seen, r'examining: \d+ of \d+ answered, [2-4] s')
        self.assertTrue(seen.endswith('\r\033[K'), seen)


class Village(rig.Case):
    """The demo village has no large providers: the doctor says so and ends."""

    def test_village(self):
        village = rig.Village()
        self.addCleanup(village.close)
        run = self.expect(1, 'doctor', *village.options, '--source', '127.0.0.1', '--no-store')
        self.assertIn('the resolver does not find the names of large mail providers', run.out)
        self.assertIn('probe.example.net has no address in the DNS', run.out)
