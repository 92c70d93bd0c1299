"""C1: who comes, who closed, who answered, each by name, in real Chromium."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from central.core.view import Acknowledge, Close, Person, SetOnTheWay
from tests.browser.conftest import OpenPage
from tests.central.web.scripted_board import ScriptedBoard, ScriptedServer
from tests.support.browser import until
from tests.support.central_town import Town

pytestmark = pytest.mark.integration

PRIYA, PATEL = Person("cctv", "Priya Shah", 1), Person("pcso", "J Patel", 2)


@pytest.mark.finding(5)
def test_on_the_way_asks_who_comes(open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard) -> None:
    """Priya sits at the cameras: nothing is sent in her name."""
    server.call(lambda: board.press("assist", incident="1-1"))
    page = open_page()
    page.keyboard.press("j")
    page.keyboard.press("a")
    expect(page.locator("#in-hand .card-primary")).to_contain_text("On the way")
    page.locator("#in-hand .card-primary").press("Enter")
    until(page, lambda: len(board.actions) > 1 or page.locator("dialog[open]").count(), "something came of it")

    assert 1 == len(board.actions)


@pytest.mark.finding(7)
def test_closed_card_names_who_closed_it(open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard) -> None:
    server.call(lambda: board.press("assist", incident="1-1", state="answered", answered_by=PATEL))
    page = open_page()
    page.keyboard.press("j")
    page.keyboard.press("c")
    page.locator("#dialog-close input[type=radio]").first.check()
    page.locator("#dialog-close [data-submit]").press("Enter")
    expect(page.locator("#closed-count")).to_have_text("1")
    page.locator("#closed-zone > summary").press("Enter")

    expect(page.locator("#closed .card-state").first).to_contain_text("Priya Shah")
    expect(page.locator("#closed .card-state").first).not_to_contain_text("J Patel")
    expect(page.locator("#closed .card-acts")).to_contain_text("Answered by PCSO on duty J Patel")


@pytest.mark.finding(7)
def test_closing_is_credited_to_who_closed_and_not_to_who_answered(open_page: OpenPage, board: ScriptedBoard) -> None:
    """By central's real rules: answered by one, closed by another five minutes later."""
    town = Town(now_at=datetime.now(UTC) - timedelta(minutes=6))
    town.press(7)
    town.act(Acknowledge("00000010-7"), PATEL)
    town.later(300)
    town.act(Close("00000010-7", "two detained"), PRIYA)
    board.show(town.card())
    page = open_page()
    page.locator("#closed-zone > summary").press("Enter")
    said = page.locator("#closed .card-state").first
    expect(said).to_contain_text("two detained")

    assert ("Priya Shah" in said.inner_text(), "J Patel" in said.inner_text()) == (True, False), said.inner_text()


@pytest.mark.finding(5)
def test_assignee_stands_first_among_those_who_go_out(
    open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard
) -> None:
    """Two keys: W, Enter. CCTV is not among them."""
    brown = Person("duty-sergeant", "Al Brown")
    server.call(lambda: board.press("assist", incident="1-1", state="answered", assigned_to="Sgt Al Brown"))
    server.call(lambda: board.set_on_duty((PRIYA, PATEL, brown)))
    page = open_page()
    page.keyboard.press("j")
    page.keyboard.press("w")
    choices = page.locator("#dialog-going .choice")
    expect(choices).to_have_text(["Duty sergeant Al Brown", "PCSO on duty J Patel", "Someone else"])
    page.keyboard.press("Enter")

    expect(page.locator("#in-hand .card-state")).to_contain_text("ON THE WAY: Duty sergeant Al Brown")
    expect(page.locator("#in-hand .card-state")).to_contain_text("reported by CCTV control room Priya Shah")
    assert [(SetOnTheWay("1-1", "assist", brown), PRIYA)] == board.actions


@pytest.mark.finding(5)
def test_who_comes_may_be_typed_with_their_role(
    open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard
) -> None:
    """Nobody on duty goes out: a name alone is not enough, for the shop reads the role too."""
    server.call(lambda: board.press("assist", incident="1-1", state="answered", assigned_to="PC 1234"))
    page = open_page()
    page.keyboard.press("j")
    page.keyboard.press("w")
    page.locator("#dialog-going [data-submit]").press("Enter")
    expect(page.locator("#dialog-going .dialog-error")).to_have_text("Choose their role.")
    page.locator("#dialog-going [name=role]").select_option("police")
    assert "PC 1234" == page.locator("#dialog-going [name=name]").input_value()
    page.locator("#dialog-going [data-submit]").press("Enter")

    expect(page.locator("#in-hand .card-state")).to_contain_text("ON THE WAY: Police PC 1234")
    assert [(SetOnTheWay("1-1", "assist", Person("police", "PC 1234")), PRIYA)] == board.actions


@pytest.mark.finding(5)
def test_no_one_is_asked_to_go_to_a_test(open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard) -> None:
    server.call(lambda: board.press("test", incident="1-1", state="answered", answered_by=PATEL))
    page = open_page()

    expect(page.locator("#in-hand .card-primary")).to_contain_text("Close")


@pytest.mark.finding(7)
def test_close_is_offered_once(open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard) -> None:
    """Not as the large button and as the small one beside it."""
    server.call(lambda: board.press("assist", incident="1-1", state="on-the-way", answered_by=PATEL, coming=PATEL))
    page = open_page()

    expect(page.locator("#in-hand .card-actions button:visible")).to_have_text(
        ["Close…C", "SAssign", "NNote", "WWho is coming"]
    )
