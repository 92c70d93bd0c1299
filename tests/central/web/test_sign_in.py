"""Signing in over HTTP: what a browser sends, gets and keeps."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from central.web.app import create_app
from central.web.guard import Site
from central.web.sign_in import BODY_BYTES_MAX
from tests.central.web.scripted_board import NOTICE, ScriptedBoard, ScriptedServer
from tests.central.web.signing_browser import CODE, ORIGIN, Browser, browsing, in_browser
from tests.support.software_passkey import SoftwarePasskey
from tests.support.town_office import COOKIE, DOOR, PATEL, PRIYA, TownOffice
from wire.printed_codes import code_digest
from wire.tickets import nonce_of


def test_stranger_gets_the_sign_in_page_and_a_link_that_is_bound_to_the_browser() -> None:
    async def script(browser: Browser) -> None:
        browser.board.press("attack", "Corner Shop")
        answer = await browser.open()

        assert 200 == answer.status_code
        assert "Corner Shop" not in answer.text
        assert f"http://localhost:8090/control-room/?nonce={nonce_of(browser.secret)}" in answer.text
        assert browser.secret not in answer.text
        assert "form-action 'self'" in answer.headers["content-security-policy"]

    in_browser(script)


@pytest.mark.parametrize("path", ["/feed", "/board.json", "/figures.csv", "/me.json"])
def test_stranger_sees_nothing(path: str) -> None:
    async def script(browser: Browser) -> None:
        answer = await browser.open(path)

        assert 401 == answer.status_code
        assert "sequence" not in answer.text

    in_browser(script)


def test_stranger_learns_only_whether_central_is_well() -> None:
    async def script(browser: Browser) -> None:
        assert {"is_ok": True} == (await browser.open("/healthz")).json()
        browser.board.set_links(is_disk_ok=False)
        answer = await browser.open("/healthz")
        assert (503, {"is_ok": False}) == (answer.status_code, answer.json())

    in_browser(script)


def test_stranger_may_not_act() -> None:
    async def script(browser: Browser) -> None:
        answer = await browser.act(role="cctv")

        assert 401 == answer.status_code
        assert "signed out" in answer.json()["reason"]
        assert [] == browser.board.actions

    in_browser(script)


def test_link_from_the_office_lets_in_and_leaves_a_clean_address() -> None:
    async def script(browser: Browser) -> None:
        answer = await browser.enter()

        assert (303, "/") == (answer.status_code, answer.headers["location"])
        assert "no-referrer" == answer.headers["referrer-policy"]
        assert "Priya Shah" in (await browser.open()).text
        assert DOOR not in browser.client.cookies

    in_browser(script)


def test_cookie_is_kept_from_scripts_and_other_sites() -> None:
    async def script(browser: Browser) -> None:
        said = (await browser.enter()).headers["set-cookie"]

        assert f"{COOKIE}=" in said
        assert "HttpOnly" in said
        assert "SameSite=lax" in said

    in_browser(script)


def test_cookies_under_tls_are_bound_to_the_host() -> None:
    async def run() -> None:
        site = Site(frozenset({"central.town.example"}), is_tls=True)
        async with browsing(ScriptedBoard(), site, "https://central.town.example:8443") as browser:
            answer = await browser.open()

            assert answer.headers["set-cookie"].startswith(f"__Host-{DOOR}=")
            assert "Secure" in answer.headers["set-cookie"]
            assert "max-age" in answer.headers["strict-transport-security"]

    asyncio.run(run())


def test_new_sign_in_gets_a_new_cookie_whatever_the_browser_brought() -> None:
    """Session fixation."""

    async def script(browser: Browser) -> None:
        browser.client.cookies.set(COOKIE, "planted", domain="localhost.local")
        await browser.enter()

        assert browser.gate.visitor("planted") is None
        assert 1 == len(browser.gate.sessions.of_account(PRIYA))

    in_browser(script)


def test_second_person_in_a_browser_replaces_the_first() -> None:
    async def script(browser: Browser) -> None:
        await browser.enter(PRIYA)
        first = browser.client.cookies[COOKIE]
        browser.client.cookies.delete(COOKIE)
        secret_page = await browser.open()
        assert 200 == secret_page.status_code
        ticket = browser.office.ticket(PATEL, browser.secret)
        browser.client.cookies.set(COOKIE, first, domain="localhost.local")
        await browser.open("/enter", params={"ticket": ticket})

        assert browser.gate.visitor(first) is None
        assert () == browser.gate.sessions.of_account(PRIYA)

    in_browser(script)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"nonce": "0" * 64}, "made for another browser"),
        ({"issued_s": 0, "expires_s": 60}, "good for one minute"),
    ],
    ids=["other browser", "expired"],
)
def test_refused_link_says_what_to_do(changes: dict[str, Any], said: str) -> None:
    async def script(browser: Browser) -> None:
        answer = await browser.enter(**changes)

        assert 403 == answer.status_code
        assert said in answer.text
        assert "Sign in at the office" in answer.text
        assert "no-referrer" == answer.headers["referrer-policy"]

    in_browser(script)


def test_link_pressed_twice_says_so_and_leads_back() -> None:
    async def script(browser: Browser) -> None:
        await browser.open()
        secret = browser.secret
        ticket = browser.office.ticket(PRIYA, secret)
        await browser.open("/enter", params={"ticket": ticket})
        browser.client.cookies.set(DOOR, secret, domain="localhost.local")
        answer = await browser.open("/enter", params={"ticket": ticket})

        assert 403 == answer.status_code
        assert "used already" in answer.text
        assert "Back to the control room" in answer.text

    in_browser(script)


def test_passkey_signs_in_by_the_pages_own_routes() -> None:
    async def script(browser: Browser) -> None:
        passkey = SoftwarePasskey()
        browser.office.change(PRIYA, passkeys=(passkey.entry,))
        browser.publish()
        await browser.open()
        headers = {"x-watchlink": "1"}
        options = (await browser.client.post("/sign-in/passkey/begin", headers=headers)).json()
        answer = passkey.answer(options, ORIGIN)
        done = await browser.client.post("/sign-in/passkey/finish", json=answer, headers=headers)
        again = await browser.client.post("/sign-in/passkey/finish", json=answer, headers=headers)

        assert (200, "localhost") == (done.status_code, options["publicKey"]["rpId"])
        assert 403 == again.status_code
        assert "with a passkey, without the office" in (await browser.open()).text

    in_browser(script)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff"])
def test_nonsense_is_no_passkey(body: bytes) -> None:
    async def script(browser: Browser) -> None:
        answer = await browser.client.post("/sign-in/passkey/finish", content=body, headers={"x-watchlink": "1"})

        assert 403 == answer.status_code
        assert "refused" == answer.json()["type"]

    in_browser(script)


def test_passkey_used_on_another_ports_page_opens_nothing_here(server: ScriptedServer) -> None:
    """Whoever has that page may send what they like, our Host header as well as theirs."""
    passkey, ours, theirs = SoftwarePasskey(), f"localhost:{server.port}", "localhost:9"
    server.office.change(PRIYA, passkeys=(passkey.entry,))
    server.publish()
    statuses = []
    for host, origin in ((theirs, theirs), (ours, theirs), (ours, ours)):
        with httpx.Client(base_url=server.url, headers={"x-watchlink": "1", "host": ours}, timeout=60) as client:
            begun = client.post("/sign-in/passkey/begin")
            answer = passkey.answer(begun.json(), f"http://{origin}")
            headers = {"host": host, "cookie": f"{DOOR}={begun.cookies[DOOR]}"}
            statuses.append(client.post("/sign-in/passkey/finish", json=answer, headers=headers).status_code)

    assert [421, 403, 200] == statuses


def give_code(browser: Browser) -> None:
    digest = code_digest(PRIYA, CODE)
    assert digest is not None
    browser.office.change(PRIYA, printed_codes=(digest,))
    browser.publish()


def test_printed_code_signs_in_by_a_form() -> None:
    async def script(browser: Browser) -> None:
        give_code(browser)
        answer = await browser.send("/sign-in/code", username="priya.shah", code=CODE)

        assert (303, "/") == (answer.status_code, answer.headers["location"])
        page = (await browser.open("/session")).text
        assert "with a printed code, without the office" in page
        assert "the office does not know of it. Tell your co-ordinator." in page

    in_browser(script)


def test_page_of_a_sign_in_at_the_office_says_nothing_of_codes() -> None:
    async def script(browser: Browser) -> None:
        await browser.enter()

        assert "printed code" not in (await browser.open("/session")).text

    in_browser(script)


def test_wrong_code_keeps_the_name_that_was_typed_and_is_slowed() -> None:
    async def script(browser: Browser) -> None:
        browser.gate._clock_s = lambda: 0.0  # A busy machine may take a second of the five, or all.
        answers = [await browser.send("/sign-in/code", username="pri<ya", code="x") for _ in range(6)]

        assert [403] * 5 + [429] == [answer.status_code for answer in answers]
        assert 'value="pri&lt;ya"' in answers[0].text
        assert "Wait 5 seconds" in answers[5].text

    in_browser(script)


def test_guesses_are_slowed_whatever_address_they_claim(server: ScriptedServer) -> None:
    server.gate._clock_s = lambda: 0.0
    origin = server.url.rstrip("/")
    statuses = []
    with httpx.Client(base_url=origin, headers={"origin": origin}, timeout=60) as client:
        for number in range(6):
            headers = {"x-forwarded-for": f"10.0.0.{number}", "forwarded": f"for=10.0.0.{number}"}
            form = {"username": "priya.shah", "code": "x"}
            statuses.append(client.post("/sign-in/code", data=form, headers=headers).status_code)

    assert [403] * 5 + [429] == statuses


def test_long_form_lets_nobody_in_though_its_code_is_right() -> None:
    async def script(browser: Browser) -> None:
        give_code(browser)
        right = {"username": "priya.shah", "code": CODE}

        assert 403 == (await browser.send("/sign-in/code", **right, more="x" * BODY_BYTES_MAX)).status_code
        assert 303 == (await browser.send("/sign-in/code", **right, more="x")).status_code

    in_browser(script)


def test_long_answer_lets_nobody_in_though_its_passkey_is_right() -> None:
    async def script(browser: Browser) -> None:
        passkey = SoftwarePasskey()
        browser.office.change(PRIYA, passkeys=(passkey.entry,))
        browser.publish()
        await browser.open()
        headers = {"x-watchlink": "1"}
        for more, expected in (("x" * BODY_BYTES_MAX, 403), ("x", 200)):
            options = (await browser.client.post("/sign-in/passkey/begin", headers=headers)).json()
            answer = {**passkey.answer(options, ORIGIN), "more": more}
            done = await browser.client.post("/sign-in/passkey/finish", json=answer, headers=headers)
            assert expected == done.status_code

    in_browser(script)


def test_central_without_an_office_says_how_to_set_one_up() -> None:
    async def run() -> None:
        gate = TownOffice().gate(office_url="")
        app = create_app(ScriptedBoard(), gate, inter_font_dir=None, notice=NOTICE)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ORIGIN) as client:
            answer = await client.get("/")
            assert "watchlink office init" in answer.text
            assert "Sign in at the office" not in answer.text
            assert 503 == (await client.get("/enter", params={"ticket": "x"})).status_code

    asyncio.run(run())


def test_central_without_a_list_yet_says_so() -> None:
    async def script(browser: Browser) -> None:
        browser.gate._register = None

        assert "no list of people from the office" in (await browser.open()).text

    in_browser(script)


def test_warnings_are_for_people_inside_and_strangers_learn_only_that_there_are_some() -> None:
    """They name folders and hosts."""

    async def script(browser: Browser) -> None:
        assert "not in order" not in (await browser.open()).text
        browser.gate.take_fault("people", "The folder cannot be read.")
        page = await browser.open()
        assert "The folder cannot be read." not in page.text
        assert "not in order" in page.text
        await browser.enter()
        assert "The folder cannot be read." in (await browser.open("/sign-in")).text
        assert "The folder cannot be read." in (await browser.open()).text
        assert ["The folder cannot be read."] == (await browser.open("/me.json")).json()["warnings"]

    in_browser(script)


def test_backup_that_failed_is_told_to_people_inside_and_keeps_nobody_from_signing_in() -> None:
    async def script(browser: Browser) -> None:
        browser.gate.take_own_fault("backups", "The backup failed.")
        page = await browser.open()
        assert "not in order" not in page.text
        assert "The backup failed." not in page.text
        await browser.enter()
        assert (
            '<strong>NOT IN ORDER.</strong> <span id="office-word">The backup failed.</span>'
            in (await browser.open()).text
        )
        assert ["The backup failed."] == (await browser.open("/me.json")).json()["warnings"]

    in_browser(script)


def test_sign_ins_without_the_office_are_marked_for_the_co_ordinator_alone() -> None:
    async def script(browser: Browser) -> None:
        give_code(browser)
        await browser.send("/sign-in/code", username="priya.shah", code=CODE)
        assert "last seven days" not in (await browser.open("/session")).text
        boss = browser.office.add("Ann Head", "co-ordinator").account
        browser.publish()
        await browser.send("/sign-out")
        await browser.enter(boss)

        assert "<strong>with a printed code, without the office</strong>" in (await browser.open("/session")).text

    in_browser(script)


def test_somebody_whose_shift_ends_signs_in_again_without_signing_out() -> None:
    async def script(browser: Browser) -> None:
        await browser.enter()
        first = browser.client.cookies[COOKIE]
        page = await browser.open("/sign-in")
        await browser.open("/enter", params={"ticket": browser.office.ticket(PRIYA, browser.secret)})

        assert "Back to the control room" in page.text
        assert browser.gate.visitor(first) is None
        assert browser.gate.visitor(browser.client.cookies[COOKIE]) is not None

    in_browser(script)


def test_page_of_a_struck_key_offers_no_way_in_and_says_why() -> None:
    async def script(browser: Browser) -> None:
        browser.gate.trust_list_while(lambda: False)
        page = await browser.open()
        answer = await browser.send("/sign-in/code", username="priya.shah", code=CODE)

        assert "no longer trusted" in page.text
        assert "Sign in at the office" not in page.text
        assert 503 == answer.status_code

    in_browser(script)
