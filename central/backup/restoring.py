"""Puts central's state back: opened and proven aside, then moved into place. Overwrites nothing."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from msgspec import Struct
from pyrage import x25519

from central.backup.database_file import ROOM_ADVICE, SPARE_BYTES, database_file
from central.backup.making import CONFIGURATION, DATABASE, SNAPSHOTS, origin_of
from central.backup.numbers import NO_NUMBERS, Numbers, go_on_from
from central.backup.proof import begun
from central.config import Configuration
from central.core.journal import ActionEntry
from central.signin.sessions import Ended
from central.store.database import ENTRY_NUMBER, FRAME_COUNTER
from central.store.sessions import SessionTable
from runtime.atomic import PRIVATE, write_atomic
from runtime.backup_file import BackupError, Manifest, unpack
from runtime.backup_rules import ASIDE, clock_trouble, stamp
from runtime.backup_workspace import check_room, give, keep_configuration, locked, move, not_there, place, workspace
from wire.fleet_files import REGISTER_COPY

NODES_REMEMBER: Final = timedelta(hours=48)
"""How long a node can send again what the copy lacks (ADR 0015)."""
_WITH_IT: Final = ("-wal", "-shm", "")
"""What belongs to a database. The log is moved first: without it the file is whole, only older."""


class Restored(Struct, frozen=True):
    """What was put back.

    Attributes:
        manifest: of the backup.
        signed_out: how many sign-ins were open in it, and are over.
        set_aside: where the state before it is now; ``None`` = there was none.
        other_configuration: where the backup's ``central.toml`` is; ``None`` = the same as the one in use.
        lost_until: alerts before this time and after the backup are lost; ``None`` = nodes remember all.
        register: where the enrolment service's register is now, for its command; ``None`` = the backup has none.
    """

    manifest: Manifest
    signed_out: int
    set_aside: Path | None
    other_configuration: Path | None
    lost_until: datetime | None
    register: Path | None = None


def prove(
    configuration: Configuration, sealed: Path, identities: Sequence[x25519.Identity], now_at: datetime
) -> Manifest:
    """Open a backup and go through all that a restore does, but change nothing.

    Raises:
        BackupError: it could not be restored.
    """
    database = database_file(configuration.database)
    database.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with workspace(database, "this central") as work:
        check_room(work, sealed.stat().st_size, SPARE_BYTES, ROOM_ADVICE)
        manifest = unpack(sealed, work, identities, origin_of(configuration))
        with begun(work / DATABASE, now_at):
            return manifest


def restore(
    configuration: Configuration,
    sealed: Path,
    identities: Sequence[x25519.Identity],
    now_at: datetime,
    *,
    may_set_aside: bool,
) -> Restored:
    """Put the backup in the place of central's state, which must not run.

    Raises:
        BackupError: nothing was changed, except that with ``may_set_aside`` the state before may have been moved.
    """
    database = database_file(configuration.database)
    folder, home = database.parent, configuration.file.parent
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    give(folder, home)
    running = "central is running: stop it first (systemctl stop watchlink-central), then restore again"
    with locked(database.with_name(f"{database.name}.lock"), running), workspace(database, "this central") as work:
        there = [path for end in _WITH_IT if (path := database.with_name(f"{database.name}{end}")).exists()]
        if there and not may_set_aside:
            raise BackupError(
                f"central has a state here, {database}, and nothing is overwritten. If the backup is to take its place,"
                " say so with --set-aside: what is there is moved to a folder beside it"
            )
        check_room(work, sealed.stat().st_size, SPARE_BYTES, ROOM_ADVICE)
        manifest = unpack(sealed, work, identities, origin_of(configuration))
        if why := clock_trouble(now_at, manifest.made_at):
            raise BackupError(why)
        at = max(now_at, manifest.made_at)
        signed_out = _begin_anew(work / DATABASE, now_at, at, _used_here(database))
        aside = _set_aside(there, not_there(folder / f"{ASIDE}{stamp(now_at)}"), home) if there else None
        place(work / DATABASE, database, home)
        for snapshot in sorted((work / SNAPSHOTS).glob("*")):
            kept = configuration.kept_snapshots_dir
            kept.mkdir(mode=0o700, exist_ok=True)
            give(kept, home)
            if not (kept / snapshot.name).exists():
                place(snapshot, kept / snapshot.name, home)
        return Restored(
            manifest,
            signed_out,
            aside,
            keep_configuration((work / CONFIGURATION).read_bytes(), configuration.file, manifest.made_at),
            now_at - NODES_REMEMBER if now_at - manifest.made_at > NODES_REMEMBER else None,
            _lay_register_beside(work / REGISTER_COPY, configuration.file, manifest.made_at),
        )


def _lay_register_beside(register: Path, configuration: Path, made_at: datetime) -> Path | None:
    """It is another program's: only that puts it back, and only into an empty one."""
    if not register.exists():
        return None
    beside = configuration.with_name(f"{REGISTER_COPY}.of-{stamp(made_at)}")
    write_atomic(beside, register.read_bytes(), PRIVATE)
    return beside


def _used_here(database: Path) -> Numbers:
    """Those of the state that is set aside, if it can still be read."""
    with (
        contextlib.suppress(sqlite3.Error),
        contextlib.closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as disk,
    ):
        counters = dict(disk.execute("SELECT name, value FROM counters"))
        entries = [
            entry for (entry,) in disk.execute("SELECT max(entry) FROM frames UNION SELECT max(entry) FROM actions")
        ]
        return Numbers(counters.get(FRAME_COUNTER, 0), max(0, counters.get(ENTRY_NUMBER, 0), *filter(None, entries)))
    return NO_NUMBERS


def _begin_anew(file: Path, now_at: datetime, at: datetime, used_here: Numbers) -> int:
    """Let the copy go on above all that any other may have used, with nobody signed in or on duty.

    Returns:
        How many sign-ins were open.
    """
    with begun(file, now_at) as (database, recalled):
        # Nodes tell central what they have seen (ADR 0015), but only once they are back; it speaks before that.
        of_copy = Numbers(database.reserve_counters(1).start, recalled.last_entry)
        first = go_on_from(of_copy, used_here, at)
        database.reserve_counters(first.counter - of_copy.counter)
        entry = first.entry
        database.raise_entry(entry + len(recalled.on_duty))
        sessions = SessionTable(database)
        # Some were ended since by their people, who must not find them open again.
        live = sessions.live()
        sessions.change((), tuple(Ended(one.digest, now_at, "restored") for one in live))
        sessions.close()
        # They may have gone home since: shops must not be told that somebody watches.
        database.commit(
            [
                ActionEntry(number, "duty-ended", None, one.person, "restored from a backup", now_at, "watchlink")
                for number, one in enumerate(recalled.on_duty, start=entry + 1)
            ]
        )
    if file.with_name(f"{file.name}-wal").exists():
        raise BackupError("the opened copy was not closed: restore again")
    return len(live)


def _set_aside(there: Sequence[Path], folder: Path, home: Path) -> Path:
    folder.mkdir(mode=0o700)
    # The nightly backup, which is not root, has to delete it one day.
    give(folder, home)
    for path in there:
        move(path, folder / path.name)
    return folder
