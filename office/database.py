"""How the office's database is opened: SQLite in a file, or PostgreSQL by URL."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

# Temporary files would be in /tmp, with rows that secure_delete cannot reach: 23 MB for an import of 1,000.
_PRAGMAS = (
    "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;PRAGMA secure_delete=ON;PRAGMA foreign_keys=ON;"
    "PRAGMA trusted_schema=OFF;PRAGMA temp_store=MEMORY"
)


def database_settings(where: str) -> dict[str, Any]:
    """Django's ``DATABASES["default"]``.

    Args:
        where: a URL ``postgresql://USER:PASSWORD@HOST:PORT/NAME?sslmode=…``, the path of a SQLite file, or
            ``:memory:``.
    """
    if not where.startswith("postgresql://"):
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": where,
            "OPTIONS": {
                # IMMEDIATE: with deferred transactions two writers refuse one another instead of waiting.
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                "init_command": _PRAGMAS,
            },
        }
    parts = urlsplit(where)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.removeprefix("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": 60,
        # After a restart of PostgreSQL the old connection is seen to be dead before it is used.
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": dict(parse_qsl(parts.query)),
    }
