"""What the card holds is what the core was told, through restarts; and what was destroyed is nowhere on it."""

from __future__ import annotations

import base64
import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from gallery.core import effects as do
from gallery.core import events as ev
from gallery.core.holdings import Title
from gallery.core.staff import StaffRow, StaffTold
from gallery.store import gallery_store, slots
from gallery.store.database import DATABASE_NAME
from gallery.store.entries import Entries
from gallery.store.gallery_store import GalleryStore
from gallery.store.key_slots import KEY_SLOTS
from gallery.store.staff_seal import StaffSeal
from runtime import sqlite_file
from runtime.sqlite_file import StoreRefusedError
from tests.support.gallery_card import HART, KEY, NODE, TOWN, CardNode, Published, all_bytes
from wire.gallery_views import ViewRecord, no_views, write_view

ORIGIN = no_views(TOWN, NODE)
PHOTOGRAPH = b"\xff\xd8 a face \xff\xd9" * 8


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "gallery"


@pytest.fixture
def node(folder: Path) -> Iterator[CardNode]:
    node = CardNode(folder).start()
    yield node
    for one in (node, *node.successors):
        one.store.close()


def again(node: CardNode, folder: Path) -> CardNode:
    """The same card in the next run."""
    node.store.close()
    node.successors.append(CardNode(folder).start("boot 2"))
    return node.successors[-1]


def test_gallery_is_read_after_a_restart_in_memory_alone(node: CardNode, folder: Path) -> None:
    published = Published().issue(17, "Nora Nobody", PHOTOGRAPH)
    node.told(published)
    after = again(node, folder)
    line = published.lines[17]
    entries = Entries(after.store, TOWN, NODE, KEY)
    opened = entries.open(HART, line)

    assert opened is not None
    assert "Nora Nobody" == opened.text.name
    assert PHOTOGRAPH == entries.photograph(HART, line, "small")
    assert published.parcel().lines.data == after.store.lines(HART).data
    secrets = (b"Nora", PHOTOGRAPH[:64], published.keys[17].text, KEY.private_bytes_raw())
    assert [] == [secret for secret in secrets if secret in all_bytes(folder)]
    after.store.close()


def test_state_of_the_core_is_the_same_after_a_restart(node: CardNode, folder: Path) -> None:
    published = Published().issue(17, photograph=PHOTOGRAPH).issue(18).issue(19)
    node.told(published)
    node.told(published.withdraw(18))
    after = again(node, folder)

    for name in ("title", "lines", "keys", "elsewhere", "held"):
        assert getattr(node.state.galleries[HART], name) == getattr(after.state.galleries[HART], name), name
    assert node.state.photographs == after.state.photographs
    assert after.asked is not None
    assert (do.Held(HART, published.number, is_complete=True),) == after.asked.held
    assert node.state.ledger.lease.until_s == after.state.ledger.lease.until_s
    assert after.state.ledger.lease.charged_s > node.state.ledger.lease.charged_s, "the boot is charged"
    after.store.close()


def left_behind(node: CardNode, folder: Path) -> tuple[int, int]:
    """Of how many destroyed rows a piece can still be found on the card; and how many were destroyed."""
    chance = random.Random(34)
    published = Published()
    destroyed: list[bytes] = []
    for _ in range(4):
        for case in chance.sample(range(1, 5_000), 40):
            published.issue(case)
        node.told(published)
        doomed = chance.sample(sorted(published.lines), 25)
        rows = [node.store.row(HART, (case, published.lines[case].since)) for case in doomed]
        destroyed += [row.sealed for row in rows if row is not None]
        node.told(published.withdraw(*doomed))
    found = all_bytes(folder)
    return sum(sealed[40:72] in found for sealed in destroyed), len(destroyed)


def test_destroyed_keys_are_nowhere_on_the_card_log_included(node: CardNode, folder: Path) -> None:
    assert (0, 100) == left_behind(node, folder)


def test_search_finds_keys_that_are_merely_deleted(
    node: CardNode, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The search of the test above is worth nothing unless it finds what is there."""

    def delete(_slots: slots.Slots, db: sqlite3.Connection, doomed: list[int]) -> None:
        db.executemany("DELETE FROM key_slots WHERE slot = ?", [(slot,) for slot in doomed])

    monkeypatch.setattr(slots.Slots, "wipe", delete)
    with node.store._work() as db:
        db.execute("PRAGMA secure_delete=OFF")
    found, destroyed = left_behind(node, folder)

    assert found > destroyed // 10


def test_search_finds_keys_in_a_log_that_is_not_cut_off(
    node: CardNode, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gallery.store.gallery_store.empty_log", lambda _db: None)

    assert left_behind(node, folder)[0] > 10


def test_log_that_was_not_cut_off_before_the_power_went_is_cut_off_at_the_start(
    node: CardNode, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr("gallery.store.gallery_store.empty_log", lambda _db: None)
        left_behind(node, folder)
        log = (folder / f"{DATABASE_NAME}-wal").read_bytes()
    # As after a power cut: nothing closed the database.
    copy = folder.parent / "copy"
    copy.mkdir()
    (copy / DATABASE_NAME).write_bytes((folder / DATABASE_NAME).read_bytes())
    (copy / f"{DATABASE_NAME}-wal").write_bytes(log)
    after = CardNode(copy).start()

    assert 0 == (copy / f"{DATABASE_NAME}-wal").stat().st_size
    after.store.close()


def test_gallery_of_a_scheme_that_was_left_leaves_nothing(node: CardNode, folder: Path) -> None:
    published = Published().issue(17, "Nora Nobody", PHOTOGRAPH)
    node.told(published)
    line = published.lines[17]
    row = node.store.row(HART, (17, line.since))
    assert row is not None
    held = [row.sealed, base64.b64encode(line.text)[40:90], next(iter(published.files.values()))[:64]]
    before = all_bytes(folder)
    node.told()

    assert all(piece in before for piece in held), "it was there"
    found = all_bytes(folder)
    assert not any(piece in found for piece in held)
    assert Title(floor=1, is_allowed=False) == again(node, folder).state.galleries[HART].title


def test_key_replaces_the_slot_of_a_destroyed_one(node: CardNode) -> None:
    """The file does not grow with each change, for years."""
    published = Published()
    for case in range(1, 40):
        node.told(published.issue(case) if case == 1 else published.issue(case).withdraw(case - 1))
    with node.store._work() as db:
        (rows,) = db.execute("SELECT count(*) FROM key_slots").fetchone()

    assert rows <= 2


def test_staff_are_kept_with_their_verifier_and_no_name_in_the_clear(node: CardNode, folder: Path) -> None:
    store = node.store
    alice, bob = (StaffRow(StaffTold(person, name, 1, "check")) for person, name in ((7, "Alice Able"), (8, "Bob")))
    store.keep_staff(alice)
    store.keep_staff(bob)
    store.keep_verifier(alice, b"a verifier of hers")
    failed = StaffRow(alice.told, failures=4, has_pin=True)
    store.keep_staff(failed)
    after = again(node, folder)

    assert {failed, bob} == {row for row in after.store.started("boot 2", ORIGIN).staff if row.person in {7, 8}} | {bob}
    after.store.close()
    store.keep_staff(alice)
    assert (b"a verifier of hers", b"") == (store.verifier(7), store.verifier(8))
    assert [] == [name for name in (b"Alice", b"a verifier") if name in all_bytes(folder)]
    store.destroy_staff(7)
    assert b"" == store.verifier(7)


def test_search_finds_names_of_staff_that_are_not_sealed(
    node: CardNode, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(StaffSeal, "seal", lambda _self, data: data)
    node.store.keep_staff(StaffRow(StaffTold(7, "Alice Able")))

    assert b"Alice Able" in all_bytes(folder)


def test_lock_out_is_not_forgotten_by_a_restart(node: CardNode, folder: Path) -> None:
    row = StaffRow(StaffTold(7, "Alice"), failures=9, has_pin=True)
    node.store.keep_verifier(row, b"verifier")
    node.store.close()
    store = GalleryStore(folder, KEY)

    assert (row,) == store.started("boot 2", ORIGIN).staff
    store.close()


def test_views_are_sent_from_where_the_office_is_and_the_chain_goes_on(node: CardNode, folder: Path) -> None:
    views, before = [], ORIGIN
    for n in range(1, 4):
        views.append(write_view(ViewRecord(n=n, at_s=1, kind="list", before=before.digest)))
        before = type(before)(n=n, digest=views[-1].digest)
    node.store.append_views(tuple(views))
    node.store.forget_views(2)

    assert views[2].data + b"\n" == node.store.views_after(2) == node.store.views_after(0)
    node.store.forget_views(3)
    started = again(node, folder).store.started("boot 2", ORIGIN)
    assert (before, 3) == (started.chain, started.delivered)


def test_photograph_that_is_not_what_its_name_says_is_removed_and_fetched_again(node: CardNode, folder: Path) -> None:
    published = Published().issue(17, photograph=PHOTOGRAPH)
    node.told(published)
    (digest,) = published.files
    file = folder / "photographs" / f"{digest}.bin"
    *kept, last = file.read_bytes()
    file.write_bytes(bytes((*kept, last ^ 1)))
    (folder / "photographs" / f".{digest}.bin.half").write_bytes(b"half")
    after = again(node, folder)

    assert frozenset() == after.state.photographs
    assert [digest] == after.fetching
    assert [] == list((folder / "photographs").iterdir())
    after.store.close()


def test_photograph_with_another_hash_is_not_kept(node: CardNode, folder: Path) -> None:
    with pytest.raises(StoreRefusedError, match="not what its name says"):
        node.store.photographs.keep("ab" * 32, b"something else")

    assert [] == list((folder / "photographs").iterdir())


def test_all_lines_are_read_however_many(node: CardNode, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gallery_store, "_LINES_AT_ONCE", 2)
    node.told(Published().issue(17).issue(18).issue(19))
    after = again(node, folder)

    assert node.state.galleries[HART].lines == after.state.galleries[HART].lines
    assert "" == after.store.damage


def test_lines_that_are_damaged_are_fetched_again_and_nothing_older_is_taken(node: CardNode, folder: Path) -> None:
    published = Published().issue(17).issue(18)
    node.told(published)
    with node.store._work() as db:
        db.execute("DELETE FROM lines WHERE case_number = 17")
    after = again(node, folder)

    assert after.asked is not None
    assert [0] == [held.number for held in after.asked.held]
    assert published.number == after.state.galleries[HART].title.floor
    assert "damaged" in after.store.damage
    after.told(published)
    assert {17, 18} == set(after.state.galleries[HART].lines)
    after.store.close()


def test_database_that_is_damaged_is_begun_anew_and_nothing_is_shown(node: CardNode, folder: Path) -> None:
    node.told(Published().issue(17))
    node.store.close()
    path = folder / DATABASE_NAME
    path.write_bytes(b"not a database" * 500)
    after = CardNode(folder).start("boot 2")

    assert {} == dict(after.state.galleries)
    assert "damaged" in after.store.damage
    after.store.close()


@pytest.mark.parametrize("key", ["ledger", "chain", "delivered"])
def test_value_that_cannot_be_read_counts_as_not_kept(node: CardNode, folder: Path, key: str) -> None:
    node.told(Published().issue(17))
    with node.store._work() as db:
        sqlite_file.write_value(db, key, b"\xff nonsense")

    assert 1 == len(again(node, folder).state.galleries)


def test_keys_that_came_are_needed_to_keep_a_gallery(node: CardNode) -> None:
    """An order whose parcel is lost leaves the disk as it was, and the core asks anew."""
    parcel = Published().issue(17).parcel()
    order = do.KeepGallery(1, HART, Title(1, 1, 1), (), frozenset(parcel.rows), frozenset())

    with pytest.raises(StoreRefusedError, match="not here any more"):
        node.store.keep_gallery(order, parcel.lines, {})
    assert (ev.StoreRefused(1, "what came of a gallery is not here any more")) == node._orders.carry_out(order)


def test_slot_is_of_one_size() -> None:
    with pytest.raises(ValueError, match="for a slot"):
        KEY_SLOTS._filled(bytes(200))
