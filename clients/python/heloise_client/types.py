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


class Batch(typing.TypedDict, total=False):
    id: str
    label: typing.Optional[str]
    filename: typing.Optional[str]
    format: str
    column: typing.Optional[str]
    state: typing.Literal['reading', 'running', 'paused', 'done', 'cancelled', 'failed']
    created_at: str
    started_at: typing.Optional[str]
    finished_at: typing.Optional[str]
    rows: int
    addresses: int
    duplicates: int
    done: int
    cached: int
    statuses: typing.Dict[str, int]
    rate_per_s: typing.Optional[float]
    remaining_s: typing.Optional[float]
    waiting_for: typing.Optional[str]
    webhook: typing.Optional[str]
    problem: typing.Any


class Event(typing.NamedTuple):
    """Of a stream: stage, line, verdict, pending; progress, end."""
    type: str
    data: Json
