"""Is a call really from our service (Standard Webhooks: HMAC-SHA-256 over "id.timestamp.body")?

SPDX-License-Identifier: Apache-2.0
"""
import base64
import binascii
import hashlib
import hmac
import json
import time
import typing

from .errors import WebhookError

TOLERANCE_S = 300


def _header(headers: typing.Mapping[str, str], name: str) -> str:
    for key, value in headers.items():
        if key.lower() == name and value:
            return value
    raise WebhookError(f'the header {name} is missing')


def _check_age(timestamp: str, tolerance_s: float, now_s: float) -> None:
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        raise WebhookError('webhook-timestamp is no number of seconds')
    if abs(now_s - int(timestamp)) > tolerance_s:
        raise WebhookError(f'webhook-timestamp is more than {tolerance_s} s away from now')


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret[len('whsec_'):] if secret.startswith('whsec_') else secret, validate=True)
    except (binascii.Error, ValueError):
        key = b''
    if not key:
        raise WebhookError('the secret is not "whsec_" and base64')
    return key


def verify_webhook(secret: str, headers: typing.Mapping[str, str], body: typing.Union[bytes, str],
                   tolerance_s: float = TOLERANCE_S, now_s: typing.Optional[float] = None) -> typing.Any:
    """The event in body, which must be what came, byte for byte, or WebhookError. secret: "whsec_" and base64."""
    data = body.encode() if isinstance(body, str) else bytes(body)
    message_id = _header(headers, 'webhook-id')
    timestamp = _header(headers, 'webhook-timestamp')
    signatures = _header(headers, 'webhook-signature').split(' ')
    _check_age(timestamp, tolerance_s, time.time() if now_s is None else now_s)
    signed = f'{message_id}.{timestamp}.'.encode() + data
    expected = b'v1,' + base64.b64encode(hmac.new(_key(secret), signed, hashlib.sha256).digest())
    if not any(hmac.compare_digest(expected, signature.encode('utf-8', 'replace')) for signature in signatures):
        raise WebhookError('no signature fits')
    return json.loads(data)
