"""What the service refuses, that it cannot be reached, and a call that is not its own.

SPDX-License-Identifier: Apache-2.0
"""
import json
import typing


class HeloiseError(Exception):
    """The service answered with a problem (RFC 9457)."""

    def __init__(self, status: int, problem: typing.Dict[str, typing.Any], retry_after_s: typing.Optional[float] = None):
        super().__init__(problem.get('detail') or problem.get('title') or f'HTTP status {status}')
        self.status = status
        self.problem = problem
        self.retry_after_s = retry_after_s


class HeloiseUnreachable(Exception):
    """No answer: nobody listens, the line broke, or the time was over."""


class WebhookError(Exception):
    """The call is not from our service, or too old."""


def problem_of(body: bytes) -> typing.Dict[str, typing.Any]:
    """What an error says; a proxy in between speaks HTML, or nothing."""
    try:
        problem = json.loads(body)
    except ValueError:
        return {}
    return problem if isinstance(problem, dict) else {}
