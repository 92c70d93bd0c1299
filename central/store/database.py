"""The database: one transaction per batch, one long read at start.

Used from one thread at a time. All SQL is common to SQLite and PostgreSQL.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, NoSuchModuleError, SQLAlchemyError

from central.core.journal import ActionEntry, FrameEntry, JournalEntry, KeptAct, KeptFigures, KeptNode, SeenFrame
from central.store.errors import StoreConfigError, StoreError, StoreFullError
from central.store.migrate import migrate
from central.store.reserve import Reserve
from central.store.rows import act_row, figures_row, gather, microseconds, spaced
from central.store.tables import ACTIONS, COUNTERS, DIRECTORIES, DUTY, FRAMES, OPEN_ACTS, TIMES
from central.store.turns import Turns
from wire.ids import U32_MAX, FrameId
from wire.lateness import SCALE_KEPT_MS, SCALES_AGREE_MS

SQLITE_BUSY_S: Final = 1.0
"""How long to wait for another program's lock. Alerts wait as long, so it is short; nodes send again."""
EARLIER_TIMES_MAX: Final = 8
_FULL: Final = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE)
FRAME_COUNTER: Final = "frames"
ENTRY_NUMBER: Final = "entries"

# The same in both dialects; SQLAlchemy offers it only per dialect.
_OPEN_INCIDENT: Final = sa.text(
    "INSERT INTO incidents (node, counter, opened_us, closed_us) VALUES (:node, :counter, :opened_us, :closed_us)"
    " ON CONFLICT (node, counter) DO UPDATE SET closed_us = excluded.closed_us"
)
_CLOSE_INCIDENT: Final = sa.text(
    "UPDATE incidents SET closed_us = :closed_us WHERE node = :node AND counter = :counter"
)
_KEEP_NODE: Final = sa.text(
    "INSERT INTO nodes (node, last_seen_us, boot_id, speaks, facts)"
    " VALUES (:node, :last_seen_us, :boot_id, :speaks, :facts)"
    " ON CONFLICT (node) DO UPDATE SET last_seen_us = excluded.last_seen_us, boot_id = excluded.boot_id,"
    " speaks = excluded.speaks, facts = excluded.facts"
)
_KEEP_FIGURES: Final = sa.text(
    "INSERT INTO path_days (day, node, path, watched_minutes, up_minutes, frames, late, deliveries)"
    " VALUES (:day, :node, :path, :watched_minutes, :up_minutes, :frames, :late, :deliveries)"
    " ON CONFLICT (day, node, path) DO UPDATE SET watched_minutes = excluded.watched_minutes,"
    " up_minutes = excluded.up_minutes, frames = excluded.frames, late = excluded.late,"
    " deliveries = excluded.deliveries"
)

P = ParamSpec("P")
R = TypeVar("R")


def _in_room(write: Callable[Concatenate[Database, P], R]) -> Callable[Concatenate[Database, P], R]:
    """On a full disk, retry in the room that the reserve gives up, while there is any."""

    @functools.wraps(write)
    def done(self: Database, /, *args: P.args, **kwargs: P.kwargs) -> R:
        while True:
            try:
                return write(self, *args, **kwargs)
            except StoreFullError:
                if self._reserve is None or not self._reserve.give_up():
                    raise

    return done


def resolve_url(text: str, folder: Path) -> URL:
    """The URL of the configured database; a relative SQLite file is relative to ``folder``.

    Raises:
        StoreConfigError: not a URL, not SQLite or PostgreSQL, or SQLite in memory or with options.
    """
    try:
        url = make_url(text)
    except ArgumentError as e:
        raise StoreConfigError("database is no URL such as sqlite:///state/central.db") from e
    backend = url.get_backend_name()
    if backend not in ("sqlite", "postgresql"):
        raise StoreConfigError(f"database {backend!r} is not supported: sqlite or postgresql")
    if backend == "sqlite":
        if not url.database or url.database == ":memory:" or url.query:
            raise StoreConfigError("database must be a file, such as sqlite:///state/central.db, without options")
        url = url.set(database=str(folder / url.database))
    return url


class Database:
    """Central's memory. Raises :class:`StoreError`, with a sentence, whenever the database refuses."""

    def __init__(self, url: URL) -> None:
        self.turns = Turns()
        """To be taken by whoever else writes to this database in this process."""
        self._url = url
        self._engine = engine_of(url)
        self._lock_file: int | None = None
        self._reserve: Reserve | None = None

    @property
    def url(self) -> URL:
        """Where it is."""
        return self._url

    @property
    def has_reserve(self) -> bool:
        """Whether the room kept for a full disk is whole. Always for PostgreSQL: its disk is not ours to mind."""
        return self._reserve is None or self._reserve.is_whole

    def open(self) -> None:
        """Make the file if there is none, lock it, and bring the schema up to date."""
        if self._url.get_backend_name() == "sqlite" and self._url.database:
            path = Path(self._url.database)
            try:
                path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            except OSError as e:
                raise StoreError(f"{path.parent} cannot be made: {e.strerror}") from e
            self._lock(path)
            self._reserve = Reserve(path.with_name(f"{path.name}.reserve"))
        try:
            self._migrate()
        except Exception:
            self.close()
            raise
        if self._reserve is not None:
            self._reserve.fill()

    def close(self) -> None:
        """Close every connection and release the lock."""
        self._engine.dispose()
        if self._lock_file is not None:
            os.close(self._lock_file)
            self._lock_file = None

    def commit(self, entries: Sequence[JournalEntry]) -> tuple[SeenFrame, ...]:
        """Write a batch of the journal in one transaction.

        Returns:
            Frames *not* written because the database already has their ids: what it has. Everything else is on disk
            for good.

        Raises:
            StoreError: nothing was written.
        """
        try:
            self._write(entries)
        except IntegrityError:
            frames = [entry.signed.frame.id for entry in entries if isinstance(entry, FrameEntry)]
            known = self._find(frames)
            if not known:
                raise StoreError("the journal's numbers are taken: does another central use this database?") from None
        else:
            return ()
        ids = {frame.id for frame in known}
        rest = [e for e in entries if not (isinstance(e, FrameEntry) and e.signed.frame.id in ids)]
        try:
            self._write(rest)
        except IntegrityError as e:
            raise StoreError("the journal's numbers are taken: does another central use this database?") from e
        return known

    @_in_room
    def reserve_counters(self, count: int, above: int = 0) -> range:
        """Reserve counters for ``count`` of central's own frames, all greater than ``above``, never to be given again.

        Raises:
            StoreError: none was reserved.
        """
        with self._transaction() as connection:
            is_there = COUNTERS.c.name == FRAME_COUNTER
            before = connection.execute(sa.select(COUNTERS.c.value).where(is_there)).scalar()
            value = max(before or 0, above) + count
            if value > U32_MAX:
                raise StoreError("central has used up its frame counters; give it a new identity")
            if before is None:
                connection.execute(sa.insert(COUNTERS).values(name=FRAME_COUNTER, value=value))
            else:
                connection.execute(sa.update(COUNTERS).where(is_there).values(value=value))
        return range(value - count + 1, value + 1)

    @_in_room
    def raise_entry(self, entry: int) -> None:
        """Number no entry at or below ``entry`` again: nodes have seen it, from a newer copy of this database."""
        with self._transaction() as connection:
            connection.execute(
                sa.delete(COUNTERS).where((COUNTERS.c.name == ENTRY_NUMBER) & (COUNTERS.c.value < entry))
            )
            is_there = sa.select(COUNTERS.c.value).where(COUNTERS.c.name == ENTRY_NUMBER)
            if connection.execute(is_there).scalar() is None:
                connection.execute(sa.insert(COUNTERS).values(name=ENTRY_NUMBER, value=entry))

    @_in_room
    def keep_nodes(self, nodes: Sequence[KeptNode]) -> None:
        """Store when nodes were last seen, their boot ids, what they understand and what they said of themselves."""
        rows = [
            {
                "node": node.node,
                "last_seen_us": microseconds(node.last_seen_at),
                "boot_id": node.boot_id,
                "speaks": " ".join(node.speaks),
                "facts": None if node.facts is None else msgspec.json.encode(node.facts).decode(),
            }
            for node in nodes
        ]
        with self._transaction() as connection:
            if rows:
                connection.execute(_KEEP_NODE, rows)

    @_in_room
    def keep_figures(self, figures: Sequence[KeptFigures]) -> None:
        """Store these counts in place of those of the same day, node and path."""
        rows = [figures_row(kept) for kept in figures]
        with self._transaction() as connection:
            if rows:
                connection.execute(_KEEP_FIGURES, rows)

    @_in_room
    def keep_acts(self, acts: Sequence[KeptAct]) -> None:
        """Store these as the unfinished acts for many, in place of those before."""
        with self._transaction() as connection:
            connection.execute(sa.delete(OPEN_ACTS))
            if acts:
                connection.execute(sa.insert(OPEN_ACTS), [act_row(act) for act in acts])

    @_in_room
    def begin_time(self, machine_boot: str, offset: timedelta, now_at: datetime) -> tuple[timedelta, ...]:
        """A run begins, its time ``offset`` ahead of the machine's steady clock.

        Returns:
            Offsets of earlier runs in this boot minus this run's, where they differ and were left within three days:
            the newest :data:`EARLIER_TIMES_MAX`.
        """
        now_us, offset_us = microseconds(now_at), offset // timedelta(microseconds=1)
        oldest_us = now_us - 1_000 * SCALE_KEPT_MS
        same_boot = TIMES.c.machine_boot == machine_boot
        with self._transaction() as connection:
            connection.execute(sa.delete(TIMES).where(~same_boot | (TIMES.c.left_us < oldest_us)))
            connection.execute(sa.update(TIMES).where(TIMES.c.left_us.is_(None)).values(left_us=now_us))
            earlier = connection.execute(sa.select(TIMES.c.offset_us).order_by(TIMES.c.left_us.desc())).scalars().all()
            connection.execute(sa.delete(TIMES).where(TIMES.c.began_us == now_us))
            row = {"began_us": now_us, "machine_boot": machine_boot, "offset_us": offset_us}
            connection.execute(sa.insert(TIMES).values(row))
        gaps = dict.fromkeys(timedelta(microseconds=us - offset_us) for us in earlier)
        agree = timedelta(milliseconds=SCALES_AGREE_MS)
        return tuple(gap for gap in gaps if abs(gap) > agree)[:EARLIER_TIMES_MAX]

    @_in_room
    def keep_directory(self, serial: int, data: bytes, taken_at: datetime) -> None:
        """Store the newest good directory, in place of any before it."""
        with self._transaction() as connection:
            connection.execute(sa.delete(DIRECTORIES))
            row = {"serial": serial, "data": data, "taken_us": microseconds(taken_at)}
            connection.execute(sa.insert(DIRECTORIES).values(row))

    def kept_directory(self) -> bytes | None:
        """The stored directory, sealed and not verified here; ``None`` = none."""
        with self._transaction() as connection:
            newest = sa.select(DIRECTORIES.c.data).order_by(DIRECTORIES.c.serial.desc()).limit(1)
            data = connection.execute(newest).scalar()
        return None if data is None else bytes(data)

    @_in_room
    def probe(self) -> None:
        """Prove with a small write that the database takes writes; refill the reserve if there is room."""
        if self._reserve is not None:
            self._reserve.fill()
        with self._transaction() as connection:
            name = "probe"
            connection.execute(sa.delete(COUNTERS).where(COUNTERS.c.name == name))
            connection.execute(sa.insert(COUNTERS).values(name=name, value=0))

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction for :mod:`central.store.recalling`. Whoever writes need not wait for it."""
        with self._refusals(), self._engine.begin() as connection:
            yield connection

    @_in_room
    def _migrate(self) -> None:
        with self._transaction() as connection:
            migrate(connection)

    @_in_room
    def _write(self, entries: Sequence[JournalEntry]) -> None:
        batch = gather(entries)
        if not batch.frames and not batch.actions:
            return
        with self._transaction() as connection:
            if batch.frames:
                connection.execute(sa.insert(FRAMES), batch.frames)
            if batch.actions:
                connection.execute(sa.insert(ACTIONS), batch.actions)
            if batch.opened:
                connection.execute(_OPEN_INCIDENT, list(batch.opened.values()))
            if batch.closed:
                rows = [
                    {"node": one.node, "counter": one.counter, "closed_us": at_us}
                    for one, at_us in batch.closed.items()
                ]
                connection.execute(_CLOSE_INCIDENT, rows)
            for entry in batch.duties:
                _write_duty(connection, entry)

    def _lock(self, path: Path) -> None:
        """Two centrals on one file would each answer half of the alerts. The kernel unlocks it however we end."""
        try:
            self._lock_file = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as e:
            raise StoreError(f"another central is using {path}") from e
        except OSError as e:
            raise StoreError(f"{path}.lock cannot be used: {e.strerror}") from e

    def _find(self, ids: Sequence[FrameId]) -> tuple[SeenFrame, ...]:
        found = []
        with self._transaction() as connection:
            for frame_id in ids:
                is_it = (FRAMES.c.sender == frame_id.node) & (FRAMES.c.counter == frame_id.counter)
                row = connection.execute(sa.select(FRAMES.c.digest, FRAMES.c.is_late).where(is_it)).one_or_none()
                if row is not None:
                    found.append(SeenFrame(frame_id, bytes(row.digest), row.is_late))
        return tuple(found)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[Connection]:
        with self.turns.for_journal(), self._refusals(), self._engine.begin() as connection:
            yield connection

    @contextlib.contextmanager
    def _refusals(self) -> Iterator[None]:
        try:
            yield
        except IntegrityError:
            raise
        except DBAPIError as e:
            is_full = getattr(e.orig, "sqlite_errorcode", None) in _FULL
            raise (StoreFullError if is_full else StoreError)(
                f"the database refuses: {' '.join(str(e.orig).split())[:200]}"
            ) from e
        except SQLAlchemyError as e:
            raise StoreError(f"the database cannot be used: {type(e).__name__}") from e


def engine_of(url: URL) -> Engine:
    """An engine with the settings that every part of central needs.

    Raises:
        StoreConfigError: the driver is not installed.
    """
    is_sqlite = url.get_backend_name() == "sqlite"
    try:
        if not is_sqlite:
            return sa.create_engine(url, pool_pre_ping=True, pool_size=1)
        engine = sa.create_engine(url, connect_args={"timeout": SQLITE_BUSY_S}, pool_size=1)
    except (NoSuchModuleError, ModuleNotFoundError) as e:
        raise StoreConfigError(f"the driver for database {url.drivername} is not installed: {e}") from e

    @event.listens_for(engine, "connect")
    def _(connection: Any, _record: object) -> None:  # noqa: ANN401 - sqlite3.Connection, by SQLAlchemy's contract
        cursor = connection.cursor()
        # WAL with NORMAL can lose receipted alerts at a power cut; FULL does not.
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.close()

    return engine


def _write_duty(connection: Connection, entry: ActionEntry) -> None:
    assert entry.by is not None, "a duty is somebody's"
    at_us, by = microseconds(entry.at), entry.by
    is_theirs = DUTY.c.account == by.account
    if not by.account:
        is_theirs &= (DUTY.c.role == by.role) & (DUTY.c.name == by.name)
    is_on = is_theirs & DUTY.c.ended_us.is_(None)
    if entry.kind == "duty-ended":
        connection.execute(sa.update(DUTY).where(is_on).values(ended_us=at_us, ended_entry=entry.entry))
        return
    if entry.kind == "handover-read":
        connection.execute(sa.update(DUTY).where(is_on).values(is_unread=False))
        return
    row: dict[str, Any] = {"role": by.role, "name": by.name, "schemes": spaced(entry.schemes), "proof": entry.text}
    # In another role, under a new name or by another proof it is still the same duty.
    is_unread = sa.or_(DUTY.c.is_unread, DUTY.c.role != by.role)
    if connection.execute(sa.update(DUTY).where(is_on).values(is_unread=is_unread, **row)).rowcount == 0:
        row |= {"entry": entry.entry, "account": by.account, "started_us": at_us, "is_unread": True}
        connection.execute(sa.insert(DUTY).values(row))
