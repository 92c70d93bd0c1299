"""The gallery's store: SQLite (WAL, ``synchronous=FULL``), one program at a time, any of its threads.

Destroying. A row of keys is overwritten where it stands (:mod:`gallery.store.slots`), and the log that still held it is
cut off, before a method returns. The core orders rows first, then lines, then photographs, and orders all of it again
after a start: interrupted anywhere, there is only work left to do.

A full disk. What is kept stays as it was, and can be read. A deletion needs some room in the log: a reserve is held for
it, and given up when the disk is full.

Damage. A database that cannot be read is removed, and all is fetched anew; lines that are not what their head named
count as lost. :attr:`GalleryStore.damage` says so.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from msgspec.structs import replace

from gallery.arrivals import core_lines
from gallery.core.effects import KeepGallery
from gallery.core.events import KeptGallery, Started
from gallery.core.holdings import Key, Line, Title
from gallery.core.ledger import Ledger
from gallery.core.reports import ReportBook
from gallery.core.staff import StaffRow, StaffTold
from gallery.store.database import empty_log, open_database, refused, remove_database
from gallery.store.key_slots import KEY_SLOTS, read_key_slot, write_key_slot
from gallery.store.photographs import FOLDER_NAME, Photographs
from gallery.store.slots import Slots
from gallery.store.staff_seal import StaffSeal
from runtime.atomic import PRIVATE, sync_folder
from runtime.sqlite_file import DAMAGED, StoreRefusedError, read_value, transaction, write_value
from wire.gallery_keys import KeyRow
from wire.gallery_lines import NO_LINES, GalleryError, GalleryLine, Lines, parse_lines
from wire.gallery_views import VIEWS_MAX, View, ViewHead, head_of

logger = logging.getLogger(__name__)

RESERVE_NAME: Final = "reserve"
RESERVE_BYTES: Final = 1_048_576
"""For the log of a deletion on a full disk: 200 pages and more."""
STAFF_SLOTS: Final = Slots("staff_slots", 2_048)
_FOLDER_MODE: Final = 0o700
_LINES_AT_ONCE: Final = 256

T = TypeVar("T")


class StaffKept(msgspec.Struct, frozen=True):
    """What is sealed of a member of staff.

    Attributes:
        verifier: of the PIN; empty = there is none.
    """

    row: StaffRow
    verifier: bytes = b""


class GalleryStore:
    """The gallery's part of the card. Methods raise :class:`StoreRefusedError` if it refuses, and stay usable.

    Args:
        folder: made if missing.
        key: the unit's, for what is sealed to it.

    Attributes:
        photographs: their folder.
        damage: what was found damaged since construction, in one line; empty if nothing.
    """

    def __init__(self, folder: Path, key: X25519PrivateKey) -> None:
        self.photographs = Photographs(folder / FOLDER_NAME)
        self.damage = ""
        self._folder = folder
        self._seal = StaffSeal(key)
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._keys: dict[tuple[int, Key], int] = {}

    def close(self) -> None:
        """Let another program have it. Never raises."""
        with self._lock, contextlib.suppress(sqlite3.Error):
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    def started(self, boot_id: str, origin: ViewHead) -> Started:
        """What is on the card; the core's first event.

        Args:
            boot_id: of the machine's boot.
            origin: of a view log without records, :func:`wire.gallery_views.no_views`.
        """
        with self._work() as db:
            galleries = tuple(map(self._kept, db.execute("SELECT scheme, title, elsewhere, digest FROM galleries")))
            found = Started(
                boot_id,
                chain=_decoded(read_value(db, "chain"), ViewHead, origin),
                ledger=_decoded(read_value(db, "ledger"), Ledger, Ledger()),
                galleries=galleries,
                staff=tuple(kept.row for _, kept in self._all_staff(db)),
                delivered=_decoded(read_value(db, "delivered"), int, 0),
                book=_decoded(self._opened_value(db, "reports"), ReportBook, ReportBook()),
            )
        self._hold_reserve()
        return replace(found, photographs=self.photographs.look())

    def lines(self, scheme: int) -> Lines:
        """Those that are kept, in their bytes; none if they are damaged."""
        with self._work() as db:
            (digest,) = db.execute("SELECT digest FROM galleries WHERE scheme = ?", (scheme,)).fetchone() or ("",)
            return self._lines(db, scheme, digest) or NO_LINES

    def line(self, scheme: int, case: int) -> GalleryLine | None:
        """One of them, as it was verified when it was kept; ``None`` = there is none, or it is damaged."""
        with self._work() as db:
            query = "SELECT data FROM lines WHERE scheme = ? AND case_number = ?"
            found = db.execute(query, (scheme, case)).fetchone()
        try:
            return None if found is None else parse_lines(b"%b\n" % found[0]).get(case)
        except GalleryError:
            return None

    def row(self, scheme: int, key: Key) -> KeyRow | None:
        """A row of keys, as it came; ``None`` = there is none."""
        with self._work() as db:
            slot = self._keys.get((scheme, key))
            found = db.execute("SELECT slot, data FROM key_slots WHERE slot = ?", (slot,)).fetchone()
            read = None if found is None else read_key_slot(KEY_SLOTS.contents(found[1]))
        return None if read is None or read[:2] != (scheme, key) else read[2]

    def keep_ledger(self, ledger: Ledger) -> None:
        """Replace the row of time and lease."""
        with self._work() as db, transaction(db):
            write_value(db, "ledger", msgspec.json.encode(ledger))

    def destroy_keys(self, scheme: int, keys: Iterable[Key]) -> None:
        """Overwrite rows of keys. Those that are not there are destroyed."""
        doomed = [(scheme, key) for key in keys]

        def act(db: sqlite3.Connection) -> None:
            KEY_SLOTS.wipe(db, [self._keys[one] for one in doomed if one in self._keys])

        with self._lock:
            self._destroy(act)
            for one in doomed:
                self._keys.pop(one, None)

    def keep_gallery(self, effect: KeepGallery, lines: Lines, rows: Mapping[Key, KeyRow]) -> None:
        """Replace a gallery's title and lines, and add the rows that came with it.

        Args:
            effect: says of what.
            lines: as they came.
            rows: as they came; at least those of the effect's keys.
        """
        scheme = effect.scheme
        if len(lines) != len(effect.lines) or not effect.keys <= rows.keys():
            raise StoreRefusedError("what came of a gallery is not here any more")
        added: dict[tuple[int, Key], int] = {}

        def act(db: sqlite3.Connection) -> None:
            self._replace_lines(db, scheme, lines)
            free = KEY_SLOTS.free(db, frozenset(self._keys.values()))
            for key in sorted(effect.keys):
                data = write_key_slot(scheme, key, rows[key])
                slot = self._keys.get((scheme, key))
                if slot is not None:
                    KEY_SLOTS.replace(db, slot, data)
                added[scheme, key] = KEY_SLOTS.put(db, data, free) if slot is None else slot
            values = (scheme, *map(msgspec.json.encode, (effect.title, sorted(effect.elsewhere))), lines.digest)
            db.execute(
                "INSERT OR REPLACE INTO galleries (scheme, title, elsewhere, digest) VALUES (?, ?, ?, ?)", values
            )

        with self._lock:
            # The reserve is for what must go, not for what came.
            (self._destroy_once if effect.keys else self._destroy)(act)
            self._keys |= added

    def keep_staff(self, row: StaffRow) -> None:
        """Replace what is known of a person; their verifier stays."""
        self._put_staff(row, None)

    def keep_verifier(self, row: StaffRow, verifier: bytes) -> None:
        """Replace a person's row and verifier."""
        self._put_staff(row, verifier)

    def verifier(self, person: int) -> bytes:
        """Of a person's PIN; empty = there is none."""
        with self._work() as db:
            return next((kept.verifier for _, kept in self._all_staff(db) if _is(kept, person)), b"")

    def destroy_staff(self, person: int) -> None:
        """Overwrite a person's row and verifier."""
        self._destroy(
            lambda db: STAFF_SLOTS.wipe(db, [slot for slot, kept in self._all_staff(db) if _is(kept, person)])
        )

    def append_views(self, views: tuple[View, ...]) -> None:
        """Add to the end of the view log."""
        with self._work() as db, transaction(db):
            # Those of a commit that was refused and reached the disk all the same were shown to nobody.
            db.executemany(
                "INSERT OR REPLACE INTO views (n, data) VALUES (?, ?)", [(one.record.n, one.data) for one in views]
            )
            write_value(db, "chain", msgspec.json.encode(head_of(views[-1])))

    def views_after(self, number: int) -> bytes:
        """Records of the view log, as they are sent: the first that the office does not have."""
        with self._work() as db:
            found = db.execute("SELECT data FROM views WHERE n > ? ORDER BY n LIMIT ?", (number, VIEWS_MAX)).fetchall()
        return b"".join(b"%b\n" % data for (data,) in found)

    def forget_views(self, number: int) -> None:
        """The office has them, up to this one. Where the chain has come to is kept."""

        def act(db: sqlite3.Connection) -> None:
            write_value(db, "delivered", msgspec.json.encode(number))
            db.execute("DELETE FROM views WHERE n <= ?", (number,))

        self._destroy(act)

    def keep_reports(self, book: ReportBook) -> None:
        """Replace what is kept of reports, sealed. What was there before is gone from the log, too."""
        sealed = self._seal.seal(msgspec.json.encode(book))
        self._destroy_once(lambda db: write_value(db, "reports", sealed))

    def _opened_value(self, db: sqlite3.Connection, key: str) -> bytes | None:
        sealed = read_value(db, key)
        return None if sealed is None else self._seal.open(sealed)

    def _kept(self, row: tuple[int, bytes, bytes, str]) -> KeptGallery:
        scheme, title_data, elsewhere, digest = row
        assert self._connection is not None
        title = _decoded(title_data, Title, Title())
        lines = self._core_lines(self._connection, scheme, digest)
        if lines is None:
            # As if nothing were held, but nothing older is taken either: the office sends all of it.
            self.damage = f"lines of the gallery of scheme {scheme} were damaged, and are fetched again"
            logger.warning("%s", self.damage)
            title, lines = replace(title, number=0), ()
        return KeptGallery(
            scheme,
            title,
            lines=lines,
            keys=frozenset(key for of_scheme, key in self._keys if of_scheme == scheme),
            elsewhere=_decoded(elsewhere, frozenset[int], frozenset()),
        )

    @staticmethod
    def _core_lines(db: sqlite3.Connection, scheme: int, digest: str) -> tuple[Line, ...] | None:
        """Those of :meth:`_lines`, read a few at a time: ten thousand whole would take 12 MB for a moment."""
        rows = db.execute("SELECT data FROM lines WHERE scheme = ? ORDER BY case_number", (scheme,))
        found: list[Line] = []
        read = sha256()
        try:
            while some := rows.fetchmany(_LINES_AT_ONCE):
                lines = parse_lines(b"".join(b"%b\n" % data for (data,) in some))
                read.update(lines.data)
                found += core_lines(lines)
        except GalleryError:
            return None
        return tuple(found) if read.hexdigest() == digest else None

    @staticmethod
    def _lines(db: sqlite3.Connection, scheme: int, digest: str) -> Lines | None:
        rows = db.execute("SELECT data FROM lines WHERE scheme = ? ORDER BY case_number", (scheme,))
        try:
            lines = parse_lines(b"".join(b"%b\n" % data for (data,) in rows))
        except GalleryError:
            return None
        return lines if lines.digest == digest else None

    @staticmethod
    def _replace_lines(db: sqlite3.Connection, scheme: int, lines: Lines) -> None:
        """Only what differs is written: a change of one line costs a page or two, and not all of them."""
        held = dict(db.execute("SELECT case_number, data FROM lines WHERE scheme = ?", (scheme,)))
        came = dict(zip(lines, lines.data.split(b"\n"), strict=False))
        gone = [(scheme, case) for case in held if case not in came]
        db.executemany("DELETE FROM lines WHERE scheme = ? AND case_number = ?", gone)
        fresh = [(scheme, case, data) for case, data in came.items() if held.get(case) != data]
        db.executemany("INSERT OR REPLACE INTO lines (scheme, case_number, data) VALUES (?, ?, ?)", fresh)

    def _all_staff(self, db: sqlite3.Connection) -> list[tuple[int, StaffKept]]:
        """Everybody who can be read, with their slots."""
        found = ((slot, self._seal.open(sealed)) for slot, sealed in STAFF_SLOTS.read(db))
        read = [(slot, _decoded(data, StaffKept, _NOBODY)) for slot, data in found]
        return [(slot, kept) for slot, kept in read if kept is not _NOBODY]

    def _put_staff(self, row: StaffRow, verifier: bytes | None) -> None:
        with self._work() as db, transaction(db):
            held = self._all_staff(db)
            slot, before = next((one for one in held if _is(one[1], row.person)), (None, _NOBODY))
            kept = StaffKept(row, before.verifier if verifier is None else verifier)
            sealed = self._seal.seal(msgspec.json.encode(kept))
            if slot is None:
                STAFF_SLOTS.put(db, sealed, STAFF_SLOTS.free(db, frozenset(used for used, _ in held)))
            else:
                STAFF_SLOTS.replace(db, slot, sealed)

    def _destroy(self, act: Callable[[sqlite3.Connection], None]) -> None:
        """A transaction after which nothing of what was there is in the log. Works on a full disk, too."""
        try:
            self._destroy_once(act)
        except StoreRefusedError as e:
            if e.kind != "FULL":
                raise
            self._release_reserve()
            self._destroy_once(act)
        self._hold_reserve()

    def _destroy_once(self, act: Callable[[sqlite3.Connection], None]) -> None:
        with self._work() as db:
            with transaction(db):
                act(db)
            empty_log(db)

    def _release_reserve(self) -> None:
        logger.warning("the disk is full: what was held in reserve is used for a deletion")
        try:
            (self._folder / RESERVE_NAME).unlink(missing_ok=True)
            sync_folder(self._folder)
        except OSError as e:
            raise refused(e) from e
        # The log's file has the pages of before in it: they go to their places first.
        with contextlib.suppress(StoreRefusedError), self._work() as db:
            empty_log(db)

    def _hold_reserve(self) -> None:
        """Never raises: without it there is merely less room for the next deletion."""
        path = self._folder / RESERVE_NAME
        try:
            if path.exists() and path.stat().st_size >= RESERVE_BYTES:
                return
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, PRIVATE)
            try:
                os.posix_fallocate(descriptor, 0, RESERVE_BYTES)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as e:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
            logger.warning("there is no room for a reserve: %s", e.strerror)

    @contextlib.contextmanager
    def _work(self) -> Iterator[sqlite3.Connection]:
        """The open database, for this thread alone.

        Raises:
            StoreRefusedError: the disk refuses; it is opened anew next time.
        """
        with self._lock:
            db = self._opened()
            try:
                yield db
            except (sqlite3.Error, ValueError) as e:
                self.close()
                raise refused(e) from e

    def _opened(self) -> sqlite3.Connection:
        if self._connection is not None:
            return self._connection
        try:
            self._folder.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
        except OSError as e:
            raise refused(e) from e
        try:
            db = open_database(self._folder)
        except StoreRefusedError as e:
            if e.kind not in DAMAGED:
                raise
            self.damage = "the gallery's database was damaged: all of it is fetched again"
            logger.exception("%s", self.damage)
            remove_database(self._folder)
            db = open_database(self._folder)
        self._connection = db
        self._keys = {}
        for slot, data in KEY_SLOTS.read(db):
            found = read_key_slot(data)
            if found is not None:
                self._keys[found[0], found[1]] = slot
        return db


_NOBODY: Final = StaffKept(StaffRow(StaffTold(0, "")))


def _is(kept: StaffKept, person: int) -> bool:
    return kept.row.person == person


def _decoded(data: bytes | None, kind: Any, otherwise: T) -> T:  # noqa: ANN401 - any type that msgspec reads
    """A value that cannot be read counts as not kept: it is safe without, and the office tells it again."""
    if data is None:
        return otherwise
    try:
        found: T = msgspec.json.decode(data, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        logger.warning("a value on the card cannot be read")
        return otherwise
    return found
