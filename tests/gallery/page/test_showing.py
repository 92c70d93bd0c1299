"""What the page shows, to whom, and that each look is on the disk before it."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future

import httpx
import pytest
from msgspec.structs import replace

from gallery.core.effects import NotShown, RefuseView
from gallery.core.events import Ticked, ViewAsked
from gallery.core.readable import Why
from gallery.core.words import NOT_SHOWN, WORDS
from gallery.page.ports import Opened
from runtime.sqlite_file import StoreRefusedError
from tests.office.people.pictures import opened
from tests.support.gallery_page import ALICE, FACES, PEOPLE, PageUnderTest, face, nearby
from wire.gallery_lines import PhotographSize
from wire.gallery_views import ViewRecord, read_views

NAMES = [name for _, name, *_ in PEOPLE if name]


def asked(shop: PageUnderTest, *paths: str, is_signed_in: bool = True) -> list[httpx.Response]:
    async def go() -> list[httpx.Response]:
        async with shop.client() as client:
            if is_signed_in:
                await shop.sign_in(client)
            return [await client.get(path) for path in paths]

    return asyncio.run(go())


def views(shop: PageUnderTest) -> list[ViewRecord]:
    return [one.record for one in read_views(shop.gallery.store.views_after(0))]


def pictures_of(shop: PageUnderTest, case: int) -> str:
    return next(f"/people/1/{case}/{one.since}" for one in shop.gallery.people() if one.case == case)


def withdrawn(shop: PageUnderTest, case: int) -> None:
    shop.gallery.told(shop.published.withdraw(case))
    shop.gallery.until(lambda: case not in [one.case for one in shop.gallery.people()])


def test_locked_page_names_staff_and_nobody_who_is_banned(shop: PageUnderTest) -> None:
    (page,) = asked(shop, "/", is_signed_in=False)

    assert "Alice Alder" in page.text
    assert "Alerts reach the control room." in page.text
    assert [] == [name for name in NAMES if name in page.text]
    assert "<img" not in page.text
    assert [] == views(shop)


@pytest.mark.parametrize("path", ["/people/1/42", "/report", "/status", "/advice"])
def test_nobody_who_is_not_signed_in_sees_a_page(shop: PageUnderTest, path: str) -> None:
    (answer,) = asked(shop, path, is_signed_in=False)

    assert (303, "/") == (answer.status_code, answer.headers["location"])


def test_photograph_is_for_who_is_signed_in(shop: PageUnderTest) -> None:
    path = pictures_of(shop, 42)
    answers = asked(shop, f"{path}/card.jpg", f"{path}/portrait.jpg", is_signed_in=False)

    assert [404, 404] == [one.status_code for one in answers]


def test_first_screen_says_who_must_not_be_in_here(shop: PageUnderTest) -> None:
    (page,) = asked(shop, "/")

    assert "8 people must not be in here" in page.text
    assert [True] * len(NAMES) == [name in page.text for name in NAMES]
    assert "Banned until 17 Dec 2027" in page.text
    assert page.headers["cache-control"] == "no-store"


def test_list_search_and_person_are_views_on_the_disk(shop: PageUnderTest) -> None:
    answers = asked(shop, "/", "/?q=marsh", "/people/1/42")
    found = [(one.kind, one.case, one.staff) for one in views(shop)]

    assert [200] * 3 == [one.status_code for one in answers]
    assert [("list", 0, ALICE), ("search", 0, ALICE), ("person", 42, ALICE)] == found
    assert "Dean Marsh" in answers[1].text
    assert "Noor Hale" not in answers[1].text


def test_photograph_is_a_view_on_the_disk_and_is_made_anew(shop: PageUnderTest) -> None:
    path = pictures_of(shop, 42)
    _, card, portrait = asked(shop, "/", f"{path}/card.jpg", f"{path}/portrait.jpg")

    assert [("list", 0), ("photograph", 42)] == [(one.kind, one.case) for one in views(shop)]
    assert (240, 480) == (opened(card.content).width, opened(portrait.content).width)
    assert "no-store" == portrait.headers["cache-control"]
    assert portrait.content not in [face.read_bytes() for face in FACES.glob("*.jpg")]


def test_list_opens_pictures_of_who_stands_in_it_and_of_nobody_else(shop: PageUnderTest) -> None:
    async def go() -> list[int]:
        async with shop.client() as client:
            await shop.sign_in(client)
            await client.get("/?q=marsh")
            shop.gallery.told(shop.published.issue(50, "Later Issued", face(3)))
            shop.gallery.arrive(shop.published)
            await asyncio.to_thread(
                shop.gallery.until, lambda: 50 in [one.case for one in shop.gallery.people() if one.sizes]
            )
            return [(await client.get(f"{pictures_of(shop, case)}/card.jpg")).status_code for case in (42, 41, 50)]

    assert [200, 404, 404] == asyncio.run(go())


def test_list_is_of_this_moment_though_writing_it_down_took_a_while(
    shop: PageUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever was withdrawn meanwhile is gone; whoever came is in no record, so the page must ask again."""
    view = shop.gallery.running.view

    def slow(asked: ViewAsked, size: PhotographSize | None = None) -> Future[Opened | RefuseView]:
        answer = view(asked, size)
        answer.result(30)
        if 50 not in [one.case for one in shop.gallery.people()]:
            withdrawn(shop, 42)
            shop.gallery.told(shop.published.issue(50, "Later Issued", face(3)))
            shop.gallery.arrive(shop.published)
            shop.gallery.until(lambda: 50 in [one.case for one in shop.gallery.people()])
        return answer

    monkeypatch.setattr(shop.gallery.running, "view", slow)
    page, again = asked(shop, "/", "/")

    assert [False, False] == [name in page.text for name in ("Dean Marsh", "Later Issued")]
    assert [False, True] == [name in again.text for name in ("Dean Marsh", "Later Issued")]
    assert page.text.partition("data-list=")[2][:18] != again.text.partition("data-list=")[2][:18]


def test_what_cannot_be_written_down_is_not_shown(shop: PageUnderTest, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_views: object) -> None:
        raise StoreRefusedError("no space left")

    monkeypatch.setattr(shop.gallery.store, "append_views", refuse)
    page, everybody, photograph = asked(shop, "/people/1/42", "/", f"{pictures_of(shop, 42)}/portrait.jpg")

    assert NOT_SHOWN[NotShown.NOT_LOGGED].what in page.text
    assert [] == [name for name in NAMES if name in page.text + everybody.text]
    assert 404 == photograph.status_code


def test_photograph_that_cannot_be_read_leaves_the_page_alone(shop: PageUnderTest) -> None:
    shop.published.issue(42, "Dean Marsh", b"<svg onload='alert(1)'/>")
    shop.gallery.told(shop.published)
    shop.gallery.arrive(shop.published)
    since = shop.published.number
    shop.gallery.until(lambda: (42, since) in [(one.case, one.since) for one in shop.gallery.people() if one.sizes])
    hostile, page = asked(shop, f"{pictures_of(shop, 42)}/portrait.jpg", "/people/1/42")

    assert 404 == hostile.status_code
    assert "Dean Marsh" in page.text


def test_person_who_was_withdrawn_is_gone_and_the_page_says_why(shop: PageUnderTest) -> None:
    withdrawn(shop, 42)
    page, everybody = asked(shop, "/people/1/42", "/")

    assert 404 == page.status_code
    assert WORDS[Why.WITHDRAWN].what in page.text
    assert "Dean Marsh" not in everybody.text


def test_gallery_that_is_off_says_why_and_that_the_button_works(shop: PageUnderTest) -> None:
    shop.gallery.now_ms += 40 * 86_400_000
    shop.gallery.running.put(Ticked())
    shop.gallery.until(lambda: shop.gallery.running.snapshot().schemes[0].off is Why.NO_CONTACT)
    everybody, status = asked(shop, "/", "/status")

    assert WORDS[Why.NO_CONTACT].what in everybody.text
    assert "The panic button works as always." in everybody.text
    assert WORDS[Why.NO_CONTACT].to_do.split(".")[0] in status.text
    assert [] == [name for name in NAMES if name in everybody.text]


def test_neighbours_alert_is_said_by_reference_and_leads_to_the_person(shop: PageUnderTest) -> None:
    assert shop.node.state is not None
    shop.node.state = replace(shop.node.state, nearby=(nearby(42),))
    (locked,) = asked(shop, "/", is_signed_in=False)
    (page,) = asked(shop, "/")

    assert "HART-0042" in locked.text
    assert "Dean Marsh" not in locked.text
    assert 'data-opens="/people/1/42"' in locked.text
    assert "The Red Lion" in page.text
    assert 'href="/people/1/42">Open HART-0042' in page.text
    (own,) = asked(shop, "/people/1/42")
    assert "Open HART-0042" not in own.text


def test_node_that_says_nothing_is_said_to_say_nothing(shop: PageUnderTest) -> None:
    shop.node.state = None
    (page,) = asked(shop, "/", is_signed_in=False)

    assert "does not answer this page" in page.text


def test_page_is_told_which_of_what_it_shows_must_go(shop: PageUnderTest) -> None:
    shown = [[one.scheme, one.case, one.since] for one in shop.gallery.people()]
    withdrawn(shop, 42)

    async def go() -> list[int]:
        async with shop.client() as client:
            await shop.sign_in(client)
            gone: list[int] = (await client.post("/still", json={"people": shown})).json()["gone"]
            return gone

    assert [[1, 42]] == [shown[at][:2] for at in asyncio.run(go())]


def test_no_page_may_be_framed_or_run_what_is_not_ours(shop: PageUnderTest) -> None:
    (page,) = asked(shop, "/")
    policy = page.headers["content-security-policy"]

    assert "frame-ancestors 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert "DENY" == page.headers["x-frame-options"]
    assert "<script>" not in page.text
    assert " style=" not in page.text
