"""Letting a phone wake its owner, and what a tap on a notice opens."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import httpx
import msgspec
from msgspec.structs import replace

from central.core.view import Person, Refused, StartDuty
from central.phones import WAKES_NOBODY, Phones
from central.web.app import create_app
from tests.central.web.scripted_board import NOTICE, ScriptedBoard
from tests.central.web.signing_browser import ORIGIN, Browser
from tests.support.kept_phones import KEY, KeptPhones, subscription
from tests.support.town_office import PATEL, PRIYA, KeptSessions, TownOffice
from wire.notices import Subscription

HEADERS = {"x-watchlink": "1"}
Script = Callable[[Browser, Phones, KeptPhones], Coroutine[Any, Any, None]]


@asynccontextmanager
async def _town() -> AsyncIterator[tuple[Browser, Phones, KeptPhones]]:
    office, store, kept, board = TownOffice(), KeptSessions(), KeptPhones(), ScriptedBoard()
    gate = office.gate(store)
    phones = kept.phones(gate.now)
    app = create_app(board, gate, inter_font_dir=None, notice=NOTICE, phones=phones)
    headers = {"origin": ORIGIN, "host": ORIGIN.partition("://")[2]}
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ORIGIN, headers=headers) as client,
    ):
        yield Browser(client, office, gate, board, store), phones, kept


def played(script: Script) -> None:
    async def run() -> None:
        async with _town() as town:
            await script(*town)

    asyncio.run(run())


async def add(browser: Browser, one: Subscription) -> httpx.Response:
    return await browser.client.post("/phones/add", json=msgspec.to_builtins(one), headers=HEADERS)


async def renew(browser: Browser, one: Subscription) -> httpx.Response:
    return await browser.client.post("/phones/renew", json=msgspec.to_builtins(one), headers=HEADERS)


def test_phone_is_added_proven_by_a_tap_and_removed() -> None:
    async def script(browser: Browser, phones: Phones, kept: KeptPhones) -> None:
        await browser.enter()
        assert 200 == (await add(browser, subscription())).status_code
        page = (await browser.open("/phones")).text
        assert KEY in page
        assert "NOT PROVEN" in page

        kept.is_full = True
        refused = await browser.open(f"/wake/{kept.ordered[0].reference}")
        kept.is_full = False
        woken = await browser.open(f"/wake/{kept.ordered[0].reference}")

        assert (503, True) == (refused.status_code, "<h1>The tap was not recorded</h1>" in refused.text)
        assert (200, True) == (woken.status_code, "It reached you" in woken.text)
        page = (await browser.open("/phones")).text
        assert ("NOT PROVEN" in page, "a test reached you" in page) == (False, True)
        (phone,) = phones.of(PRIYA)
        gone = await browser.client.post("/phones/remove", json={"phone": phone.id}, headers=HEADERS)
        assert (200, ()) == (gone.status_code, phones.of(PRIYA))

    played(script)


def test_tap_of_somebody_who_is_signed_out_opens_it_after_sign_in() -> None:
    async def script(browser: Browser, phones: Phones, kept: KeptPhones) -> None:
        await browser.enter()
        await add(browser, subscription())
        await browser.send("/sign-out")

        door = await browser.open(f"/wake/{kept.ordered[0].reference}")
        assert "<title>Sign in" in door.text
        assert [None] == [one.proven_at for one in phones.of(PRIYA)]
        entered = await browser.open(
            "/enter", params={"ticket": browser.office.ticket(PRIYA, browser.secret)}, follow_redirects=True
        )

        assert "It reached you" in entered.text
        assert [True] == [one.proven_at is not None for one in phones.of(PRIYA)]
        assert "control room" in (await browser.open("/")).text

    played(script)


def test_somebody_elses_tap_proves_nothing() -> None:
    async def script(browser: Browser, phones: Phones, kept: KeptPhones) -> None:
        await browser.enter(PRIYA)
        await add(browser, subscription())
        await browser.send("/sign-out")
        await browser.enter(PATEL)

        assert "Nothing waits there" in (await browser.open(f"/wake/{kept.ordered[0].reference}")).text
        assert [None] == [one.proven_at for one in phones.of(PRIYA)]

    played(script)


def test_tap_on_an_alert_leads_to_its_card() -> None:
    async def script(browser: Browser, phones: Phones, _kept: KeptPhones) -> None:
        await browser.enter()
        card = browser.board.press("attack")

        found = await browser.open(f"/wake/{phones.reference(card.incident)}")

        assert (303, f"/#{card.incident}") == (found.status_code, found.headers["location"])

    played(script)


def test_tap_on_what_waits_no_more_opens_the_most_urgent_that_does() -> None:
    """A message may stand for several, and after a start central knows of those that share a card no more."""

    async def script(browser: Browser, phones: Phones, _kept: KeptPhones) -> None:
        await browser.enter()
        board = browser.board

        async def tap(reference: str) -> str | None:
            found = await browser.open(f"/wake/{reference}")
            return found.headers["location"] if found.has_redirect_location else None

        gone, unknown = phones.reference("00000099-1"), "0" * 22
        assert ("/#/none", None) == (await tap(gone), await tap(unknown))
        mine = board.press("attack")
        board.show(replace(mine, state="answered"))
        own = phones.reference(mine.incident)
        assert (f"/#{mine.key}/none", "/#/none", None) == (await tap(own), await tap(gone), await tap(unknown))
        for other in (
            replace(board.press("attack"), is_drill=True),
            replace(board.press("test"), priority=5),
            replace(board.press("attack"), state="closed"),
        ):
            board.show(other)
        assist, again = board.press("assist"), board.press("attack")
        board.show(replace(again, state="answered", pressed_again_at=again.arrived_at))

        assert {f"/#{again.key}/another"} == {await tap(reference) for reference in (own, gone)}
        assert f"/#{again.key}/unknown" == await tap(unknown), "it may have been a test"
        assert f"/#{assist.key}" == await tap(phones.reference(assist.incident)), "its own waits"

    played(script)


def test_tap_on_one_of_many_alerts_leads_to_the_card_that_stands_for_them() -> None:
    """People are asked about the first of a premises' alerts, and its card shows the newest."""

    async def script(browser: Browser, phones: Phones, _kept: KeptPhones) -> None:
        await browser.enter()
        newest = browser.board.press("attack")
        node = newest.incident.partition("-")[0]
        many = replace(newest, key=f"{node}-1", stands_for=4, through=9)
        browser.board.show(many)
        references = phones.reference(f"{node}-2"), phones.reference(newest.incident)

        found = [await browser.open(f"/wake/{reference}") for reference in references]

        assert [f"/#{many.key}", f"/#{many.key}"] == [one.headers.get("location") for one in found]

    played(script)


def test_tap_on_a_shift_that_begins_opens_the_control_room() -> None:
    async def script(browser: Browser, _phones: Phones, _kept: KeptPhones) -> None:
        assert "<title>Sign in" in (await browser.open("/wake/shift")).text
        await browser.enter()

        found = await browser.open("/wake/shift")

        assert (303, "/") == (found.status_code, found.headers["location"])
        assert 200 == (await browser.open("/")).status_code

    played(script)


def test_browser_that_changed_its_subscription_is_known_by_its_cookie() -> None:
    async def script(browser: Browser, phones: Phones, kept: KeptPhones) -> None:
        await browser.enter()
        assert "" == (await browser.open("/phones/mine")).json()["endpoint"]
        await add(browser, subscription("1"))
        await browser.open(f"/wake/{kept.ordered[0].reference}")
        mine = (await browser.open("/phones/mine")).json()
        assert {"endpoint": subscription("1").endpoint, "key": KEY} == mine
        assert [] == (await browser.open("/me.json")).json()["warnings"]

        assert 200 == (await renew(browser, subscription("2"))).status_code

        (phone,) = phones.of(PRIYA)
        assert (subscription("2"), None) == (phone.subscription, phone.proven_at)
        assert subscription("2").endpoint == (await browser.open("/phones/mine")).json()["endpoint"]
        assert [WAKES_NOBODY] == (await browser.open("/me.json")).json()["warnings"]

    played(script)


def test_whoever_signs_in_next_in_that_browser_moves_no_phone() -> None:
    async def script(browser: Browser, phones: Phones, _kept: KeptPhones) -> None:
        await browser.enter(PRIYA)
        await add(browser, subscription("1"))
        await browser.send("/sign-out")
        assert 401 == (await renew(browser, subscription("2"))).status_code
        await browser.enter(PATEL)

        assert "" == (await browser.open("/phones/mine")).json()["endpoint"]
        assert 409 == (await renew(browser, subscription("2"))).status_code

        assert [subscription("1")] == [one.subscription for one in phones.of(PRIYA)]
        assert () == phones.of(PATEL)

    played(script)


def test_page_of_another_site_adds_no_phone() -> None:
    """Else a stranger's page would have somebody's alerts ring at the stranger's."""

    async def script(browser: Browser, phones: Phones, _kept: KeptPhones) -> None:
        await browser.enter()
        body = msgspec.to_builtins(subscription())

        foreign = {**HEADERS, "origin": "https://evil.example", "sec-fetch-site": "cross-site"}
        assert 403 == (await browser.client.post("/phones/add", json=body, headers=foreign)).status_code
        assert 403 == (await browser.client.post("/phones/add", json=body)).status_code
        assert 403 == (await browser.client.post("/phones/renew", json=body, headers=foreign)).status_code
        assert () == phones.of(PRIYA)

    played(script)


def test_what_is_no_subscription_is_refused_with_a_sentence() -> None:
    async def script(browser: Browser, phones: Phones, _kept: KeptPhones) -> None:
        await browser.enter()
        for body in (b"", b"[]", b'{"endpoint":"http://10.0.0.1/","p256dh":"x","auth":"y"}', b"[" * 3_000):
            answer = await browser.client.post("/phones/add", content=body, headers=HEADERS)
            assert (422, True) == (answer.status_code, "Reload the page" in answer.json()["reason"])
        assert 413 == (await browser.client.post("/phones/add", content=b" " * 5_000, headers=HEADERS)).status_code
        assert () == phones.of(PRIYA)

    played(script)


def test_app_is_installed_from_whichever_page_somebody_stands_on() -> None:
    """An iPhone is told to add it to its Home Screen where it stands: without the manifest it gets a mere bookmark."""

    async def script(browser: Browser, _phones: Phones, _kept: KeptPhones) -> None:
        link = '<link rel="manifest" href="/manifest.webmanifest">'
        assert link in (await browser.open("/")).text, "where people sign in"
        await browser.enter()

        assert {"/": 1, "/phones": 1, "/session": 1} == {
            path: (await browser.open(path)).text.count(link) for path in ("/", "/phones", "/session")
        }

    played(script)


def test_only_the_page_with_phones_may_install_a_worker_and_only_ours() -> None:
    async def script(browser: Browser, _phones: Phones, _kept: KeptPhones) -> None:
        await browser.enter()
        policies = {
            path: re.findall("trusted-types ([^;]+)$", (await browser.open(path)).headers["content-security-policy"])
            for path in ("/", "/session", "/phones")
        }

        assert {"/": ["'none'"], "/session": ["'none'"], "/phones": ["watchlink-worker"]} == policies
        worker, manifest = await browser.open("/sw.js"), await browser.open("/manifest.webmanifest")
        assert "text/javascript; charset=utf-8" == worker.headers["content-type"]
        assert ("application/manifest+json", "/") == (manifest.headers["content-type"], manifest.json()["start_url"])
        assert {"no-cache"} == {one.headers["cache-control"] for one in (worker, manifest)}

    played(script)


def test_tap_begins_duty_in_the_role_that_was_asked_for() -> None:
    async def script(browser: Browser, _phones: Phones, kept: KeptPhones) -> None:
        await browser.enter()
        await add(browser, subscription())
        await browser.open(f"/wake/{kept.ordered[0].reference}")
        assert [] == browser.board.actions

        asked = await browser.client.post("/phones/duty", json={"role": "cctv"}, headers=HEADERS)
        assert (200, []) == (asked.status_code, browser.board.actions)
        woken = (await browser.open(f"/wake/{kept.ordered[1].reference}")).text
        again = (await browser.open(f"/wake/{kept.ordered[1].reference}")).text

        assert [(StartDuty("phone"), Person("cctv", "Priya Shah", PRIYA))] == browser.board.actions
        assert ("You are on duty" in woken, "Nothing waits there" in again) == (True, True)

    played(script)


def test_duty_in_a_role_that_is_not_theirs_is_not_begun_by_phone() -> None:
    async def script(browser: Browser, _phones: Phones, kept: KeptPhones) -> None:
        await browser.enter()
        await add(browser, subscription())
        await browser.open(f"/wake/{kept.ordered[0].reference}")

        refused = await browser.client.post("/phones/duty", json={"role": "police"}, headers=HEADERS)

        assert (409, 1) == (refused.status_code, len(kept.ordered))
        assert "do not have that role" in refused.json()["reason"]

    played(script)


def test_duty_that_central_refuses_is_told_on_the_phone() -> None:
    async def script(browser: Browser, _phones: Phones, kept: KeptPhones) -> None:
        async def refuse(*_: object) -> Refused:
            return Refused("Your role here is gone.")

        browser.board.act = refuse  # type: ignore[method-assign, assignment]
        await browser.enter()
        await add(browser, subscription())
        await browser.open(f"/wake/{kept.ordered[0].reference}")
        await browser.client.post("/phones/duty", json={"role": "cctv"}, headers=HEADERS)

        woken = (await browser.open(f"/wake/{kept.ordered[1].reference}")).text

        assert ("You are not on duty: Your role here is gone." in woken, "You are on duty" in woken) == (True, False)

    played(script)
