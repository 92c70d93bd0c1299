"""Makes a backup while central runs, proves it, and only then deletes the oldest."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from central.backup.database_file import ROOM_ADVICE, SPARE_BYTES, database_file
from central.backup.proof import begun, schema_of
from central.config import Configuration
from runtime.backup_file import BackupError, Manifest, Origin, entry_of, town_mark
from runtime.backup_making import check_target, recipients_of, write_proven
from runtime.backup_record import keep_record, read_record
from runtime.backup_rules import Record, file_name, passed_for_certain, shelf
from runtime.backup_workspace import check_room, forget_aside, workspace
from runtime.regular_file import read_regular
from wire.fleet_files import REGISTER_COPY

PROGRAM: Final = "central"
DATABASE: Final = "central.db"
CONFIGURATION: Final = "central.toml"
SNAPSHOTS: Final = "snapshots"
REGISTER_BYTES_MAX: Final = 128 * 1024 * 1024
logger = logging.getLogger(__name__)


class Made(Struct, frozen=True):
    """A backup that was proven.

    Attributes:
        file: where it is.
        manifest: what is in it.
        removed: names of older ones that were deleted, and of what restores had set aside as long ago.
        ahead: names of those that bear a later time and were left alone.
    """

    file: Path
    manifest: Manifest
    removed: tuple[str, ...]
    ahead: tuple[str, ...]


def origin_of(configuration: Configuration) -> Origin:
    """Whose backups this central believes: its own."""
    return Origin(PROGRAM, configuration.authority.raw.hex(), configuration.signing_key.public)


def back_up(configuration: Configuration, to: Path, now_at: datetime, version: str) -> Made:
    """Make one in the folder ``to``, and record how it went for central's page.

    Raises:
        BackupError: it was not made, or not proven; those that were there are untouched.
    """
    before = read_record(configuration.backup_record_file) or Record()
    try:
        made = _back_up(configuration, to, now_at, version)
    except (BackupError, OSError, sqlite3.Error) as e:
        why = str(e) if isinstance(e, BackupError) else f"it could not be made: {e}"
        keep_record(configuration.backup_record_file, msgspec.structs.replace(before, failed_at=now_at, why=why))
        raise BackupError(why) from e
    keep_record(configuration.backup_record_file, Record(made_at=now_at, file=str(made.file)))
    return made


def _back_up(configuration: Configuration, to: Path, now_at: datetime, version: str) -> Made:
    recipients = recipients_of(
        configuration.backup.recipients,
        configuration.file,
        "[backup] names no recipients",
        "watchlink central backup-key",
    )
    database = database_file(configuration.database)
    if not database.exists():
        raise BackupError(f"{database} does not exist: central has not run here yet")
    origin = origin_of(configuration)
    name = file_name(PROGRAM, town_mark(origin.town), now_at)
    target = to / name
    with workspace(database, "this central") as work:
        check_target(target)
        check_room(work, database.stat().st_size, SPARE_BYTES, ROOM_ADVICE)
        files = _copied(configuration, database, work)
        manifest = Manifest(
            program=PROGRAM,
            town=origin.town,
            made_at=now_at,
            version=version,
            schema=schema_of(files[DATABASE]),
            files=tuple(entry_of(name, file) for name, file in files.items()),
        )

        def prove(opened: Path) -> None:
            with begun(opened / DATABASE, now_at):
                pass

        write_proven(
            target,
            work,
            manifest,
            files=files,
            key=configuration.signing_key,
            recipients=recipients,
            prove=prove,
        )
    names, keep = [path.name for path in to.iterdir()], configuration.backup.keep
    judged = shelf(names, name, keep)
    for outdated in judged.outdated:
        (to / outdated).unlink()
    passed_at = passed_for_certain(names, name, keep)
    gone = forget_aside(database.parent, passed_at, timedelta(days=keep)) if passed_at is not None else []
    return Made(target, manifest, (*judged.outdated, *map(str, gone)), judged.ahead)


def enrolment_register(configuration: Configuration) -> bytes | None:
    """The copy of the enrolment service's register that it keeps for us; ``None`` = there is none, or none to believe.

    Whoever has taken the service over may have put anything there: no link leads out of its folder, and no more is read
    than a town can need.
    """
    if configuration.delegated_directory_file is None:
        return None
    file = configuration.delegated_directory_file.with_name(REGISTER_COPY)
    try:
        data = read_regular(file, REGISTER_BYTES_MAX, may_be_link=False)
    except FileNotFoundError:
        return None
    except OSError as e:
        logger.warning("the enrolment service's register is not in the backup: %s", e)
        return None
    if len(data) > REGISTER_BYTES_MAX:
        logger.warning("the enrolment service's register is not in the backup: %s is too large", file)
        return None
    return data


def _copied(configuration: Configuration, database: Path, work: Path) -> Mapping[str, Path]:
    """Copies of all that belongs in a backup, by their names in it. No private key is among them."""
    folder = work / "files"
    (folder / SNAPSHOTS).mkdir(mode=0o700, parents=True)
    copy = folder / DATABASE
    # One reading transaction: writers go on meanwhile. What was deleted is not in the copy.
    with contextlib.closing(sqlite3.connect(f"{database.as_uri()}?mode=rw", uri=True)) as disk:
        disk.execute("VACUUM INTO ?", (str(copy),))
    (folder / CONFIGURATION).write_bytes(configuration.file.read_bytes())
    kept = configuration.kept_snapshots_dir
    for snapshot in kept.glob("*.json") if kept.is_dir() else ():
        with contextlib.suppress(FileNotFoundError):  # a newer one has taken its place
            (folder / SNAPSHOTS / snapshot.name).write_bytes(snapshot.read_bytes())
    register = enrolment_register(configuration)
    if register is not None:
        (folder / REGISTER_COPY).write_bytes(register)
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path for path in found}
