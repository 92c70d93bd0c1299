"""Reads what nodes have reported, for the office's pages: the port's file is never written from here.

The port may run or not, and the pages have no right to write in its folder: neither keeps them from reading.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import msgspec
from msgspec import Struct

from office.nodes.schema import SCRIPTS
from office.nodes.store import Alarm, Receipt, Station, StoreError
from runtime.sqlite_file import kind_of
from wire.gallery_reports import BreachReport
from wire.gallery_views import ViewRecord
from wire.ids import NodeId

PAGE_ROWS: Final = 50
_BUSY_S: Final = 2.0
_OWN_STAYS: Final = (
    "SELECT stay FROM stays WHERE EXISTS (SELECT 1 FROM json_each(stays.schemes) AS one"
    " WHERE one.value IN (SELECT value FROM json_each(:schemes)))"
)
_read_record: Final = msgspec.json.Decoder(ViewRecord).decode
_read_report: Final = msgspec.json.Decoder(BreachReport).decode


class Search(Struct, frozen=True, kw_only=True):
    """Which views are asked for. Nothing outside ``schemes`` is found, whatever else is asked.

    Attributes:
        schemes: the reader's: views of their cases, and lists and searches, which are of no case, of units that stood
            in them.
        cases: (scheme, number); ``None`` = any, and what is of no case.
        premises: number of those at which the unit stood; ``None`` = any.
        node: only of this one; ``None`` = any.
        staff: number of a member of staff; ``None`` = anybody.
        n: number of a record on its unit, as it stands in a photograph's watermark; ``None`` = any.
        from_s, until_s: Unix time, the second excluded. A view whose time is not proven is also found by when it came.
    """

    schemes: frozenset[int]
    cases: tuple[tuple[int, int], ...] | None = None
    premises: int | None = None
    node: int | None = None
    staff: int | None = None
    n: int | None = None
    from_s: int | None = None
    until_s: int | None = None


class Shown(Struct, frozen=True):
    """A view as a node has recorded it.

    Attributes:
        n: its number as it is kept: after a card was broken the unit's own begin anew, and these go on.
        received_s: when the office had it, Unix time.
        follows_gap: the record before it is missing.
        stay: where the unit stood; 0 = that is not known.
    """

    node: NodeId
    n: int
    record: ViewRecord
    received_s: int
    follows_gap: bool
    stay: int


class Stay(Struct, frozen=True):
    """Where a unit stood while it made some of its records. It is told that it has moved by its log, not by a clock.

    Attributes:
        stay: its number.
        first, last: numbers of the records. What comes later is of the newest stay.
        premises: number at the office; 0 = not joined with one.
        name: of the premises, as the directory said.
        schemes: numbers of those that it was in.
    """

    stay: int
    node: NodeId
    first: int
    last: int
    premises: int
    name: str
    schemes: tuple[int, ...]


class Gap(Struct, frozen=True):
    """Records that are missing still: from ``first`` to ``last``."""

    node: NodeId
    first: int
    last: int


class KeptReport(Struct, frozen=True):
    """A breach or sighting as a node has reported it.

    Attributes:
        n: its number in the port's file.
        premises: where the node stood, by the directory; 0 = not joined with one.
        received_s: when the office had it, Unix time.
    """

    n: int
    node: NodeId
    premises: int
    report: BreachReport
    received_s: int


class Reported:
    """One look at the file: all answers are of one moment. Every method may raise :class:`StoreError`."""

    def __init__(self, path: Path, db: sqlite3.Connection) -> None:
        self._path = path
        self._db = db

    def stations(self) -> tuple[Station, ...]:
        """All nodes of premises, as the port's directory has them; by number."""
        found = self._rows(
            "SELECT node, premises, name, place, schemes, has_key, is_struck FROM stations ORDER BY node"
        )
        return tuple(
            Station(NodeId(node), premises, name, place, tuple(json.loads(schemes)), bool(has_key), bool(is_struck))
            for node, premises, name, place, schemes, has_key, is_struck in found
        )

    def stays(self) -> tuple[Stay, ...]:
        """Of all nodes, in order; none without a record."""
        found = self._rows(
            "SELECT * FROM (SELECT stay, node, after + 1 AS first, COALESCE(LEAD(after) OVER"
            " (PARTITION BY node ORDER BY after, stay), :no_end) AS last, premises, name, schemes FROM stays)"
            " WHERE first <= last ORDER BY node, first",
            {"no_end": 2**62},
        )
        return tuple(
            Stay(stay, NodeId(node), first, last, premises, name, tuple(json.loads(schemes)))
            for stay, node, first, last, premises, name, schemes in found
        )

    def receipts(self) -> tuple[Receipt, ...]:
        """What each node has said that it holds."""
        found = self._rows("SELECT node, scheme, number, is_complete, since_s FROM receipts ORDER BY node, scheme")
        return tuple(Receipt(NodeId(a), b, c, bool(d), e) for a, b, c, d, e in found)

    def contacts(self) -> dict[NodeId, int]:
        """When each node has last asked, Unix time. The port keeps that now and then; what is new with it at once."""
        found = self._rows(
            "SELECT node, MAX(at_s) FROM (SELECT node, at_s FROM contacts UNION ALL SELECT node, since_s FROM receipts)"
            " GROUP BY node"
        )
        return {NodeId(node): at_s for node, at_s in found}

    def alive(self) -> tuple[int, str]:
        """When the port has last said that it runs, Unix time, 0 = never; and its alarm, empty = none."""
        found = self._rows("SELECT at_s, alarm FROM port")
        return found[0] if found else (0, "")

    def alarms(self) -> tuple[Alarm, ...]:
        """All of them, newest first."""
        found = self._rows("SELECT node, kind, n, at_s FROM alarms ORDER BY at_s DESC, node, n")
        return tuple(Alarm(NodeId(a), b, c, d) for a, b, c, d in found)

    def gap(self, alarm: Alarm) -> Gap | None:
        """What is still missing of a gap; ``None`` = it has come in since."""
        (following,) = self._rows("SELECT MIN(n) FROM views WHERE node = ? AND n >= ?", (alarm.node, alarm.n))[0]
        return None if following == alarm.n else Gap(alarm.node, alarm.n, (following or alarm.n + 1) - 1)

    def count_views(self, search: Search) -> int:
        """How many are found."""
        where, values = _where(search)
        count: int = self._rows(f"SELECT COUNT(*) FROM shown AS s WHERE {where}", values)[0][0]  # noqa: S608 - ours
        return count

    def views(self, search: Search, skip: int = 0, most: int = PAGE_ROWS) -> list[Shown]:
        """Those found, the newest first by their own time."""
        where, values = _where(search)
        found = self._rows(
            "SELECT f.node, f.n, v.record, f.received_s, f.n > 1 AND NOT EXISTS"  # noqa: S608 - no word of it is a reader's
            " (SELECT 1 FROM views AS b WHERE b.node = f.node AND b.n = f.n - 1), f.stay"
            f" FROM (SELECT s.node, s.n, s.at_s, s.received_s, s.stay FROM shown AS s WHERE {where}"
            " ORDER BY s.at_s DESC, s.node, s.n DESC LIMIT :most OFFSET :skip) AS f"
            " JOIN views AS v ON v.node = f.node AND v.n = f.n ORDER BY f.at_s DESC, f.node, f.n DESC",
            values | {"most": most, "skip": skip},
        )
        return [
            Shown(NodeId(node), n, _read_record(record), at_s, bool(gap), stay)
            for node, n, record, at_s, gap, stay in found
        ]

    def newest_report(self) -> int:
        """Number of the newest report; 0 = there is none."""
        (newest,) = self._rows("SELECT MAX(n) FROM reports")[0]
        return newest or 0

    def reports(self) -> list[KeptReport]:
        """All of which the port has not forgotten what they say, in the order in which they came."""
        found = self._rows(
            "SELECT n, node, premises, record, received_s FROM reports WHERE record IS NOT NULL ORDER BY n"
        )
        return [
            KeptReport(n, NodeId(node), premises, _read_report(data), at_s) for n, node, premises, data, at_s in found
        ]

    def staff(self, search: Search) -> list[int]:
        """Numbers of the members of staff who are in the views found, nobody apart."""
        where, values = _where(search)
        found = self._rows(f"SELECT DISTINCT s.staff FROM shown AS s WHERE {where}", values)  # noqa: S608 - ours
        return sorted(number for (number,) in found if number)

    def _rows(self, statement: str, values: Any = ()) -> list[Any]:  # noqa: ANN401 - sqlite3's
        try:
            return self._db.execute(statement, values).fetchall()
        except sqlite3.Error as e:
            raise StoreError(f"{self._path}: {e}") from e


@contextmanager
def look_at(path: Path) -> Iterator[Reported]:
    """Open the port's file for a moment.

    Raises:
        FileNotFoundError: no node has ever asked.
        StoreError: it cannot be read, or another version of the port has written it.
    """
    if not path.exists():
        raise FileNotFoundError(path)
    with closing(_opened(path)) as db:
        yield Reported(path, db)


def _opened(path: Path) -> sqlite3.Connection:
    # Without these beside it the port does not run, and has tidied up: nobody writes to the file.
    is_in_use = path.with_name(f"{path.name}-shm").exists()
    try:
        return _connected(path, "mode=ro&readonly_shm=1" if is_in_use else "mode=ro&immutable=1")
    except sqlite3.Error as e:
        if not is_in_use or kind_of(e) != "CANTOPEN":
            raise StoreError(f"{path}: {e}") from e
    try:
        # It has ended at this moment.
        return _connected(path, "mode=ro&immutable=1")
    except sqlite3.Error as e:
        raise StoreError(f"{path}: {e}") from e


def _connected(path: Path, how: str) -> sqlite3.Connection:
    db = sqlite3.connect(f"file:{quote(str(path))}?{how}", uri=True, isolation_level=None, timeout=_BUSY_S)
    try:
        db.execute("BEGIN")
        (version,) = db.execute("PRAGMA user_version").fetchone()
        db.execute("SELECT 1 FROM sqlite_schema").fetchone()
    except BaseException:
        db.close()
        raise
    if version != len(SCRIPTS):
        db.close()
        raise StoreError(f"{path}: of version {version}, and the pages know {len(SCRIPTS)}: restart the machine port")
    return db


def _where(search: Search) -> tuple[str, dict[str, Any]]:
    # The plus keeps SQLite from going by it: most records are the reader's, and two indexes for them cost the most.
    of_case = "+s.scheme IN (SELECT value FROM json_each(:schemes))"
    of_none = f"+s.scheme = 0 AND +s.stay IN ({_OWN_STAYS})"
    values: dict[str, Any] = {"schemes": json.dumps(sorted(search.schemes))}
    parts = [f"({of_case} OR {of_none})"]
    if search.cases is not None:
        pairs = []
        for index, (scheme, number) in enumerate(search.cases):
            pairs.append(f"s.scheme = :scheme{index} AND s.case_number = :case{index}")
            values |= {f"scheme{index}": scheme, f"case{index}": number}
        parts.append(f"({' OR '.join(pairs) or 'FALSE'})")
    if search.premises is not None:
        parts.append(f"s.stay IN ({_OWN_STAYS} AND premises = :premises)")
        values["premises"] = search.premises
    if search.node is not None:
        parts.append("s.node = :node")
        values["node"] = search.node
    if search.staff is not None:
        parts.append("s.staff = :staff")
        values["staff"] = search.staff
    if search.n is not None:
        # A broken card's log has begun anew after some record: its own numbers count from there.
        of_start = "(s.node, s.n - :n) IN (SELECT node, after FROM chain_starts)"
        later = "SELECT 1 FROM chain_starts AS c WHERE c.node = s.node AND c.after > s.n - :n AND c.after < s.n"
        parts.append(f"(s.n = :n OR {of_start}) AND NOT EXISTS ({later})")
        values["n"] = search.n
    if search.from_s is not None or search.until_s is not None:
        values |= {"from_s": search.from_s or 0, "until_s": search.until_s or 2**62}
        came = "NOT s.is_proven AND s.received_s >= :from_s AND s.received_s < :until_s"
        parts.append(f"(s.at_s >= :from_s AND s.at_s < :until_s OR {came})")
    return " AND ".join(parts), values
