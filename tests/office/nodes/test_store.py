"""What nodes have reported: kept, and forgotten."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from office.nodes.store import Alarm, Receipt, Store, StoreError
from tests.support.asking_town import HART, OTHER_SHOP, PUB_WATCH, SHOP, TOWN
from wire.gallery_contact import Held
from wire.gallery_views import View, ViewHead, ViewRecord, head_of, no_views, write_view


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "nodes.sqlite3"


@pytest.fixture
def store(file: Path) -> Iterator[Store]:
    opened = Store(file, TOWN)
    yield opened
    opened.close()


def chain(count: int, kind: str = "list") -> tuple[View, ...]:
    """Records of the shop."""
    found: list[View] = []
    for n in range(1, count + 1):
        before = head_of(found[-1]) if found else no_views(TOWN, SHOP)
        found.append(write_view(ViewRecord(n=n, at_s=n, kind=kind, before=before.digest)))
    return tuple(found)


def test_receipt_is_of_the_first_time_and_goes_with_its_gallery(store: Store) -> None:
    holds = [Held(scheme=HART, number=1, is_complete=True), Held(scheme=PUB_WATCH, number=4)]

    assert 2 == len(store.note_holds(SHOP, holds, 100))
    assert [] == store.note_holds(SHOP, holds, 200)
    assert [2] == [one.number for one in store.note_holds(SHOP, [Held(scheme=HART, number=2)], 300)]
    store.note_holds(OTHER_SHOP, [Held(scheme=HART, number=2, is_complete=True)], 400)

    assert (
        Receipt(SHOP, HART, 2, is_complete=False, since_s=300),
        Receipt(OTHER_SHOP, HART, 2, is_complete=True, since_s=400),
    ) == store.receipts()


def test_last_contact_is_the_newest(store: Store) -> None:
    store.note_contacts({SHOP: 1, OTHER_SHOP: 2})
    store.note_contacts({SHOP: 3})

    assert {SHOP: 3, OTHER_SHOP: 2} == store.contacts()


def test_log_that_is_sent_twice_is_kept_once_also_after_a_restart(store: Store, file: Path) -> None:
    views = chain(3)
    store.add_views(SHOP, views[:2], 10)
    store.close()

    again = Store(file, TOWN)
    assert head_of(views[2]) == again.add_views(SHOP, views, 20).head
    assert [1, 2, 3] == [n for n, _ in again.views(SHOP)]
    assert () == again.alarms()
    again.close()


def test_fork_and_gap_are_kept_as_alarms(store: Store) -> None:
    views, other = chain(5), chain(3, "panel")
    store.add_views(SHOP, views[:2], 10)

    assert "fork" == store.add_views(SHOP, other[1:], 20).fault
    assert "gap" == store.add_views(SHOP, views[3:], 30).fault
    assert "fork" == store.add_views(SHOP, other[1:], 40).fault

    assert (Alarm(SHOP, "gap", 3, 30), Alarm(SHOP, "fork", 2, 20)) == store.alarms()
    assert [1, 2, 4, 5] == [n for n, _ in store.views(SHOP)]


def test_log_of_another_node_is_a_fork(store: Store) -> None:
    assert "fork" == store.add_views(OTHER_SHOP, chain(1), 10).fault
    assert store.is_forked(SHOP, ViewHead(n=0, digest="ab" * 32), 20)
    assert not store.is_forked(SHOP, no_views(TOWN, SHOP), 20)


def test_view_that_is_forgotten_is_in_no_file_and_still_shows_a_fork(store: Store, file: Path) -> None:
    """Whom a shop looked at is a person's; that its log goes on from there is nobody's."""
    views = chain(2, "person")
    store.add_views(SHOP, views[:1], 100)
    store.add_views(SHOP, views[1:], 200)
    assert any(views[0].data in one.read_bytes() for one in file.parent.iterdir())

    assert 1 == store.forget_views(150)

    assert not any(views[0].data in one.read_bytes() for one in file.parent.iterdir())
    assert ((1, None), (2, views[1].data)) == store.views(SHOP)
    assert "fork" == store.add_views(SHOP, chain(1, "panel"), 300).fault


def test_file_of_a_newer_version_or_none_at_all_is_refused(store: Store, file: Path) -> None:
    store.close()
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA user_version = 9")
    connection.close()
    with pytest.raises(StoreError, match="of version 9"):
        Store(file, TOWN)
    file.write_bytes(b"no database" * 100)
    with pytest.raises(StoreError):
        Store(file, TOWN)


def test_broken_card_begins_anew_once_and_what_was_kept_stays(store: Store) -> None:
    before, after = chain(3), chain(4, "panel")
    store.add_views(SHOP, before, 1)
    assert "fork" == store.add_views(SHOP, after[:1], 2).fault
    assert store.has_fork(SHOP)
    assert not store.begin_chain(OTHER_SHOP, 2, 3), "of that one there is no such alarm"
    assert not store.begin_chain(SHOP, 1, 3), "that was another alarm"

    assert store.begin_chain(SHOP, 2, 3)
    assert not store.has_fork(SHOP)
    found = store.add_views(SHOP, after[:2], 4)
    assert ("", 2) == (found.fault, found.head.n)
    assert not store.is_forked(SHOP, head_of(after[2]), 4)
    assert [1, 2, 3, 4, 5] == [n for n, _ in store.views(SHOP)]
    found = store.add_views(SHOP, after[1:], 5)
    assert ("", 4) == (found.fault, found.head.n)

    assert "fork" == store.add_views(SHOP, chain(1, "search"), 6).fault, "one time"
    assert [Alarm(SHOP, "fork", 4, 6)] == list(store.alarms())


def test_card_that_goes_on_after_it_was_called_broken_is_a_copy(store: Store) -> None:
    """The thief's card has the log of before, and the shop's new one began anew."""
    before = chain(4)
    store.add_views(SHOP, before[:3], 1)
    store.is_forked(SHOP, ViewHead(n=3, digest="ab" * 32), 2)
    store.begin_chain(SHOP, 2, 3)

    assert store.is_forked(SHOP, head_of(before[2]), 4)
    assert "fork" == store.add_views(SHOP, before[3:], 4).fault
    assert 3 == len(store.views(SHOP))
