"""What the office's pages read of what nodes have reported: while the port runs, and when it does not."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from office.nodes.reading import Gap, Search, look_at
from office.nodes.store import FILE_NAME, SCRIPTS, Station, Store, StoreError
from tests.support.asking_town import HART, OTHER_SHOP, PUB, PUB_WATCH, SHOP, TOWN, PortThread
from tests.support.fleet_broker import wait_until
from tests.support.view_log import logged
from wire.gallery_contact import Held
from wire.ids import NodeId

OURS = Search(schemes=frozenset({HART}), nodes=frozenset({SHOP, OTHER_SHOP}))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    folder = tmp_path / "what? & 100%"
    folder.mkdir()
    return folder / FILE_NAME


@pytest.fixture
def store(file: Path) -> Iterator[Store]:
    opened = Store(file, TOWN)
    yield opened
    opened.close()


def found(file: Path, search: Search) -> list[tuple[NodeId, int]]:
    with look_at(file) as reported:
        shown = reported.views(search)
        assert len(shown) == reported.count_views(search)
    return [(one.node, one.record.n) for one in shown]


def test_reader_sees_at_once_what_the_port_has_kept_and_makes_no_file(store: Store, file: Path) -> None:
    store.note_holds(SHOP, [Held(scheme=HART, number=1)], 100)
    before = sorted(one.name for one in file.parent.iterdir())

    with look_at(file) as reported:
        assert [1] == [one.number for one in reported.receipts()]
    store.note_holds(SHOP, [Held(scheme=HART, number=2)], 200)
    with look_at(file) as reported:
        assert [2] == [one.number for one in reported.receipts()]
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            reported._db.execute("DELETE FROM receipts")

    assert before == sorted(one.name for one in file.parent.iterdir())


def test_file_of_a_port_that_does_not_run_is_read(store: Store, file: Path) -> None:
    store.note_contacts({SHOP: 7})
    store.close()

    with look_at(file) as reported:
        assert {SHOP: 7} == reported.contacts()
    assert [FILE_NAME] == [one.name for one in file.parent.iterdir()]


def test_what_a_node_says_tells_that_it_has_asked(store: Store, file: Path) -> None:
    store.note_contacts({SHOP: 7, OTHER_SHOP: 9})
    store.note_holds(SHOP, [Held(scheme=HART, number=1)], 8)
    store.note_holds(OTHER_SHOP, [Held(scheme=HART, number=1)], 8)

    with look_at(file) as reported:
        assert {SHOP: 8, OTHER_SHOP: 9} == reported.contacts()


def test_no_file_another_version_and_a_damaged_one_are_told_apart(store: Store, file: Path) -> None:
    with pytest.raises(FileNotFoundError), look_at(file.with_name("other")):
        pass
    store.close()
    with closing(sqlite3.connect(file)) as db:
        db.execute("PRAGMA user_version = 1")
    with pytest.raises(StoreError, match="restart the machine port"), look_at(file):
        pass
    file.write_bytes(b"no database" * 100)
    with pytest.raises(StoreError), look_at(file):
        pass


def test_nothing_of_another_scheme_is_found_whatever_is_asked(store: Store, file: Path) -> None:
    store.add_views(SHOP, logged(SHOP, (HART, 1), (PUB_WATCH, 1), (0, 0)), 10)
    store.add_views(PUB, logged(PUB, (PUB_WATCH, 1), (0, 0), (HART, 2)), 10)

    ours = [(PUB, 3), (SHOP, 3), (SHOP, 1)]
    assert sorted(ours) == sorted(found(file, OURS))
    for cases in (((PUB_WATCH, 1),), ((HART, 1), (PUB_WATCH, 1)), ()):
        asked = msgspec.structs.replace(OURS, cases=cases)
        assert [(SHOP, 1)] * ((HART, 1) in cases) == found(file, asked)
    # A record that says HART, by a unit of another scheme: it is of a case of HART.
    assert [(PUB, 3)] == found(file, msgspec.structs.replace(OURS, of_nodes=frozenset({PUB})))


def test_views_are_found_by_case_node_staff_and_time(store: Store, file: Path) -> None:
    views = logged(SHOP, (HART, 1), (HART, 2), (HART, 1), at_s=1_000, staff=4)
    store.add_views(SHOP, views, 5_000)
    store.add_views(OTHER_SHOP, logged(OTHER_SHOP, (HART, 1), at_s=3_000, staff=5), 5_000)

    def by(**asked: Any) -> list[tuple[NodeId, int]]:  # noqa: ANN401 - fields of a search
        return found(file, msgspec.structs.replace(OURS, **asked))

    assert [(OTHER_SHOP, 1), (SHOP, 3), (SHOP, 2), (SHOP, 1)] == by()
    assert [(OTHER_SHOP, 1), (SHOP, 3), (SHOP, 1)] == by(cases=((HART, 1),))
    assert [(SHOP, 2)] == by(cases=((HART, 2), (HART, 9)))
    assert [(OTHER_SHOP, 1)] == by(of_nodes=frozenset({OTHER_SHOP}))
    assert [(OTHER_SHOP, 1)] == by(staff=5)
    assert [(SHOP, 2)] == by(n=2)
    assert [(SHOP, 3), (SHOP, 2)] == by(from_s=1_001, until_s=3_000)
    with look_at(file) as reported:
        assert [4, 5] == reported.staff(OURS)
        assert [3] == [one.record.n for one in reported.views(OURS, skip=1, most=1)]


def test_log_that_has_begun_anew_is_found_by_the_numbers_of_its_unit(store: Store, file: Path) -> None:
    """They stand in the watermarks of photographs."""
    store.add_views(SHOP, logged(SHOP, (HART, 1), (HART, 1), (HART, 1)), 10)
    anew = logged(SHOP, (HART, 2), (HART, 2), at_s=5_000)
    assert "fork" == store.add_views(SHOP, anew, 20).fault
    assert store.begin_chain(SHOP, 30)
    store.add_views(SHOP, anew, 40)

    with look_at(file) as reported:
        found = [
            [(one.n, one.record.n, one.record.case) for one in reported.views(msgspec.structs.replace(OURS, n=n))]
            for n in (2, 3, 5)
        ]
    assert [[(5, 2, 2), (2, 2, 1)], [(3, 3, 1)], []] == found


def test_view_of_a_clock_that_is_not_proven_is_found_by_when_it_came_too(store: Store, file: Path) -> None:
    store.add_views(SHOP, logged(SHOP, (HART, 1), at_s=60, is_proven=False), 5_000)
    store.add_views(OTHER_SHOP, logged(OTHER_SHOP, (HART, 1), at_s=60), 5_000)

    assert [(SHOP, 1)] == found(file, msgspec.structs.replace(OURS, from_s=4_000, until_s=6_000))
    assert [(SHOP, 1), (OTHER_SHOP, 1)] == sorted(found(file, msgspec.structs.replace(OURS, until_s=61)))


def test_gap_is_marked_until_it_is_filled(store: Store, file: Path) -> None:
    views = logged(SHOP, *[(HART, 1)] * 6)
    store.add_views(SHOP, views[:2], 10)
    store.add_views(SHOP, views[4:], 10)

    def marks() -> tuple[Gap | None, list[int]]:
        with look_at(file) as reported:
            (alarm,) = reported.alarms()
            return reported.gap(alarm), [one.record.n for one in reported.views(OURS) if one.follows_gap]

    assert (Gap(SHOP, 3, 4), [5]) == marks()
    store.add_views(SHOP, views[2:4], 20)
    assert (None, []) == marks()


def test_what_is_forgotten_is_not_found_any_more(store: Store, file: Path) -> None:
    views = logged(SHOP, (HART, 1), (HART, 1))
    store.add_views(SHOP, views[:1], 100)
    store.add_views(SHOP, views[1:], 200)

    store.forget_views(150)

    assert [(SHOP, 2)] == found(file, OURS)


def test_file_of_the_version_before_is_indexed(file: Path) -> None:
    (view,) = logged(SHOP, (HART, 7), at_s=500, staff=3, is_proven=False)
    with closing(sqlite3.connect(file)) as db:
        db.executescript(f"{SCRIPTS[0]} PRAGMA user_version = 1;")
        db.execute("INSERT INTO views VALUES (?, 1, ?, ?, 900)", (SHOP, view.digest, view.data))
        db.execute("INSERT INTO views VALUES (?, 2, ?, NULL, 900)", (SHOP, "ab" * 32))
        db.commit()
    Store(file, TOWN).close()

    with look_at(file) as reported:
        (one,) = reported.views(msgspec.structs.replace(OURS, cases=((HART, 7),), staff=3, from_s=500, until_s=501))
    assert (view.record, 900) == (one.record, one.received_s)


def test_nodes_are_those_of_the_last_directory(store: Store, file: Path) -> None:
    shop = Station(SHOP, 1, "Corner Shop", "High St", (HART, PUB_WATCH), has_key=True, is_struck=False)
    pub = Station(PUB, 0, "Pub", "", (), has_key=False, is_struck=True)
    store.note_stations([pub, shop])
    with look_at(file) as reported:
        assert (shop, pub) == reported.stations()
    store.note_stations([pub])
    with look_at(file) as reported:
        assert (pub,) == reported.stations()


def test_port_that_runs_tells_which_nodes_there_are(port: PortThread) -> None:
    def struck() -> list[bool]:
        with look_at(port.town.folder / "nodes/state" / FILE_NAME) as reported:
            return [one.is_struck for one in reported.stations()]

    wait_until(lambda: struck() == [False, False, False], "all are told")
    port.town.strike(SHOP)
    wait_until(lambda: struck() == [True, False, False], "the strike is told")
