"""The way from an alert's card to the office, where a statement for the police is made, in real Chromium."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from demo.stand_in_office import OFFICE_URL
from tests.browser.conftest import OpenPage
from tests.central.web.scripted_board import ScriptedBoard, ScriptedServer
from tests.support.town_office import PRIYA
from wire.snapshots import RoleEntry, RoleSlug

pytestmark = pytest.mark.integration
LINK = ".card-id a"


@pytest.mark.parametrize(
    ("role", "kind", "is_there"),
    [
        ("co-ordinator", "theft", True),
        ("police", "attack", True),
        ("cctv", "theft", False),
        ("co-ordinator", "test", False),
    ],
)
def test_opened_card_leads_co_ordinators_and_police_to_the_office(
    open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard, role: RoleSlug, kind: str, *, is_there: bool
) -> None:
    server.office.change(PRIYA, roles=(RoleEntry(role=role, schemes=(1,)),))
    server.call(server.publish)
    page = open_page()
    card = server.call(lambda: board.press(kind, "Corner Shop"))
    page.locator(".card .card-toggle").first.click()
    expect(page.locator(".card-id").first).to_contain_text(card.incident)

    assert int(is_there) == page.locator(LINK).count()
    if is_there:
        address = urlsplit(page.locator(LINK).get_attribute("href") or "")
        assert f"{OFFICE_URL}incidents/{card.incident}/" == f"{address.scheme}://{address.netloc}{address.path}"
        assert [kind] == parse_qs(address.query)["kind"]
        assert page.evaluate("(text) => Date.parse(text)", parse_qs(address.query)["at"][0])
