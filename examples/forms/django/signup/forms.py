"""The form: Django checks the shape of the address, Heloise the rest. SPDX-License-Identifier: Apache-2.0"""
import logging

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError

from heloise_client import Heloise, HeloiseError, HeloiseUnreachable

WORDS = {
    'invalid_syntax': 'This does not look like an email address.',
    'domain_not_found': 'There is no such domain.',
    'mailbox_disabled': 'This mailbox was switched off.',
}


def ask(email):
    """The record, or None where nothing is known: then the form takes the address."""
    heloise = Heloise(settings.HELOISE_URL, settings.HELOISE_KEY)
    try:
        answer = heloise.verify(email, timeout_ms=settings.HELOISE_TIMEOUT_MS)
    except (HeloiseError, HeloiseUnreachable) as error:
        logging.getLogger(__name__).warning('the address was not checked: %s', error)
        return None
    return None if answer.get('pending') else answer


class SignUpForm(forms.Form):
    email = forms.EmailField(label='Email')
    asked = forms.CharField(required=False, widget=forms.HiddenInput)

    def clean(self):
        email = self.cleaned_data.get('email')
        record = ask(email) if email else None
        if record is None:
            return
        suggestion = record['did_you_mean']
        if record['status'] == 'undeliverable':
            words = WORDS.get(record['sub_status'], 'This address does not take mail.')
            self.add_error('email', ValidationError(f'{words} Did you mean {suggestion}?' if suggestion else words))
        elif suggestion and self.cleaned_data.get('asked') != email:
            self.data = {**self.data.dict(), 'asked': email}  # sent again unchanged, it is taken
            self.add_error('email', ValidationError(f'Did you mean {suggestion}?', code='suggestion'))
