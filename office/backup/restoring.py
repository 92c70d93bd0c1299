"""Puts the office's state back: opened, brought up to date and begun anew aside, then moved into place."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from msgspec import Struct
from pyrage import x25519

from office.backup.contents import (
    CONFIGURATION,
    PHOTOGRAPHS,
    PROGRAM,
    ROOM_ADVICE,
    SPARE_BYTES,
    is_sealed_name,
    state_of,
    trusted_origin,
)
from office.backup.in_use import in_use
from office.backup.making import WHOSE
from office.backup.opening import Checked, bring_up_to_date, check, django_on, opens_a_photograph, photographs_named
from office.backup.state import State
from office.config import Configuration
from runtime.atomic import sync_folder, write_atomic
from runtime.backup_file import BackupError, Manifest, unpack
from runtime.backup_rules import ASIDE, clock_trouble, stamp
from runtime.backup_workspace import check_room, give, keep_configuration, not_there, place, workspace
from runtime.config import ConfigError
from runtime.key_file import read_key
from wire.errors import SnapshotError
from wire.snapshots import GoneEntry

LEAP: Final = 1 << 22
"""By how much rows of the audit and numbers of what is published are raised: more than a backup can be behind."""
_READABLE: Final = 0o640
_FOLDER_MODE: Final = 0o2750
"""Of photographs, as ``office.people.sealing`` makes it."""


class Restored(Struct, frozen=True):
    """What was put back.

    Attributes:
        manifest: of the backup.
        said: what a person should know, in sentences.
        set_aside: where the state before it is now; ``None`` = there was none.
        other_configuration: where the backup's ``office.toml`` is; ``None`` = the same as the one in use.
        opens_photographs: whether ``photographs.key`` here opens them; ``None`` = there are none, or there is no key.
    """

    manifest: Manifest
    said: tuple[str, ...]
    set_aside: Path | None
    other_configuration: Path | None
    opens_photographs: bool | None


def prove(
    configuration: Configuration, sealed: Path, identities: Sequence[x25519.Identity]
) -> tuple[Manifest, Checked]:
    """Open a backup and go through all that a restore does, but change nothing.

    Raises:
        BackupError: it could not be restored.
    """
    state = state_of(configuration)
    state.beside.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with workspace(state.beside, WHOSE) as work:
        manifest = _unpacked(configuration, state, sealed, identities, work)
        with state.opened(work / state.name) as database, django_on(configuration, database):
            bring_up_to_date()
            return manifest, check()


def restore(
    configuration: Configuration,
    sealed: Path,
    identities: Sequence[x25519.Identity],
    now_at: datetime,
    *,
    may_set_aside: bool,
    lists: Path | None,
    are_lists_lost: bool = False,
) -> Restored:
    """Put the backup in the place of the office's state, whose programs must not run.

    Args:
        configuration: of the office.
        sealed: the backup.
        identities: any one of them suffices.
        now_at: aware.
        may_set_aside: move away what is here.
        lists: folder of lists of people and premises that central has kept; ``None`` = only those here are known.
        are_lists_lost: go on though there is none, and whoever was erased since the backup comes back.

    Raises:
        BackupError: nothing was changed, except that with ``may_set_aside`` the state before may have been moved.
    """
    if not configuration.snapshot_public_file.exists():
        raise BackupError(
            "the office's keys are not here. Put them back first with 'watchlink office restore-keys'; if their backup"
            " is lost, too, 'watchlink office init' makes new ones, which open no photograph"
        )
    state = state_of(configuration)
    data = configuration.photographs_folder.parent
    with in_use(configuration, is_alone=True), workspace(state.beside, WHOSE) as work:
        is_there = state.is_there() or _holds_anything(configuration.photographs_folder)
        if is_there and not may_set_aside:
            raise BackupError(
                f"the office has a state here ({state.whose} database, or photographs), and nothing is overwritten. If"
                " the backup is to take its place, say so with --set-aside: what is there is moved beside it"
            )
        manifest = _unpacked(configuration, state, sealed, identities, work)
        if why := clock_trouble(now_at, manifest.made_at):
            raise BackupError(why)
        # They may lie on another disk than the database.
        check_room(data, sealed.stat().st_size, SPARE_BYTES, ROOM_ADVICE)
        aside = not_there(data / f"{ASIDE}{stamp(now_at)}")
        with state.opened(work / state.name) as database:
            with django_on(configuration, database):
                bring_up_to_date()
                said = list(check().problems)
                told = _take_lists(configuration, lists) if lists is not None else frozenset()
                if not are_lists_lost:
                    _check_lists(configuration)
                said += _begin_anew(configuration, told)
                photographs = photographs_named()
                fits = _opens_photographs(configuration, work / PHOTOGRAPHS)
                published, head = _published_and_head(configuration)
            # The database comes last: until it is there, no program starts on what is half restored.
            aside.mkdir(mode=0o700)
            give(aside, data)
            _place_photographs(configuration, work / PHOTOGRAPHS, photographs, aside)
            published.write(head)
            state.take_place(database, aside)
        if not any(aside.iterdir()) and not is_there:
            aside.rmdir()
        other = keep_configuration((work / CONFIGURATION).read_bytes(), configuration.file, manifest.made_at)
        return Restored(manifest, tuple(said), aside if is_there else None, other, fits)


def _unpacked(
    configuration: Configuration, state: State, sealed: Path, identities: Sequence[x25519.Identity], work: Path
) -> Manifest:
    try:
        check_room(work, sealed.stat().st_size, SPARE_BYTES, ROOM_ADVICE)
    except FileNotFoundError as e:
        raise BackupError(f"{sealed} does not exist") from e
    manifest = unpack(sealed, work, identities, trusted_origin(configuration, PROGRAM))
    if not (work / state.name).exists():
        other = "SQLite’s" if state.whose != "SQLite’s" else "PostgreSQL’s"
        raise BackupError(
            f"the backup is of {other} database, and {configuration.file} names {state.whose}. Restore it with the"
            " office.toml of that time, whose key 'database' says where it was"
        )
    return manifest


def _check_lists(configuration: Configuration) -> None:
    """Nobody who was erased may come back because a folder was forgotten.

    Raises:
        BackupError: no list of people is here.
    """
    from office.audit.commands import published_head  # noqa: PLC0415

    _, newest = published_head(configuration, trusted_origin(configuration, PROGRAM).others).shelf.newest("people")
    if newest is None:
        raise BackupError(
            "no list of people that this office signed is here, and by it alone is known who was erased or let go since"
            " the backup. Copy the folder 'snapshots' of central's here, or of a backup of central's, and name it with"
            " --lists. If all of them are lost, say --lists-lost"
        )


def _begin_anew(configuration: Configuration, told: frozenset[GoneEntry]) -> list[str]:
    from django.db import transaction  # noqa: PLC0415 - only once Django is set up

    from office.audit.beginning_anew import begin_anew  # noqa: PLC0415
    from office.audit.commands import published_head  # noqa: PLC0415

    configuration.snapshots_folder.mkdir(mode=0o750, parents=True, exist_ok=True)
    # What was erased is erased again also if the key is lost that signed the list of it.
    published = published_head(configuration, trusted_origin(configuration, PROGRAM).others)
    with transaction.atomic():
        return begin_anew(published, above_row=0, number=0, leap=LEAP, told=told)


def _published_and_head(configuration: Configuration) -> tuple[Any, Any]:
    from office.audit.commands import published_head  # noqa: PLC0415
    from office.audit.journal import head  # noqa: PLC0415

    return published_head(configuration), head()


def _take_lists(configuration: Configuration, folder: Path) -> frozenset[GoneEntry]:
    """Take the newest lists of each kind that bear the office's signature, if they are newer than those here.

    Returns:
        What any of them names as gone.
    """
    from office.publisher.shelf import KINDS, Shelf  # noqa: PLC0415
    from wire.snapshots import file_name, open_snapshot  # noqa: PLC0415

    origin = trusted_origin(configuration, PROGRAM)
    keys = (origin.signer, *origin.others)
    shelf = Shelf(configuration.snapshots_folder, configuration.town, origin.signer)
    if not folder.is_dir():
        raise BackupError(f"{folder} is no folder: name the one in which central keeps its lists")
    configuration.snapshots_folder.mkdir(mode=0o750, parents=True, exist_ok=True)
    kind: Any
    taken, told = 0, set[GoneEntry]()
    for name, kind in KINDS.items():
        best: tuple[int, bytes] = (0, b"")
        for file in folder.glob(f"{name}-*.json"):
            with contextlib.suppress(OSError, SnapshotError):
                data = file.read_bytes()
                found = open_snapshot(data, kind, configuration.town, keys)
                best = max(best, (found.number, data))
                told.update(getattr(found, "gone", ()))
        taken += best[0] > 0
        if best[0] > shelf.newest(name)[0]:
            write_atomic(configuration.snapshots_folder / file_name(name, best[0]), best[1], _READABLE)
    if not taken:
        raise BackupError(
            f"{folder} holds no list that this office signed. Name the folder of those that central keeps"
        )
    return frozenset(told)


def _opens_photographs(configuration: Configuration, folder: Path) -> bool | None:
    try:
        key = read_key(configuration.photographs_key_file, "")
    except ConfigError:
        return None
    return opens_a_photograph(folder, key)


def _holds_anything(folder: Path) -> bool:
    return folder.is_dir() and any(folder.iterdir())


def _place_photographs(configuration: Configuration, opened: Path, wanted: frozenset[str], aside: Path) -> None:
    """Only those that a row opens: who was erased again has none."""
    folder = configuration.photographs_folder
    data = folder.parent
    new = folder.with_name(f".{folder.name}.new")
    if new.exists():  # Of a restore that was ended. Root must follow no link that somebody has put there.
        shutil.rmtree(new)
    if folder.exists():
        try:
            folder.rename(aside / folder.name)
        except OSError as e:
            aside.rmdir()
            raise BackupError(
                f"{folder} cannot be set aside: {e.strerror}. If it is a disk of its own, connect that at {data}, or"
                f" name a folder on it under 'photographs' in {configuration.file}. Nothing was changed"
            ) from e
        sync_folder(data)
    new.mkdir(mode=0o700)
    for file in opened.iterdir() if opened.is_dir() else ():
        if is_sealed_name(file.name) and file.name.partition(".")[0] in wanted:
            place(file, new / file.name, data, _READABLE)
    give(new, data)
    new.chmod(_FOLDER_MODE)
    new.rename(folder)
    sync_folder(data)
