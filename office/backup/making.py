"""Makes a backup while the office runs, proves it, and deletes the oldest.

The publisher's user makes it: it signs with the snapshot key, and cannot read the keys of the pages and photographs.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from office.backup.contents import (
    CONFIGURATION,
    PHOTOGRAPHS,
    PROGRAM,
    ROOM_ADVICE,
    SPARE_BYTES,
    copy_photographs,
    sealed_photographs,
    state_of,
)
from office.backup.in_use import in_use
from office.backup.opening import Checked, bring_up_to_date, check, django_on
from office.backup.recipients import recipients_in
from office.backup.state import State
from office.config import Configuration
from runtime.backup_file import BackupError, Manifest, entry_of, town_mark
from runtime.backup_making import check_target, write_proven
from runtime.backup_record import keep_record, read_record
from runtime.backup_rules import Record, Shelf, aged, file_name
from runtime.backup_workspace import check_room, workspace
from runtime.config import ConfigError
from runtime.key_file import read_key
from wire.signing import SigningKey

READABLE: Final = 0o640
WHOSE: Final = "this office"


class Made(Struct, frozen=True):
    """A backup that was proven.

    Attributes:
        file: where it is.
        manifest: what is in it.
        checked: what was found in it when it was opened.
        lost: how many photographs of it have no file.
        removed: names of older ones that were deleted.
        ahead: names of those that bear a later time and were left alone.
    """

    file: Path
    manifest: Manifest
    checked: Checked
    lost: int
    removed: tuple[str, ...]
    ahead: tuple[str, ...]


def back_up(configuration: Configuration, to: Path, now_at: datetime, version: str) -> Made:
    """Make one in the folder ``to``, and record how it went for the first page.

    What is older than ``keep_days`` is deleted also if none can be made.

    Raises:
        BackupError: it was not made, or not proven.
    """
    record = configuration.backup_record_file
    before = read_record(record) or Record()
    name = file_name(PROGRAM, town_mark(configuration.authority.raw.hex()), now_at)
    try:
        made = _back_up(configuration, to / name, now_at, version)
    except (BackupError, ConfigError, OSError) as e:
        why = str(e) if not isinstance(e, OSError) else f"it could not be made: {e}"
        keep_record(record, msgspec.structs.replace(before, failed_at=now_at, why=why), READABLE)
        if to.is_dir():
            _delete_old(configuration, to / name)
        raise BackupError(why) from e
    judged = _delete_old(configuration, made.file)
    keep_record(record, Record(made_at=now_at, file=str(made.file)), READABLE)
    return msgspec.structs.replace(made, removed=judged.outdated, ahead=judged.ahead)


def _delete_old(configuration: Configuration, newest: Path) -> Shelf:
    keep = timedelta(days=configuration.backup.keep_days)
    judged = aged((path.name for path in newest.parent.iterdir()), newest.name, keep)
    for outdated in judged.outdated:
        (newest.parent / outdated).unlink()
    return judged


def _back_up(configuration: Configuration, target: Path, now_at: datetime, version: str) -> Made:
    recipients = recipients_in(configuration, "recipients")
    key = SigningKey(read_key(configuration.snapshot_key_file, "snapshot key"))
    state = state_of(configuration)
    found: list[Checked] = []
    lost: list[int] = []
    # The publisher's own folder: whatever happens, nobody else's program comes upon a copy.
    with in_use(configuration), workspace(configuration.snapshot_key_file, WHOSE) as work:
        check_target(target)
        pictures = sum(file.stat().st_size for file in sealed_photographs(configuration))
        check_room(work, state.size_bytes() + pictures, SPARE_BYTES, ROOM_ADVICE)
        files = _copied(configuration, state, work / "files")
        manifest = Manifest(
            program=PROGRAM,
            town=configuration.authority.raw.hex(),
            made_at=now_at,
            version=version,
            schema=state.name,
            files=tuple(entry_of(name, file) for name, file in files.items()),
        )

        def prove(opened: Path) -> None:
            with state.opened(opened / state.name) as database, django_on(configuration, database):
                bring_up_to_date()
                found.append(check())
            lost.append(_without_files(found[0], opened / PHOTOGRAPHS))

        write_proven(target, work, manifest, files=files, key=key, recipients=recipients, prove=prove)
    return Made(target, manifest, found[0], lost[0], (), ())


def _copied(configuration: Configuration, state: State, folder: Path) -> Mapping[str, Path]:
    """Copies of all that belongs in a backup, by their names in it. No key is among them."""
    folder.mkdir(mode=0o700)
    state.copy(folder / state.name)
    copy_photographs(configuration, folder / PHOTOGRAPHS)
    (folder / CONFIGURATION).write_bytes(configuration.file.read_bytes())
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path for path in found}


def _without_files(checked: Checked, folder: Path) -> int:
    """How many photographs have no file: removed while the backup was made, or lost before.

    Raises:
        BackupError: all of several, as when their disk is not connected.
    """
    here = {path.name.partition(".")[0] for path in folder.glob("*")} if folder.is_dir() else set()
    lost = len(checked.photographs - here)
    if lost > 1 and lost == len(checked.photographs):
        raise BackupError("none of the photographs has its file: is the disk connected on which they lie?")
    return lost
