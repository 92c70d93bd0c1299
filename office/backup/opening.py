"""Django on a copy of the database: once in a process, for it knows one database from its start."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from office.config import CONFIG_VARIABLE, DATABASE_VARIABLE, Configuration
from runtime.backup_file import BackupError
from runtime.loading import loading

if TYPE_CHECKING:
    from django.db.migrations.loader import MigrationLoader


class Checked(Struct, frozen=True):
    """What a copy holds.

    Attributes:
        schema: the newest migration of each part.
        photographs: names of the files that its rows open.
        problems: what a person should know of the audit, in sentences; none stands in the way.
    """

    schema: str
    photographs: frozenset[str]
    problems: tuple[str, ...]


@contextlib.contextmanager
def django_on(configuration: Configuration, database: str) -> Iterator[None]:
    """Everything of the office's inside works on ``database``, which nobody has open afterwards."""
    os.environ[CONFIG_VARIABLE] = str(configuration.file)
    os.environ[DATABASE_VARIABLE] = database
    os.environ["DJANGO_SETTINGS_MODULE"] = "office.settings"
    with loading():
        import django  # noqa: PLC0415 - wants the environment

        django.setup()
    from django.db import DatabaseError, connections  # noqa: PLC0415

    try:
        yield
    except DatabaseError as e:
        raise BackupError(f"the database of the backup cannot be used: {e}. Take an older backup") from e
    finally:
        connections.close_all()


def bring_up_to_date() -> None:
    """Run the migrations that the copy lacks.

    Raises:
        BackupError: it is of a newer version.
    """
    from django.core.management import call_command  # noqa: PLC0415
    from django.db import connection  # noqa: PLC0415
    from django.db.migrations.loader import MigrationLoader  # noqa: PLC0415

    unknown = newer_migrations(MigrationLoader(connection))
    if unknown:
        raise BackupError(
            f"the backup was made by a newer version of Watchlink (it has {', '.join(unknown)}). Install that version"
            " here first, then restore"
        )
    call_command("migrate", verbosity=0, interactive=False)
    call_command("createcachetable", verbosity=0)


def newer_migrations(loader: MigrationLoader) -> list[str]:
    """Names of migrations of the office's own that were applied and that this program does not have."""
    from django.apps import apps  # noqa: PLC0415

    known = set(loader.disk_migrations) | {key for names in loader.replacements.values() for key in names.replaces}
    own = {app.label for app in apps.get_app_configs() if app.name.startswith("office.")}
    return sorted(f"{app} {name}" for app, name in loader.applied_migrations if app in own and (app, name) not in known)


def check() -> Checked:
    """Read the copy as the office's programs do.

    Raises:
        BackupError: it is of no use.
    """
    from django.db import connection  # noqa: PLC0415
    from django.db.migrations.recorder import MigrationRecorder  # noqa: PLC0415

    from office.audit import chain, triggers  # noqa: PLC0415
    from office.audit.models import AuditRow  # noqa: PLC0415

    newest: dict[str, str] = {}
    for app, name in MigrationRecorder(connection).applied_migrations():
        newest[app] = max(newest.get(app, ""), name[:4])
    rows = AuditRow.objects.order_by("sequence").iterator(chunk_size=2_000)
    problems = [problem.text for problem in chain.verify(row.as_row() for row in rows).problems]
    if triggers.missing(connection):
        problems.append("The database does not protect the audit.")
    own = sorted(newest.items())
    _read_all()
    return Checked(
        " ".join(f"{app} {number}" for app, number in own),
        photographs_named(),
        tuple(problems),
    )


def photographs_named() -> frozenset[str]:
    """Names of the files that the copy's rows open."""
    from office.people.models import Photograph  # noqa: PLC0415

    return frozenset(Photograph.objects.values_list("file", flat=True))


def _read_all() -> None:
    """Every row of every table can be read."""
    from django.apps import apps  # noqa: PLC0415

    model: Any
    for model in apps.get_models():
        if model._meta.managed:  # noqa: SLF001 - Django's public interface, by documentation
            try:
                for _ in model._default_manager.iterator(chunk_size=2_000):  # noqa: SLF001
                    pass
            except ValueError as e:
                raise BackupError(f"the database cannot be read ({model.__name__}: {e}): take an older backup") from e


def opens_a_photograph(folder: Path, key: bytes) -> bool | None:
    """Whether ``key`` is that of the copy's photographs; ``None`` = there is none to try it on."""
    from office.people.models import Photograph  # noqa: PLC0415
    from office.people.sealing import SealedError, Sealing  # noqa: PLC0415

    sealing = Sealing(folder, key)
    for photograph in Photograph.objects.order_by("-pk"):
        if sealing.has(photograph.file, "whole"):
            try:
                sealing.read(photograph.file, bytes(photograph.wrapped_key), "whole")
            except SealedError:
                return False
            return True
    return None
