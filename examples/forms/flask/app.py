"""A sign-up form that checks the address with Heloise, in Flask.

SPDX-License-Identifier: Apache-2.0
"""
import os

import flask

from heloise_client import Heloise, HeloiseError, HeloiseUnreachable

TIMEOUT_MS = 3000
WORDS = {
    'invalid_syntax': 'This does not look like an email address.',
    'domain_not_found': 'There is no such domain.',
    'mailbox_disabled': 'This mailbox was switched off.',
}


def ask(heloise, logger, email):
    """The record, or None where nothing is known: then the form takes the address."""
    try:
        answer = heloise.verify(email, timeout_ms=TIMEOUT_MS)
    except (HeloiseError, HeloiseUnreachable) as error:
        logger.warning('the address was not checked: %s', error)
        return None
    return None if answer.get('pending') else answer


def judge(record, was_asked):
    """What the form says (complaint, suggestion); both None: it is taken. was_asked: they insist on the address."""
    if record is None:
        return None, None
    if record['status'] == 'undeliverable':
        return WORDS.get(record['sub_status'], 'This address does not take mail.'), record['did_you_mean']
    if record['did_you_mean'] and not was_asked:
        return None, record['did_you_mean']
    return None, None


def create_app(heloise=None):
    app = flask.Flask(__name__)
    heloise = heloise or Heloise(os.environ.get('HELOISE_URL', 'http://127.0.0.1:8025'), os.environ.get('HELOISE_KEY'))

    @app.route('/', methods=['GET', 'POST'])
    def sign_up():
        if flask.request.method == 'GET':
            return flask.render_template('sign_up.html', email='')
        email = flask.request.form.get('email', '').strip()
        was_asked = flask.request.form.get('asked') == email
        complaint, suggestion = judge(ask(heloise, app.logger, email), was_asked)
        if complaint or suggestion:
            return flask.render_template('sign_up.html', email=email, complaint=complaint, suggestion=suggestion), 422
        return flask.render_template('welcome.html', email=email)

    return app
