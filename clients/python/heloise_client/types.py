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
    row: int  # of a list, from 1


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


class Batch(typing.TypedDict):
    id: str
    label: typing.Optional[str]
    file_name: typing.Optional[str]
    column: typing.Optional[str]
    state: typing.Literal['loading', 'running', 'paused', 'done', 'cancelled', 'failed']
    cause: typing.Optional[str]
    bytes: int
    counts: BatchCounts
    statuses: typing.Dict[str, int]
    per_second: typing.Optional[float]
    seconds_left: typing.Optional[int]
    webhook: typing.Optional[str]
    created_at: str
    changed_at: str
    finished_at: typing.Optional[str]


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


class Event(typing.NamedTuple):
    """Of a stream: stage, line, verdict, pending; result of a probe; progress, over."""
    type: str
    data: Json
