"""The sign-up forms of examples/forms against the real service, and against one that is away or odd.

SPDX-License-Identifier: Apache-2.0
"""
import html
import os
import re
import sys
import unittest

from service import ROOT, Settings

sys.path[:0] = [str(ROOT / 'clients/python'), str(ROOT / 'clients/python/tests')]

from heloise_client import Heloise
from scripted import scripted

TAKEN, REFUSED = 200, 422

REAL = [  # address, status of the page, words in it
    ('jane@plain.example', TAKEN, 'jane@plain.example'),
    ('anna@catchall.example', TAKEN, 'anna@catchall.example'),
    ('g.fischer@plain.example', REFUSED, 'This address does not take mail.'),
    ('ines@nowhere.example', REFUSED, 'There is no such domain.'),
    ('jane@gmial.com', REFUSED, 'Did you mean jane@gmail.com?'),
    ('"><script>@plain.example', REFUSED, '"><script>@plain.example'),
]


def record(status, did_you_mean=None):
    return {'status': status, 'sub_status': 'accepted', 'did_you_mean': did_you_mean}


ODD = [  # what the service answers: status and body; then as above
    (500, {'title': 'Internal Server Error'}, TAKEN),
    (429, {'title': 'Too Many Requests'}, TAKEN),
    (401, {'title': 'Unauthorized'}, TAKEN),
    (502, b'<h1>Bad gateway</h1>', TAKEN),
    (202, {**record('undeliverable'), 'pending': True}, TAKEN),
    (200, record('unknown'), TAKEN),
    (200, record('undeliverable'), REFUSED),
]


def words(page):
    return html.unescape(re.sub(r'</?(strong|p|ul|li)\b[^>]*>', '', page))


class FormCase(unittest.TestCase):
    """A form: open(base_url) makes it, post(email, asked) sends it."""

    def open(self, base_url):
        raise NotImplementedError

    def post(self, email, asked=''):
        raise NotImplementedError

    def check_real(self):
        self.open(Settings.base_url)
        for email, status, text in REAL:
            with self.subTest(email):
                found, page = self.post(email)
                self.assertEqual(found, status, page)
                self.assertIn(text, words(page))
                self.assertNotIn('<script>', page)

    def check_odd(self):
        for status, body, expected in ODD:
            with self.subTest(f'{status} {body}'), scripted(lambda it: it.reply(status, body)) as server:
                self.open(server.base_url)
                found, page = self.post('jane@plain.example')
                self.assertEqual(found, expected, page)

    def check_away(self):
        with scripted(lambda it: None) as server:
            base_url = server.base_url
        self.open(base_url)
        self.assertEqual(self.post('jane@plain.example')[0], TAKEN)

    def check_insists(self):
        with scripted(lambda it: it.reply(200, record('deliverable', 'jane@gmail.com'))) as server:
            self.open(server.base_url)
            found, page = self.post('jane@gmial.com')
            self.assertEqual(found, REFUSED)
            self.assertIn('Did you mean jane@gmail.com?', words(page))
            self.assertRegex(page, r'(?s)name="asked"[^>]*value="jane@gmial.com"|value="jane@gmial.com"[^>]*name="asked"')
            self.assertEqual(self.post('jane@gmial.com', asked='jane@gmial.com')[0], TAKEN)
            self.assertEqual(self.post('jane@gmial.com', asked='other@gmial.com')[0], REFUSED)


class FlaskForm(FormCase):
    def open(self, base_url):
        sys.path.insert(0, str(ROOT / 'examples/forms/flask'))
        self.addCleanup(sys.path.pop, 0)
        from app import create_app
        self.client = create_app(Heloise(base_url, retries=0)).test_client()

    def post(self, email, asked=''):
        response = self.client.post('/', data={'email': email, 'asked': asked})
        return response.status_code, response.get_data(as_text=True)

    def test_real(self):
        self.check_real()

    def test_odd(self):
        self.check_odd()

    def test_away(self):
        self.check_away()

    def test_insists(self):
        self.check_insists()

    def test_empty_form(self):
        self.open(Settings.base_url)
        self.assertIn('name="email"', self.client.get('/').get_data(as_text=True))


class DjangoForm(FormCase):
    @classmethod
    def setUpClass(cls):
        sys.path.insert(0, str(ROOT / 'examples/forms/django'))
        os.environ['DJANGO_SETTINGS_MODULE'] = 'settings'
        import django
        django.setup()

    def open(self, base_url):
        from django.test import Client
        from django.test.utils import override_settings
        override = override_settings(HELOISE_URL=base_url)
        override.enable()
        self.addCleanup(override.disable)
        self.client = Client()

    def post(self, email, asked=''):
        response = self.client.post('/', {'email': email, 'asked': asked})
        return response.status_code, response.content.decode()

    def test_real(self):
        self.check_real()

    def test_odd(self):
        self.check_odd()

    def test_away(self):
        self.check_away()

    def test_insists(self):
        self.check_insists()

    def test_empty_form(self):
        self.open(Settings.base_url)
        response = self.client.get('/')
        self.assertEqual(response.status_code, 200)
        self.assertIn('csrfmiddlewaretoken', response.content.decode())
