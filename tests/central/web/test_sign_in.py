"""Signing in over HTTP: what a browser sends, gets and keeps."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from central.core.rights import Rights
from central.core.view import Action, Done, EndDuty, OnDuty, Person, Refused
from central.signin.gate import Gate
from central.web.app import create_app
from central.web.guard import Site
from tests.central.web.scripted_board import NOTICE, ScriptedBoard
from tests.support.software_passkey import SoftwarePasskey
from tests.support.town_office import COOKIE, DOOR, PATEL, PRIYA, KeptSessions, TownOffice, open_session
from wire.printed_codes import code_digest, code_text
from wire.snapshots import RoleEntry
from wire.tickets import nonce_of

ORIGIN = "http://localhost:8080"
CODE = code_text(bytes(range(10)))
Script = Callable[["Browser"], Coroutine[Any, Any, None]]


class Browser:
    """A browser at central's page, the office and the gate behind it."""

    def __init__(self, client: httpx.AsyncClient, office: TownOffice, gate: Gate, board: ScriptedBoard) -> None:
        self.client = client
        self.office = office
        self.gate = gate
        self.board = board

    async def open(self, path: str = "/", **more: Any) -> httpx.Response:  # noqa: ANN401 - httpx's own
        return await self.client.get(path, **more)

    async def enter(self, account: int = PRIYA, **changes: Any) -> httpx.Response:  # noqa: ANN401 - fields of the ticket
        """By the office, from the beginning."""
        await self.open()
        return await self.open("/enter", params={"ticket": self.office.ticket(account, self.secret, **changes)})

    async def act(self, action: str = "start-watch", **more: object) -> httpx.Response:
        return await self.client.post(
            "/actions", json={"action": {"type": action}, **more}, headers={"x-watchlink": "1"}
        )

    async def send(self, path: str, **fields: str) -> httpx.Response:
        return await self.client.post(path, data=fields)

    def publish(self) -> None:
        self.gate.take_people(self.office.snapshot())

    @property
    def secret(self) -> str:
        return self.client.cookies[DOOR]


@asynccontextmanager
async def browsing(board: ScriptedBoard, site: Site | None = None, origin: str = ORIGIN) -> AsyncIterator[Browser]:
    office = TownOffice()
    gate = office.gate(KeptSessions())
    app = create_app(board, gate, inter_font_dir=None, notice=NOTICE, site=site)
    transport = httpx.ASGITransport(app)
    headers = {"origin": origin, "host": origin.partition("://")[2]}
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url=origin, headers=headers) as client,
    ):
        yield Browser(client, office, gate, board)


def in_browser(script: Script, board: ScriptedBoard | None = None) -> None:
    async def run() -> None:
        async with browsing(board or ScriptedBoard()) as browser:
            await script(browser)

    asyncio.run(run())


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


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"x" * 20_000])
def test_nonsense_is_no_passkey(body: bytes) -> None:
    async def script(browser: Browser) -> None:
        answer = await browser.client.post("/sign-in/passkey/finish", content=body, headers={"x-watchlink": "1"})

        assert 403 == answer.status_code
        assert "refused" == answer.json()["type"]

    in_browser(script)


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
        assert "with a printed code, without the office" in (await browser.open("/session")).text

    in_browser(script)


def test_wrong_code_keeps_the_name_that_was_typed_and_is_slowed() -> None:
    async def script(browser: Browser) -> None:
        answers = [await browser.send("/sign-in/code", username="pri<ya", code="x") for _ in range(6)]

        assert [403] * 5 + [429] == [answer.status_code for answer in answers]
        assert 'value="pri&lt;ya"' in answers[0].text
        assert "Wait 5 seconds" in answers[5].text

    in_browser(script)


def test_long_form_is_refused() -> None:
    async def script(browser: Browser) -> None:
        assert 403 == (await browser.send("/sign-in/code", username="x" * 10_000_000, code="y")).status_code

    in_browser(script)


def test_browser_cannot_say_who_it_is() -> None:
    async def script(browser: Browser) -> None:
        await browser.enter(PATEL)
        answer = await browser.act(role="pcso", by={"role": "cctv", "name": "Priya Shah"})

        assert 409 == answer.status_code
        assert "Reload" in answer.json()["reason"]
        assert [] == browser.board.actions

    in_browser(script)


@pytest.mark.parametrize("role", ["cctv", "co-ordinator", "police", "admin", "pcso "])
def test_browser_cannot_choose_a_role_that_is_not_the_persons(role: str) -> None:
    async def script(browser: Browser) -> None:
        await browser.enter(PATEL)

        assert 403 == (await browser.act(role=role)).status_code
        assert [] == browser.board.actions

    in_browser(script)


def test_person_of_several_roles_chooses_among_them() -> None:
    async def script(browser: Browser) -> None:
        roles = (RoleEntry(role="pcso", schemes=(1,)), RoleEntry(role="duty-officer", schemes=(2,)))
        browser.office.change(PATEL, roles=roles)
        browser.publish()
        await browser.enter(PATEL)

        assert 403 == (await browser.act()).status_code
        assert 200 == (await browser.act(role="duty-officer")).status_code
        assert [Person("duty-officer", "J Patel", PATEL)] == [by for _, by in browser.board.actions]

    in_browser(script)


def test_person_of_one_role_need_not_say_it() -> None:
    async def script(browser: Browser) -> None:
        await browser.enter(PATEL)
        await browser.act()

        assert [Person("pcso", "J Patel", PATEL)] == [by for _, by in browser.board.actions]

    in_browser(script)


def test_fleet_engineer_may_look_and_not_act() -> None:
    async def script(browser: Browser) -> None:
        engineer = browser.office.add("Sam Obi", "fleet-engineer").account
        browser.publish()
        await browser.enter(engineer)

        assert 200 == (await browser.open("/board.json")).status_code
        assert 403 == (await browser.act(role="fleet-engineer")).status_code

    in_browser(script)


def test_body_that_arrives_after_the_accounts_end_is_refused() -> None:
    async def script(browser: Browser) -> None:
        await browser.enter()
        may_go_on = asyncio.Event()

        async def body() -> AsyncIterator[bytes]:
            yield b'{"action": {"type": "start-watch"}, '
            await may_go_on.wait()
            yield b'"role": "cctv"}'

        headers = {"x-watchlink": "1", "content-type": "application/json"}
        sending = asyncio.create_task(browser.client.post("/actions", content=body(), headers=headers))
        await asyncio.sleep(0)
        del browser.office.people[PRIYA]
        browser.publish()
        may_go_on.set()

        assert 401 == (await sending).status_code
        assert [] == browser.board.actions

    in_browser(script)


def test_ended_account_is_out_at_once_and_the_page_says_why() -> None:
    async def script(browser: Browser) -> None:
        await browser.enter()
        del browser.office.people[PRIYA]
        browser.publish()

        assert 401 == (await browser.open("/board.json")).status_code
        assert "Your account has ended" in (await browser.open()).text

    in_browser(script)


def test_signing_out_ends_the_session_and_the_duty() -> None:
    class DutyBoard(ScriptedBoard):
        async def act(self, action: Action, by: Person, rights: Rights | None = None) -> Done | Refused:
            self.actions.append((action, by))
            return Done(self.sequence)

    board = DutyBoard()

    async def script(browser: Browser) -> None:
        await browser.enter()
        me = Person("cctv", "Priya Shah", PRIYA)
        board.on_duty = (on_duty(me, board), on_duty(Person("pcso", "J Patel", PATEL), board))
        page = await browser.open("/session")
        answer = await browser.send("/sign-out")

        assert "Signing out ends your duty" in page.text
        assert (303, "/") == (answer.status_code, answer.headers["location"])
        assert [(EndDuty(), me)] == board.actions
        assert "You have signed out" in (await browser.open()).text
        assert 401 == (await browser.open("/board.json")).status_code

    in_browser(script, board)


def on_duty(person: Person, board: ScriptedBoard) -> OnDuty:
    return OnDuty(person.role, person.name, board.at, person.account)


def test_signing_out_everywhere_ends_the_persons_sessions_and_nobody_elses() -> None:
    async def script(browser: Browser) -> None:
        other, patel = await open_session(browser.gate), await open_session(browser.gate, PATEL)
        await browser.enter()
        await browser.send("/sign-out-everywhere")

        assert browser.gate.visitor(other) is None
        assert browser.gate.visitor(patel) is not None

    in_browser(script)


@pytest.mark.parametrize("path", ["/sign-out", "/sign-out-everywhere"])
def test_signing_out_needs_our_own_page(path: str) -> None:
    async def script(browser: Browser) -> None:
        await browser.enter()
        del browser.client.headers["origin"]
        assert 403 == (await browser.send(path)).status_code
        assert 403 == (await browser.client.post(path, headers={"origin": "http://localhost:8090"})).status_code

        assert 200 == (await browser.open("/board.json")).status_code

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


def test_warnings_are_on_both_pages() -> None:
    async def script(browser: Browser) -> None:
        browser.gate.take_fault("people", "The folder cannot be read.")
        assert "The folder cannot be read." in (await browser.open()).text
        await browser.enter()
        assert "The folder cannot be read." in (await browser.open()).text
        assert ["The folder cannot be read."] == (await browser.open("/me.json")).json()["warnings"]

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
