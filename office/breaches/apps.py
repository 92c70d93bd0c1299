"""The app as Django knows it."""

from __future__ import annotations

from django.apps import AppConfig


class BreachesConfig(AppConfig):
    """``office.breaches``."""

    name = "office.breaches"
    label = "breaches"
    default_auto_field = "django.db.models.BigAutoField"
