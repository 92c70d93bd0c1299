"""The app as Django knows it."""

from __future__ import annotations

from django.apps import AppConfig


class PeopleConfig(AppConfig):
    """``office.people``."""

    name = "office.people"
    label = "people"
    default_auto_field = "django.db.models.BigAutoField"
