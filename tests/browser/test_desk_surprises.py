"""C1: what happens while the operator is in the middle of something, in real Chromium."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from playwright.sync_api import APIResponse, Route, expect

from central.core.view import Acknowledge, AddNote, Close, Person, StartDuty, UndoAcknowledge
from tests.browser.conftest import OpenContext, OpenPage, held, press, take_answers
from tests.central.web.scripted_board import ScriptedBoard, ScriptedServer
from tests.support.browser import hear, until
from tests.support.town_office import PATEL
from wire.snapshots import RoleEntry

pytestmark = pytest.mark.integration

PRIYA = Person("cctv", "Priya Shah", 1)


def test_acknowledge_does_not_wait_for_the_browsers_question_about_notifications(
    open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard
) -> None:
    """It may be asked out of sight and stay unanswered all night."""
    server.call(lambda: board.press("attack"))
    page = open_page(is_on_duty=False)
    page.evaluate(
        "() => { window.Notification = { permission: 'default', requestPermission: () => new Promise(() => {}) }; }"
    )
    press(page, "#unanswered .card-primary", lambda: page.locator("#dialog-duty").is_visible())
    hear(page)

    expect(page.locator("#in-hand .card")).to_contain_text("ANSWERED by CCTV control room Priya Shah")
    assert [(StartDuty("page"), PRIYA), (Acknowledge("00000010-1", "attack"), PRIYA)] == board.actions


def test_alert_that_was_folded_away_is_seen_at_once_when_it_is_pressed_again(
    open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard
) -> None:
    """Closed an hour ago, an attack now, and the pointer happens to hold the list as it is."""
    server.call(lambda: board.press("attack", incident="1-1", state="closed"))
    server.call(lambda: board.press("theft", incident="1-2"))
    page = open_page()
    page.hover("#unanswered .card-state")
    server.call(lambda: board.show(replace(board.cards["1-1"], state="unanswered", alert_count=2, revision=9)))

    expect(page.locator("#unanswered-count")).to_have_text("2")
    assert page.locator(".card[data-incident='1-1']").is_visible()


def test_close_says_how_many_presses_were_seen(
    open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard
) -> None:
    """So that central can refuse to close what was pressed while the window was open."""
    server.call(lambda: board.press("assist", alert_count=2))
    page = open_page()
    page.keyboard.press("j")
    page.keyboard.press("c")
    server.call(lambda: board.show(replace(board.cards["00000010-1"], kind="attack", priority=1, alert_count=3)))
    expect(page.locator("#unanswered .card")).to_have_attribute("data-level", "p1")
    page.locator("#dialog-close input[type=radio]").first.check()
    page.click("#dialog-close [data-submit]")

    expect(page.locator("#dialog-close")).to_be_hidden()
    assert [(Close("00000010-1", "Dealt with on site", 2), PRIYA)] == board.actions


def test_person_of_several_roles_says_in_which_they_are_on_duty_before_they_answer(
    open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard
) -> None:
    """C2: the shop reads the role. Nobody answers off duty, and the answer follows without a second question."""
    roles = (RoleEntry(role="pcso", schemes=(1, 2)), RoleEntry(role="duty-officer", schemes=(2,)))
    server.office.change(PATEL, roles=roles)
    server.call(server.publish)
    server.call(lambda: board.press("attack", incident="1-1"))
    page = open_page(is_on_duty=False, account=PATEL)
    page.keyboard.press("j")
    page.keyboard.press("a")
    choices = page.locator("#dialog-duty .choice")
    expect(choices).to_have_text(["PCSO on duty", "Duty officer"])
    assert [] == board.actions
    choices.nth(1).click()
    # Central's answer comes before the page knows by the feed that he is on duty.
    server.call(board.withhold_changes)
    hear(page)
    until(page, lambda: len(board.actions) == 2, "the answer follows")
    server.call(board.deliver_changes)

    expect(page.locator("#in-hand .card")).to_contain_text("ANSWERED by Duty officer J Patel")
    by = Person("duty-officer", "J Patel", PATEL)
    assert [(StartDuty("page"), by), (Acknowledge("1-1", "attack"), by)] == board.actions


def test_answer_that_begins_duty_is_for_what_was_on_screen_when_it_was_pressed(
    open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard
) -> None:
    """Proving that one can be reached takes half a minute, and the card is behind the window."""
    card = board.press("assist", incident="1-1")
    page = open_page(is_on_duty=False)
    page.keyboard.press("j")
    page.keyboard.press("a")
    expect(page.locator("#dialog-duty")).to_be_visible()
    server.call(lambda: board.show(replace(card, kind="attack", priority=1, revision=2, alert_count=2)))
    expect(page.locator("#unanswered .card")).to_have_attribute("data-level", "p1")
    hear(page)

    expect(page.locator("#unanswered .card-error")).to_contain_text("It has become more urgent since you looked.")
    assert [(StartDuty("page"), PRIYA), (Acknowledge("1-1", "assist"), PRIYA)] == board.actions


def test_page_on_duty_gives_a_sign_of_life_every_half_minute(
    open_page: OpenPage, open_context: OpenContext, server: ScriptedServer, board: ScriptedBoard
) -> None:
    """C2: after ninety seconds without one, nobody is asked by this page."""
    context = open_context()
    context.clock.install()
    page = open_page(context)
    until(page, lambda: [PRIYA] == board.signs, "a sign of life at once: the page may have been shut for hours")
    page.clock.fast_forward("00:31")

    until(page, lambda: [PRIYA, PRIYA] == board.signs, "a sign of life")
    server.call(lambda: board.set_on_duty(()))
    expect(page.locator("#banner-nobody")).to_be_visible()
    page.clock.fast_forward("00:31")
    take_answers(page)
    assert ([PRIYA, PRIYA], []) == (board.signs, board.actions)


def test_what_was_written_while_the_card_was_still_sending_is_not_lost(
    open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard
) -> None:
    """A and N in one go: the window must not close as if the note were there."""
    server.call(lambda: board.press("attack", incident="1-1"))
    page = open_page()
    page.keyboard.press("j")
    with held(server):
        page.keyboard.press("a")
        until(page, lambda: board.actions, "the answer is under way")
        page.keyboard.press("n")
        page.keyboard.type("Red coat")
        page.locator("#dialog-note [data-submit]").press("Enter")
        expect(page.locator("#dialog-note .dialog-error")).to_contain_text("still being sent for this card")
    expect(page.locator("#in-hand .card-primary")).to_have_text("On the way…W")
    page.locator("#dialog-note [data-submit]").press("Enter")

    until(page, lambda: (AddNote("1-1", "Red coat"), PRIYA) in board.actions, "it is written down")
    expect(page.locator("dialog[open]")).to_have_count(0)


def test_window_that_is_opened_while_another_act_is_sent_stays_open(
    open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard
) -> None:
    """Central takes its time, the operator leaves the window with Esc and writes about the next alert."""
    server.call(lambda: board.press("assist", incident="1-1"))
    server.call(lambda: board.press("theft", incident="1-2"))
    page = open_page()
    page.keyboard.press("j")
    with held(server):
        page.keyboard.press("n")
        page.keyboard.type("Red coat")
        page.locator("#dialog-note [data-submit]").press("Enter")
        until(page, lambda: board.actions, "the first is under way")
        page.keyboard.press("Escape")
        expect(page.locator("dialog[open]")).to_have_count(0)
        page.keyboard.press("j")
        expect(page.locator(".card[data-incident='1-2']")).to_be_focused()
        page.keyboard.press("n")
        page.keyboard.type("Blue hat")
        expect(page.locator("#dialog-note [data-submit]")).to_have_text("Add note")
    until(page, lambda: board.cards["1-1"].history[-1].text == "Red coat", "the first is written down")
    take_answers(page)
    expect(page.locator("#dialog-note")).to_be_visible()
    page.locator("#dialog-note [data-submit]").press("Enter")

    until(page, lambda: (AddNote("1-2", "Blue hat"), PRIYA) in board.actions, "the second is written down")
    expect(page.locator("dialog[open]")).to_have_count(0)


def test_second_act_says_sending_for_as_long_as_it_takes(
    open_page: OpenPage, open_context: OpenContext, server: ScriptedServer, board: ScriptedBoard
) -> None:
    """Five seconds after the first one, what the feed has not brought is fetched: of the first alone."""
    server.call(lambda: board.press("assist", incident="1-1"))
    context = open_context()
    context.clock.install()
    page = open_page(context)
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url) if "/board.json" in request.url else None)
    page.keyboard.press("j")
    page.keyboard.press("a")
    primary = page.locator("#in-hand .card-primary")
    expect(primary).to_have_text("On the way…W")
    with held(server):
        page.keyboard.press("s")
        page.keyboard.type("PCSO J Patel")
        page.keyboard.press("Enter")
        until(page, lambda: len(board.actions) == 2, "the second is under way")
        page.clock.fast_forward(6_000)
        take_answers(page)
        assert ([], "Sending…") == (fetched, primary.text_content())

    expect(page.locator("#in-hand")).to_contain_text("assigned to PCSO J Patel")


@pytest.mark.parametrize("is_refused", [False, True])
def test_act_says_sending_while_the_board_cannot_be_fetched(
    open_page: OpenPage,
    open_context: OpenContext,
    server: ScriptedServer,
    board: ScriptedBoard,
    *,
    is_refused: bool,
) -> None:
    """Central has it. Five seconds later neither the feed has brought it nor can the board be fetched."""
    server.call(lambda: board.press("assist", incident="1-1"))
    context = open_context()
    context.clock.install()
    page = open_page(context)
    asked: list[Route] = []

    def not_answered(route: Route) -> None:
        asked.append(route)
        if is_refused:
            route.abort("connectionrefused")

    def lose_one() -> None:
        board.sequence += 1  # never delivered
        board.press("theft", incident="1-2")

    page.route("**/board.json", not_answered)
    server.call(lose_one)
    until(page, lambda: asked, "the page misses something")
    page.keyboard.press("j")
    with page.expect_event("requestfinished", lambda request: "acknowledge" in (request.post_data or "")):
        page.keyboard.press("a")
    take_answers(page)
    page.clock.fast_forward(6_000)
    take_answers(page)
    expect(page.locator(".card-primary")).to_have_text("Sending…")
    page.unroute("**/board.json")

    expect(page.locator("#in-hand .card-primary")).to_have_text("On the way…W")


def test_undo_says_so_while_the_card_is_still_sending(
    open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard
) -> None:
    """The feed may say that it is answered before central's own answer has come."""
    server.call(lambda: board.press("attack", incident="1-1"))
    page = open_page()
    held_back: list[tuple[Route, APIResponse]] = []

    def hold_back(route: Route) -> None:
        # The page's own sign that Priya is still there goes by the same address, and may come first.
        if '"type":"acknowledge"' in (route.request.post_data or ""):
            held_back.append((route, route.fetch()))
        else:
            route.continue_()

    page.route("**/actions", hold_back)
    page.keyboard.press("j")
    page.keyboard.press("a")
    expect(page.locator("#undo")).to_be_visible()
    page.keyboard.press("u")
    expect(page.locator("#say-alert")).to_contain_text("still being sent for this card")
    until(page, lambda: held_back, "central has answered")
    ((route, answer),) = held_back
    route.fulfill(response=answer)
    expect(page.locator("#in-hand .card-primary")).to_have_text("On the way…W")
    page.keyboard.press("u")

    until(page, lambda: board.actions[-1] == (UndoAcknowledge("1-1"), PRIYA), "it is taken back")
    assert 2 == len(board.actions)
