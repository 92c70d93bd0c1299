"""The node's memory as its loop uses it: SQLite, WAL, ``synchronous=FULL``; one thread, one program at a time.

Counters. A frame's counter is never used twice, because two frames with one id are shown to nobody. It is
committed in one transaction with its row, so a crash cannot forget it; a commit that failed burns it. A card
restored from an older copy forgets what was used since, so two floors from outside stand under it:

- central's ``counter_floor``, the highest it has seen of us (:meth:`NodeStore.raise_counter_floor`);
- the clock, when it is proven: no counter is below ``64 × whole minutes since 2025-01-01``. A node that signs
  fewer than 64 frames a minute never runs ahead of that, so a later proven time is always above what an
  older copy could have forgotten; 32 bits last until 2152, and times after 2085 are not believed.

Between restoring a card and the first of the two, a press takes the next counter of the old copy: an alert
that might collide is better than none.

Power. :meth:`NodeStore.store_frame` returns after the commit is on the disk. Receipts and seen frames are
gathered and committed together (:meth:`NodeStore.flush`); losing the last of them costs a repetition, never an alert.

Damage. A database that cannot be read is set aside under another name, what is still legible and bears our
own signature is carried over, and :attr:`NodeStore.damage` says so.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from node.core.effects import COUNTER_FLOOR_MAX, AlertDraft, CancelDraft, Draft, PathTestDraft, ResponseDraft
from node.core.events import SeenFrame, StoredFrame
from node.store.database import (
    DAMAGED,
    OUTBOX_COLUMNS,
    OutboxRow,
    StoreRefusedError,
    open_database,
    read_value,
    refused,
    set_aside,
    transaction,
    write_value,
)
from wire.errors import DecodeError, EncodeError
from wire.frames import Alert, Cancel, Frame, PathTest, Response, SignedFrame, decode, encode
from wire.ids import U32_MAX, FrameId, NodeId
from wire.kinds import AlertKind
from wire.signing import SigningKey

logger = logging.getLogger(__name__)

KEPT_S: Final = 48 * 3600
"""Receipted and seen frames are kept this long; what central has not receipted is kept for ever."""
RECEIPTED_LOADED_S: Final = 24 * 3600
RECEIPTED_ROWS_MAX: Final = 5_000
"""While no clock is proven, the number bounds them."""
SEEN_ROWS_MAX: Final = 20_000
GATHERED_MAX: Final = 64
GATHERED_ROWS_MAX: Final = 10_000
FRAMES_PER_MINUTE: Final = 64
COUNTER_EPOCH_S: Final = int(datetime(2025, 1, 1, tzinfo=UTC).timestamp())
COUNTER_CLOCK_END_S: Final = int(datetime(2085, 1, 1, tzinfo=UTC).timestamp())
_TESTED: Final = "tested_at_s"
_TEST_SINCE: Final = "test_since_at_s"
_REOPENED: Final = DAMAGED | {"IOERR", "CANTOPEN", "READONLY"}


@dataclass(frozen=True, slots=True)
class Remembered:
    """What the disk knows at start, as :class:`node.core.events.Started` wants it.

    Attributes:
        directory: the sealed document, or ``None``.
        tested_at_s: Unix time at which central was last found to have a test that staff pressed (N12); 0 = never, or
            not known when.
        test_since_at_s: Unix time from which they are asked for one; 0 = not known.
    """

    outbox: tuple[StoredFrame, ...] = ()
    inbox: tuple[SeenFrame, ...] = ()
    last_counter: int = 0
    directory: bytes | None = None
    tested_at_s: int = 0
    test_since_at_s: int = 0


def clock_floor(at_s: int) -> int:
    """The counter that a frame made at ``at_s`` must exceed; 0 where the time is not proven or not plausible."""
    if not COUNTER_EPOCH_S <= at_s < COUNTER_CLOCK_END_S:
        return 0
    return (at_s - COUNTER_EPOCH_S) // 60 * FRAMES_PER_MINUTE


class NodeStore:
    """The node's disk. Every method raises :class:`StoreRefusedError` where the disk will not, and stays usable."""

    def __init__(self, state_dir: Path, node: NodeId, key: SigningKey, boot: str) -> None:
        """Touches nothing; the first call opens the database.

        Args:
            state_dir: made if it is missing.
            node: ours, the sender of every frame.
            key: ours.
            boot: the machine's boot id: rows of the same boot share our monotonic clock.
        """
        self._folder = state_dir
        self._node = node
        self._key = key
        self._boot = boot
        self._connection: sqlite3.Connection | None = None
        self._last = 0
        self._receipts: list[tuple[int, int]] = []
        self._seen: dict[FrameId, tuple[bytes, bool, int]] = {}
        self.damage = ""
        """What was set aside since this object was made, in one line; empty if nothing."""

    def open(self) -> None:
        """Open, check, migrate; a damaged database is set aside and a new one begun.

        Raises:
            StoreRefusedError: not now.
        """
        if self._connection:
            return
        try:
            db = open_database(self._folder)
        except StoreRefusedError as e:
            if e.kind not in DAMAGED:
                raise
            logger.exception("a damaged database")
            db = self._begin_anew()
        try:
            counter = int.from_bytes(read_value(db, "counter") or b"", "big")
            (highest,) = db.execute("SELECT coalesce(max(counter), 0) FROM outbox").fetchone()
        except sqlite3.Error as e:
            db.close()
            raise refused(e, self._folder) from e
        self._last = max(self._last, counter, highest)
        self._connection = db

    def close(self) -> None:
        """Commit what is gathered, and close. Never raises."""
        with contextlib.suppress(StoreRefusedError):
            self.flush()
        self._drop_connection()

    def load(self, now_ms: int, wall_at_s: int) -> Remembered:
        """Everything the core starts from.

        Args:
            now_ms: this boot's monotonic clock.
            wall_at_s: proven Unix time, or 0.
        """
        with self._work() as db:
            # Without a proven clock the newest receipt tells the least that it can be.
            (newest_s,) = db.execute("SELECT coalesce(max(receipted_at_s), 0) FROM outbox").fetchone()
            rows = db.execute(
                "SELECT data, stored_at_s, stored_ms, boot, is_receipted FROM outbox"
                " WHERE is_receipted = 0 OR receipted_at_s = 0 OR receipted_at_s >= ? ORDER BY counter",
                ((wall_at_s or newest_s) - RECEIPTED_LOADED_S,),
            ).fetchall()
            outbox = tuple(filter(None, (self._stored(row, now_ms, wall_at_s) for row in rows)))
            inbox = tuple(
                SeenFrame(FrameId(NodeId(node), counter), digest, bool(is_shown))
                for node, counter, digest, is_shown in db.execute("SELECT node, counter, digest, is_shown FROM inbox")
            )
            directory = read_value(db, "directory")
            tested_at_s, since_at_s = _number(db, _TESTED), _number(db, _TEST_SINCE)
        return Remembered(outbox, inbox, self._last, directory, tested_at_s, since_at_s)

    def store_frame(self, content: Draft, at_s: int, now_ms: int) -> SignedFrame:
        """Number, sign and commit. When this returns, the power may go.

        Args:
            content: what to sign.
            at_s: proven Unix time of the press, or 0.
            now_ms: monotonic clock.
        """
        try:
            return self._insert(content, at_s, now_ms)
        except StoreRefusedError as e:
            if e.kind == "FULL":
                self._fold_log()
            elif e.kind not in _REOPENED:
                raise
        # The connection was dropped with the error: a damaged database is set aside now, and this goes in a new one.
        return self._insert(content, at_s, now_ms)

    def mark_receipted(self, counter: int, at_s: int) -> None:
        """Central has it. Gathered: on disk with the next :meth:`flush`."""
        if len(self._receipts) < GATHERED_ROWS_MAX:  # a disk that never answers must not fill the memory
            self._receipts.append((at_s, counter))
        self._flush_if_many()

    def keep_seen(self, seen: SeenFrame, at_s: int) -> None:
        """A frame of somebody else's was taken in. Gathered."""
        if len(self._seen) < GATHERED_ROWS_MAX or seen.id in self._seen:
            self._seen[seen.id] = (seen.digest, seen.is_shown, at_s)
        self._flush_if_many()

    def flush(self) -> None:
        """Commit what is gathered; call it whenever the loop has nothing else to do. What is refused stays gathered."""
        if not self._receipts and not self._seen:
            return
        with self._work() as db, transaction(db):
            for at_s, counter in self._receipts:
                if _is_test(db, counter):
                    write_value(db, _TESTED, at_s)
                    write_value(db, _TEST_SINCE, at_s)
            db.executemany(
                "UPDATE outbox SET is_receipted = 1, receipted_at_s = ? WHERE counter = ? AND is_receipted = 0",
                self._receipts,
            )
            db.executemany(
                "INSERT INTO inbox (node, counter, digest, is_shown, seen_at_s) VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT (node, counter) DO UPDATE SET is_shown = max(is_shown, excluded.is_shown)",
                [(i.node, i.counter, digest, shown, at_s) for i, (digest, shown, at_s) in self._seen.items()],
            )
        self._receipts.clear()
        self._seen.clear()

    def keep_directory(self, data: bytes) -> None:
        """Replace the directory on disk."""
        with self._work() as db, transaction(db):
            write_value(db, "directory", data)

    def raise_counter_floor(self, counter: int) -> None:
        """No counter at or below this is used from now on."""
        if counter <= self._last and self._connection:
            return
        if counter > COUNTER_FLOOR_MAX:
            raise StoreRefusedError(f"a counter floor of {counter} is too high to be true")
        with self._work() as db, transaction(db):
            self._last = max(self._last, counter)
            write_value(db, "counter", self._last)

    def prune(self, wall_at_s: int) -> None:
        """Forget receipted and seen frames older than 48 h, and beyond the row limits the oldest.

        Args:
            wall_at_s: proven Unix time, or 0: then only the row limits apply.
        """
        self.flush()
        with self._work() as db, transaction(db):
            if wall_at_s:
                # Rows of unproven times, or of a future that a wrong clock wrote, count from now.
                for table, column in (("outbox", "receipted_at_s"), ("inbox", "seen_at_s")):
                    where = f"({column} = 0 OR {column} > ?)" + (" AND is_receipted = 1" * (table == "outbox"))
                    db.execute(f"UPDATE {table} SET {column} = ? WHERE {where}", (wall_at_s, wall_at_s))  # noqa: S608
                if not 0 < _number(db, _TEST_SINCE) <= wall_at_s:
                    # They are asked a week after the first proven time, or after a test of unknown time.
                    write_value(db, _TEST_SINCE, wall_at_s)
                oldest = wall_at_s - KEPT_S
                db.execute("DELETE FROM outbox WHERE is_receipted = 1 AND receipted_at_s < ?", (oldest,))
                db.execute("DELETE FROM inbox WHERE seen_at_s < ?", (oldest,))
            db.execute(
                "DELETE FROM outbox WHERE counter IN (SELECT counter FROM outbox WHERE is_receipted = 1"
                " ORDER BY counter DESC LIMIT -1 OFFSET ?)",
                (RECEIPTED_ROWS_MAX,),
            )
            db.execute(
                "DELETE FROM inbox WHERE rowid IN (SELECT rowid FROM inbox ORDER BY rowid DESC LIMIT -1 OFFSET ?)",
                (SEEN_ROWS_MAX,),
            )

    def _insert(self, content: Draft, at_s: int, now_ms: int) -> SignedFrame:
        with self._work() as db, transaction(db):
            counter = max(self._last, clock_floor(at_s)) + 1
            if counter > U32_MAX:
                raise StoreRefusedError("this node has used up its counters and needs a new identity")
            frame = _frame(content, self._node, counter, at_s)
            try:
                data = encode(frame, self._key)
            except EncodeError as e:
                raise StoreRefusedError(f"the frame cannot be made: {e}") from e
            # Burnt from here on, whatever becomes of the commit: a failed one may still have reached the disk.
            self._last = counter
            if not isinstance(frame, PathTest):
                # A test of a later run says more than this one; of this one the number alone must be remembered.
                db.execute(
                    "INSERT INTO outbox (counter, data, stored_at_s, stored_ms, boot) VALUES (?, ?, ?, ?, ?)",
                    (counter, data, at_s, now_ms, self._boot),
                )
            write_value(db, "counter", counter)
        return SignedFrame(frame, data)

    def _stored(self, row: tuple[bytes, int, int, str, int], now_ms: int, wall_at_s: int) -> StoredFrame | None:
        data, stored_at_s, stored_ms, boot, is_receipted = row
        at_ms: int | None = None
        if boot == self._boot:
            at_ms = stored_ms
        elif stored_at_s and wall_at_s:
            at_ms = now_ms - max(0, wall_at_s - stored_at_s) * 1000
        try:
            return StoredFrame(decode(data), at_ms, bool(is_receipted))
        except DecodeError as e:
            self.damage = f"a stored frame cannot be read: {e}"
            logger.exception("%s", self.damage)
            return None

    def _flush_if_many(self) -> None:
        if len(self._receipts) + len(self._seen) >= GATHERED_MAX:
            self.flush()

    @contextlib.contextmanager
    def _work(self) -> Iterator[sqlite3.Connection]:
        self.open()
        assert self._connection is not None
        try:
            yield self._connection
        except sqlite3.Error as e:
            error = refused(e, self._folder)
            if error.kind in _REOPENED:
                # Opened again, and checked, by whoever comes next.
                self._drop_connection()
            raise error from e

    def _fold_log(self) -> None:
        # The log holds whole pages for each small row; folded into the database it needs a tenth of the room.
        with contextlib.suppress(sqlite3.Error):
            if self._connection:
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _drop_connection(self) -> None:
        connection, self._connection = self._connection, None
        if connection:
            with contextlib.suppress(sqlite3.Error):
                connection.close()

    def _begin_anew(self) -> sqlite3.Connection:
        aside, legible = set_aside(self._folder, self._is_ours)
        db = open_database(self._folder)
        marks = ", ".join("?" * len(OUTBOX_COLUMNS.split(",")))
        try:
            with transaction(db):
                db.executemany(f"INSERT OR IGNORE INTO outbox ({OUTBOX_COLUMNS}) VALUES ({marks})", legible)  # noqa: S608
                write_value(db, "counter", max([self._last, *(row[0] for row in legible)]))
        except sqlite3.Error as e:
            db.close()
            raise refused(e, self._folder) from e
        self.damage = f"the database was damaged; set aside as {aside}, {len(legible)} frames carried over"
        logger.error("%s", self.damage)
        return db

    def _is_ours(self, row: OutboxRow) -> bool:
        try:
            signed = decode(row[1])
            signed.verify(self._key.public)
        except (DecodeError, TypeError, ValueError):
            return False
        return signed.frame.id == FrameId(self._node, row[0])


def _number(db: sqlite3.Connection, key: str) -> int:
    return int.from_bytes(read_value(db, key) or b"", "big")


def _is_test(db: sqlite3.Connection, counter: int) -> bool:
    row = db.execute("SELECT data FROM outbox WHERE counter = ? AND is_receipted = 0", (counter,)).fetchone()
    try:
        frame = decode(row[0]).frame if row else None
    except DecodeError:
        return False
    return isinstance(frame, Alert) and frame.kind is AlertKind.TEST


def digest(data: bytes) -> bytes:
    """SHA-256, as the inbox keeps it."""
    return hashlib.sha256(data).digest()


def _frame(content: Draft, node: NodeId, counter: int, at_s: int) -> Frame:
    match content:
        case AlertDraft():
            incident = counter if content.incident is None else content.incident
            return Alert(
                node, counter, at_s, content.kind, incident, content.schemes, silent=content.silent, drill=content.drill
            )
        case CancelDraft():
            return Cancel(node, counter, at_s, content.incident, content.reason, content.schemes)
        case ResponseDraft():
            return Response(node, counter, at_s, content.target, content.response, content.schemes)
        case PathTestDraft():
            return PathTest(node, counter, at_s, content.path)
