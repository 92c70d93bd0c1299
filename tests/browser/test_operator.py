"""An operator in the middle of a busy night: nothing that needs them is out of sight or out of reach (C1)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from central.core.view import Acknowledge, EndDuty, Person, StartDuty, UndoAcknowledge
from tests.browser.conftest import PRIYA, OpenPage, press
from tests.central.web.scripted_board import ScriptedBoard, ScriptedServer, healthy
from tests.support.browser import hear, until
from tests.support.central_town import Town
from wire.kinds import AlertKind

pytestmark = pytest.mark.integration

PATEL = Person("pcso", "J Patel")
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
DEVICES = pytest.mark.parametrize("device", [{}, PHONE], ids=["desk", "phone"])


@pytest.fixture
def fifty(board: ScriptedBoard) -> None:
    """Fifty premises, all well, and a dozen alerts that can wait."""
    board.show_nodes(*(healthy(f"{0x100 + i:08x}", f"Shop {i}", "Market Place") for i in range(50)))
    for number in range(12):
        board.press("fault", f"Shop {number}", incident=f"1-{number + 1}")


def in_view(page: Page, selector: str) -> bool:
    box = page.locator(selector).first.bounding_box()
    size = page.viewport_size
    assert size is not None
    return box is not None and box["y"] >= 0 and box["y"] + min(box["height"], 40) <= size["height"]


@DEVICES
@pytest.mark.finding(18)
def test_unanswered_attack_is_named_wherever_the_page_is_scrolled_to(
    open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard, fifty: None, device: dict[str, Any]
) -> None:
    page = open_page(**device)
    page.locator("#premises > li").last.scroll_into_view_if_needed()
    page.locator("#unanswered .card").last.scroll_into_view_if_needed()
    server.call(lambda: board.press("attack", "Echo Club", incident="1-90"))
    expect(page.locator("#unanswered-count")).to_have_text("13")
    assert page.get_by_role("button", name="1 ATTACK unanswered: Echo Club").count() == 1
    assert in_view(page, "#urgent")
    page.locator("#urgent").press("Enter")

    until(page, lambda: in_view(page, "[data-incident='1-90'] .card-primary"), "its button can be pressed")
    assert "1-90" == page.evaluate("document.activeElement.dataset.incident")
    page.keyboard.press("a")
    expect(page.locator("#urgent")).to_be_hidden()


@pytest.mark.finding(18)
def test_alerts_and_premises_scroll_apart(open_page: OpenPage, fifty: None) -> None:
    page = open_page()
    page.locator("#premises > li").last.scroll_into_view_if_needed()

    assert in_view(page, "#unanswered .card")
    assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")


@pytest.mark.finding(18)
def test_premises_that_are_well_take_one_line(
    open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard, fifty: None
) -> None:
    page = open_page()
    heights = "lines => lines.map(line => line.getBoundingClientRect().height)"
    assert max(page.locator("#premises > li").evaluate_all(heights)) <= 32
    server.call(lambda: board.show_nodes(healthy("00000100", "Shop 0", state="fault", faults=("oled: no answer",))))

    expect(page.locator("#premises > li").first).to_contain_text("oled: no answer")


@pytest.mark.finding(18)
def test_everybody_on_duty_is_on_the_page(open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard) -> None:
    server.call(lambda: board.set_on_duty((PRIYA, PATEL)))
    page = open_page()

    expect(page.locator("body")).to_contain_text("J Patel")


@pytest.mark.finding(18)
@pytest.mark.parametrize("why", ["alert", "last"])
def test_ending_duty_asks_with_open_alerts_or_as_the_last(
    open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard, why: str
) -> None:
    server.call(lambda: board.set_on_duty((PRIYA, PATEL) if why == "alert" else (PRIYA,)))
    page = open_page()
    if why == "alert":
        server.call(lambda: board.press("attack", "Echo Club"))
        expect(page.locator("#unanswered .card")).to_be_visible()
    page.click("#end-duty")
    until(page, lambda: board.actions or page.locator("dialog[open]").count(), "something came of it")
    assert [] == board.actions

    expect(page.locator("dialog[open]")).to_contain_text("Echo Club" if why == "alert" else "NOBODY ON DUTY")
    page.keyboard.press("Enter")
    expect(page.locator("dialog[open]")).to_have_count(0)
    assert [] == board.actions, "the key that is pressed by habit changes nothing"
    page.click("#end-duty")
    page.click("dialog[open] [data-submit]")
    until(page, lambda: board.actions == [(EndDuty(), PRIYA)], "ended, for it was meant")


@pytest.mark.finding(18)
def test_ending_duty_asks_for_a_note_alone_when_others_are_on_duty_and_nothing_is_open(
    open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard
) -> None:
    server.call(lambda: board.set_on_duty((PRIYA, PATEL)))
    page = open_page()
    page.click("#end-duty")
    expect(page.locator("#end-last")).to_be_hidden()
    expect(page.locator("#end-open")).to_be_hidden()
    page.click("#dialog-end [data-submit]")

    until(page, lambda: board.actions == [(EndDuty(), PRIYA)], "ended")


@pytest.mark.finding(18)
def test_screen_is_kept_on_after_a_reload(open_page: OpenPage) -> None:
    page = open_page()
    page.add_init_script(
        """window.asked = 0;
        const request = navigator.wakeLock.request.bind(navigator.wakeLock);
        navigator.wakeLock.request = (kind) => { asked += 1; return request(kind); };"""
    )
    page.reload()
    page.wait_for_selector("#live[data-live=live]")
    until(page, lambda: page.evaluate("asked"), "it is asked for")
    page.wait_for_timeout(1_000)

    assert 1 == page.evaluate("asked")


def test_screen_that_is_kept_on_late_is_let_go_if_duty_has_ended(
    open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard
) -> None:
    page = open_page(is_on_duty=False)
    page.evaluate(
        """() => {
            window.asked = [];
            navigator.wakeLock.request = () => new Promise((done) => asked.push({
                grant() { this.isHeld = true; done(this); },
                async release() { this.isHeld = false; },
            }));
        }"""
    )
    for count in (1, 2):
        server.call(lambda: board.set_on_duty((PRIYA,)))
        page.wait_for_function("count => asked.length === count", arg=count)
        server.call(lambda: board.set_on_duty(()))
        expect(page.locator("#start-duty")).to_be_visible()
    page.evaluate("asked[0].grant()")
    page.wait_for_function("() => asked[0].isHeld === false")

    server.call(lambda: board.set_on_duty((PRIYA,)))
    page.wait_for_function("() => asked.length === 3")
    page.evaluate("asked[1].grant(), asked[2].grant()")
    page.wait_for_function("() => asked.map((lock) => lock.isHeld).join() === 'false,false,true'")


@pytest.mark.finding(18)
def test_person_of_one_role_is_not_asked_for_it(open_page: OpenPage, board: ScriptedBoard) -> None:
    page = open_page(is_on_duty=False)
    page.click("#start-duty")
    expect(page.locator("#dialog-duty input")).to_have_count(0)
    hear(page)

    assert [(StartDuty("page"), PRIYA)] == board.actions


@DEVICES
@pytest.mark.finding(18)
def test_undo_has_a_key_and_stays_in_reach(
    open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard, fifty: None, device: dict[str, Any]
) -> None:
    page = open_page(**device)
    page.keyboard.press("j")
    page.keyboard.press("a")
    until(page, lambda: board.actions == [(Acknowledge("1-1", "fault"), PRIYA)], "answered")
    expect(page.locator("#in-hand .card-primary")).to_have_text("On the way…W")
    page.keyboard.press("j")
    assert in_view(page, "#undo")
    if device:
        press(page, "#undo", lambda: len(board.actions) == 2)
    else:
        page.keyboard.press("u")
        until(page, lambda: len(board.actions) == 2, "taken back")

    assert (UndoAcknowledge("1-1"), PRIYA) == board.actions[1]
    expect(page.locator("#undo")).to_be_hidden()


@pytest.mark.finding(18)
def test_long_name_leaves_room_for_the_next_alert(open_page: OpenPage, board: ScriptedBoard) -> None:
    """At 1280 × 800 a name of six words was broken up within its words, and its card filled the screen."""
    board.press(
        "attack", "The Old Bank Antiques & Collectables of Loughborough", "1-1", place="Market Street, first floor"
    )
    board.press("attack", "Echo Club", "1-2")
    page = open_page(viewport={"width": 1280, "height": 800})

    assert in_view(page, "[data-incident='1-2'] .card-primary")
    assert page.get_by_role("button", name="2 ATTACKS unanswered: The Old Bank").count() == 1


def test_quiet_is_told_where_the_eye_is(open_page: OpenPage) -> None:
    page = open_page()
    page.click("#banner-sound")
    expect(page.locator("#banner-sound")).to_be_hidden()
    page.keyboard.press("m")

    expect(page.locator("#quiet-state")).to_contain_text("QUIET")


@pytest.mark.finding(18)
def test_test_that_closed_itself_says_automatically_once(open_page: OpenPage, board: ScriptedBoard) -> None:
    town = Town(now_at=datetime.now(UTC) - timedelta(minutes=6))
    town.press(7, AlertKind.TEST)
    town.later(180)
    board.show(town.card())
    page = open_page()
    page.locator("#closed-zone > summary").press("Enter")

    assert 1 == page.locator("#closed .card").inner_text().count("automatically")
