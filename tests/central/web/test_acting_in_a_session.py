"""What a person may do once they are in, how long, and how they get out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import pytest

from central.core.rights import Rights
from central.core.view import Action, Done, EndDuty, OnDuty, Person, Refused, TakeOffDuty
from central.signin.errors import RecordError
from tests.central.web.scripted_board import ScriptedBoard
from tests.central.web.signing_browser import Browser, in_browser
from tests.support.town_office import COOKIE, PATEL, PRIYA, open_session
from wire.snapshots import RoleEntry


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
            yield b'{"action": {"type": "start-watch", "proof": "page"}, '
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


async def until(is_so: Callable[[], object]) -> None:
    """The sessions are looked through every second."""
    for _ in range(6_000):
        if is_so():
            return
        await asyncio.sleep(0.01)
    raise TimeoutError("it did not come so")


@pytest.mark.parametrize(
    ("card", "is_held"),
    [
        ({"kind": "attack"}, True),
        ({"kind": "attack", "state": "answered"}, True),
        ({"kind": "attack", "state": "closed"}, False),
        ({"kind": "attack", "is_drill": True}, False),
        ({"kind": "assist"}, False),
    ],
    ids=["unanswered", "answered", "closed", "drill", "not an attack"],
)
def test_session_is_held_by_an_open_attack_alone(card: dict[str, Any], *, is_held: bool) -> None:
    async def script(browser: Browser) -> None:
        browser.board.press(**card)
        await browser.enter()
        cookie = browser.client.cookies[COOKIE]
        session = browser.gate.sessions.find(cookie)
        assert session is not None
        later = session.expires_at + timedelta(minutes=1)
        browser.gate.now = lambda: later
        await until(lambda: browser.gate.sessions.find(cookie) != session)

        assert is_held == (browser.gate.sessions.find(cookie) is not None)

    in_browser(script)


def refuse_ends(browser: Browser) -> None:
    """The disk is full."""

    def refuse(*_: object) -> None:
        raise RecordError("full")

    store = browser.store
    store.change = refuse  # type: ignore[method-assign,assignment]


@pytest.mark.parametrize("path", ["/sign-out", "/sign-out-everywhere"])
def test_signing_out_takes_the_cookie_away(path: str) -> None:
    async def script(browser: Browser) -> None:
        await browser.enter()
        answer = await browser.send(path)

        assert 303 == answer.status_code
        assert COOKIE not in browser.client.cookies
        assert "You have signed out" in (await browser.open()).text
        await browser.enter()
        await browser.gate.sessions.write()
        assert "You have signed out" not in (await browser.open("/sign-in")).text

    in_browser(script)


@pytest.mark.parametrize("path", ["/sign-out", "/sign-out-everywhere"])
def test_sign_out_that_the_disk_refused_says_so_and_leaves_no_cookie_behind(path: str) -> None:
    """After a restart of central the session would be open again."""

    async def script(browser: Browser) -> None:
        await browser.enter()
        cookie = browser.client.cookies[COOKIE]
        refuse_ends(browser)
        answer = await browser.send(path)

        assert 503 == answer.status_code
        assert "could not be recorded" in answer.text
        assert COOKIE not in browser.client.cookies
        assert browser.gate.visitor(cookie) is None

    in_browser(script)


def test_session_is_over_before_the_duty_is() -> None:
    class SlowBoard(ScriptedBoard):
        async def act(self, action: Action, by: Person, rights: Rights | None = None) -> Done | Refused:
            self.actions.append((action, by))
            await asyncio.Event().wait()
            raise AssertionError

    board = SlowBoard()

    async def script(browser: Browser) -> None:
        await browser.enter()
        cookie = browser.client.cookies[COOKIE]
        board.on_duty = (on_duty(Person("cctv", "Priya Shah", PRIYA), board),)
        leaving = asyncio.create_task(browser.send("/sign-out"))
        await until(lambda: board.actions)

        assert browser.gate.visitor(cookie) is None
        leaving.cancel()

    in_browser(script, board)


def test_page_of_somebody_else_cannot_act_in_this_ones_name() -> None:
    """Another tab has signed in another person; this one has not been drawn anew yet."""

    async def script(browser: Browser) -> None:
        await browser.enter(PATEL)
        answer = await browser.act(role="pcso", account=PRIYA)

        assert 409 == answer.status_code
        assert "Reload" in answer.json()["reason"]
        assert [] == browser.board.actions
        assert 200 == (await browser.act(role="pcso", account=PATEL)).status_code

    in_browser(script)


class DutyBoard(ScriptedBoard):
    """Takes everything that is asked for; Priya Shah and J Patel are on duty."""

    def __init__(self) -> None:
        super().__init__()
        self.on_duty = tuple(
            on_duty(one, self) for one in (Person("cctv", "Priya Shah", PRIYA), Person("pcso", "J Patel", PATEL))
        )

    async def act(self, action: Action, by: Person, rights: Rights | None = None) -> Done | Refused:
        self.actions.append((action, by))
        return Done(self.sequence)


def end_at_the_office(browser: Browser, _cookie: str) -> None:
    browser.office.change(PRIYA, generation=2)
    browser.publish()


def end_by_time(browser: Browser, cookie: str) -> None:
    session = browser.gate.sessions.find(cookie)
    assert session is not None
    later = session.expires_at + timedelta(minutes=1)
    browser.gate.now = lambda: later


def replace_by_another(browser: Browser, cookie: str) -> None:
    session = browser.gate.sessions.find(cookie)
    assert session is not None
    browser.gate.sign_out(session, "replaced")


@pytest.mark.parametrize(
    ("end", "why"),
    [
        (end_at_the_office, "signed out: ended at the office"),
        (end_by_time, "signed out: end of shift"),
        (replace_by_another, "signed out: signed in again"),
    ],
)
def test_watchlink_ends_duty_with_the_last_session_that_is_not_signed_out(
    end: Callable[[Browser, str], None], why: str
) -> None:
    """Shops must not be told that somebody is there who cannot answer; nor the record that they ended it themselves."""
    board = DutyBoard()

    async def script(browser: Browser) -> None:
        await browser.enter()
        cookie = browser.client.cookies[COOKIE]
        other = None if end is end_at_the_office else await open_session(browser.gate)
        if other is not None:
            session = browser.gate.sessions.find(other)
            assert session is not None
            browser.gate.sign_out(session, "too-many")
            await asyncio.sleep(0)
            assert [] == board.actions, "one session is left"
        end(browser, cookie)
        await until(lambda: board.actions)

        assert [(TakeOffDuty(why), Person("cctv", "Priya Shah", PRIYA))] == board.actions

    in_browser(script, board)
