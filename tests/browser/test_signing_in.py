"""Signing in and out as a person sees it, with Chromium's own passkey dialog (a virtual authenticator)."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from msgspec.structs import replace
from playwright.sync_api import BrowserContext, Page, Route, expect

from central.core.view import EndDuty
from demo.stand_in_office import OFFICE_URL
from tests.browser.conftest import PRIYA, OpenPage, listen_for_complaints
from tests.central.web.scripted_board import ScriptedBoard, ScriptedServer
from tests.support.page_for_everybody import violations
from tests.support.software_passkey import SoftwarePasskey
from wire.printed_codes import code_digest, code_text
from wire.snapshots import RoleEntry
from wire.tickets import TICKET_LIFE_S, Ticket, sign_ticket

pytestmark = pytest.mark.integration

OpenContext = Callable[..., BrowserContext]
ACCOUNT = PRIYA.account


@pytest.fixture
def door(open_context: OpenContext, server: ScriptedServer, complaints: list[str]) -> Page:
    """The sign-in page, opened by name: passkeys want one."""
    page = open_context().new_page()
    listen_for_complaints(page, complaints)
    page.goto(server.url.replace("127.0.0.1", "localhost"))
    return page


def answer_as_the_office(page: Page, server: ScriptedServer) -> None:
    """The office's page: one plain link back, with a ticket for the nonce that central gave."""

    def answer(route: Route) -> None:
        (nonce,) = parse_qs(urlsplit(route.request.url).query)["nonce"]
        now_s = int(server.office.now().timestamp())
        ticket = Ticket(
            id="0" * 31 + "1",
            account=ACCOUNT,
            generation=1,
            session="ab" * 16,
            nonce=nonce,
            second_factor_age_s=0,
            issued_s=now_s,
            expires_s=now_s + TICKET_LIFE_S,
        )
        text = sign_ticket(ticket, server.office.town, server.office._ticket_seed)
        back = f"{server.url.replace('127.0.0.1', 'localhost')}enter?ticket={text}"
        route.fulfill(body=f'<a id="back" href="{back}">Continue</a>', content_type="text/html")

    page.route(f"{OFFICE_URL}**", answer)


def test_office_and_back_lands_on_the_live_board_with_a_clean_address(door: Page, server: ScriptedServer) -> None:
    answer_as_the_office(door, server)
    door.click("#office")
    door.click("#back")
    door.wait_for_selector("#live[data-live=live]")

    assert "/" == urlsplit(door.url).path
    assert "" == urlsplit(door.url).query
    expect(door.locator("#person-name")).to_have_text("Priya Shah")


def test_passkey_of_the_browser_signs_in_without_the_office(door: Page, server: ScriptedServer) -> None:
    passkey = SoftwarePasskey()
    session = door.context.new_cdp_session(door)
    session.send("WebAuthn.enable")
    options: dict[str, Any] = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    authenticator = session.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"]
    credential = {
        "credentialId": base64.b64encode(passkey.credential).decode(),
        "isResidentCredential": True,
        "rpId": "localhost",
        "privateKey": base64.b64encode(passkey.private_key).decode(),
        "userHandle": base64.b64encode(b"1").decode(),
        "signCount": 0,
    }
    session.send("WebAuthn.addCredential", {"authenticatorId": authenticator, "credential": credential})
    server.office.change(ACCOUNT, passkeys=(passkey.entry,))
    server.call(server.publish)
    door.click("#passkey")
    door.wait_for_selector("#live[data-live=live]")

    expect(door.locator("#person")).to_contain_text("with a passkey, without the office")


def test_printed_code_signs_in_without_script(
    open_context: OpenContext, server: ScriptedServer, complaints: list[str]
) -> None:
    code = code_text(bytes(range(10)))
    digest = code_digest(ACCOUNT, code)
    assert digest is not None
    server.office.change(ACCOUNT, printed_codes=(digest,))
    server.call(server.publish)
    page = open_context(java_script_enabled=False).new_page()
    page.goto(server.url)
    page.click("summary")
    page.fill("[name=username]", "priya.shah")
    page.fill("[name=code]", code)
    page.click("form button")

    expect(page.locator("#person-name")).to_have_text("Priya Shah")


def test_page_of_an_ended_account_is_out_at_once_and_says_why(open_page: OpenPage, server: ScriptedServer) -> None:
    page = open_page()
    del server.office.people[ACCOUNT]
    server.call(server.publish)

    expect(page.get_by_role("alert")).to_contain_text("Your account has ended")
    expect(page.locator("#passkey")).to_be_visible()


def test_every_tab_of_an_ended_session_is_out(
    open_context: OpenContext, open_page: OpenPage, server: ScriptedServer
) -> None:
    context = open_context()
    tabs = [open_page(context), open_page(context)]
    server.office.change(ACCOUNT, generation=2)
    server.call(server.publish)

    for tab in tabs:
        expect(tab.locator("#passkey")).to_be_visible()


def test_page_of_a_person_whose_roles_change_is_drawn_anew(open_page: OpenPage, server: ScriptedServer) -> None:
    page = open_page()
    page.evaluate("window.isOld = true")
    server.office.change(ACCOUNT, roles=(RoleEntry(role="fleet-engineer", schemes=(1,)),))
    server.call(server.publish)

    page.wait_for_function("() => !window.isOld && document.querySelector('#live[data-live=live]')")
    expect(page.locator("#start-duty")).to_be_hidden()
    expect(page.locator("#end-duty")).to_be_hidden()


def test_signing_out_takes_two_presses_and_ends_the_duty(
    open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard
) -> None:
    page = open_page()
    with page.expect_popup() as opened:
        page.click("#person")  # the live page stays
    mine = opened.value
    expect(mine.locator("main")).to_contain_text("Signing out ends your duty")
    mine.click("text=Sign out here")

    for tab in (mine, page):
        expect(tab.get_by_role("alert")).to_have_text("You have signed out.")
    assert [(EndDuty(), PRIYA)] == board.actions


def test_fleet_engineer_is_not_told_that_nothing_waits_and_nobody_is_there(
    open_page: OpenPage, server: ScriptedServer
) -> None:
    """They see no alerts: the page must not say that there are none."""
    engineer = server.office.add("Sam Obi", "fleet-engineer").account
    server.call(server.publish)
    page = open_page(is_on_duty=False, account=engineer)

    expect(page.locator("body")).to_contain_text("UNITS ONLY")
    for said in ("NOBODY ON DUTY", "Nothing urgent is unanswered", "No alert is waiting", "On duty: nobody"):
        assert said not in page.inner_text("body")
    assert [] == [found["id"] for found in violations(page)]


def test_page_warns_before_the_shift_ends(open_page: OpenPage, server: ScriptedServer) -> None:
    cookies = server.sign_in()
    (session,) = server.gate.sessions.of_account(ACCOUNT)
    soon = replace(session, expires_at=server.office.now() + timedelta(minutes=20))
    server.call(lambda: server.gate.sessions._open.update({session.digest: soon}))
    page = open_page()
    expect(page.locator("#banner-shift")).to_be_hidden()
    page.context.add_cookies([{"name": name, "value": value, "url": server.url} for name, value in cookies.items()])
    page.reload()

    expect(page.locator("#banner-shift")).to_contain_text("YOUR SIGN-IN ENDS AT")
    expect(page.locator("#shift-again")).to_be_visible()


def test_signing_in_again_keeps_the_live_page_live(open_page: OpenPage, server: ScriptedServer) -> None:
    """Its sound goes on: it is not loaded again."""
    page = open_page()
    page.evaluate("window.isSame = true")
    cookies = server.sign_in()
    page.context.add_cookies([{"name": name, "value": value, "url": server.url} for name, value in cookies.items()])
    (before, _) = server.gate.sessions.of_account(ACCOUNT)
    server.call(lambda: server.gate.sign_out(before, "replaced"))
    server.call(lambda: server.board.press("attack", "Corner Shop"))

    expect(page.locator("#unanswered .card")).to_contain_text("Corner Shop")
    assert page.evaluate("window.isSame")


@pytest.mark.parametrize("scheme", ["dark", "light"])
@pytest.mark.parametrize("width", [1440, 390])
def test_pages_of_signing_in_are_accessible(
    open_page: OpenPage, open_context: OpenContext, server: ScriptedServer, scheme: str, width: int
) -> None:
    options: dict[str, Any] = {"color_scheme": scheme, "viewport": {"width": width, "height": 844}}
    door = open_context(**options).new_page()
    door.goto(server.url)
    door.click("summary")
    mine = open_page(open_context(**options))
    mine.goto(f"{server.url}session")

    for page in (door, mine):
        assert [] == [found["id"] for found in violations(page)]
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
