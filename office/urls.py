"""Addresses of all pages."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [
    path("", include("office.accounts.urls")),
    path("", include("office.members.urls")),
    path("audit/", include("office.audit.urls")),
]
