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
from office.nodes.schema import SCRIPTS
from office.nodes.store import FILE_NAME, Station, Store, StoreError
from tests.support.asking_town import HART, OTHER_SHOP, PUB, PUB_WATCH, SHOP, TOWN, PortThread
from tests.support.fleet_broker import wait_until
from tests.support.view_log import logged
from wire.gallery_contact import Held
from wire.gallery_views import ViewHead
from wire.ids import NodeId

OURS = Search(schemes=frozenset({HART}))


def standing(node: NodeId, premises: int, *schemes: int) -> Station:
    return Station(node, premises, f"Shop {premises}", "", schemes, has_key=True, is_struck=False)


STATIONS = standing(SHOP, 1, HART), standing(OTHER_SHOP, 2, HART), standing(PUB, 3, PUB_WATCH)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    folder = tmp_path / "what? & 100%"
    folder.mkdir()
    return folder / FILE_NAME


@pytest.fixture
def store(file: Path) -> Iterator[Store]:
    opened = Store(file, TOWN)
    opened.note_stations(STATIONS)
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
    assert [(PUB, 3)] == found(file, msgspec.structs.replace(OURS, node=PUB))
    assert [] == found(file, msgspec.structs.replace(OURS, premises=3))


def test_views_are_found_by_case_node_staff_and_time(store: Store, file: Path) -> None:
    views = logged(SHOP, (HART, 1), (HART, 2), (HART, 1), at_s=1_000, staff=4)
    store.add_views(SHOP, views, 5_000)
    store.add_views(OTHER_SHOP, logged(OTHER_SHOP, (HART, 1), at_s=3_000, staff=5), 5_000)

    def by(**asked: Any) -> list[tuple[NodeId, int]]:  # noqa: ANN401 - fields of a search
        return found(file, msgspec.structs.replace(OURS, **asked))

    assert [(OTHER_SHOP, 1), (SHOP, 3), (SHOP, 2), (SHOP, 1)] == by()
    assert [(OTHER_SHOP, 1), (SHOP, 3), (SHOP, 1)] == by(cases=((HART, 1),))
    assert [(SHOP, 2)] == by(cases=((HART, 2), (HART, 9)))
    assert [(OTHER_SHOP, 1)] == by(node=OTHER_SHOP) == by(premises=2)
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
    assert store.begin_chain(SHOP, 20, 30)
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


def move(store: Store, *schemes: int, premises: int = 1, told: int | None = None, holds: tuple[int, ...] = ()) -> None:
    """The shop's unit stands elsewhere, and asks; its log has come to this number."""
    store.note_stations([standing(SHOP, premises, *schemes), *STATIONS[1:]])
    views = None if told is None else ViewHead(n=told, digest="ab" * 32)
    store.note_holds(SHOP, [Held(scheme=one, number=1) for one in holds], 500, views)


def whose(file: Path) -> dict[int, list[int]]:
    """Numbers of the shop's records that are found, by scheme."""
    found = {}
    with look_at(file) as reported:
        for scheme in (HART, PUB_WATCH):
            asked = Search(schemes=frozenset({scheme}), node=SHOP)
            found[scheme] = sorted(one.n for one in reported.views(asked))
            assert len(found[scheme]) == reported.count_views(asked)
    return found


def test_looks_stay_with_the_scheme_in_which_they_were_made(store: Store, file: Path) -> None:
    """Also those that lay on the card while the shop changed its scheme, by whatever clock."""
    views = logged(SHOP, *[(0, 0)] * 6, is_proven=False)
    store.add_views(SHOP, views[:2], 10)
    move(store, PUB_WATCH, told=4)
    store.add_views(SHOP, views[2:], 20)

    assert {HART: [1, 2, 3, 4], PUB_WATCH: [5, 6]} == whose(file)
    move(store, HART, PUB_WATCH, told=6)
    store.add_views(SHOP, logged(SHOP, *[(0, 0)] * 7, is_proven=False)[6:], 30)
    assert {HART: [1, 2, 3, 4, 7], PUB_WATCH: [5, 6, 7]} == whose(file)


def test_unit_is_of_its_old_scheme_while_it_holds_that_gallery(store: Store, file: Path) -> None:
    views = logged(SHOP, *[(0, 0)] * 3)
    store.add_views(SHOP, views[:1], 10)
    move(store, PUB_WATCH, told=1, holds=(HART,))
    store.add_views(SHOP, views[1:2], 20)
    move(store, PUB_WATCH, told=2, holds=(PUB_WATCH,))
    store.add_views(SHOP, views[2:], 30)

    assert {HART: [1, 2], PUB_WATCH: [3]} == whose(file)


def test_word_of_a_unit_takes_no_look_along_that_is_here_already(store: Store, file: Path) -> None:
    """A card that was put back says that its log is shorter; one that is copied, anything."""
    views = logged(SHOP, *[(0, 0)] * 4)
    for part in (views[:1], views[2:3]):
        store.add_views(SHOP, part, 10)
    move(store, PUB_WATCH, told=1)
    for part in (views[1:2], views[3:]):
        store.add_views(SHOP, part, 20)
    assert {HART: [1, 2, 3], PUB_WATCH: [4]} == whose(file)

    assert store.is_forked(SHOP, ViewHead(n=2, digest="cd" * 32), 30)
    move(store, HART, told=2)
    assert store.begin_chain(SHOP, 30, 40)
    anew = logged(SHOP, *[(0, 0)] * 3, at_s=5_000)
    store.note_holds(SHOP, [], 50, ViewHead(n=2, digest=anew[1].digest))
    store.add_views(SHOP, anew, 60)
    assert {HART: [1, 2, 3, 7], PUB_WATCH: [4, 5, 6]} == whose(file)


def test_looks_are_found_by_where_the_unit_stood(store: Store, file: Path) -> None:
    views = logged(SHOP, (HART, 1), (0, 0), (HART, 1), (0, 0))
    store.add_views(SHOP, views[:2], 10)
    move(store, HART, premises=2, told=2)
    store.add_views(SHOP, views[2:], 20)

    found = []
    with look_at(file) as reported:
        stays = {one.stay: one for one in reported.stays()}
        for premises in (1, 2):
            shown = reported.views(msgspec.structs.replace(OURS, premises=premises))
            found.append([(one.n, stays[one.stay].name) for one in shown])
    assert [[(2, "Shop 1"), (1, "Shop 1")], [(4, "Shop 2"), (3, "Shop 2")]] == found


def test_where_a_unit_stood_is_forgotten_with_its_looks(store: Store, file: Path) -> None:
    views = logged(SHOP, *[(0, 0)] * 2)
    store.add_views(SHOP, views[:1], 100)
    move(store, PUB_WATCH, told=1)
    store.add_views(SHOP, views[1:], 600)

    def names() -> list[tuple[int, ...]]:
        with look_at(file) as reported:
            return [one.schemes for one in reported.stays()]

    store.forget_views(400)
    assert [(HART,), (PUB_WATCH,), (HART,), (PUB_WATCH,)] == names(), "more of its looks there may lie on the card"
    store.forget_views(550)
    assert [(PUB_WATCH,), (HART,), (PUB_WATCH,)] == names()
    store.forget_views(700)
    assert [(PUB_WATCH,), (HART,), (PUB_WATCH,)] == names(), "it stands there"


def test_looks_of_the_version_before_are_of_where_the_unit_stands(file: Path) -> None:
    (view,) = logged(SHOP, (0, 0))
    with closing(sqlite3.connect(file)) as db:
        for script in SCRIPTS[:5]:
            db.executescript(script)
        db.execute("PRAGMA user_version = 5")
        db.execute("INSERT INTO stations VALUES (?, 1, 'Shop 1', '', ?, 1, 0)", (SHOP, f"[{HART}]"))
        for node in (SHOP, PUB):
            db.execute("INSERT INTO views VALUES (?, 1, ?, ?, 900)", (node, view.digest, view.data))
            db.execute("INSERT INTO shown VALUES (?, 1, 1000, 1, 900, 1, 0, 0)", (node,))
        db.commit()

    with closing(Store(file, TOWN)) as store:
        assert [(SHOP, 1)] == found(file, OURS)
        move(store, PUB_WATCH, told=1)
        assert [(SHOP, 1)] == found(file, OURS)


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
