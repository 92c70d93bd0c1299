"""What the office knows of a premises, on its card, in real Chromium."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from playwright.sync_api import expect

from central.core.details import ContactLine, PremisesLine
from tests.browser.conftest import OpenPage
from tests.central.web.scripted_board import ScriptedBoard, ScriptedServer

pytestmark = pytest.mark.integration

SHOP = PremisesLine(
    node="00000010",
    scheme_numbers=(1,),
    name="Corner Shop",
    address="1 High St <b>",
    opening_hours="Mon–Sat 8–22",
    staff_contact="Ring the back office",
    when_going="Dog in the yard\nStep at the back door",
    latitude=52.1,
    longitude=-2.3,
    contacts=(ContactLine("A Shah", "01234 567890", is_key_holder=True, note="until 22:00"),),
)
FIRST, REST = "#unanswered .place-first", "#unanswered .place-rest"


def test_card_shows_the_first_lines_and_the_rest_when_opened(
    open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard
) -> None:
    page = open_page()
    server.call(lambda: board.press("attack", "Corner Shop"))
    expect(page.locator("#unanswered .place")).to_be_hidden()

    server.call(lambda: board.show_premises(SHOP))
    expect(page.locator(FIRST)).to_contain_text("1 High St <b>")
    expect(page.locator(FIRST)).to_contain_text("Dog in the yard")
    expect(page.locator(REST)).to_be_hidden()

    page.locator(FIRST).focus()
    page.keyboard.press("Enter")
    for words in ("Ring the back office", "Step at the back door", "Mon–Sat 8–22", "52.10000, -2.30000"):
        expect(page.locator(REST)).to_contain_text(words)
    expect(page.locator(REST)).to_contain_text("A Shah 01234 567890 – key-holder – until 22:00")
    assert 0 == page.locator(f"{REST} a").count()


def test_opened_card_stays_open_while_it_and_its_premises_change(
    open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard
) -> None:
    page = open_page()
    server.call(lambda: board.show_premises(SHOP))
    card = server.call(lambda: board.press("attack", "Corner Shop"))
    page.click(FIRST)

    server.call(lambda: board.show(replace(card, alert_count=2, revision=2)))
    server.call(lambda: board.show_premises(replace(SHOP, staff_contact="Ring 01234 1")))
    expect(page.locator(REST)).to_contain_text("Ring 01234 1")
    expect(page.locator("#unanswered .card-facts")).to_contain_text("×2")

    server.call(lambda: board.hide_premises("00000010"))
    expect(page.locator("#unanswered .place")).to_be_hidden()
    assert "Ring 01234" not in page.content()


def test_page_drawn_by_the_server_has_the_first_lines(
    open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard
) -> None:
    server.call(lambda: board.press("attack", "Corner Shop"))
    server.call(lambda: board.show_premises(SHOP))
    page = open_page()

    drawn = page.evaluate("fetch('/').then((answer) => answer.text())")
    assert "1 High St &lt;b&gt; · Dog in the yard · Ring the back office" in drawn
