"""Open pages: nobody in the shop's network shuts the page for who is signed in, or reads what is not for them."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from gallery.page.ports import AlertProgress
from gallery.page.streams import LISTENERS_MAX, LOCKED_MAX, OF_AN_ADDRESS_MAX, Streams, TooManyPagesError
from tests.support.gallery_page import PageUnderTest

PHONE, TABLET = "192.168.1.66", "192.168.1.50"


def test_one_address_has_a_few_pages() -> None:
    streams = Streams()
    for at in range(OF_AN_ADDRESS_MAX):
        streams.join(f"session {at}", PHONE)

    for session in ("session", None):
        with pytest.raises(TooManyPagesError):
            streams.join(session, PHONE)
    streams.join(None, TABLET)


def test_locked_pages_are_a_few_in_all() -> None:
    streams = Streams()
    for at in range(LOCKED_MAX):
        streams.join(None, f"fe80::{at}")

    with pytest.raises(TooManyPagesError):
        streams.join(None, TABLET)
    streams.join("session", TABLET)


@pytest.mark.parametrize("session", ["session", None])
def test_another_page_takes_the_place_of_the_oldest_locked_one_of_its_screen(session: str | None) -> None:
    """A tablet whose network comes and goes leaves streams behind that nobody hears."""
    streams = Streams()
    oldest, *others = [streams.join(None, TABLET) for _ in range(OF_AN_ADDRESS_MAX)]
    streams.join(session, TABLET)

    assert not streams.leave(oldest)
    assert [True] * len(others) == [streams.leave(one) for one in others]


def test_who_is_signed_in_takes_the_place_of_the_oldest_locked_page_of_all() -> None:
    streams = Streams()
    oldest = streams.join(None, PHONE)
    for at in range(LISTENERS_MAX - 1):
        streams.join(f"session {at}", f"192.168.2.{at}")
    with pytest.raises(TooManyPagesError):
        streams.join(None, TABLET)
    streams.join("session", TABLET)

    assert not streams.leave(oldest)
    with pytest.raises(TooManyPagesError):
        streams.join("session", TABLET)


def test_locked_page_is_not_told_how_reports_go_on(shop: PageUnderTest) -> None:
    assert shop.node.state is not None
    progress = AlertProgress("00000010-7", "Answered by CCTV J Patel", is_at_central=True)
    shop.node.state = replace(shop.node.state, progress=(progress,))
    room, streams = shop.site.room, Streams()
    pages = [streams.join(session, TABLET) for session in ("session", None)]
    streams.tell(room.unit_piece(is_open=True), room.unit_piece(is_open=False))

    assert [True, False] == [b"Patel" in (asyncio.run(page.next()) or b"") for page in pages]
