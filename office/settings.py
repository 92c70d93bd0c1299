"""Django's settings."""

from __future__ import annotations

SECRET_KEY = "replaced by the configuration"  # noqa: S105
INSTALLED_APPS: list[str] = []
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
USE_TZ = True
