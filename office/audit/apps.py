"""The app as Django knows it."""

from __future__ import annotations

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """``office.audit``."""

    name = "office.audit"
    label = "audit"
    default_auto_field = "django.db.models.BigAutoField"
