"""The app as Django knows it."""

from __future__ import annotations

from django.apps import AppConfig


class PublisherConfig(AppConfig):
    """``office.publisher``."""

    name = "office.publisher"
    label = "publisher"
    default_auto_field = "django.db.models.BigAutoField"
