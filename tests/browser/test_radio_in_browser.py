"""The radio path on the page: alerts by radio, both ways of each premises, a blocked channel (N10, N11)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace
from playwright.sync_api import expect

from central.core.people import AUTOMATIC
from central.core.unit_lines import PathFigures
from central.core.view import RadioLine
from tests.browser.conftest import OpenPage
from tests.central.web.scripted_board import ScriptedBoard, ScriptedServer, healthy

pytestmark = pytest.mark.integration


def test_alert_by_radio_says_so_and_where_it_was_heard(
    open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard
) -> None:
    """N3: the operator sees that this premises has no network, before reading anything else of the card."""
    card = server.call(lambda: board.press("attack", path="radio", paths=("radio",), relay="Bakery"))
    page = open_page()
    first = page.locator("#unanswered .card").first

    expect(first.locator(".card-path")).to_have_text("by radio")
    expect(first.locator(".card-facts")).to_contain_text("came by radio, heard at Bakery")

    expect(first.locator(".card-untold")).to_be_hidden()

    server.call(lambda: board.show(replace(card, paths=("radio", "network"), is_untold=True, revision=2)))
    expect(first.locator(".card-untold")).to_have_text("SHOP NOT TOLD YET – no network or radio contact")
    expect(first.locator(".card-path")).to_have_text("by radio+net")


def test_premises_shows_both_ways_and_stands_with_the_faults_when_a_test_is_overdue(
    open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard
) -> None:
    """N11, N12: an overdue test is found by looking at the top of the list."""
    month = {"watched_minutes": 60, "frames": 3, "late": 0, "deliveries": 2, "median_s": 1, "most_s": 3}
    figures = (PathFigures(month="2026-11", path="network", available_percent=99.5, **month),)
    now = datetime.now(UTC)
    board.show_nodes(
        healthy("00000010", "Arcade", radio=RadioLine(state="ready", tested_at=now), figures=figures),
        healthy("00000011", "Zoo", radio=RadioLine(state="untested", is_test_overdue=True)),
        healthy("00000020", "Town Hall", is_gateway=True),
    )
    page = open_page()
    nodes = page.locator("#premises .node")

    expect(nodes).to_have_count(3)
    expect(nodes.first).to_contain_text("Zoo")
    expect(nodes.first).to_contain_text("RADIO TEST OVERDUE – none has come back")
    expect(page.locator("#premises-count")).to_have_text("1 of 3 needs attention")
    expect(nodes.nth(1)).to_contain_text("Radio OK, tested")
    expect(nodes.nth(1)).to_contain_text("Nov: net 99.5 %, 95 % of 2 alerts within 3 s")
    expect(nodes.nth(2)).to_contain_text("central’s radio")
    server.call(lambda: board.show_nodes(healthy("00000011", "Zoo", is_weekly_test_overdue=True, weekly_test_at=now)))
    expect(nodes.first).to_contain_text("WEEKLY TEST OVERDUE")
    with page.expect_download() as download:
        page.get_by_role("link", name="Figures for this month").click()
    assert download.value.suggested_filename.endswith(".csv")


def test_blocked_channel_is_a_banner_and_is_said_aloud_once(
    open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard
) -> None:
    """N10: jamming is reported; a heartbeat that repeats it says nothing new."""
    page = open_page()
    expect(page.locator("#banner-radio")).to_be_hidden()
    since = datetime.now(UTC) - timedelta(seconds=30)
    jammed = healthy("00000010", "Corner Shop", radio=RadioLine(state="ready", blocked_since=since))

    server.call(lambda: board.show_nodes(jammed))
    server.call(lambda: board.show_nodes(replace(jammed, outbox_depth=1)))

    expect(page.locator("#banner-radio")).to_be_visible()
    expect(page.locator("#banner-radio")).to_contain_text("RADIO CHANNEL BLOCKED for")
    expect(page.locator("#banner-radio")).to_contain_text("at Corner Shop")
    expect(page.locator("#say-alert")).to_have_text("Radio channel blocked at Corner Shop. An alert is waiting there.")
    server.call(lambda: board.show_nodes(replace(jammed, radio=RadioLine(state="ready"))))
    expect(page.locator("#banner-radio")).to_be_hidden()


def test_tests_do_not_count_as_calls_for_help(
    open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard
) -> None:
    """N12: the title's number is of those who call for help."""
    page = open_page()
    server.call(lambda: board.press("test", "Market Pharmacy"))
    expect(page).to_have_title("TEST Market Pharmacy")
    expect(page.locator("#unanswered-count")).to_have_text("0 + 1 test")

    test = board.cards["00000010-1"]
    server.call(lambda: board.show(replace(test, state="answered", answered_by=AUTOMATIC, answered_at=test.arrived_at)))
    expect(page.locator("#in-hand .card-state")).to_contain_text("ANSWERED automatically")
    expect(page).to_have_title("Watchlink control room")
    server.call(lambda: board.show(test))

    server.call(lambda: board.press("assist", "Corner Shop"))
    expect(page).to_have_title("(1) ASSIST Corner Shop")
    expect(page.locator("#unanswered-count")).to_have_text("1 + 1 test")
