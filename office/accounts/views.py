"""The first page."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from office.accounts.access import person, rights


def home(request: HttpRequest) -> HttpResponse:
    """What the person may do here."""
    return render(request, "accounts/home.html", {"person": person(request), "rights": rights(request)})
