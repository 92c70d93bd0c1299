"""Makes a backup while central runs, proves it, and only then deletes the oldest."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct
from pyrage import x25519

from central.backup.proof import begun, schema_of
from central.backup.record import keep_record, read_record
from central.backup.rules import Record, file_name, shelf
from central.backup.workspace import check_room, database_file, workspace
from central.config import Configuration
from runtime.atomic import PRIVATE, put_in_place
from runtime.backup_file import (
    BackupError,
    Manifest,
    Origin,
    encrypt,
    entry_of,
    new_identity,
    pack,
    recipient_of,
    town_mark,
    unpack,
)

PROGRAM: Final = "central"
DATABASE: Final = "central.db"
CONFIGURATION: Final = "central.toml"
SNAPSHOTS: Final = "snapshots"
_PART: Final = ".part"


class Made(Struct, frozen=True):
    """A backup that was proven.

    Attributes:
        file: where it is.
        manifest: what is in it.
        removed: names of older ones that were deleted.
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
    if not configuration.backup.recipients:
        raise BackupError(
            f"{configuration.file}: [backup] names no recipients. Make a pair of keys on another machine with"
            " 'watchlink central backup-key', and write the public one there"
        )
    recipients = [recipient_of(text) for text in configuration.backup.recipients]
    database = database_file(configuration.database)
    if not database.exists():
        raise BackupError(f"{database} does not exist: central has not run here yet")
    if not to.is_dir():
        raise BackupError(f"{to} is no folder: make it, or connect the disk on which it lies")
    origin = origin_of(configuration)
    name = file_name(town_mark(origin.town), now_at)
    part, target = to / f".{name}{_PART}", to / name
    with workspace(database) as work:
        for left in to.glob(f".central-*{_PART}"):
            left.unlink()
        if target.exists():
            raise BackupError(f"{target} exists, and is not overwritten: wait a second, or check the machine's clock")
        check_room(work, database.stat().st_size)
        files = _copied(configuration, database, work)
        manifest = Manifest(
            program=PROGRAM,
            town=origin.town,
            made_at=now_at,
            version=version,
            schema=schema_of(files[DATABASE]),
            files=tuple(entry_of(name, file) for name, file in files.items()),
        )
        archive = work / "archive"
        pack(archive, manifest, files, configuration.signing_key)
        files[DATABASE].unlink()
        try:
            # The machine cannot open what it encrypts to others. So that it can prove the file as it lies there, a
            # key of its own is among the recipients; it is never written anywhere and ends with this process.
            own = new_identity()
            _seal(archive, part, [*recipients, own.to_public()])
            archive.unlink()
            _prove(part, work / "opened", own, manifest, origin)
            put_in_place(part, target)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
    judged = shelf((path.name for path in to.iterdir()), name, configuration.backup.keep)
    for outdated in judged.outdated:
        (to / outdated).unlink()
    return Made(target, manifest, judged.outdated, judged.ahead)


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
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path for path in found}


def _seal(archive: Path, part: Path, recipients: Sequence[x25519.Recipient]) -> None:
    with part.open("xb") as out:
        part.chmod(PRIVATE)
        encrypt(archive, out, recipients)
        out.flush()
        os.fsync(out.fileno())
        # It is to be read from the disk next, not from memory.
        os.posix_fadvise(out.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _prove(part: Path, opened: Path, own: x25519.Identity, manifest: Manifest, origin: Origin) -> None:
    """Restore it aside: every byte as it was, and a database that central can begin with."""
    opened.mkdir(mode=0o700)
    if unpack(part, opened, [own], origin) != manifest:
        raise BackupError(f"{part} says something else than was written: check the disk on which it lies")
    with begun(opened / DATABASE, manifest.made_at):
        pass
