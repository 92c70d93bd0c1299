"""Who sits at the desk is told when central's own rules failed on something, in real Chromium."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace
from playwright.sync_api import expect

from central.core.view import NodeLine, RejectedLine
from tests.browser.conftest import OpenPage
from tests.central.web.scripted_board import ScriptedBoard, ScriptedServer, healthy

pytestmark = [pytest.mark.integration, pytest.mark.finding(12)]


def tell(board: ScriptedBoard, sender: str, at: datetime) -> None:
    board.rejected = (RejectedLine("internal error", sender, 1, at),)
    board.tell(rejected=board.rejected)


def test_fault_of_central_is_told_with_whom_to_ring(
    open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard
) -> None:
    shop = NodeLine(
        node="00000010", premises="Corner Shop", place="", schemes=("hart",), state="ok", since=None, last_seen_at=None
    )
    server.call(lambda: board.show_nodes(shop))
    page = open_page()
    server.call(lambda: tell(board, "00000010", datetime.now(UTC)))

    expect(page.locator("#banner-fault")).to_contain_text("something from Corner Shop was not processed")
    expect(page.locator("#banner-fault")).to_contain_text("Ring them now")
    expect(page.locator("#say-alert")).to_contain_text("Central has a fault")


def test_card_and_premises_that_cannot_be_drawn_cost_only_themselves(
    open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard, complaints: list[str]
) -> None:
    """A bug that one alert's history brings out must not hide the attack beside it."""
    server.call(lambda: board.press("assist", premises="Echo Club"))
    server.call(lambda: board.show_nodes(healthy("00000010", "Corner Shop")))
    card = next(iter(board.cards.values()))
    server.call(lambda: board.show(replace(card, members=None)))  # type: ignore[arg-type]  # a bug’s doing
    undrawable = replace(healthy("00000011", "Echo Club"), faults=None)  # type: ignore[arg-type]  # a bug’s doing
    server.call(lambda: board.show_nodes(undrawable))
    page = open_page()
    server.call(lambda: board.press("attack", premises="Corner Shop"))

    expect(page.locator("#unanswered .card")).to_have_count(2)
    expect(page.locator("#unanswered .card").first).to_contain_text("Corner Shop")
    expect(page.locator("#unanswered .card").last).to_contain_text("Echo Club")
    expect(page.locator("#unanswered .card").last).to_contain_text("Central has a fault and cannot show all of this")
    expect(page.locator("#premises .node")).to_have_count(2)
    expect(page.locator("#premises")).to_contain_text("central has a fault and cannot show this line")
    server.call(lambda: board.show(card))
    expect(page.locator("#unanswered")).not_to_contain_text("Central has a fault")
    assert complaints, "the console says why"
    complaints.clear()


def test_fault_of_nobody_in_particular_is_told_and_goes_after_an_hour(
    open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard
) -> None:
    server.call(lambda: tell(board, "", datetime.now(UTC)))
    page = open_page()

    expect(page.locator("#banner-fault")).to_contain_text("Check every card")
    server.call(lambda: tell(board, "", datetime.now(UTC) - timedelta(hours=1, seconds=1)))
    expect(page.locator("#banner-fault")).to_be_hidden()
