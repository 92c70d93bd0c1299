"""A second attack within a minute of an answer, by central's real rules, at the page in real Chromium (N2)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from central.core.view import Acknowledge, Card, Close
from tests.browser.conftest import OpenContext, OpenPage
from tests.browser.test_feed_in_browser import P1_S, P2_S, open_listening, sounding
from tests.central.web.scripted_board import ScriptedBoard, ScriptedServer
from tests.support.browser import until
from tests.support.central_town import JONES, Town
from wire.kinds import AlertKind

pytestmark = pytest.mark.integration

ID = "00000010-7"


@pytest.fixture
def town(board: ScriptedBoard) -> Town:
    """Answered ten seconds ago."""
    town = Town(now_at=datetime.now(UTC) - timedelta(seconds=10))
    town.press(7, AlertKind.ATTACK)
    town.act(Acknowledge(ID), JONES)
    town.later(10)
    board.show(town.card())
    return town


@pytest.mark.finding(6)
def test_second_attack_is_announced_and_marked(
    open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard, town: Town
) -> None:
    page = open_page()
    town.press(8, AlertKind.ATTACK, incident=7)
    server.call(lambda: board.show(town.card()))
    expect(page.locator("#in-hand .card-facts")).to_contain_text("×2")

    assert "PRESSED AGAIN" in page.locator("#in-hand .card").inner_text()
    expect(page.locator("#say-alert")).to_contain_text("PRESSED AGAIN: ATTACK, Corner Shop")


@pytest.mark.finding(6)
def test_second_attack_sounds_once_and_can_be_acknowledged(
    open_context: OpenContext, open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard, town: Town
) -> None:
    """Though M was pressed for quiet: somebody calls again."""
    page = open_listening(open_context, open_page)
    page.keyboard.press("m")
    page.evaluate("played.length = 0")
    town.press(8, AlertKind.ATTACK, incident=7)
    server.call(lambda: board.show(town.card()))
    once = "played.filter(one => one.inS === 0).map(one => [one.s, one.loop])"
    until(page, lambda: page.evaluate(once) == [[P1_S, False]], "one round of the attack's sound")
    assert [] == sounding(page)
    expect(page.locator("#quiet-word")).to_have_text("Quiet 60 s")

    expect(page.locator("#in-hand .card-primary")).to_have_text("AcknowledgeA")
    town.later(5)
    town.act(Acknowledge(ID), JONES)
    server.call(lambda: board.show(town.card()))
    expect(page.locator("#in-hand .card")).not_to_contain_text("PRESSED AGAIN")
    expect(page.locator("#in-hand .card-state")).to_contain_text("after 5 s")
    expect(page.locator("#in-hand .card-primary")).to_have_text("On the way…W")


def test_attack_that_was_pressed_again_sounds_no_third_time_when_what_waited_beside_it_is_closed(
    open_context: OpenContext, open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard
) -> None:
    town = Town(now_at=datetime.now(UTC) - timedelta(seconds=20))
    for counter, kind in ((7, AlertKind.ATTACK), (20, AlertKind.THEFT), (30, AlertKind.THEFT), (40, AlertKind.THEFT)):
        town.press(counter, kind)
    first = only_card(town)
    town.act(Acknowledge(first.incident, seen_kind=first.kind, seen_through=first.through))
    town.press(8, AlertKind.ATTACK, incident=7)
    again_at = town.now_at.astimezone()
    server.call(lambda: board.show(only_card(town)))
    page = open_listening(open_context, open_page)
    page.evaluate("played.length = 0")
    town.later(20)
    town.press(50, AlertKind.SIGHTING)
    server.call(lambda: board.show(only_card(town)))
    times = "played.filter(one => one.inS === 0).length"
    until(page, lambda: page.evaluate(times) == 1, "it sounds for the sighting")

    town.act(Close("00000010-50", "Gone"))
    server.call(lambda: board.show(only_card(town)))
    expect(page.locator("#in-hand .card")).to_contain_text(f"PRESSED AGAIN {again_at:%H:%M}")
    assert 1 == page.evaluate(times)


def test_attack_that_is_pressed_again_behind_an_unanswered_assist_is_heard_and_named(
    open_context: OpenContext, open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard
) -> None:
    """One card stands for both. Though M was pressed for quiet: somebody calls again."""
    town = Town(now_at=datetime.now(UTC) - timedelta(seconds=40))
    for counter, kind in ((7, AlertKind.ATTACK), (20, AlertKind.THEFT), (30, AlertKind.THEFT), (40, AlertKind.THEFT)):
        town.press(counter, kind)
    first = only_card(town)
    town.act(Acknowledge(first.incident, seen_kind=first.kind, seen_through=first.through))
    town.later(10)
    town.press(50, AlertKind.ASSIST)
    board.show(only_card(town))
    page = open_listening(open_context, open_page)
    until(page, lambda: sounding(page) == [P2_S], "the assist sounds")
    page.keyboard.press("m")
    page.evaluate("played.length = 0")
    town.later(10)
    town.press(8, AlertKind.ATTACK, incident=7)
    server.call(lambda: board.show(only_card(town)))
    once = "played.filter(one => one.inS === 0).map(one => [one.s, one.loop])"
    until(page, lambda: page.evaluate(once) == [[P1_S, False]], "one round of the attack's sound")

    expect(page.locator("#quiet-state")).to_be_hidden()
    expect(page.locator("#say-alert")).to_contain_text("PRESSED AGAIN: ATTACK, Corner Shop")
    expect(page.locator("#unanswered .card-again")).to_contain_text("ATTACK PRESSED AGAIN")
    expect(page.locator("#urgent")).to_contain_text("ATTACK PRESSED AGAIN: Corner Shop")


def only_card(town: Town) -> Card:
    (card,) = (card for card in town.board().cards if card.state != "closed")
    return card
