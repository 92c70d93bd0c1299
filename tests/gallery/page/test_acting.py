"""Signing in, locking and reporting, as the page's own script asks for them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from msgspec.structs import replace

from gallery.page import acting
from gallery.page.fitting import Reached
from gallery.page.ports import AlertAnswer, AlertState
from gallery.page.streams import LOCK
from runtime.sqlite_file import StoreRefusedError
from tests.support.gallery_page import ADDRESSES, ALICE, BOB, ROOT, SETTINGS, URL, PageUnderTest
from tests.support.gallery_running import CODE, PIN

REPORT = "ab" * 16
Visit = Callable[[httpx.AsyncClient], Awaitable[None]]


def with_client(shop: PageUnderTest, visit: Visit, url: str = URL) -> None:
    async def go() -> None:
        async with shop.client(url=url) as client:
            await visit(client)

    asyncio.run(go())


async def typed(client: httpx.AsyncClient, person: int, secret: str, *, is_start_code: bool = False) -> dict[str, Any]:
    answer = await client.post("/sign-in", json={"person": person, "secret": secret, "is_start_code": is_start_code})
    found: dict[str, Any] = answer.json()
    return found


def test_first_time_is_a_start_code_and_a_pin_of_ones_own(shop: PageUnderTest) -> None:
    async def visit(client: httpx.AsyncClient) -> None:
        assert "choose-pin" == (await typed(client, BOB, CODE.text, is_start_code=True))["outcome"]
        assert "Who are you?" in (await client.get("/")).text
        refused = (await client.post("/pin", json={"pin": "123456"})).json()
        assert ("pin-refused", True) == (refused["outcome"], "first that anybody would try" in refused["why"])
        assert "open" == (await client.post("/pin", json={"pin": "481516"})).json()["outcome"]
        assert "must not be in here" in (await client.get("/")).text

    with_client(shop, visit)


@pytest.mark.parametrize(
    ("person", "secret", "is_start_code", "outcome"),
    [
        (ALICE, "000000", False, "wrong"),
        (999, PIN.text, False, "wrong"),
        (ALICE, CODE.text, True, "code-spent"),
        (BOB, PIN.text, False, "no-pin"),
    ],
)
def test_who_is_not_let_in_hears_why_and_what_to_do(
    shop: PageUnderTest, person: int, secret: str, *, is_start_code: bool, outcome: str
) -> None:
    async def visit(client: httpx.AsyncClient) -> None:
        answer = await typed(client, person, secret, is_start_code=is_start_code)
        assert outcome == answer["outcome"]
        assert answer["what"]
        assert answer["to_do"]
        assert "Who are you?" in (await client.get("/")).text

    with_client(shop, visit)


def test_wait_after_wrong_tries_is_told_in_seconds(shop: PageUnderTest) -> None:
    async def visit(client: httpx.AsyncClient) -> None:
        answers = [await typed(client, ALICE, "000000") for _ in range(4)]
        assert [0, 0, 0, 30] == [one["wait_s"] for one in answers]
        assert "locked" == (await typed(client, ALICE, PIN.text))["outcome"]

    with_client(shop, visit)


def test_screen_that_guesses_at_many_names_must_wait(shop: PageUnderTest) -> None:
    async def visit(client: httpx.AsyncClient) -> None:
        for person in range(100, 105):
            await typed(client, person, "000000")
        answer = await typed(client, ALICE, PIN.text)
        assert "locked" == answer["outcome"]
        assert answer["wait_s"] > 0

    with_client(shop, visit)


def test_cookie_is_out_of_reach_of_scripts_and_other_sites(shop: PageUnderTest) -> None:
    async def visit(client: httpx.AsyncClient) -> None:
        answer = await client.post("/sign-in", json={"person": ALICE, "secret": PIN.text})
        name, _, rest = answer.headers["set-cookie"].partition("=")
        assert name.startswith("__Host-")
        assert [True] * 4 == [one in rest for one in ("HttpOnly", "SameSite=strict", "Secure", "Path=/")]
        assert "Max-Age" not in rest

    with_client(shop, visit)


def test_lock_ends_the_session_at_once(shop: PageUnderTest) -> None:
    async def visit(client: httpx.AsyncClient) -> None:
        await shop.sign_in(client)
        ((name, value),) = client.cookies.items()
        assert 204 == (await client.post("/lock")).status_code
        shop.gallery.until(lambda: not shop.gallery.running.snapshot().sessions)
        assert "Who are you?" in (await client.get("/", headers={"cookie": f"{name}={value}"})).text

    with_client(shop, visit)


def test_way_from_a_page_that_locked_itself_signs_out_first(shop: PageUnderTest) -> None:
    """POST /lock got no answer: the session lives, and whoever comes next presses *Sign in*."""

    async def visit(client: httpx.AsyncClient) -> None:
        await shop.sign_in(client)
        assert 'href="/?locked"' in (await client.get("/")).text
        leads = await client.get("/?locked")
        assert (303, "/") == (leads.status_code, leads.headers.get("location"))
        assert not client.cookies
        assert "Who are you?" in (await client.get("/")).text
        shop.gallery.until(lambda: not shop.gallery.running.snapshot().sessions)

    with_client(shop, visit)


def test_page_that_nobody_touches_is_locked_from_here(shop: PageUnderTest) -> None:
    async def visit(client: httpx.AsyncClient) -> None:
        await shop.sign_in(client)
        (session,) = shop.gallery.running.snapshot().sessions
        shop.site.room.keeping.touched(session, -1e6)
        assert "Who are you?" in (await client.get("/")).text
        shop.gallery.until(lambda: not shop.gallery.running.snapshot().sessions)

    with_client(shop, visit)


def test_stream_of_a_page_whose_session_has_ended_says_lock(shop: PageUnderTest) -> None:
    async def visit(client: httpx.AsyncClient) -> None:
        assert LOCK == (await client.get("/stream?page=open")).content

    with_client(shop, visit)


def test_open_page_is_told_at_once_that_its_session_was_closed(shop: PageUnderTest) -> None:
    async def visit(client: httpx.AsyncClient) -> None:
        await shop.sign_in(client)
        (session,) = shop.gallery.running.snapshot().sessions
        listener = shop.site.room.streams.join(session, "192.168.1.50")
        shop.gallery.running.sign_out(session)
        await asyncio.wait_for(listener.wait_end(), 30)
        assert LOCK == listener.farewell

    with_client(shop, visit)


async def reported(client: httpx.AsyncClient, **data: object) -> httpx.Response:
    said = {"report": REPORT, "kind": "breach", "scheme": 1, "case": 42, "left": "no"}
    return await client.post("/report", json=said | data)


def test_breach_goes_by_the_node_and_is_written_down_for_the_office(shop: PageUnderTest) -> None:
    async def visit(client: httpx.AsyncClient) -> None:
        await shop.sign_in(client)
        said = (await reported(client)).json()
        assert ("sent", "Sent to central.") == (said["state"], said["what"])
        assert "HART-0042" in (await client.get("/report")).text

    with_client(shop, visit)
    (alert,) = shop.node.asked
    (kept,) = shop.gallery.running.snapshot().reports

    assert (REPORT, "breach", 1, 42, "no") == (alert.request, alert.kind, alert.scheme, alert.person, alert.left)
    assert ("HART-0042", "breach", "no") == (kept.reference, kept.kind, kept.left)


def test_alert_that_is_not_sent_is_never_called_sent(shop: PageUnderTest) -> None:
    shop.node.answer = AlertAnswer(AlertState.IMPOSSIBLE)

    async def visit(client: httpx.AsyncClient) -> None:
        await shop.sign_in(client)
        said = (await reported(client)).json()
        assert "NOT SENT." == said["what"]
        assert "999" in said["to_do"]

    with_client(shop, visit)


def test_node_that_does_not_answer_is_not_waited_for(shop: PageUnderTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acting, "ALERT_S", 0.05)
    shop.node.answer = None

    async def visit(client: httpx.AsyncClient) -> None:
        await shop.sign_in(client)
        said = (await reported(client)).json()
        assert ("unknown", "It is not known whether this was sent.") == (said["state"], said["what"])
        assert "999" in said["to_do"]

    with_client(shop, visit)


@pytest.mark.parametrize("state", AlertState)
def test_report_that_was_not_kept_for_the_office_is_told(
    shop: PageUnderTest, monkeypatch: pytest.MonkeyPatch, state: AlertState
) -> None:
    def refuse(*_report: object) -> None:
        raise StoreRefusedError("no space left")

    shop.node.answer = AlertAnswer(state, "00000010-7")

    async def visit(client: httpx.AsyncClient) -> None:
        await shop.sign_in(client)
        assert not (await reported(client)).json()["office"]
        monkeypatch.setattr(shop.gallery.store, "keep_reports", refuse)
        said = (await reported(client, report="cd" * 16)).json()
        assert said["office"] == "Your report was not kept for the office: telephone your scheme’s co-ordinator."

    with_client(shop, visit)


@pytest.mark.parametrize(
    "data",
    [{"left": None}, {"kind": "sighting"}, {"kind": "attack"}, {"report": "x"}, {"left": "maybe"}, {"extra": 1}],
    ids=str,
)
def test_report_that_our_page_does_not_make_is_refused(shop: PageUnderTest, data: dict[str, object]) -> None:
    async def visit(client: httpx.AsyncClient) -> None:
        await shop.sign_in(client)
        assert 400 == (await reported(client, **data)).status_code

    with_client(shop, visit)
    assert [] == shop.node.asked


def test_nobody_reports_who_is_not_signed_in(shop: PageUnderTest) -> None:
    async def visit(client: httpx.AsyncClient) -> None:
        assert 403 == (await reported(client)).status_code

    with_client(shop, visit)
    assert [] == shop.node.asked


def test_body_that_is_too_large_is_refused(shop: PageUnderTest) -> None:
    async def visit(client: httpx.AsyncClient) -> None:
        answer = await client.post("/sign-in", content=b"{" + b" " * 5_000 + b"}")
        assert 400 == answer.status_code

    with_client(shop, visit)


def test_who_fits_a_tablet_reads_the_fingerprint_without_encryption(shop: PageUnderTest) -> None:
    async def visit(client: httpx.AsyncClient) -> None:
        fit = (await client.get("/fit")).text.replace("<wbr>", "")
        assert ROOT.fingerprint(hashes.SHA256()).hex(":").upper() in fit
        assert "the one on the unit’s own screen" in fit
        assert ROOT.public_bytes(Encoding.DER) == (await client.get("/fit/ca.crt")).content

    with_client(shop, visit, "http://192.168.1.20:8080")


def test_first_address_that_is_offered_is_the_one_that_works(shop: PageUnderTest) -> None:
    """Nothing in most shops knows the unit's name."""

    async def visit(client: httpx.AsyncClient) -> None:
        offered = re.findall(r'href="(https:[^"]+)"', (await client.get("/fit")).text)
        others = ["https://192.168.0.7/", "https://[fd00::7]/", "https://watchlink-00000010.local/"]
        assert ["https://192.168.1.20/", *others] == offered

    with_client(shop, visit, "http://192.168.1.20:8080")


def test_who_fits_a_tablet_in_vain_is_told_whom_to_call_and_not_to_look_at_the_cable(tmp_path: Path) -> None:
    async def visit(client: httpx.AsyncClient) -> None:
        fit = (await client.get("/fit")).text
        assert "Call the fleet engineer" in fit
        assert "cable" not in fit
        assert "Download" not in fit

    shop = PageUnderTest(tmp_path, replace(SETTINGS, reached=Reached()))
    try:
        with_client(shop, visit, "http://192.168.1.20:8080")
    finally:
        shop.end()


def test_address_is_given_with_its_port_and_none_where_there_is_none() -> None:
    reached = Reached(8446, lambda: ADDRESSES[1:], "watchlink-00000010.local")

    assert ["https://192.168.1.20:8446/", "https://[fd00::7]:8446/"] == reached.urls("localhost")
    assert ["https://[fd00::7]:8446/", "https://192.168.1.20:8446/"] == reached.urls("fd00::7")
    assert "https://watchlink-00000010.local:8446/" == reached.url_by_name
    assert ([], "") == (Reached().urls(""), Reached().url_by_name)


def test_off_the_unit_nobody_signs_in_without_encryption(shop: PageUnderTest) -> None:
    async def visit(client: httpx.AsyncClient) -> None:
        assert 403 == (await client.post("/sign-in", json={"person": ALICE, "secret": PIN.text})).status_code
        leads = await client.get("/")
        assert (303, "/fit") == (leads.status_code, leads.headers["location"])

    with_client(shop, visit, "http://192.168.1.20:8080")
    assert {} == dict(shop.gallery.running.snapshot().sessions)
