"""Addresses of the pages of this part."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from office.audit import views

app_name = "audit"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", views.rows_page, name="rows"),
    path("audit.csv", views.export, name="export"),
]
