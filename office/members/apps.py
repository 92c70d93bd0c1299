"""The app as Django knows it."""

from __future__ import annotations

from django.apps import AppConfig


class MembersConfig(AppConfig):
    """``office.members``."""

    name = "office.members"
    label = "members"
    default_auto_field = "django.db.models.BigAutoField"
