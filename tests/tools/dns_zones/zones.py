"""zones: one domain for each fault that `heloise dns` looks for, and a clean one. Each case is the clean zone with some
records changed; what is found in it must be exactly what the case names.

Names are relative to the zone unless they end with a dot; DOMAIN stands for the zone, MX1 and MX2 for the
addresses of its mail servers, KEY for a public key of 2048 bits.
SPDX-License-Identifier: Apache-2.0
"""
import dataclasses

PARENT = 'health.'  # all domains lie below it
DIGEST = 'ab' * 32

CLEAN = {
    ('@', 'NS'): ['ns1', 'ns2'],
    ('ns1', 'A'): ['127.0.3.1'],
    ('ns2', 'A'): ['127.0.3.2'],
    ('@', 'MX'): ['10 mx1', '20 mx2'],
    ('mx1', 'A'): ['MX1'],
    ('mx2', 'A'): ['MX2'],
    ('_25._tcp.mx1', 'TLSA'): [f'3 1 1 {DIGEST}'],
    ('_25._tcp.mx2', 'TLSA'): [f'3 1 1 {DIGEST}'],
    ('@', 'TXT'): ['"v=spf1 mx -all"', '"some-verification=1234"'],
    ('_dmarc', 'TXT'): ['"v=DMARC1; p=reject; rua=mailto:dmarc@DOMAIN"'],
    ('default._domainkey', 'TXT'): ['"v=DKIM1; k=rsa; p=" KEY'],
    ('_mta-sts', 'TXT'): ['"v=STSv1; id=20261122;"'],
    ('mta-sts', 'A'): ['127.0.4.1'],
    ('_smtp._tls', 'TXT'): ['"v=TLSRPTv1; rua=mailto:tls@DOMAIN"'],
    ('default._bimi', 'TXT'): ['"v=BIMI1; l=https://DOMAIN/logo.svg"'],
    ('_submissions._tcp', 'SRV'): ['0 1 465 mx1'],
    ('_imaps._tcp', 'SRV'): ['0 1 993 mx1'],
    ('_pop3._tcp', 'SRV'): ['0 0 0 .'],
    ('autoconfig', 'A'): ['127.0.4.1'],
}

POLICY = 'version: STSv1\r\nmode: enforce\r\nmx: mx1.DOMAIN\r\nmx: *.DOMAIN\r\nmax_age: 604800\r\n'


@dataclasses.dataclass
class Case:
    name: str
    findings: list  # names of checks, as often as each is found
    changes: dict = dataclasses.field(default_factory=dict)  # (name, type): records, or None for none
    smtp: dict = dataclasses.field(default_factory=dict)  # 'mx1': 'silent', 'mute', 'plain', 'refusing', 'hostile'
    policy: object = POLICY  # of MTA-STS; bytes: the whole answer; None: 404
    reverse: dict = dataclasses.field(default_factory=dict)  # 'mx1': the name, or None for none
    options: tuple = ()  # of the program; cases without are asked together
    keys: str = 'signed'  # 'unsigned', 'bogus': the parent has another key
    spoilt: tuple = ()  # (name, type): records there whose signature is wrong: the resolver fails for them alone
    is_trusting: bool = False  # asked through a resolver that does not validate; for cases with options
    old_copy: bool = False  # an older one is on 127.0.3.3
    is_there: bool = True  # the domain exists
    lists: str = 'lists'  # which block lists are asked
    grade: str = ''  # '': not looked at
    code: int = -1  # of a run of its own; -1: not looked at

    @property
    def domain(self):
        return f'{self.name}.{PARENT}'.rstrip('.')


def spf(*terms):
    return {('@', 'TXT'): [f'"v=spf1 {" ".join(terms)}"']}


def dmarc(text):
    return {('_dmarc', 'TXT'): [f'"{text}"']}


def sts(policy, findings, name):
    return Case(name, findings, policy=policy)


NO_MAIL = {key: None for key in CLEAN if key[0] in ('mx1', 'mx2', '_25._tcp.mx1', '_25._tcp.mx2', '_mta-sts', 'mta-sts',
                                                    '_smtp._tls', '_submissions._tcp', '_imaps._tcp',
                                                    'default._domainkey', 'default._bimi')}
LONG = ['"v=spf1 ' + ' '.join(f'ip4:192.0.{i}.{k}' for i in (2, 3) for k in range(1, 8)) + ' "',
        '"' + ' '.join(f'ip4:198.51.100.{k}' for k in range(1, 22)) + ' mx -all"']

CASES = [
    Case('clean', [], grade='A', code=0, options=('--color', 'never')),
    Case('null-mx', [], {**NO_MAIL, ('@', 'MX'): ['0 .'], ('@', 'TXT'): ['"v=spf1 -all"']}),

    # the domain and its name servers
    Case('absent', ['domain_not_found'], is_there=False, grade='F', options=('--no-block-lists',), code=1),
    Case('bogus', ['domain_failing'], keys='bogus', grade='F', options=('--no-block-lists',), code=3),
    Case('ns-single', ['ns_single'], {('@', 'NS'): ['ns1'], ('ns2', 'A'): None}),
    Case('ns-alias', ['ns_is_alias'], {('ns2', 'A'): None, ('ns2', 'CNAME'): ['other'], ('other', 'A'): ['127.0.3.2']}),
    Case('ns-no-address', ['ns_without_address'], {('ns2', 'A'): None, ('ns2', 'TXT'): ['"nothing"']}),
    Case('ns-silent', ['ns_silent'], {('ns2', 'A'): ['127.0.3.9']}),
    Case('ns-lame', ['ns_lame'], {('ns2', 'A'): ['127.0.3.3']}),
    Case('ns-old', ['ns_serials_differ'], {('ns2', 'A'): ['127.0.3.3']}, old_copy=True),

    # mail servers
    Case('mx-none', ['mx_missing'], {**NO_MAIL, ('@', 'MX'): None, ('@', 'TXT'): ['"v=spf1 -all"'],
                                     ('default._domainkey', 'TXT'): CLEAN['default._domainkey', 'TXT']}, grade='F'),
    Case('mx-implicit', ['mx_implicit', 'mx_one_network', 'mta_sts_mx_not_named'],
         {('@', 'MX'): None, ('@', 'A'): ['MX1'], ('@', 'TXT'): ['"v=spf1 a -all"']}),
    Case('mx-null-mixed', ['mx_null_mixed'], {('@', 'MX'): ['0 .', '10 mx1', '20 mx2']}),
    Case('mx-literal', ['mx_is_address', 'mta_sts_mx_not_named'], {('@', 'MX'): ['10 mx1', '15 mx2', '20 192.0.2.1.']}),
    Case('mx-alias', ['mx_is_alias', 'mx_reverse_name_unconfirmed'],
         {('mx2', 'A'): None, ('mx2', 'CNAME'): ['real'], ('real', 'A'): ['MX2'],
          ('_25._tcp.mx2', 'TLSA'): [f'3 1 1 {DIGEST}']}, reverse={'mx2': 'elsewhere'}),
    Case('mx-no-address', ['mx_without_address'], {('@', 'MX'): ['10 mx1', '20 mx2', '30 mx3'],
                                                  ('_25._tcp.mx3', 'TLSA'): [f'3 1 1 {DIGEST}']}),
    Case('mx-loop', ['mx_address_failing'],
         {('mx2', 'A'): None, ('mx2', 'CNAME'): ['round'], ('round', 'CNAME'): ['mx2']}),
    Case('mx-private', ['mx_private_address'], {('mx2', 'A'): ['10.1.2.3']}),
    Case('mx-failing', ['mx_failing'], spf('a:mx1.DOMAIN', 'a:mx2.DOMAIN', '-all'), spoilt=('@', 'MX')),
    Case('mx-double', ['mx_double'], {('@', 'MX'): ['10 mx1', '20 mx2', '30 mx1']}),
    Case('mx-many', ['mx_many'],
         {('@', 'MX'): [f'{10 + i} many{i}' for i in range(40)], **spf('a:mx1.DOMAIN', 'a:mx2.DOMAIN', '-all'),
          **{(f'many{i}', 'A'): [f'MX{1 + i % 2}'] for i in range(40)},
          **{(f'_25._tcp.many{i}', 'TLSA'): [f'3 1 1 {DIGEST}'] for i in range(40)}}),
    Case('mx-no-reverse', ['mx_without_reverse_name'], reverse={'mx2': None}),
    Case('mx-unconfirmed', ['mx_reverse_name_unconfirmed'], reverse={'mx1': 'nowhere'}),
    Case('mx-one-network', ['mx_one_network'], {('@', 'MX'): ['10 mx1'], ('mx2', 'A'): None,
                                                ('_25._tcp.mx2', 'TLSA'): None}),
    Case('mx-silent', ['mx_silent'], smtp={'mx1': 'silent'}),
    Case('mx-all-silent', ['mx_all_silent'], smtp={'mx1': 'silent', 'mx2': 'silent'}, grade='F'),
    Case('mx-no-tls', ['mx_without_starttls'], smtp={'mx2': 'plain'}),
    Case('mx-refusing', ['mx_turns_away'], smtp={'mx2': 'refusing'}),
    Case('mx-garbage', ['mx_silent'], smtp={'mx2': 'hostile'}),

    # SPF
    Case('spf-missing', ['spf_missing'], {('@', 'TXT'): ['"hello"']}),
    Case('spf-failing', ['spf_failing'], spoilt=('@', 'TXT')),
    Case('spf-several', ['spf_several_records'], {('@', 'TXT'): ['"v=spf1 mx -all"', '"v=spf1 mx ~all"']}),
    Case('spf-syntax', ['spf_syntax'], spf('mx', 'ipv4:192.0.2.1', '-all')),
    Case('spf-lookups', ['spf_too_many_lookups'], spf(*[f'include:ok{i}.inc.health' for i in range(11)], '-all')),
    Case('spf-near', ['spf_many_lookups'], spf(*[f'include:ok{i}.inc.health' for i in range(9)], '-all')),
    Case('spf-nested', ['spf_too_many_lookups'], spf('include:six.inc.health', 'include:five.inc.health', '-all')),
    Case('spf-voids', ['spf_too_many_voids'], spf('a:v1.DOMAIN', 'a:v2.DOMAIN', 'a:v3.DOMAIN', 'mx:v4.DOMAIN', '-all')),
    Case('spf-void', ['spf_void'], spf('mx', 'a:gone.DOMAIN', '-all')),
    Case('spf-nowhere', ['spf_leads_nowhere'], spf('mx', 'include:none.inc.health', '-all')),
    Case('spf-loop', ['spf_loop'], {**spf('mx', 'include:l.DOMAIN', '-all'),
                                    ('l', 'TXT'): ['"v=spf1 include:DOMAIN -all"']}),
    Case('spf-pass', ['spf_pass_all'], spf('mx', '+all'), grade='F'),
    Case('spf-neutral', ['spf_neutral_all'], spf('mx', '?all')),
    Case('spf-open', ['spf_without_all'], spf('mx')),
    Case('spf-soft', ['spf_soft_all', 'dmarc_none', 'bimi_without_dmarc'],
         {**spf('mx', '~all'), **dmarc('v=DMARC1; p=none; rua=mailto:dmarc@DOMAIN')}),
    Case('spf-soft-enforced', [], spf('mx', '~all'), grade='A'),
    Case('spf-after', ['spf_terms_after_all'], spf('mx', '-all', 'ip4:192.0.2.1')),
    Case('spf-ptr', ['spf_ptr'], spf('mx', 'ptr', '-all')),
    Case('spf-overlap', ['spf_overlap'], spf('ip4:192.0.2.0/24', 'ip4:192.0.2.7', '-all')),
    Case('spf-wide', ['spf_wide_network'], spf('ip4:192.0.0.0/8', '-all')),
    Case('spf-long', ['spf_long'], {('@', 'TXT'): [' '.join(LONG)]}),
    Case('spf-redirect', [], spf('redirect=ok1.inc.health')),
    Case('spf-macro', [], spf('mx', 'exists:%{i}._spf.DOMAIN', 'include:%{d}.inc.health', '-all')),
    Case('spf-egress', ['spf_egress_not_covered', 'egress_reverse_name'], options=('--egress', '127.0.9.9'), code=1),
    Case('spf-egress-good', [], spf('mx', 'ip4:127.0.9.8', '-all'), options=('--egress', '127.0.9.8'), code=0),

    # DKIM
    Case('dkim-none', ['dkim_none_found'], {('default._domainkey', 'TXT'): None}),
    Case('dkim-missing', ['dkim_missing'], options=('--selector', 'gone'), code=1),
    Case('dkim-failing', ['dkim_failing'], spoilt=('default._domainkey', 'TXT'), options=('--selector', 'default'), code=1),
    Case('dkim-wildcard', [], {('*._domainkey', 'TXT'): ['"v=spf1 -all"']}),
    Case('dkim-several', ['dkim_several_records'],
         {('default._domainkey', 'TXT'): ['"v=DKIM1; p=" KEY', '"v=DKIM1; t=s; p=" KEY']}),
    Case('dkim-broken', ['dkim_broken'], {('default._domainkey', 'TXT'): ['"v=DKIM1; k=rsa; p=AAAA"']}),
    Case('dkim-revoked', ['dkim_revoked'], {('old._domainkey', 'TXT'): ['"v=DKIM1; p="']},
         options=('--selector', 'old'), code=1),
    Case('dkim-tiny', ['dkim_key_too_small'], {('default._domainkey', 'TXT'): ['"v=DKIM1; p=" KEY512']}),
    Case('dkim-small', ['dkim_key_small'], {('default._domainkey', 'TXT'): ['"v=DKIM1; p=" KEY1024']}),
    Case('dkim-testing', ['dkim_testing'], {('default._domainkey', 'TXT'): ['"v=DKIM1; t=y:s; p=" KEY']}),
    Case('dkim-ed25519', [], {('default._domainkey', 'TXT'): [
        '"v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="']}),
    Case('dkim-mail', ['dkim_missing'], options=('--mail', 'MAIL'), code=1),

    # DMARC
    Case('dmarc-missing', ['dmarc_missing', 'bimi_without_dmarc'], {('_dmarc', 'TXT'): None}),
    Case('dmarc-failing', ['dmarc_failing', 'bimi_without_dmarc'], spoilt=('_dmarc', 'TXT')),
    Case('a.below.registered', ['dmarc_none', 'bimi_without_dmarc'], {('_dmarc', 'TXT'): None}),  # sp of registered.health
    Case('dmarc-several', ['dmarc_several_records', 'bimi_without_dmarc'],
         {('_dmarc', 'TXT'): ['"v=DMARC1; p=reject"', '"v=DMARC1; p=none"']}),
    Case('dmarc-syntax', ['dmarc_syntax'], dmarc('v=DMARC1; p=reject; adkim=x; rua=mailto:dmarc@DOMAIN')),
    Case('dmarc-no-p', ['dmarc_syntax', 'bimi_without_dmarc'], dmarc('v=DMARC1; rua=mailto:dmarc@DOMAIN')),
    Case('dmarc-none', ['dmarc_none', 'bimi_without_dmarc'], dmarc('v=DMARC1; p=none; rua=mailto:dmarc@DOMAIN')),
    Case('dmarc-partial', ['dmarc_partial'], dmarc('v=DMARC1; p=reject; pct=20; rua=mailto:dmarc@DOMAIN')),
    Case('dmarc-sub', ['dmarc_subdomains_weaker'], dmarc('v=DMARC1; p=reject; sp=none; rua=mailto:dmarc@DOMAIN')),
    Case('dmarc-blind', ['dmarc_no_reports'], dmarc('v=DMARC1; p=reject')),
    Case('dmarc-stranger', ['dmarc_report_not_permitted'],
         dmarc('v=DMARC1; p=reject; rua=mailto:a@reports.elsewhere,mailto:b@DOMAIN')),
    Case('dmarc-permitted', [], dmarc('v=DMARC1; p=reject; rua=mailto:a@collector.inc.health')),

    # TLS
    Case('sts-missing', [], {('_mta-sts', 'TXT'): None, ('mta-sts', 'A'): None}),  # DANE does for it
    Case('sts-none', ['mta_sts_missing'], {('_mta-sts', 'TXT'): None, ('mta-sts', 'A'): None,
                                           ('_25._tcp.mx1', 'TLSA'): None, ('_25._tcp.mx2', 'TLSA'): None}),
    Case('sts-record', ['mta_sts_record'], {('_mta-sts', 'TXT'): ['"v=STSv1; id=20-26"']}),
    Case('sts-no-host', ['mta_sts_not_fetched'], {('mta-sts', 'A'): None}),
    sts(None, ['mta_sts_not_fetched'], 'sts-404'),
    Case('sts-certificate', ['mta_sts_not_fetched'], {('mta-sts', 'A'): ['127.0.4.2']}),
    sts(b'HTTP/1.1 301 Moved\r\nLocation: https://127.0.4.1/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n',
        ['mta_sts_not_fetched'], 'sts-redirect'),
    sts(b'HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n' +
        POLICY.replace('DOMAIN', 'sts-type.health').encode(), ['mta_sts_content_type'], 'sts-type'),
    sts(b'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n' + b'x' * 100000,
        ['mta_sts_not_fetched'], 'sts-huge'),
    sts('mode: enforce\nmx: *.DOMAIN\nmax_age: 604800\n', ['mta_sts_policy'], 'sts-version'),
    sts(POLICY.replace('enforce', 'testing'), ['mta_sts_not_enforced'], 'sts-testing'),
    sts(POLICY.replace('604800', '3600'), ['mta_sts_short_life'], 'sts-short'),
    sts(POLICY.replace('mx: *.DOMAIN\r\n', ''), ['mta_sts_mx_not_named'], 'sts-mx'),
    Case('rpt-missing', ['tls_rpt_missing'], {('_smtp._tls', 'TXT'): None}),
    Case('rpt-record', ['tls_rpt_record'], {('_smtp._tls', 'TXT'): ['"v=TLSRPTv1; to=nobody"']}),
    Case('unsigned', ['dnssec_unsigned', 'dane_unsigned', 'dane_unsigned'], keys='unsigned'),
    Case('trusting', ['dnssec_not_validated'], is_trusting=True, options=('--color', 'never'), code=0),
    Case('dane-usage', ['dane_unusable'], {('_25._tcp.mx1', 'TLSA'): [f'1 1 1 {DIGEST}']}),
    Case('dane-length', ['dane_unusable'], {('_25._tcp.mx1', 'TLSA'): ['3 1 1 abcd']}),
    Case('dane-partial', ['dane_partial'], {('_25._tcp.mx2', 'TLSA'): None}),

    # the rest
    Case('bimi-record', ['bimi_record'], {('default._bimi', 'TXT'): ['"v=BIMI1; l=http://DOMAIN/logo.svg"']}),
    Case('auto-gone', ['autodiscovery_without_address'], {('_imaps._tcp', 'SRV'): ['0 1 993 imap']}),
    Case('auto-alias', ['autodiscovery_is_alias'],
         {('_imaps._tcp', 'SRV'): ['0 1 993 imap'], ('imap', 'CNAME'): ['mx1']}),
    Case('young', ['domain_young'], options=('--rdap',), code=0),
    Case('listed', ['listed']),
    Case('listed-domain', ['listed_light']),
    Case('list-refuses', ['list_refuses'], lists='refusing', options=('--timeout', '60s'), code=0),

    Case('unanswered', ['not_all_answered'], smtp={'mx1': 'mute'}, options=('--timeout', '4s'), code=3),

    # several at once
    Case('mixed', ['ns_single', 'mx_is_alias', 'mx_reverse_name_unconfirmed', 'spf_neutral_all', 'spf_ptr', 'dmarc_none',
                   'bimi_without_dmarc', 'tls_rpt_missing'],
         {('@', 'NS'): ['ns1'], ('ns2', 'A'): None, ('mx2', 'A'): None, ('mx2', 'CNAME'): ['real'],
          ('real', 'A'): ['MX2'], ('_smtp._tls', 'TXT'): None, **spf('ptr', 'mx', '?all'),
          **dmarc('v=DMARC1; p=none; rua=mailto:dmarc@DOMAIN')}, reverse={'mx2': 'elsewhere'}),
    Case('bare', ['mx_without_reverse_name', 'mx_one_network', 'mx_without_starttls', 'spf_missing', 'dkim_none_found',
                  'dmarc_missing', 'mta_sts_missing', 'tls_rpt_missing', 'dnssec_unsigned'],
         {**NO_MAIL, ('@', 'MX'): ['10 mx1'], ('mx1', 'A'): ['MX1'], ('@', 'TXT'): None, ('_dmarc', 'TXT'): None},
         smtp={'mx1': 'plain'}, reverse={'mx1': None}, keys='unsigned', grade='F'),

    # hostile ones: bounded, and safe to print
    Case('escapes', ['spf_syntax', 'dmarc_syntax'],
         {**spf('mx', r'\027[31mred', '-all'),
          **dmarc(r'v=DMARC1; p=reject; \027]0;title\007; rua=mailto:dmarc@DOMAIN')}),
    Case('huge', ['dkim_broken', 'spf_long'],
         {('@', 'TXT'): [' '.join(['"v=spf1 mx -all"'] + [f'"{" " * 250}"'] * 20)],
          ('default._domainkey', 'TXT'): [' '.join(['"v=DKIM1; p="'] + [f'"{"A" * 255}"'] * 60)]}),
]

# What stands below the parent and belongs to nobody in particular.
EXTRA = {
    ('out.inc.health.', 'A'): ['127.0.9.8'],
    ('_dmarc.registered.health.', 'TXT'): ['"v=DMARC1; p=reject; sp=none; rua=mailto:dmarc@registered.health"'],
    ('_dmarc.below.registered.health.', 'TXT'): ['"v=DMARC1; p=reject"'],  # not the organizational domain: nobody looks
    **{(f'ok{i}.inc.health.', 'TXT'): [f'"v=spf1 ip4:198.51.{i}.0/24 -all"'] for i in range(12)},
    ('six.inc.health.', 'TXT'): ['"v=spf1 ' + ' '.join(f'include:ok{i}.inc.health' for i in range(5)) + ' -all"'],
    ('five.inc.health.', 'TXT'): ['"v=spf1 ' + ' '.join(f'include:ok{i}.inc.health' for i in range(5, 9)) + ' -all"'],
    **{(f'{case.domain}._report._dmarc.collector.inc.health.', 'TXT'): ['"v=DMARC1"'] for case in CASES},
    ('2.0.0.127.ip.bl.health.', 'A'): ['127.0.0.2'],
    ('test.dom.bl.health.', 'A'): ['127.0.0.2'],
    ('listed-domain.health.dom.bl.health.', 'A'): ['127.0.0.2'],
}
for _point in ('2.0.0.127', '1.0.0.127'):
    EXTRA[f'{_point}.no.bl.health.', 'A'] = ['127.255.255.254']
