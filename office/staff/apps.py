"""The app as Django knows it."""

from __future__ import annotations

from django.apps import AppConfig


class StaffConfig(AppConfig):
    """``office.staff``."""

    name = "office.staff"
    label = "staff"
    default_auto_field = "django.db.models.BigAutoField"
