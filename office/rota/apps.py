"""The app as Django knows it."""

from __future__ import annotations

from django.apps import AppConfig


class RotaConfig(AppConfig):
    """``office.rota``."""

    name = "office.rota"
    label = "rota"
    default_auto_field = "django.db.models.BigAutoField"
