"""What nodes have reported, in an SQLite file of its own: what each holds, when it last asked, and whom it has shown.

The office's pages read it (:mod:`office.nodes.reading`). Nothing in it names a person; of a view or a
report the number of a case and of a member of staff.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal

import msgspec
from msgspec import Struct

from office.nodes.schema import SCRIPTS
from runtime.sqlite_file import migrate, transaction
from wire.gallery_contact import Held
from wire.gallery_reports import BreachReport, ReportsTaken
from wire.gallery_views import Continued, View, ViewHead, continue_chain, is_forked, no_views
from wire.ids import NodeId
from wire.snapshots import Town

FILE_NAME: Final = "nodes.sqlite3"

AlarmKind = Literal["fork", "gap"]


class StoreError(Exception):
    """The file cannot be used: the disk, or another version; one sentence without a full stop."""


class Receipt(Struct, frozen=True):
    """What a node has said that it holds.

    Attributes:
        number: of the gallery; what is not in it was destroyed.
        is_complete: it has all that it may show.
        since_s: Unix time at which it first said so.
    """

    node: NodeId
    scheme: int
    number: int
    is_complete: bool
    since_s: int


class Station(Struct, frozen=True):
    """A node as the newest directory has it.

    Attributes:
        premises: its number at the office; 0 = not joined with one.
        name, place: of the premises, as the directory says.
        schemes: numbers of its schemes.
        has_key: the directory says what to seal to it: without, it gets no gallery.
        is_struck: it was taken out of use, and is answered no more.
    """

    node: NodeId
    premises: int
    name: str
    place: str
    schemes: tuple[int, ...]
    has_key: bool
    is_struck: bool


class Alarm(Struct, frozen=True):
    """Something is wrong with a node's view log.

    Attributes:
        kind: ``fork`` = it has said otherwise before, as two cards with one identity do; ``gap`` = records are missing.
        n: number of the first record concerned.
        at_s: Unix time at which it was noticed.
    """

    node: NodeId
    kind: str
    n: int
    at_s: int


class Store:
    """For any thread. Each change is on disk before its method returns. Every method may raise :class:`StoreError`.

    Args:
        path: its file; made if it is not there.
        town: ours: chains of views begin with it.

    Raises:
        StoreError: it cannot be opened, or is of another version.
    """

    def __init__(self, path: Path, town: Town) -> None:
        self._path = path
        self._town = town
        self._lock = threading.Lock()
        with self._reading():
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            try:
                self._open()
            except BaseException:
                self._db.close()
                raise

    def close(self) -> None:
        """At the end."""
        self._db.close()

    def note_holds(
        self, node: NodeId, holds: Sequence[Held], at_s: int, views: ViewHead | None = None
    ) -> list[Receipt]:
        """Take a node's word for what it holds. Returns what is new; schemes that it names no more are forgotten.

        Its looks from now on are of where the directory has it, unless it holds a gallery of where it was.

        Args:
            node: that asks.
            holds: what it says.
            at_s: Unix time.
            views: where its log has come to; ``None`` = it does not say.
        """
        wanted = {one.scheme: (one.number, one.is_complete) for one in holds}
        with self._writing():
            self._follow(node, frozenset(wanted), at_s, 0 if views is None else views.n)
            known = {
                scheme: (number, bool(is_complete))
                for scheme, number, is_complete in self._db.execute(
                    "SELECT scheme, number, is_complete FROM receipts WHERE node = ?", (node,)
                )
            }
            new = [
                Receipt(node, scheme, number, is_complete, at_s)
                for scheme, (number, is_complete) in wanted.items()
                if known.get(scheme) != (number, is_complete)
            ]
            self._db.executemany(
                "INSERT OR REPLACE INTO receipts VALUES (?, ?, ?, ?, ?)",
                [(one.node, one.scheme, one.number, one.is_complete, one.since_s) for one in new],
            )
            self._db.executemany(
                "DELETE FROM receipts WHERE node = ? AND scheme = ?", [(node, one) for one in known.keys() - wanted]
            )
        return new

    def note_contacts(self, contacts: Mapping[NodeId, int]) -> None:
        """When nodes have last asked, Unix time."""
        with self._writing():
            self._db.executemany("INSERT OR REPLACE INTO contacts VALUES (?, ?)", contacts.items())

    def note_alive(self, at_s: int, alarm: str) -> None:
        """The port runs, and this is what somebody must look after; empty = all is well."""
        with self._writing():
            self._db.execute("INSERT OR REPLACE INTO port VALUES (1, ?, ?)", (at_s, alarm))

    def note_stations(self, stations: Sequence[Station]) -> None:
        """All nodes there are, instead of those before."""
        rows = [
            (one.node, one.premises, one.name, one.place, json.dumps(one.schemes), one.has_key, one.is_struck)
            for one in stations
        ]
        with self._writing():
            self._db.execute("DELETE FROM stations")
            self._db.executemany("INSERT INTO stations VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
            self._db.execute(
                "INSERT INTO stays (node, after, began_s, premises, name, schemes)"
                " SELECT node, 0, 0, premises, name, schemes FROM stations WHERE node NOT IN (SELECT node FROM stays)"
            )

    def receipts(self) -> tuple[Receipt, ...]:
        """Of all nodes."""
        with self._reading():
            found = self._db.execute("SELECT * FROM receipts ORDER BY node, scheme").fetchall()
        return tuple(Receipt(NodeId(a), b, c, bool(d), e) for a, b, c, d, e in found)

    def contacts(self) -> dict[NodeId, int]:
        """When each node has last asked."""
        with self._reading():
            return {NodeId(node): at_s for node, at_s in self._db.execute("SELECT node, at_s FROM contacts")}

    def rows_made(self) -> dict[tuple[NodeId, int], str]:
        """For whom each node's rows in each scheme were last made."""
        with self._reading():
            found = self._db.execute("SELECT node, scheme, holder FROM rows_made").fetchall()
        return {(NodeId(node), scheme): holder for node, scheme, holder in found}

    def note_rows_made(self, node: NodeId, scheme: int, holder: str) -> None:
        """All its rows were made for this one."""
        with self._writing():
            self._db.execute("INSERT OR REPLACE INTO rows_made VALUES (?, ?, ?)", (node, scheme, holder))

    def add_views(self, node: NodeId, views: tuple[View, ...], at_s: int) -> Continued:
        """Keep what goes on from what a node has sent before, and note what does not."""
        with self._writing():
            head, after = self._head(node), self._after(node)
            found = continue_chain(head, views, lambda n: self._digest(node, n))
            if views and self._is_of_before(node, views[0].record.before, views[0].digest):
                found = Continued((), head, "fork", views[0].record.n)
            self._db.executemany(
                "INSERT INTO views VALUES (?, ?, ?, ?, ?)",
                [(node, after + view.record.n, view.digest, view.data, at_s) for view in found.new],
            )
            stay_of = self._stay_of(node)
            self._db.executemany(
                "INSERT INTO shown VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (node, n, one.at_s, one.is_proven, at_s, one.staff, one.scheme, one.case, stay_of(n))
                    for n, one in ((after + view.record.n, view.record) for view in found.new)
                ],
            )
            if found.new:
                self._db.execute(
                    "INSERT OR REPLACE INTO chains VALUES (?, ?, ?)", (node, after + found.head.n, found.head.digest)
                )
            if found.fault:
                self._db.execute(
                    "INSERT OR IGNORE INTO alarms VALUES (?, ?, ?, ?)", (node, found.fault, after + found.at, at_s)
                )
        return found

    def is_forked(self, node: NodeId, told: ViewHead, at_s: int) -> bool:
        """Whether where a node says that its log has come to contradicts what is kept of it; if so, it is noted."""
        with self._writing():
            found = is_forked(self._head(node), told, lambda n: self._digest(node, n))
            found = found or self._is_of_before(node, told.digest)
            if found:
                self._db.execute(
                    "INSERT OR IGNORE INTO alarms VALUES (?, 'fork', ?, ?)", (node, self._after(node) + told.n, at_s)
                )
        return found

    def views_received(self, node: NodeId) -> ViewHead:
        """Where a node's view log has come to here."""
        with self._reading():
            return self._head(node)

    def has_fork(self, node: NodeId) -> bool:
        """Whether two machines seem to have this identity, and nobody has settled it."""
        with self._reading():
            return self._has_fork(node)

    def begin_chain(self, node: NodeId, since_s: int, at_s: int) -> bool:
        """A person says that the card was broken, and not copied: a log that begins anew is accepted, this one time.

        What was kept stays. Returns whether there was a fork of that moment to settle: without, nothing is done.
        """
        with self._writing():
            found = self._db.execute(
                "SELECT MIN(at_s) FROM alarms WHERE node = ? AND kind = 'fork'", (node,)
            ).fetchone()
            if found != (since_s,):
                return False
            self._db.execute("DELETE FROM alarms WHERE node = ? AND kind = 'fork'", (node,))
            self._db.execute("INSERT OR IGNORE INTO chain_starts VALUES (?, ?, ?)", (node, self._last(node), at_s))
            self._db.execute("DELETE FROM chains WHERE node = ?", (node,))
        return True

    def add_reports(self, node: NodeId, premises: int, reports: Sequence[BreachReport], at_s: int) -> ReportsTaken:
        """Keep those that are new. One that is sent again is kept already; an id of another node's is nobody else's."""
        with self._writing():
            known = {one.id: self._reporter(one.id) for one in reports}
            self._db.executemany(
                "INSERT INTO reports (report, node, premises, record, received_s) VALUES (?, ?, ?, ?, ?)",
                [(one.id, node, premises, msgspec.json.encode(one), at_s) for one in reports if known[one.id] is None],
            )
        return ReportsTaken(
            committed=tuple(one for one, by in known.items() if by in {None, node}),
            refused=tuple(one for one, by in known.items() if by not in {None, node}),
        )

    def forget_reports(self, taken: int, before_s: int) -> None:
        """Forget what those up to this number say that came before a moment: the office has them, and its backups."""
        with self._writing():
            done = self._db.execute(
                "UPDATE reports SET record = NULL WHERE n <= ? AND received_s < ? AND record IS NOT NULL",
                (taken, before_s),
            )
        if done.rowcount:
            with self._reading():
                self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def alarms(self) -> tuple[Alarm, ...]:
        """All of them, newest first."""
        with self._reading():
            found = self._db.execute("SELECT * FROM alarms ORDER BY at_s DESC, node, n").fetchall()
        return tuple(Alarm(NodeId(a), b, c, d) for a, b, c, d in found)

    def forget_views(self, before_s: int) -> int:
        """Forget what was shown, of records that came before a moment; returns of how many. Their digests stay."""
        with self._writing():
            self._db.execute("DELETE FROM shown WHERE received_s < ?", (before_s,))
            done = self._db.execute(
                "UPDATE views SET record = NULL WHERE received_s < ? AND record IS NOT NULL", (before_s,)
            )
            # Where it stood, if it left so long ago and no look is known of it.
            self._db.execute(
                "DELETE FROM stays WHERE NOT EXISTS (SELECT 1 FROM shown WHERE shown.stay = stays.stay) AND EXISTS"
                " (SELECT 1 FROM stays AS l WHERE l.node = stays.node AND l.stay > stays.stay AND l.began_s < ?)",
                (before_s,),
            )
        if done.rowcount:
            with self._reading():
                self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        return done.rowcount

    def views(self, node: NodeId) -> tuple[tuple[int, bytes | None], ...]:
        """A node's records by their number; ``None`` = forgotten."""
        with self._reading():
            return tuple(self._db.execute("SELECT n, record FROM views WHERE node = ? ORDER BY n", (node,)))

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """All of it or nothing."""
        with self._reading(), transaction(self._db):
            yield

    @contextmanager
    def _reading(self) -> Iterator[None]:
        with self._lock:
            try:
                yield
            except sqlite3.Error as e:
                raise StoreError(f"{self._path}: {e}") from e

    def _head(self, node: NodeId) -> ViewHead:
        row = self._db.execute("SELECT n, digest FROM chains WHERE node = ?", (node,)).fetchone()
        return ViewHead(n=row[0] - self._after(node), digest=row[1]) if row else no_views(self._town, node)

    def _after(self, node: NodeId) -> int:
        """Of the log that counts now: the number here of the last record of the one before."""
        query = "SELECT COALESCE(MAX(after), 0) FROM chain_starts WHERE node = ?"
        number: int = self._db.execute(query, (node,)).fetchone()[0]
        return number

    def _last(self, node: NodeId) -> int:
        """Number of its last record here."""
        number: int = self._db.execute("SELECT COALESCE(MAX(n), 0) FROM views WHERE node = ?", (node,)).fetchone()[0]
        return number

    def _has_fork(self, node: NodeId) -> bool:
        query = "SELECT 1 FROM alarms WHERE node = ? AND kind = 'fork'"
        return self._db.execute(query, (node,)).fetchone() is not None

    def _follow(self, node: NodeId, held: frozenset[int], at_s: int, told: int) -> None:
        """Where it stands now, if that is new.

        Args:
            node: that has asked.
            held: schemes whose gallery it has. While one is of where it was, that is what its people look at.
            at_s: Unix time.
            told: number of the last record in its log, by its own word.
        """
        found = self._db.execute("SELECT premises, name, schemes FROM stations WHERE node = ?", (node,)).fetchone()
        query = "SELECT premises, schemes FROM stays WHERE node = ? ORDER BY stay DESC LIMIT 1"
        before = self._db.execute(query, (node,)).fetchone()
        if found is None or (found[0], found[2]) == before or not held <= frozenset(json.loads(found[2])):
            return
        # Records of a log that contradicts itself have no number yet.
        if not self._has_fork(node):
            self._db.execute(
                "INSERT INTO stays (node, after, began_s, premises, name, schemes) VALUES (?, ?, ?, ?, ?, ?)",
                (node, max(self._last(node), self._after(node) + told), at_s, *found),
            )

    def _stay_of(self, node: NodeId) -> Callable[[int], int]:
        """Says where it stood when it made the record of a number; 0 = that is not known."""
        query = "SELECT after, stay FROM stays WHERE node = ? ORDER BY after DESC, stay DESC"
        stays = self._db.execute(query, (node,)).fetchall()
        return lambda n: next((stay for after, stay in stays if after < n), 0)

    def _is_of_before(self, node: NodeId, *digests: str) -> bool:
        """Whether one of these is in a log that a person called broken off: its card is not broken, but copied."""
        after = self._after(node)
        marks = ", ".join("?" * len(digests))
        query = f"SELECT 1 FROM views WHERE node = ? AND n <= ? AND digest IN ({marks})"  # noqa: S608 - question marks
        return after > 0 and self._db.execute(query, (node, after, *digests)).fetchone() is not None

    def _digest(self, node: NodeId, n: int) -> str | None:
        number = self._after(node) + n
        row = self._db.execute("SELECT digest FROM views WHERE node = ? AND n = ?", (node, number)).fetchone()
        return row[0] if row and n > 0 else None

    def _reporter(self, report: str) -> int | None:
        row = self._db.execute("SELECT node FROM reports WHERE report = ?", (report,)).fetchone()
        return row[0] if row else None

    def _open(self) -> None:
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        # What is forgotten must not stay in the file.
        self._db.execute("PRAGMA secure_delete = ON")
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        if version > len(SCRIPTS):
            raise StoreError(f"{self._path}: of version {version}, and this program knows {len(SCRIPTS)}")
        migrate(self._db, SCRIPTS)
