"""heloise_client: asks a Heloise service whether addresses take mail. Standard library only.

SPDX-License-Identifier: Apache-2.0
"""
from .client import Heloise
from .errors import HeloiseError, HeloiseUnreachable, WebhookError
from .webhook import verify_webhook

__all__ = ['Heloise', 'HeloiseError', 'HeloiseUnreachable', 'WebhookError', 'verify_webhook']
