"""Each shop is told its own staff: at once when that changes, and nothing otherwise."""

from __future__ import annotations

from msgspec.structs import replace

from office.gallery.staff_file import STAFF_FILE
from office.nodes.staff import Staff
from tests.support.asking_town import (
    GALLERY_KEY,
    HART,
    OTHER_SHOP,
    PUB,
    PUB_WATCH,
    SHOP,
    AskingTown,
    PortThread,
    sender,
)
from wire.gallery_staff import StaffEntry, staff_digest

ANN = StaffEntry(person=4, name="Ann", code=7, code_check="ab" * 32)
ZOE, BO = StaffEntry(person=5, name="Zoë"), StaffEntry(person=6, name="Bo")
NOBODY = staff_digest(())


def test_shop_that_waits_is_told_its_own_staff_at_once_and_nobody_elses(port: PortThread) -> None:
    shop, other = port.unit(SHOP), port.unit(OTHER_SHOP)
    for unit in (shop, other):
        unit.asks()
        unit.ask(staff=NOBODY)
    port.wait_for_question(SHOP)
    port.wait_for_question(OTHER_SHOP)
    port.employ({1: (ANN, ZOE)})

    assert (ANN, ZOE) == shop.told().staff
    assert port.waits(OTHER_SHOP), "its own list is as it was"
    port.employ({1: (ANN, ZOE), 2: (BO,)})

    assert (BO,) == other.told().staff


def test_shop_that_has_the_list_is_not_told_it_again(port: PortThread) -> None:
    port.employ({1: (ANN,)})
    shop = port.unit()

    assert (ANN,) == shop.asks(staff=NOBODY).staff
    shop.ask(staff=staff_digest((ANN,)))
    port.wait_for_question(SHOP)
    port.employ({1: ()})

    assert () == shop.told().staff, "whoever is off it is off at once"


def test_shop_that_cannot_keep_the_list_is_not_sent_it_again_at_once(port: PortThread) -> None:
    """Its disk is full: else office and shop would be busy with one another for ever."""
    port.employ({1: (ANN,)})
    shop = port.unit()
    shop.asks(staff=NOBODY)
    shop.ask(staff=NOBODY)
    port.wait_for_question(SHOP)
    port.employ({1: (ANN, BO)})

    assert (ANN, BO) == shop.told().staff


def test_older_unit_is_told_no_staff(port: PortThread) -> None:
    port.employ({1: (ANN,)})
    shop = port.unit()

    assert None is shop.asks().staff
    shop.ask()
    port.wait_for_question(SHOP)


def test_older_publisher_leaves_everybody_as_they_are(port: PortThread) -> None:
    shop = port.unit()

    assert None is shop.asks(staff=staff_digest((ANN,))).staff


def test_unit_that_moved_is_told_the_staff_of_where_it_is(port: PortThread) -> None:
    port.employ({1: (ANN,), 2: (BO,)})
    shop = port.unit()
    shop.asks(staff=NOBODY)
    shop.ask(staff=staff_digest((ANN,)))
    port.wait_for_question(SHOP)
    port.town.list(sender(SHOP, (HART,), 2))

    assert (BO,) == shop.told().staff


def test_shop_is_told_which_of_its_schemes_show_without_proof(port: PortThread) -> None:
    port.employ({}, open_schemes=(PUB_WATCH,))

    assert () == port.unit(SHOP).asks().open_schemes
    assert (PUB_WATCH,) == port.unit(PUB).asks().open_schemes


def test_file_that_is_damaged_changes_nothing(town: AskingTown) -> None:
    staff = Staff(town.folder / "snapshots", GALLERY_KEY)
    town.employ({1: (ANN,)})
    assert staff.look()
    assert not staff.look()
    before = staff.of(1)
    town.write(f"snapshots/{STAFF_FILE}", b"{")

    assert not staff.look()
    assert before == staff.of(1)
    town.employ({1: (replace(ANN, name="Anne"),)})
    assert staff.look()
    assert before != staff.of(1)
