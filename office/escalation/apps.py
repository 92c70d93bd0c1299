"""The app as Django knows it."""

from __future__ import annotations

from django.apps import AppConfig


class EscalationConfig(AppConfig):
    """``office.escalation``."""

    name = "office.escalation"
    label = "escalation"
    default_auto_field = "django.db.models.BigAutoField"
