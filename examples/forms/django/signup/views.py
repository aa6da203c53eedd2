"""SPDX-License-Identifier: Apache-2.0"""
from django.shortcuts import render

from .forms import SignUpForm


def sign_up(request):
    form = SignUpForm(request.POST or None)
    if request.method == 'POST' and form.is_valid():
        return render(request, 'welcome.html', {'email': form.cleaned_data['email']})
    return render(request, 'sign_up.html', {'form': form}, status=422 if form.errors else 200)
