"""SPDX-License-Identifier: Apache-2.0"""
from django.urls import path

from .views import sign_up

urlpatterns = [path('', sign_up)]
