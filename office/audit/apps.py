"""The app as Django knows it."""

from __future__ import annotations

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate

from office.audit import triggers


def make_triggers(*, using: str, **_: object) -> None:
    """After every run of migrations, since one of them may have made the table anew."""
    triggers.make(connections[using])


class AuditConfig(AppConfig):
    """``office.audit``."""

    name = "office.audit"
    label = "audit"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Have the triggers made after migrations."""
        post_migrate.connect(make_triggers, sender=self, dispatch_uid="audit triggers")
