"""The JSON of the service, as types. The record is described in docs/verdicts.md.

SPDX-License-Identifier: Apache-2.0
"""
import typing

Status = typing.Literal['deliverable', 'undeliverable', 'risky', 'unknown']
Json = typing.Dict[str, typing.Any]


class Reason(typing.TypedDict):
    code: str
    effect: int
    detail: typing.Optional[str]


class Flags(typing.TypedDict):
    is_disposable: bool
    is_role: bool
    is_free: bool
    is_plus_tagged: bool
    is_noreply: bool
    is_gov: bool
    is_edu: bool
    is_idn: bool
    is_gibberish: bool
    is_catch_all: typing.Optional[bool]
    is_full: typing.Optional[bool]
    is_disabled: typing.Optional[bool]
    disposable_entry: typing.Optional[str]


class _Always(typing.TypedDict):
    email: str
    normalized: typing.Optional[str]
    ascii: typing.Optional[str]
    local: typing.Optional[str]
    domain: typing.Optional[str]
    status: Status
    sub_status: str
    score: int
    confidence: float
    reasons: typing.List[Reason]
    did_you_mean: typing.Optional[str]
    flags: Flags
    dns: typing.Optional[Json]
    provider: typing.Optional[Json]
    smtp: typing.Optional[Json]
    retry_after: typing.Optional[int]
    checked_at: str
    expires_at: typing.Optional[str]
    cached: bool
    duration_ms: int


class Verdict(_Always, total=False):
    block_kind: str
    skip_reason: str
    engine_version: typing.Optional[str]
    rules_version: typing.Optional[str]
    transcript: typing.List[Json]


class Row(Verdict, total=False):
    """Of many: its number in the list, from 1; error: nothing else is there."""
    row: int
    error: str


class Answer(Verdict, total=False):
    """pending: the time was over; the work goes on, and `link` will have the result."""
    pending: bool
    link: str


class BatchCounts(typing.TypedDict):
    rows: int
    bad_rows: int
    no_address: int
    addresses: int  # distinct ones
    done: int  # of them


class BatchProvider(typing.TypedDict):
    name: typing.Optional[str]  # None: none is known
    label: typing.Optional[str]
    statuses: typing.Dict[Status, int]


class _BatchAlways(typing.TypedDict):
    id: str
    label: typing.Optional[str]
    file_name: typing.Optional[str]
    column: typing.Optional[str]
    state: typing.Literal['loading', 'running', 'paused', 'cancelled', 'done', 'failed', 'deleted']
    cause: typing.Optional[str]
    bytes: int
    counts: BatchCounts
    statuses: typing.Dict[Status, int]
    per_second: typing.Optional[float]
    seconds_left: typing.Optional[int]
    webhook: typing.Optional[str]
    created_at: str
    changed_at: str
    finished_at: typing.Optional[str]


class Batch(_BatchAlways, total=False):
    """providers: of one that was asked for by its id, and in its events; at most 20."""
    providers: typing.List[BatchProvider]


class Batches(typing.TypedDict):
    batches: typing.List[Batch]
    next: typing.Optional[str]


class HistoryEntry(typing.TypedDict):
    at: str
    kind: str
    status: typing.Optional[Status]
    sub_status: str
    server: typing.Optional[str]
    egress: str


class History(typing.TypedDict):
    email: str
    history: typing.List[HistoryEntry]


Provider = typing.TypedDict('Provider', {'name': str, 'label': str, 'class': str})


class _DomainAlways(typing.TypedDict):
    domain: str
    known: bool
    flags: typing.Dict[str, bool]


class Domain(_DomainAlways, total=False):
    """What follows is there where the domain is known."""
    route: str
    implicit_mx: bool
    mx: typing.List[Json]
    catch_all: typing.Optional[bool]
    provider: Provider
    site: str


class DnsFinding(typing.TypedDict):
    check: str
    area: str
    level: typing.Literal['unknown', 'advice', 'warning', 'error', 'critical']
    text: str
    why: str
    todo: str
    record: str  # to be published; empty: none


class DnsHealth(typing.TypedDict):
    domain: str
    grade: typing.Literal['A', 'B', 'C', 'D', 'F']
    score: int
    complete: bool
    findings: typing.List[DnsFinding]
    facts: Json


class Egress(typing.TypedDict):
    name: str
    source_v4: typing.Optional[str]
    source_v6: typing.Optional[str]
    proxy: bool
    helo: str
    weight: int
    budget: int  # recipients a day; 0: no limit
    asked_24h: int
    blocked_sites: int


class SitePath(typing.TypedDict):
    egress: str
    health: typing.Literal['well', 'recovering', 'blocked', 'trying']
    open: int
    refused_last_hour: int
    again_in: typing.Optional[int]  # seconds


class Site(typing.TypedDict):
    site: str
    provider: Provider
    domains: int
    open: int
    limits: typing.Dict[str, int]
    paths: typing.List[SitePath]


class Sites(typing.TypedDict):
    sites: typing.List[Site]
    next: typing.Optional[str]


class _ExtractedAlways(typing.TypedDict):
    email: str
    ascii: str
    offset: int  # in the decoded text of the member


class ExtractedAddress(_ExtractedAlways, total=False):
    """Where it stands, as far as its format has such places."""
    member: str
    line: int
    page: int
    row: int
    column: int


class Extracted(typing.TypedDict):
    addresses: typing.List[ExtractedAddress]
    more: bool
    unread: typing.List[str]


class OutcomeFault(typing.TypedDict):
    line: int
    detail: str


class Learned(typing.TypedDict):
    """silent: said nothing of a mailbox. unused: could not be used; the first of them are faults."""
    alive: int
    gone: int
    silent: int
    unused: int
    faults: typing.List[OutcomeFault]


class Watch(typing.TypedDict):
    id: str
    label: typing.Optional[str]
    state: typing.Literal['waiting', 'running', 'paused']
    paused: bool
    cause: typing.Optional[str]
    every_s: int
    batch: str
    run: typing.Optional[str]
    addresses: int
    checked: typing.Optional[int]
    asked: int
    changed: int
    webhook: typing.Optional[str]
    created_at: typing.Optional[str]
    last_at: typing.Optional[str]
    next_at: typing.Optional[str]


class Watches(typing.TypedDict):
    watches: typing.List[Watch]
    next: typing.Optional[str]


class WatchChange(typing.TypedDict):
    email: str
    at: typing.Optional[str]
    run: str
    before: typing.Dict[str, str]  # status and sub_status
    after: typing.Dict[str, str]


class WatchChanges(typing.TypedDict):
    changes: typing.List[WatchChange]
    next: typing.Optional[str]


class Webhook(typing.TypedDict):
    number: int
    id: str
    type: str
    batch: typing.Optional[str]
    url: str
    state: typing.Literal['waiting', 'delivered', 'failed']
    tries: int
    created_at: str
    changed_at: str
    next_at: typing.Optional[str]
    last_status: typing.Optional[int]
    last_error: typing.Optional[str]
    body: Json


class Webhooks(typing.TypedDict):
    webhooks: typing.List[Webhook]
    next: typing.Optional[str]


class Version(typing.TypedDict):
    name: str
    version: str
    api: str

# A mapping and no class: 'from' is a word of the language.
ProbeOptions = typing.TypedDict('ProbeOptions', {
    'port': int,  # 24, 25, 465, 587, 2525, or that of the service's configuration
    'host': str,  # of a domain: this mail server alone
    'all_hosts': bool,
    'tls': typing.Literal['may', 'never', 'must', 'at_once'],
    'server_name': str,
    'examine': bool,  # versions of TLS, the STARTTLS injection, DANE, MTA-STS; True where nothing is said
    'ports': bool,  # 25, 465, 587 and 2525 are compared
    'to': typing.List[str],  # recipients that are asked with RCPT
    'from': str,  # the sender; '': the null sender
    'user': str,
    'password': str,
    'mechanism': str,
    'test_logins': bool,  # each that is offered
    'send': bool,  # a message, where the operator of the service allows it
    'message': str,
    'relay_domain': str,  # tests for relaying, where the operator of the service names the target
    'relay_to': str,
    'timeout_ms': int,
}, total=False)


class ProbeFinding(typing.TypedDict):
    check: str
    level: typing.Literal['ok', 'advice', 'unknown', 'mend']
    host: typing.Optional[int]  # its place in hosts; None: of the target
    text: str
    hint: str


class _ProbePolicy(typing.TypedDict):
    state: typing.Literal['not_tried', 'none', 'found', 'broken', 'unknown']
    mode: str
    detail: str


class Probe(typing.TypedDict):
    """Of a mail server, or those of a domain; hosts as the OpenAPI document has them."""
    name: str
    port: int
    route: typing.Optional[str]
    complete: bool
    added: typing.List[str]
    mta_sts: _ProbePolicy
    hosts: typing.List[Json]
    findings: typing.List[ProbeFinding]
    worst: typing.Literal['ok', 'advice', 'unknown', 'mend']


class List(typing.TypedDict):
    list: str
    purpose: str
    file: str
    entries: int
    bytes: int
    sha256: str
    is_updated: bool
    has_former: bool
    changed_at: typing.Optional[str]
    date: str  # this and the next two as the file says of itself; empty: it says nothing
    source: str
    licence: str
    own_file: str
    added: int
    removed: int


class ListMatch(typing.TypedDict):
    list: str
    entry: str
    rule: typing.Literal['itself', 'parent']
    is_exception: bool  # taken out
    file: str
    line: int
    is_own: bool


class ListProvider(typing.TypedDict):
    name: str
    where: str


class ListTest(typing.TypedDict):
    input: str
    domain: str
    matches: typing.List[ListMatch]
    is_disposable: bool
    is_free: bool
    is_role: bool
    did_you_mean: str
    provider: typing.Optional[ListProvider]


class OwnEntry(typing.TypedDict):
    entry: str
    is_exception: bool
    line: int


class ListEntries(typing.TypedDict):
    list: str
    entries: typing.List[OwnEntry]
    total: int


class ListChange(typing.TypedDict):
    list: str
    entry: str
    change: typing.Literal['none', 'added', 'restored', 'dropped', 'removed']


class Event(typing.NamedTuple):
    """Of a stream: stage, line, verdict, pending; result of a probe; progress, over."""
    type: str
    data: Json
