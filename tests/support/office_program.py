"""An office's configuration in a folder of its own, and its commands in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from demo.lent_database import keep, lend
from wire.directory import DirectoryDocument, SchemeEntry, seal_directory
from wire.signing import SigningKey

AUTHORITY = SigningKey(bytes(range(32)))
WITHIN_S = 600.0
"""For a command: minutes on a machine that is busy with other things."""


def write_config(folder: Path, *, port: int = 8123, schemes: Mapping[str, str] | None = None) -> Path:
    """``office.toml`` of a town with HART and Pub Watch, or with other schemes: name by slug."""
    named = schemes or {"hart": "HART", "pubwatch": "Pub Watch"}
    entries = tuple(SchemeEntry(number=n, slug=slug, name=name) for n, (slug, name) in enumerate(named.items(), 1))
    document = DirectoryDocument(serial=1, issued_at=datetime(2026, 11, 1, tzinfo=UTC), schemes=entries, senders=())
    (folder / "directory.json").write_bytes(seal_directory(document, AUTHORITY))
    (folder / "authority.pub").write_text(AUTHORITY.public.raw.hex())
    file = folder / "office.toml"
    file.write_text(
        f'authority_file = "authority.pub"\ndirectory_file = "directory.json"\n\n[web]\nport = {port}\n'
        '\n[central]\nurl = "http://localhost:8080/"\n'
    )
    return file


def clean_environment() -> dict[str, str]:
    """Ours, without what the tests' own Django is set up by."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("WATCHLINK_", "DJANGO_"))}


def office(*arguments: object) -> subprocess.CompletedProcess[str]:
    """``watchlink office …``, to its end."""
    return subprocess.run(
        [sys.executable, "-m", "watchlink.cli", "office", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=False,
        env=clean_environment(),
    )


def found(config_file: Path) -> str:
    """``watchlink office init`` on SQLite, with the tables that another office of this run has made; what it says."""
    database = config_file.parent / "office.sqlite3"
    if lend(database):
        made = office("migrate", "--config", config_file)
        assert made.returncode == 0, made.stderr
        keep(database)
    done = office("init", "--config", config_file)
    assert done.returncode == 0, done.stderr
    return done.stdout


def in_office(config_file: Path, code: str) -> str:
    """What Python code prints that runs with the office's settings."""
    return subprocess.run(
        [sys.executable, "-c", f"import django, gc; gc.disable(); django.setup(); gc.enable()\n{code}"],
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=True,
        env={
            **clean_environment(),
            "WATCHLINK_OFFICE_CONFIG": str(config_file),
            "DJANGO_SETTINGS_MODULE": "office.settings",
        },
    ).stdout
