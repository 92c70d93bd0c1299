"""Going on duty proves that the person can be reached, and hands over what is open. Real Chromium, desk and phone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from playwright.sync_api import Page, Route, expect

from central.core.asking_lines import WentOffLine
from central.core.view import Acknowledge, EndDuty, OnDuty, Person, ReadHandover, StartDuty
from tests.browser.conftest import (
    PRIYA,
    OpenContext,
    OpenPage,
    held,
    listen_for_complaints,
    press,
    sign_in,
    take_answers,
)
from tests.browser.test_access import violations
from tests.browser.test_feed_in_browser import LISTEN
from tests.browser.test_operator import DEVICES
from tests.central.web.scripted_board import ScriptedBoard, ScriptedServer, healthy
from tests.support.browser import hear, until
from tests.support.kept_phones import subscription
from tests.support.town_office import PATEL
from wire.snapshots import RoleEntry

pytestmark = pytest.mark.integration

Device = dict[str, Any]
WINDOW = "#dialog-duty"
SILENT = "Object.defineProperty(AudioContext.prototype, 'state', { get: () => 'suspended' });"
"""A browser that plays nothing, as some do until they are told to."""


LATE = """
const { resume } = AudioContext.prototype;
AudioContext.prototype.resume = function () {
  return new Promise((begun) => setTimeout(() => begun(resume.call(this)), 1_500));
};
"""
"""A busy computer."""


@pytest.fixture
def own_phone(open_context: OpenContext, server: ScriptedServer, complaints: list[str]) -> Callable[[], Page]:
    """Sets a phone of Priya Shah's up, which a test has reached."""

    def set_up() -> Page:
        context = open_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
        sign_in(context, server)
        phone = context.new_page()
        listen_for_complaints(phone, complaints)
        headers = {"x-watchlink": "1", "content-type": "application/json", "origin": server.url.rstrip("/")}
        body = msgspec.json.encode(subscription()).decode()
        assert 200 == context.request.post(f"{server.url}phones/add", data=body, headers=headers).status
        phone.goto(f"{server.url}wake/{server.phones.ordered[-1].reference}")
        expect(phone.locator("h1")).to_have_text("It reached you")
        return phone

    return set_up


def in_both_themes(page: Page, within: str) -> None:
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)
        assert [] == violations(page, within)
    page_px = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert page_px[0] <= page_px[1], "nothing is wider than the page"


@DEVICES
def test_tone_plays_and_is_answered_before_duty_begins(
    open_page: OpenPage, open_context: OpenContext, board: ScriptedBoard, device: Device
) -> None:
    context = open_context(**device)
    context.add_init_script(LISTEN)
    page = open_page(context, is_on_duty=False)
    page.click("#start-duty")
    expect(page.locator("#tone-said")).to_have_text("This is how an attack sounds.")
    assert [5] == [one["s"] for one in page.evaluate("played") if one["inS"] == 0]
    in_both_themes(page, WINDOW)
    page.click("#tone-again")
    expect(page.locator("#tone-said")).to_contain_text("Turn the volume up.")
    assert [] == board.actions

    hear(page)

    assert [(StartDuty("page"), PRIYA)] == board.actions
    expect(page.locator("#end-duty")).to_be_visible()
    sounding = "played.filter(one => one.inS === 0 && !one.stopped).length"
    until(page, lambda: page.evaluate(sounding) == 0, "it does not go on")


def test_key_that_opened_the_window_does_not_answer_it(open_page: OpenPage, board: ScriptedBoard) -> None:
    page = open_page(is_on_duty=False)
    page.focus("#start-duty")
    page.evaluate("performance.now = () => 1000")

    page.keyboard.press("Enter")
    expect(page.locator("#tone-said")).to_have_text("This is how an attack sounds.")
    page.keyboard.press("Enter")

    expect(page.locator(f"{WINDOW} .dialog-error")).to_contain_text("The tone has only just begun.")
    assert [] == board.actions
    page.keyboard.press("Escape")
    expect(page.locator("#start-duty")).to_be_focused()


def test_window_that_is_left_while_duty_begins_does_not_answer_the_alert(
    open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard
) -> None:
    server.call(lambda: board.press("assist"))
    page = open_page(is_on_duty=False)
    page.keyboard.press("j")
    page.keyboard.press("a")
    expect(page.locator("#tone-said")).to_have_text("This is how an attack sounds.")
    page.wait_for_function("start => performance.now() > start + 500", arg=page.evaluate("performance.now()"))
    with held(server):
        page.click(f"{WINDOW} [data-submit]")
        until(page, lambda: board.actions, "duty is asked for")
        page.keyboard.press("Escape")
        expect(page.locator(WINDOW)).to_be_hidden()
    expect(page.locator("#end-duty")).to_be_visible()
    take_answers(page)

    assert [(StartDuty("page"), PRIYA)] == board.actions


def test_sound_that_begins_late_is_not_called_blocked(open_page: OpenPage, open_context: OpenContext) -> None:
    context = open_context()
    context.add_init_script(LATE)
    page = open_page(context, is_on_duty=False)
    page.click("#start-duty")

    expect(page.locator("#tone-said")).to_have_text("This is how an attack sounds.")


@DEVICES
def test_page_whose_sound_is_blocked_says_so_and_begins_no_duty(
    open_page: OpenPage, open_context: OpenContext, server: ScriptedServer, board: ScriptedBoard, device: Device
) -> None:
    context = open_context(**device)
    context.add_init_script(SILENT)
    page = open_page(context, is_on_duty=False)
    server.call(lambda: board.press("attack"))
    page.click("#start-duty")
    expect(page.locator("#tone-said")).to_contain_text("SOUND IS BLOCKED")
    page.click(f"{WINDOW} [data-submit]")
    expect(page.locator(f"{WINDOW} .dialog-error")).to_contain_text("SOUND IS BLOCKED")
    in_both_themes(page, WINDOW)
    assert [] == board.actions
    page.keyboard.press("Escape")

    # Nobody who presses for help waits for a loudspeaker.
    press(page, "#unanswered .card-primary", page.locator(WINDOW).is_visible)
    page.click("text=Only acknowledge, without duty")
    until(page, lambda: board.actions == [(Acknowledge("00000010-1", "attack"), PRIYA)], "answered")


def test_whoever_has_several_roles_says_in_which_they_answer_without_duty(
    open_page: OpenPage, open_context: OpenContext, server: ScriptedServer, board: ScriptedBoard
) -> None:
    roles = (RoleEntry(role="pcso", schemes=(1, 2)), RoleEntry(role="duty-officer", schemes=(2,)))
    server.office.change(PATEL, roles=roles)
    server.call(server.publish)
    server.call(lambda: board.press("attack"))
    context = open_context()
    context.add_init_script(SILENT)
    page = open_page(context, is_on_duty=False, account=PATEL)
    press(page, "#unanswered .card-primary", page.locator(WINDOW).is_visible)
    page.click("#without-duty")
    expect(page.locator(WINDOW)).to_be_visible()
    assert [] == board.actions

    page.check(f"{WINDOW} [value=duty-officer]")
    page.click("#without-duty")

    by = Person("duty-officer", "J Patel", PATEL)
    until(page, lambda: board.actions == [(Acknowledge("00000010-1", "attack"), by)], "answered")


@DEVICES
def test_tap_on_a_phone_begins_duty_and_the_page_says_so(
    open_page: OpenPage, own_phone: Callable[[], Page], server: ScriptedServer, board: ScriptedBoard, device: Device
) -> None:
    page = open_page(is_on_duty=False, **device)
    page.click("#start-duty")
    page.click("#by-phone")
    expect(page.locator("#tone-said")).to_contain_text("You have no phone here yet.")
    phone = own_phone()
    assert [] == board.actions, "a test alone begins no duty"

    page.click("#by-phone")
    expect(page.locator("#tone-said")).to_contain_text("Tap it: then you are on duty.")
    in_both_themes(page, WINDOW)
    assert [] == board.actions
    phone.goto(f"{server.url}wake/{server.phones.ordered[-1].reference}")

    expect(phone.locator("h1")).to_have_text("You are on duty")
    in_both_themes(phone, "main")
    expect(page.locator(WINDOW)).to_be_hidden()
    expect(page.locator("#end-duty")).to_be_visible()
    assert [(StartDuty("phone"), PRIYA)] == board.actions


def test_word_of_the_phone_is_not_replaced_by_that_of_an_older_tone(
    open_page: OpenPage, open_context: OpenContext
) -> None:
    """A browser that plays nothing says so after five seconds, and the person has gone on to their phone by then."""
    context = open_context()
    context.clock.install()
    context.add_init_script(f"{SILENT} AudioContext.prototype.resume = () => new Promise(() => {{}});")
    page = open_page(context, is_on_duty=False)
    page.route("**/phones/duty", lambda route: route.fulfill(json={}))
    page.click("#start-duty")
    page.click("#by-phone")
    expect(page.locator("#tone-said")).to_contain_text("A test is on its way to your phone")
    page.clock.fast_forward("00:06")
    take_answers(page)

    assert "A test is on its way to your phone" in page.locator("#tone-said").inner_text()
    page.keyboard.press("Escape")
    page.click("#start-duty")
    expect(page.locator("#tone-said")).to_be_empty()  # Nothing is on its way for what is asked now.


def test_refusal_of_a_phone_that_comes_late_says_nothing_of_the_one_asked_since(
    open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard
) -> None:
    page = open_page(is_on_duty=False)
    asked: list[Route] = []
    page.route("**/phones/duty", lambda route: asked.append(route))  # noqa: PLW0108 - Playwright marks what it is given
    page.click("#start-duty")
    page.click("#by-phone")
    until(page, lambda: len(asked) == 1, "a phone is asked")
    page.keyboard.press("Escape")
    page.click("#start-duty")
    page.click("#by-phone")
    until(page, lambda: len(asked) == 2, "it is asked again")
    asked[1].fulfill(json={})
    expect(page.locator("#tone-said")).to_contain_text("A test is on its way to your phone")
    with page.expect_response("**/phones/duty"):
        asked[0].fulfill(status=409, json={"reason": "The push service did not take it."})
    take_answers(page)
    assert "A test is on its way to your phone" in page.locator("#tone-said").inner_text()
    server.call(lambda: board.set_on_duty((PRIYA,)))

    expect(page.locator(WINDOW)).to_be_hidden()


@DEVICES
def test_handover_stays_until_it_was_read(
    open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard, device: Device
) -> None:
    ago = datetime.now(UTC) - timedelta(minutes=10)
    board.went_off = (
        WentOffLine("cctv", "Old Hand", ago, 8, note="Said before Priya last went off"),
        WentOffLine("cctv", "Priya Shah", ago, PRIYA.account),
        WentOffLine("cctv", "Ann Jones", ago, 9, note="Watch the arcade"),
        WentOffLine("pcso", "J Patel", ago, 2),
    )
    board.on_duty = (OnDuty("cctv", "Priya Shah", board.at, PRIYA.account, is_unread=True),)
    board.press("theft", "Bakery", state="answered", answered_by=PRIYA, answered_at=ago)
    board.show_nodes(healthy("00000010", "Bakery"), healthy("00000011", "Arcade", state="no-contact"))
    page = open_page(**device)

    expect(page.locator("#handover-open")).to_have_text("1 alert is open, 0 unanswered: THEFT Bakery.")
    expect(page.locator("#handover-units")).to_have_text("1 unit needs a look: Arcade (NO CONTACT).")
    notes = page.locator("#handover-notes li")
    expect(notes).to_have_count(2)
    expect(notes.nth(0)).to_contain_text("CCTV control room Ann Jones until")
    expect(notes.nth(0)).to_contain_text("“Watch the arcade”")
    expect(notes.nth(1)).to_contain_text("no note.")
    expect(page.locator("#handover-error")).to_have_css("position", "absolute")  # Nothing is wrong: no mark of it.
    expect(page.locator("#say-status")).to_contain_text("The handover stands below the unanswered alerts")
    in_both_themes(page, "#handover")
    page.reload()
    page.click("#handover-read")

    expect(page.locator("#handover")).to_be_hidden()
    assert [(ReadHandover(), PRIYA)] == board.actions


@DEVICES
def test_whoever_goes_is_shown_what_is_open_and_leaves_a_note(
    open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard, device: Device
) -> None:
    page = open_page(**device)
    server.call(lambda: board.press("attack", "Echo Club"))
    expect(page.locator("#unanswered .card")).to_be_visible()
    page.click("#end-duty")
    expect(page.locator("#end-open")).to_have_text("1 alert is open, 1 unanswered: ATTACK Echo Club.")
    expect(page.locator("#dialog-end [data-cancel]")).to_be_focused()
    in_both_themes(page, "#dialog-end")
    page.fill("#dialog-end textarea", "The arcade's camera is off.")
    page.click("#dialog-end [data-submit]")

    until(page, lambda: board.actions == [(EndDuty("The arcade's camera is off."), PRIYA)], "ended")
