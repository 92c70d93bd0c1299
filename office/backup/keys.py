"""The office's keys: a backup of their own, to a recipient of their own, so that no backup alone shows a face.

They hardly ever change, and the nightly program must not be able to read them: root copies them by hand.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct
from pyrage import x25519

from office.backup.contents import trusted_origin
from office.backup.in_use import in_use
from office.backup.recipients import recipients_in
from office.config import Configuration
from runtime.atomic import PRIVATE, PUBLIC, sync_folder, write_atomic
from runtime.backup_file import BackupError, Manifest, entry_of, town_mark, unpack
from runtime.backup_making import check_target, write_proven
from runtime.backup_rules import file_name, stamp
from runtime.backup_workspace import give, not_there, workspace
from runtime.config import ConfigError
from runtime.key_file import read_key
from wire.signing import SigningKey

PROGRAM: Final = "office-keys"
_READABLE: Final = 0o640
_WHOSE: Final = "this office's keys"


class KeysRecord(Struct, frozen=True):
    """When the keys were copied last, and which: ``mark`` tells two sets apart and nothing else."""

    made_at: datetime
    mark: str


def files_of(configuration: Configuration) -> dict[str, Path]:
    """Every key, by its name in a backup."""
    return {
        "pages.key": configuration.pages_key_file,
        "ticket.key": configuration.ticket_key_file,
        "photographs.key": configuration.photographs_key_file,
        "snapshot.key": configuration.snapshot_key_file,
    }


def mark_of(configuration: Configuration) -> str:
    """Of the keys that the pages can read; each is 32 random bytes, so nobody finds it by its digest.

    Raises:
        ConfigError: one cannot be read.
    """
    files = (configuration.pages_key_file, configuration.ticket_key_file, configuration.photographs_key_file)
    keys = b"".join(read_key(file, "key") for file in files)
    return hashlib.sha256(b"watchlink/1/copied keys\n" + keys).hexdigest()


def back_up_keys(configuration: Configuration, to: Path, now_at: datetime, version: str) -> Path:
    """Copy the keys into one file in the folder ``to``, proven; returns it.

    Raises:
        BackupError: it was not made.
        ConfigError: a key cannot be read.
    """
    recipients = recipients_in(configuration, "keys_recipients")
    key = SigningKey(read_key(configuration.snapshot_key_file, "snapshot key"))
    files = files_of(configuration)
    for name, file in files.items():
        read_key(file, name)
    town = configuration.authority.raw.hex()
    target = to / file_name(PROGRAM, town_mark(town), now_at)
    with workspace(configuration.snapshot_key_file, _WHOSE) as work:
        check_target(target)
        entries = tuple(entry_of(name, file) for name, file in files.items())
        manifest = Manifest(program=PROGRAM, town=town, made_at=now_at, version=version, schema="keys", files=entries)

        def prove(opened: Path) -> None:
            for name, file in files.items():
                if read_key(opened / name, name) != read_key(file, name):
                    raise BackupError(f"{name} is not as it was written: check the disk on which {target} lies")

        write_proven(target, work, manifest, files=files, key=key, recipients=recipients, prove=prove)
    _keep_record(configuration, now_at)
    return target


def restore_keys(
    configuration: Configuration,
    sealed: Path,
    identities: Sequence[x25519.Identity],
    now_at: datetime,
    *,
    may_set_aside: bool,
) -> list[Path]:
    """Put the keys back; returns where those are that were here before.

    Raises:
        BackupError: nothing was changed, except that with ``may_set_aside`` keys may have been moved.
    """
    files = files_of(configuration)
    for file in files.values():
        file.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    with in_use(configuration, is_alone=True), workspace(configuration.snapshot_key_file, _WHOSE) as work:
        manifest = unpack(sealed, work, identities, trusted_origin(configuration, PROGRAM))
        new = {name: read_key(work / name, name) for name in files}
        others = [name for name, file in files.items() if file.exists() and _key_in(file) != new[name]]
        if others and not may_set_aside:
            raise BackupError(
                f"the office has other keys here ({', '.join(others)}), and nothing is overwritten. If the backup's are"
                " to take their place, say so with --set-aside: each is moved aside"
            )
        moved = []
        for name, file in files.items():
            if name in others:
                aside = not_there(file.with_name(f"{file.name}.before-{stamp(now_at)}"))
                file.rename(aside)
                sync_folder(file.parent)
                moved.append(aside)
            if not file.exists():
                write_atomic(file, f"{new[name].hex()}\n".encode(), PRIVATE)
                give(file, file.parent)
        for name, public in (
            ("ticket.key", configuration.ticket_public_file),
            ("snapshot.key", configuration.snapshot_public_file),
        ):
            write_atomic(public, f"{SigningKey(new[name]).public.raw.hex()}\n".encode(), PUBLIC)
    _keep_record(configuration, manifest.made_at)
    return moved


def trouble(configuration: Configuration) -> str:
    """What the co-ordinators are told of the keys' backup, as a sentence; empty = all is well."""
    try:
        record = msgspec.json.decode(configuration.keys_record_file.read_bytes(), type=KeysRecord)
    except (OSError, msgspec.DecodeError):
        return "The office’s keys have no backup"
    try:
        return "" if record.mark == mark_of(configuration) else "The office’s keys have changed since their backup"
    except ConfigError as e:
        return f"The office’s keys cannot be read: {e}"


def _keep_record(configuration: Configuration, made_at: datetime) -> None:
    """Without it people are told that there is no backup, which harms nobody."""
    with contextlib.suppress(OSError, ConfigError):
        record = KeysRecord(made_at, mark_of(configuration))
        write_atomic(configuration.keys_record_file, msgspec.json.encode(record), _READABLE)


def _key_in(file: Path) -> bytes | None:
    try:
        return read_key(file, "")
    except ConfigError:
        return None
