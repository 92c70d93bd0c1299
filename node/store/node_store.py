"""The node's store: SQLite, WAL, ``synchronous=FULL``; one thread, one program at a time.

Counters. A frame's counter is never used twice, because two frames with one id are shown to nobody.
:meth:`NodeStore.number` uses it up, whatever becomes of the row, because a frame that the disk refuses is still sent
(ADR 0018). So the disk holds not the last number but the end of a reserve of :data:`RESERVED`: committed at the first
opening and with every row; the run after a crash begins there. A card restored from an older copy does not know what
was used since, so there are two floors from outside:

- central's ``counter_floor``, the highest it has seen of us (:meth:`NodeStore.raise_counter_floor`);
- the clock, when it is proven: no counter is below ``64 × minutes since 2025-01-01``. A node that signs
  fewer than 64 frames a minute never runs ahead of that, so a later proven time is always above what an
  older copy could have forgotten; 32 bits last until 2152, and times after 2085 are not believed.

Until one is known, a press takes the next counter of the old copy: better a collision than no alert.

Power. :meth:`NodeStore.keep_frame` returns once the commit is on disk. Receipts, their withdrawals and seen frames are
gathered and committed together (:meth:`NodeStore.flush`); losing the last of them costs a repetition, never an alert.

Damage. A database that cannot be read is set aside under another name, rows that are still readable and signed by us
are carried over, and :attr:`NodeStore.damage` says so.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from node.core.effects import COUNTER_FLOOR_MAX, Draft, Scale, Told, frame_of
from node.core.events import SeenFrame, StoredFrame
from node.store.database import OUTBOX_COLUMNS, OutboxRow, open_database, read_number, refused, set_aside
from node.store.kept import write_airtime, write_scales, write_told
from node.store.remembered import TEST_SINCE, TESTED, Remembered, outbox_rows, remembered
from node.store.rows import age, is_unreceipted_test, unreceipted_row
from runtime.sqlite_file import DAMAGED, StoreRefusedError, transaction, write_value
from wire.answers import frame_digest
from wire.errors import DecodeError, EncodeError
from wire.frames import PathTest, SignedFrame, decode, encode
from wire.ids import U32_MAX, FrameId, NodeId
from wire.kinds import Priority
from wire.signing import SigningKey

logger = logging.getLogger(__name__)

KEPT_S: Final = 48 * 3600
"""Receipted and seen frames are kept this long; what central has not receipted is kept for ever."""
RECEIPTED_LOADED_S: Final = 24 * 3600
RECEIPTED_ROWS_MAX: Final = 5_000
"""Limit by number, while no clock is proven."""
SEEN_ROWS_MAX: Final = 20_000
GATHERED_MAX: Final = 64
GATHERED_ROWS_MAX: Final = 10_000
FRAMES_PER_MINUTE: Final = 64
RESERVED: Final = 64
"""Numbers that may be used while the disk takes nothing, and that no later run uses again."""
COUNTER_EPOCH_S: Final = int(datetime(2025, 1, 1, tzinfo=UTC).timestamp())
COUNTER_CLOCK_END_S: Final = int(datetime(2085, 1, 1, tzinfo=UTC).timestamp())
_REOPENED: Final = DAMAGED | {"IOERR", "CANTOPEN", "READONLY"}


def clock_floor(at_s: int) -> int:
    """The counter that a frame made at ``at_s`` must exceed; 0 if the time is not proven or not plausible."""
    if not COUNTER_EPOCH_S <= at_s < COUNTER_CLOCK_END_S:
        return 0
    return (at_s - COUNTER_EPOCH_S) * FRAMES_PER_MINUTE // 60


class NodeStore:
    """The node's disk. Methods raise :class:`StoreRefusedError` if the disk refuses, and stay usable."""

    def __init__(self, state_dir: Path, node: NodeId, key: SigningKey, boot: str) -> None:
        """Does nothing yet; the first call opens the database.

        Args:
            state_dir: made if missing.
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
        self._is_read = False
        self._receipts: list[tuple[int, int]] = []
        self._withdrawn: set[int] = set()
        self._seen: dict[FrameId, tuple[bytes, Priority | None, int]] = {}
        self.damage = ""
        """What was set aside since construction, in one line; empty if nothing."""

    def open(self) -> None:
        """Open, check, migrate; a damaged database is set aside and a new one begun.

        Raises:
            StoreRefusedError: the disk refuses.
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
            self._last = max(self._last, self._last_on(db))
            self._is_read = True
        except sqlite3.Error as e:
            db.close()
            raise refused(e, self._folder) from e
        self._connection = db

    def close(self) -> None:
        """Commit what is gathered, and close. Never raises."""
        with contextlib.suppress(StoreRefusedError):
            self.flush()
        with contextlib.suppress(sqlite3.Error):
            if self._connection:
                write_value(self._connection, "counter", self._last)  # After a clean end the reserve is not needed.
        self._drop_connection()

    def load(self, now_ms: int, wall_at_s: int) -> Remembered:
        """Load everything the core starts from.

        Args:
            now_ms: this boot's monotonic clock.
            wall_at_s: proven Unix time, or 0.
        """
        with self._work() as db:
            rows = outbox_rows(db, wall_at_s, RECEIPTED_LOADED_S)
            try:
                others = remembered(db, self._boot, now_ms, wall_at_s)
            except (TypeError, ValueError, OverflowError) as e:
                # A bad value must not keep the outbox from being sent.
                self.damage = f"what is stored beside the alerts cannot be understood: {e}"
                logger.exception("%s", self.damage)
                others = Remembered()
        outbox = tuple(filter(None, (self._stored(row, now_ms, wall_at_s) for row in rows)))
        return replace(others, outbox=outbox, last_counter=self._last)

    def number(self, content: Draft, at_s: int, frame_at_s: int | None = None) -> SignedFrame:
        """Give a draft the next counter and sign it; nothing is on disk yet.

        Args:
            content: what to sign.
            at_s: proven Unix time of the press, or 0: the counter's floor.
            frame_at_s: the frame's time, on central's scale; ``None`` = ``at_s``.

        Raises:
            StoreRefusedError: there is no number. None is safe while neither the disk nor a proven clock shows which
                are used.
        """
        if not self._is_read:
            try:
                self.open()
            except StoreRefusedError:
                if not clock_floor(at_s):
                    raise
        counter = max(self._last, clock_floor(at_s)) + 1
        if counter > U32_MAX:
            raise StoreRefusedError("this node has used up its counters and needs a new identity")
        frame = frame_of(content, self._node, counter, at_s if frame_at_s is None else frame_at_s)
        try:
            data = encode(frame, self._key)
        except EncodeError as e:
            raise StoreRefusedError(f"the frame cannot be made: {e}") from e
        self._last = counter
        return SignedFrame(frame, data)

    def keep_frame(self, signed: SignedFrame, at_s: int, now_ms: int, replaces: int = 0) -> None:
        """Commit a frame from :meth:`number`. Once this returns, the power may fail.

        Args:
            signed: stored unchanged, however often it was refused first.
            at_s: proven Unix time of the press, or 0: the row's age after the next boot.
            now_ms: monotonic clock at the press.
            replaces: counter of a row deleted in the same transaction, whose age the new one takes.
        """
        try:
            self._insert(signed, at_s, now_ms, replaces)
        except StoreRefusedError as e:
            if e.kind == "FULL":
                self._fold_log()
            elif e.kind not in _REOPENED:
                raise
        else:
            return
        # The error closed the connection: a damaged database is now set aside, and this goes into a new one.
        self._insert(signed, at_s, now_ms, replaces)

    def store_frame(
        self, content: Draft, at_s: int, now_ms: int, replaces: int = 0, *, frame_at_s: int | None = None
    ) -> SignedFrame:
        """Number, sign and commit in one call."""
        signed = self.number(content, at_s, frame_at_s)
        self.keep_frame(signed, at_s, now_ms, replaces)
        return signed

    def mark_receipted(self, counter: int, at_s: int) -> None:
        """Mark a frame as receipted. Gathered: on disk with the next :meth:`flush`."""
        if len(self._receipts) < GATHERED_ROWS_MAX:  # a disk that always refuses must not fill the memory
            self._receipts.append((at_s, counter))
        self._flush_if_many()

    def receipted(self) -> tuple[tuple[int, str], ...]:
        """Our frames of the last 48 h with a receipt: counter, and digest as in a sync."""
        with contextlib.suppress(StoreRefusedError):  # A full disk can be read, and what is gathered is known.
            self.flush()
        gathered = {counter for _, counter in self._receipts}
        with self._work() as db:
            rows = db.execute("SELECT counter, data, is_receipted FROM outbox ORDER BY counter").fetchall()
        return tuple(
            (counter, frame_digest(data).hex())
            for counter, data, is_receipted in rows
            if counter in gathered or (is_receipted and counter not in self._withdrawn)
        )

    def reopen(self, counters: tuple[int, ...], now_ms: int, wall_at_s: int) -> tuple[StoredFrame, ...]:
        """Withdraw the receipts of these frames, which central lacks. Rows no longer here are ignored.

        Gathered, like receipts: a disk that can be read but takes nothing must not keep them from being sent again.
        """
        lacking = frozenset(counters)
        self._receipts = [receipt for receipt in self._receipts if receipt[1] not in lacking]
        with self._work() as db:
            rows = {counter: row for counter in counters if (row := unreceipted_row(db, counter)) is not None}
        self._withdrawn.update(rows)
        return tuple(filter(None, (self._stored(row, now_ms, wall_at_s) for row in rows.values())))

    def forget_frame(self, counter: int) -> None:
        """Delete a frame that central will never take and nobody needs."""
        with self._work() as db, transaction(db):
            db.execute("DELETE FROM outbox WHERE counter = ?", (counter,))

    def keep_seen(self, seen: SeenFrame, at_s: int) -> None:
        """Remember another sender's accepted frame. Gathered."""
        if len(self._seen) < GATHERED_ROWS_MAX or seen.id in self._seen:
            self._seen[seen.id] = (seen.digest, seen.shown, at_s)
        self._flush_if_many()

    def flush(self) -> None:
        """Commit gathered writes; call it whenever the loop is idle. Refused writes stay gathered."""
        if not self._receipts and not self._seen and not self._withdrawn:
            return
        with self._work() as db, transaction(db):
            # First: any receipt that is gathered came after.
            db.executemany(
                "UPDATE outbox SET is_receipted = 0, receipted_at_s = 0 WHERE counter = ?",
                [(counter,) for counter in self._withdrawn],
            )
            for at_s, counter in self._receipts:
                if is_unreceipted_test(db, counter):
                    write_value(db, TESTED, at_s)
                    write_value(db, TEST_SINCE, at_s)
            db.executemany(
                "UPDATE outbox SET is_receipted = 1, receipted_at_s = ? WHERE counter = ? AND is_receipted = 0",
                self._receipts,
            )
            db.executemany(
                "INSERT INTO inbox (node, counter, digest, is_shown, shown_priority, seen_at_s)"
                " VALUES (?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (node, counter) DO UPDATE SET is_shown = max(is_shown, excluded.is_shown),"
                " shown_priority = min(coalesce(shown_priority, excluded.shown_priority),"
                " coalesce(excluded.shown_priority, shown_priority))",
                [
                    (i.node, i.counter, digest, shown is not None, shown, at_s)
                    for i, (digest, shown, at_s) in self._seen.items()
                ],
            )
            db.executemany(
                "INSERT INTO senders (node, highest) VALUES (?, ?)"
                " ON CONFLICT (node) DO UPDATE SET highest = max(highest, excluded.highest)",
                [(seen.node, seen.counter) for seen in self._seen],
            )
        self._withdrawn.clear()
        self._receipts.clear()
        self._seen.clear()

    def keep_scales(self, scales: tuple[Scale, ...]) -> None:
        """Replace central's time, relative to this boot's monotonic clock."""
        with self._work() as db, transaction(db):
            write_scales(db, self._boot, scales)

    def keep_told(self, told: Told) -> None:
        """Replace what central has said."""
        with self._work() as db, transaction(db):
            write_told(db, told)

    def keep_airtime(self, slices: tuple[tuple[int, int], ...], now_ms: int, at_s: int) -> None:
        """Replace our airtime of the last ten minutes (N10), by this boot's clock, now ``now_ms``."""
        with self._work() as db, transaction(db):
            write_airtime(db, (self._boot, now_ms, at_s, slices))

    def keep_directory(self, data: bytes) -> None:
        """Replace the directory on disk."""
        with self._work() as db, transaction(db):
            write_value(db, "directory", data)

    def raise_counter_floor(self, counter: int) -> None:
        """Never use a counter at or below this again."""
        if counter <= self._last and self._connection:
            return
        if counter > COUNTER_FLOOR_MAX:
            raise StoreRefusedError(f"a counter floor of {counter} is too high to be true")
        self._last = max(self._last, counter)
        with self._work() as db, transaction(db):
            write_value(db, "counter", self._last + RESERVED)

    def prune(self, wall_at_s: int) -> None:
        """Delete receipted and seen frames older than 48 h, and the oldest beyond the row limits.

        All frames receipted within 48 h are kept: a central restored from a backup may lack any of them.

        Args:
            wall_at_s: proven Unix time, or 0: then only the row limits apply.
        """
        self.flush()
        with self._work() as db, transaction(db):
            if wall_at_s:
                # Rows with unproven times, or times in the future from a wrong clock, count from now.
                for table, column in (("outbox", "receipted_at_s"), ("inbox", "seen_at_s")):
                    where = f"({column} = 0 OR {column} > ?)" + (" AND is_receipted = 1" * (table == "outbox"))
                    db.execute(f"UPDATE {table} SET {column} = ? WHERE {where}", (wall_at_s, wall_at_s))  # noqa: S608
                if not 0 < read_number(db, TEST_SINCE) <= wall_at_s:
                    # Staff are asked a week after the first proven time, or after a test at an unknown time.
                    write_value(db, TEST_SINCE, wall_at_s)
                oldest = wall_at_s - KEPT_S
                db.execute("DELETE FROM outbox WHERE is_receipted = 1 AND receipted_at_s < ?", (oldest,))
                db.execute("DELETE FROM inbox WHERE seen_at_s < ?", (oldest,))
            else:
                db.execute(
                    "DELETE FROM outbox WHERE counter IN (SELECT counter FROM outbox WHERE is_receipted = 1"
                    " ORDER BY counter DESC LIMIT -1 OFFSET ?)",
                    (RECEIPTED_ROWS_MAX,),
                )
            db.execute(
                "DELETE FROM inbox WHERE rowid IN (SELECT rowid FROM inbox ORDER BY rowid DESC LIMIT -1 OFFSET ?)",
                (SEEN_ROWS_MAX,),
            )

    def _insert(self, signed: SignedFrame, at_s: int, now_ms: int, replaces: int) -> None:
        counter = signed.frame.counter
        with self._work() as db, transaction(db):
            if not isinstance(signed.frame, PathTest):
                # A later run's test outweighs this one, of which only the number must be remembered.
                db.execute(
                    "INSERT OR IGNORE INTO outbox (counter, data, stored_at_s, stored_ms, boot) VALUES (?, ?, ?, ?, ?)",
                    (counter, signed.data, *age(db, replaces, (at_s, now_ms, self._boot))),
                )
                # A commit reported as failed may still have reached the disk.
                if db.execute("SELECT data FROM outbox WHERE counter = ?", (counter,)).fetchone() != (signed.data,):
                    raise StoreRefusedError(f"another frame has the number {counter}")
                db.execute("DELETE FROM outbox WHERE counter = ?", (replaces,))
            write_value(db, "counter", self._last + RESERVED)

    def _last_on(self, db: sqlite3.Connection) -> int:
        """The last number that may have been used; the first call of a run reserves numbers above it."""
        highest: int = db.execute("SELECT coalesce(max(counter), 0) FROM outbox").fetchone()[0]
        if self._is_read:
            return highest
        last = max(read_number(db, "counter"), highest)
        with contextlib.suppress(sqlite3.OperationalError):  # A full disk must not keep us from reading it.
            write_value(db, "counter", max(self._last, last) + RESERVED)
        return last

    def _stored(self, row: tuple[bytes, int, int, str, int], now_ms: int, wall_at_s: int) -> StoredFrame | None:
        data, stored_at_s, stored_ms, boot, is_receipted = row
        try:
            at_ms: int | None = None
            if boot == self._boot:
                at_ms = int(stored_ms)
            elif stored_at_s and wall_at_s:
                at_ms = now_ms - max(0, wall_at_s - stored_at_s) * 1000
            return StoredFrame(decode(data), at_ms, bool(is_receipted))
        except (DecodeError, TypeError, ValueError) as e:
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
                # The next call opens and checks it again.
                self._drop_connection()
            raise error from e

    def _fold_log(self) -> None:
        # The log holds whole pages for each small row; merged into the database it needs a tenth of the space.
        with contextlib.suppress(sqlite3.Error):
            if self._connection:
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _drop_connection(self) -> None:
        connection, self._connection = self._connection, None
        if connection:
            with contextlib.suppress(sqlite3.Error):
                connection.close()

    def _begin_anew(self) -> sqlite3.Connection:
        aside, legible, counter = set_aside(self._folder, self._is_ours)
        known = counter if counter <= COUNTER_FLOOR_MAX else 0  # Damaged values may be anything.
        highest = max([self._last, known, *(row[0] for row in legible)])
        db = open_database(self._folder)
        marks = ", ".join("?" * len(OUTBOX_COLUMNS.split(",")))
        try:
            with transaction(db):
                db.executemany(f"INSERT OR IGNORE INTO outbox ({OUTBOX_COLUMNS}) VALUES ({marks})", legible)  # noqa: S608
                write_value(db, "counter", highest + RESERVED if highest else 0)
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


def digest(data: bytes) -> bytes:
    """SHA-256, as stored in the inbox."""
    return hashlib.sha256(data).digest()
