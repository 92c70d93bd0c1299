"""One premises presses without end, by central's real rules, at the page in real Chromium (C1, N2)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from central.core.view import Acknowledge, Close, CloseRevoked, Person, SetOnTheWay
from tests.browser.conftest import OpenPage, incidents, press
from tests.central.web.scripted_board import ScriptedBoard, ScriptedServer, healthy
from tests.support.browser import hear, until
from tests.support.central_town import Town
from wire.kinds import AlertKind

pytestmark = [pytest.mark.integration, pytest.mark.finding(13)]

FIRST = "[data-incident='00000010-7']"
"""The oldest gives the card that stands for all its name."""


@pytest.fixture
def town(board: ScriptedBoard) -> Town:
    """Three alerts of one premises are open."""
    town = Town(now_at=datetime.now(UTC))
    for counter in (7, 8, 9):
        town.press(counter, AlertKind.ATTACK)
    board.show(*town.board().cards)
    return town


def press_on(town: Town, board: ScriptedBoard, server: ScriptedServer, *counters: int) -> None:
    """More presses, and what the page is told of them."""
    before = {card.key for card in town.board().cards}
    for counter in counters:
        town.press(counter, AlertKind.ATTACK)
    cards = town.board().cards
    gone = tuple(before - {card.key for card in cards})
    board.cards = {card.incident: card for card in cards}
    server.call(lambda: board.tell(cards=cards, gone_cards=gone))


def test_fourth_open_alert_of_a_premises_makes_one_card_with_the_number(
    open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard, town: Town
) -> None:
    page = open_page()
    assert 3 == len(incidents(page, "unanswered"))
    press_on(town, board, server, 10)
    expect(page.locator(f"{FIRST} .card-facts")).to_have_text("4 open alerts here")
    press_on(town, board, server, *range(11, 40))
    expect(page.locator(f"{FIRST} .card-facts")).to_have_text("33 open alerts here")

    assert ["00000010-7"] == incidents(page, "unanswered"), "the card stays under the pointer"
    assert page.content().count("Corner Shop") < 20


def test_answer_names_what_was_on_screen(
    open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard, town: Town
) -> None:
    page = open_page()
    press_on(town, board, server, 10)
    expect(page.locator(f"{FIRST} .card-facts")).to_have_text("4 open alerts here")
    (card,) = town.board().cards
    press(page, f"{FIRST} .card-primary", lambda: any(isinstance(act, Acknowledge) for act, _ in board.actions))

    assert Acknowledge("00000010-10", "attack", card.through) in [act for act, _ in board.actions]


def test_answer_that_begins_duty_names_what_was_on_screen_when_it_was_pressed(
    open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard, town: Town
) -> None:
    page = open_page(is_on_duty=False)
    press_on(town, board, server, 10)
    expect(page.locator(f"{FIRST} .card-facts")).to_have_text("4 open alerts here")
    (card,) = town.board().cards
    page.locator(FIRST).focus()
    page.keyboard.press("a")
    expect(page.locator("#dialog-duty")).to_be_visible()
    press_on(town, board, server, 11)
    expect(page.locator(f"{FIRST} .card-facts")).to_have_text("5 open alerts here")
    hear(page)
    until(page, lambda: any(isinstance(act, Acknowledge) for act, _ in board.actions), "it is answered")

    assert Acknowledge("00000010-10", "attack", card.through) == board.actions[-1][0]


def test_answer_says_what_it_left_as_it_is(
    open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard, town: Town
) -> None:
    """A press that came while the person pressed was on nobody's screen."""
    page = open_page()
    press_on(town, board, server, 10)
    expect(page.locator(f"{FIRST} .card-facts")).to_have_text("4 open alerts here")
    board.untouched = 2
    press(page, f"{FIRST} .card-primary", lambda: any(isinstance(act, Acknowledge) for act, _ in board.actions))

    said = "2 later alerts were not on your screen: they are unchanged."
    expect(page.locator(".card .card-error").first).to_have_text(said)
    expect(page.locator("#say-alert")).to_contain_text(said)


def test_closing_is_for_what_was_on_screen_when_it_was_begun(
    open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard, town: Town
) -> None:
    page = open_page()
    press_on(town, board, server, 10)
    expect(page.locator(f"{FIRST} .card-facts")).to_have_text("4 open alerts here")
    (card,) = town.board().cards
    page.locator(FIRST).focus()
    page.keyboard.press("c")
    expect(page.locator("#close-title")).to_contain_text("all 4 alerts that you saw")
    press_on(town, board, server, 11)
    page.get_by_label("Stolen or faulty unit").check()
    page.locator("#dialog-close [data-submit]").click()
    until(page, lambda: any(isinstance(act, Close) for act, _ in board.actions), "it was closed")

    (closed,) = [act for act, _ in board.actions if isinstance(act, Close)]
    assert (card.incident, card.through) == (closed.incident, closed.seen_through)


def test_window_that_closes_a_sighting_names_the_attack_that_is_closed_with_it(
    open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard
) -> None:
    town = Town(now_at=datetime.now(UTC))
    for counter, kind in ((7, AlertKind.ATTACK), (8, AlertKind.THEFT), (9, AlertKind.THEFT)):
        town.press(counter, kind)
        town.act(Acknowledge(f"00000010-{counter}"))
    town.act(SetOnTheWay("00000010-7", "attack", Person("pcso", "J Patel")))
    town.press(10, AlertKind.SIGHTING)
    board.show(*town.board().cards)
    page = open_page()
    expect(page.locator(f"{FIRST} .card-facts")).to_have_text("4 open alerts here, among them 1 × ATTACK")
    assert "among them 1&nbsp;×&nbsp;ATTACK" in page.content(), "no line ends within it"
    page.locator(FIRST).focus()
    page.keyboard.press("c")

    said = "SIGHTING Corner Shop: all 4 alerts that you saw, among them 1 × ATTACK"
    expect(page.locator("#close-title")).to_contain_text(said)


def test_closing_one_of_a_revoked_sender_closes_them_all(
    open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard, town: Town
) -> None:
    board.show_nodes(healthy("00000010", "Corner Shop", state="revoked"))
    page = open_page()
    page.locator("#unanswered .card").first.focus()
    page.keyboard.press("c")
    expect(page.locator("#close-title")).to_contain_text("all open alerts from Corner Shop, which is revoked")
    page.get_by_label("Stolen or faulty unit").check()
    page.locator("#dialog-close [data-submit]").click()
    until(page, lambda: any(isinstance(act, CloseRevoked) for act, _ in board.actions), "it was closed")

    assert CloseRevoked("00000010", "Stolen or faulty unit") == board.actions[-1][0]
