"""As little as Django needs. SPDX-License-Identifier: Apache-2.0"""
import os

SECRET_KEY = os.environ.get('SECRET_KEY', 'only for the example')
ALLOWED_HOSTS = ['localhost', '127.0.0.1', '[::1]', 'testserver']
INSTALLED_APPS = ['signup']
MIDDLEWARE = ['django.middleware.csrf.CsrfViewMiddleware']
ROOT_URLCONF = 'signup.urls'
TEMPLATES = [{'BACKEND': 'django.template.backends.django.DjangoTemplates', 'APP_DIRS': True}]
USE_TZ = True
TIME_ZONE = 'UTC'

HELOISE_URL = os.environ.get('HELOISE_URL', 'http://127.0.0.1:8025')
HELOISE_KEY = os.environ.get('HELOISE_KEY')
HELOISE_TIMEOUT_MS = 3000
