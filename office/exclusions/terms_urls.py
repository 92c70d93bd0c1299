"""Addresses of the pages of terms and documents."""

from __future__ import annotations

from django.urls import path

from office.exclusions import terms_views

urlpatterns = [
    path("terms/", terms_views.all_terms, name="terms"),
    path("terms/<slug:scheme>/edit/", terms_views.terms_edit, name="terms-edit"),
    path("terms/<slug:scheme>/documents/add/", terms_views.document_record, name="document-record"),
]
