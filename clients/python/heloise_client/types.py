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
    """Of a stream: stage, line, verdict, pending; progress, over."""
    type: str
    data: Json
