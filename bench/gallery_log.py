"""What it costs to search a year of views at the office, by each of the ways in which co-ordinators ask."""

from __future__ import annotations

import contextlib
import random
import statistics
import tempfile
import time
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from office.nodes.reading import PAGE_ROWS, Search, look_at
from office.nodes.store import FILE_NAME, Station, Store
from tests.support.asking_town import HART, PUB_WATCH, TOWN
from wire.gallery_views import VIEWS_MAX, View, ViewHead, ViewRecord, head_of, write_view
from wire.ids import NodeId

VIEWS: Final = 100_000
NODES: Final = 50
OURS: Final = frozenset(NodeId(node) for node in range(1, 36))
"""The others are of Pub Watch."""
MOVED: Final = frozenset(NodeId(node) for node in range(31, 41))
"""From one scheme to the other, in the middle of the year."""
BAR_MS: Final = 150
TIMES: Final = 15
_FROM_S: Final = 1_760_000_000
_YEAR_S: Final = 365 * 86_400
_CASES: Final = 500
_STAFF: Final = 60


def run() -> None:
    """Print the figures beside their bar."""
    chance = random.Random(12)  # noqa: S311 - no secrets are made here
    with tempfile.TemporaryDirectory(prefix="watchlink-bench-") as folder:
        path = Path(folder) / FILE_NAME
        with contextlib.closing(Store(path, TOWN)) as store:
            for half in range(2):
                store.note_stations([_station(NodeId(node), half) for node in range(1, NODES + 1)])
                _fill(store, half, chance)
            print(f"the view log of {NODES} units, {VIEWS:,} views, first page of {PAGE_ROWS} (bar {BAR_MS} ms)")
            for name, asked in _searches().items():
                print(f"  {name:22} {_median_ms(path, asked):5.1f} ms")


def _searches() -> dict[str, Search]:
    ours = Search(schemes=frozenset({HART}))
    half_s = _FROM_S + _YEAR_S // 2
    return {
        "everything": ours,
        "a person of two cases": replace(ours, cases=((HART, 17), (HART, 18))),
        "a shop": replace(ours, premises=5),
        "a shop that moved": replace(ours, premises=32),
        "a member of staff": replace(ours, staff=7),
        "a month": replace(ours, from_s=half_s, until_s=half_s + 30 * 86_400),
        "a photograph’s number": replace(ours, n=1_234),
    }


def _median_ms(path: Path, asked: Search) -> float:
    """To open the file, count, and read the page, as the office does for each request."""
    took = []
    for _ in range(TIMES):
        began = time.perf_counter()
        with look_at(path) as reported:
            reported.count_views(asked)
            reported.views(asked)
        took.append((time.perf_counter() - began) * 1_000)
    return statistics.median(took)


def _scheme(node: NodeId, half: int) -> int:
    return HART if (node in OURS) != (half == 1 and node in MOVED) else PUB_WATCH


def _station(node: NodeId, half: int) -> Station:
    return Station(node, int(node), f"Shop {node}", "", (_scheme(node, half),), has_key=True, is_struck=False)


def _fill(store: Store, half: int, chance: random.Random) -> None:
    """Half a year's views of all units."""
    for node in map(NodeId, range(1, NODES + 1)):
        head = store.views_received(node)
        store.note_holds(node, (), _FROM_S, head)
        views = _half_year(node, half, head, chance)
        for start in range(0, len(views), VIEWS_MAX):
            part = views[start : start + VIEWS_MAX]
            store.add_views(node, part, part[-1].record.at_s)


def _half_year(node: NodeId, half: int, head: ViewHead, chance: random.Random) -> tuple[View, ...]:
    scheme = _scheme(node, half)
    each = VIEWS // NODES
    found: list[View] = []
    for n in range(head.n + 1, head.n + each // 2 + 1):
        case = 0 if chance.random() < 0.3 else chance.randrange(1, _CASES)  # noqa: PLR2004 - lists and searches
        record = ViewRecord(
            n=n,
            at_s=_FROM_S + n * _YEAR_S // each + chance.randrange(3_600),
            is_proven=chance.random() < 0.95,  # noqa: PLR2004 - the others lack a network
            staff=chance.randrange(_STAFF),
            case=case,
            scheme=scheme if case else 0,
            kind="person" if case else "list",
            before=head.digest,
        )
        found.append(write_view(record))
        head = head_of(found[-1])
    return tuple(found)
