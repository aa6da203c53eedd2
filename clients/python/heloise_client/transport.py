"""One request to the service, asked again where it says when (429, 503 with Retry-After); lines and events of streams.

SPDX-License-Identifier: Apache-2.0
"""
import email.utils
import http.client
import json
import time
import typing
import urllib.parse

from .errors import HeloiseError, HeloiseUnreachable, problem_of
from .types import Event

ASK_AGAIN = (429, 503)
ERROR_BYTES_MAX = 1 << 20
LINE_BYTES_MAX = 4 << 20  # a longer line is not ours; so memory stays bounded whatever answers

Body = typing.Union[bytes, str, typing.BinaryIO, typing.Iterable[bytes], None]


def retry_after_s(text: typing.Optional[str], now_s: float) -> typing.Optional[float]:
    """The wait that Retry-After asks for: seconds or a date (RFC 9110 10.2.3)."""
    if text is None:
        return None
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - now_s)
    except (TypeError, ValueError):
        return None


def lines(response: http.client.HTTPResponse) -> typing.Iterator[str]:
    """The lines of a body, without their ends; the line to the service is closed when nobody reads on."""
    try:
        while True:
            try:
                line = response.readline(LINE_BYTES_MAX)
            except (OSError, http.client.HTTPException) as error:
                raise HeloiseUnreachable(f'the stream broke off: {error}') from error
            if not line:
                return
            if len(line) == LINE_BYTES_MAX:
                raise HeloiseUnreachable('a line without end')
            yield line.decode('utf-8', 'replace').rstrip('\r\n')
    finally:
        response.close()


def ndjson(response: http.client.HTTPResponse) -> typing.Iterator[typing.Any]:
    for line in lines(response):
        if line.strip():
            yield json.loads(line)


def events(response: http.client.HTTPResponse) -> typing.Iterator[Event]:
    """Server-sent events whose data is JSON. Comments, which keep the line alive, are skipped."""
    kind, data = 'message', []
    for line in lines(response):
        if not line:
            if data:
                yield Event(kind, json.loads('\n'.join(data)))
            kind, data = 'message', []
            continue
        field, _, value = line.partition(':')
        value = value[1:] if value.startswith(' ') else value
        if field == 'event':
            kind = value
        elif field == 'data':
            data.append(value)


class Transport:
    """Each call has a connection of its own, so that threads may share it."""

    def __init__(self, base_url: str, key: typing.Optional[str], timeout_s: float, retries: int, retry_wait_max_s: float,
                 sleep: typing.Callable[[float], None] = time.sleep):
        parts = urllib.parse.urlsplit(base_url)
        if parts.scheme not in ('http', 'https') or not parts.hostname:
            raise ValueError(f'{base_url!r} is no http or https address')
        self._parts = parts
        self._key = key
        self._timeout_s = timeout_s
        self._retries = retries
        self._retry_wait_max_s = retry_wait_max_s
        self._sleep = sleep

    def _connect(self, timeout_s: float) -> http.client.HTTPConnection:
        kind = http.client.HTTPSConnection if self._parts.scheme == 'https' else http.client.HTTPConnection
        return kind(self._parts.hostname, self._parts.port, timeout=timeout_s)

    def _once(self, method: str, target: str, headers: typing.Dict[str, str], body: Body,
              timeout_s: float) -> http.client.HTTPResponse:
        connection = self._connect(timeout_s)
        try:
            connection.request(method, target, body=body, headers=headers)
            response = connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise HeloiseUnreachable(f'{self._parts.hostname}: {error or type(error).__name__}') from error
        if connection.sock is not None:
            connection.sock.close()  # the response keeps it as long as it is read
        return response

    def send(self, method: str, path: str, query: typing.Optional[typing.Dict[str, typing.Any]] = None,
             headers: typing.Optional[typing.Dict[str, str]] = None, body: Body = None,
             timeout_s: typing.Optional[float] = None) -> http.client.HTTPResponse:
        """The response, which is a success; its body is not read yet. The caller closes it."""
        asked = {name: _text(value) for name, value in (query or {}).items() if value is not None}
        target = self._parts.path.rstrip('/') + path + ('?' + urllib.parse.urlencode(asked) if asked else '')
        sent = {'Connection': 'close', **(headers or {})}
        if self._key:
            sent['Authorization'] = f'Bearer {self._key}'
        if isinstance(body, str):
            body = body.encode()
        may_repeat = body is None or isinstance(body, bytes)  # a file is read only once
        tries = 0
        while True:
            response = self._once(method, target, sent, body, timeout_s or self._timeout_s)
            if 200 <= response.status < 300:
                return response
            wait_s = retry_after_s(response.getheader('Retry-After'), time.time())
            error = HeloiseError(response.status, problem_of(_rest(response)), wait_s)
            if (response.status not in ASK_AGAIN or wait_s is None or wait_s > self._retry_wait_max_s or
                    tries >= self._retries or not may_repeat):
                raise error
            tries += 1
            self._sleep(wait_s)

    def post_json(self, path: str, value: typing.Any, accept: str) -> http.client.HTTPResponse:
        return self.send('POST', path, headers={'Content-Type': 'application/json', 'Accept': accept},
                         body=json.dumps(value).encode())

    def json(self, method: str, path: str, value: typing.Any = None, **options: typing.Any) -> typing.Any:
        headers = {'Accept': 'application/json', **options.pop('headers', {})}
        if value is not None:
            headers['Content-Type'] = 'application/json'
            options['body'] = json.dumps(value).encode()
        with self.send(method, path, headers=headers, **options) as response:
            try:
                body = response.read()
            except (OSError, http.client.HTTPException) as error:
                raise HeloiseUnreachable(f'the answer broke off: {error}') from error
        return json.loads(body) if body else None


def _text(value: typing.Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _rest(response: http.client.HTTPResponse) -> bytes:
    try:
        with response:
            return response.read(ERROR_BYTES_MAX)
    except (OSError, http.client.HTTPException):
        return b''
