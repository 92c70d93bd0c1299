"""A unit that may be shown other lines is sent all its rows anew, until it has kept them."""

from __future__ import annotations

from tests.support.asking_town import HART, SHOP, AskingTown, Entry, opened, port_thread, sender
from wire.gallery_contact import Held, decode_rows
from wire.gallery_paths import rows_path

SOMEBODY = Entry(2, name="Somebody")


def held(number: int) -> Held:
    return Held(scheme=HART, number=number, is_complete=True)


def test_rows_are_made_again_if_nobody_saw_them_arrive(town: AskingTown) -> None:
    """The shop has moved, and its answer was lost with its network: it still holds what only its former place may."""
    number = town.publish(HART, [Entry(1, premises=(7,)), SOMEBODY])
    town.hold(HART, [SHOP])
    town.list(sender(SHOP, (HART,), 7))
    with port_thread(town) as port:
        port.unit().asks(held(number))
    with port_thread(town) as port:
        shop = port.unit()
        assert {1, 2} == opened(shop.asks(held(number)), SHOP).keys()
        shop.ask(held(number))
        port.wait_for_question(SHOP)
    with port_thread(town) as port:
        assert () == port.unit().asks(held(number)).changes


def test_rows_are_made_again_if_the_unit_says_that_it_has_not_kept_them(town: AskingTown) -> None:
    """It asks at once, before they are on its card; then its power is cut, and it holds what it held before."""
    number = town.publish(HART, [Entry(1, premises=(7,)), SOMEBODY])
    town.hold(HART, [SHOP])
    town.list(sender(SHOP, (HART,), 7))
    with port_thread(town) as port:
        shop = port.unit()
        assert {1, 2} == opened(shop.asks(held(number)), SHOP).keys()
        shop.ask(held(0))
        port.wait_for_question(SHOP)
    with port_thread(town) as port:
        shop = port.unit()
        answer = shop.asks(held(number))
        assert answer.changes, "it is sent them again"
        assert {1, 2} == opened(answer, SHOP).keys()
        shop.ask(held(number))
        port.wait_for_question(SHOP)
    with port_thread(town) as port:
        assert () == port.unit().asks(held(number)).changes


def test_rows_are_made_again_if_their_file_was_not_fetched(town: AskingTown) -> None:
    number = town.publish(HART, [Entry(case) for case in range(1, 2_501)])
    with port_thread(town) as port:
        shop = port.unit()
        assert [None] == [change.after for change in shop.asks(held(number)).changes]
        shop.ask(held(number))
        port.wait_for_question(SHOP)
    with port_thread(town) as port:
        shop = port.unit()
        assert [None] == [change.after for change in shop.asks(held(number)).changes]
        assert 2_500 == len(decode_rows(shop.request("GET", rows_path(HART, number))[1]))
        shop.ask(held(number))
        port.wait_for_question(SHOP)
    with port_thread(town) as port:
        assert () == port.unit().asks(held(number)).changes
