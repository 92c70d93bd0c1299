"""The app as Django knows it."""

from __future__ import annotations

from django.apps import AppConfig


class ExclusionsConfig(AppConfig):
    """``office.exclusions``."""

    name = "office.exclusions"
    label = "exclusions"
    default_auto_field = "django.db.models.BigAutoField"
