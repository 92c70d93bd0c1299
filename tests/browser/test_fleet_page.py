"""Everybody can use the fleet page: WCAG 2.2 AA by axe, both themes, phones, big text, without script."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import pytest
from msgspec.structs import replace
from playwright.sync_api import BrowserContext, Page, expect

from central.core.unit_lines import UnitFacts
from central.core.view import NodeLine
from tests.browser.conftest import sign_in
from tests.browser.test_access import PHONE, violations
from tests.central.web.scripted_board import ScriptedBoard, ScriptedServer
from tests.support.fleet_lines import NOW, troubled

pytestmark = pytest.mark.integration

OpenFleet = Callable[..., Page]
Told = TypeVar("Told", NodeLine, UnitFacts)


def moved(one: Told, later: timedelta) -> Told:
    """Each of its moments, also the far ones: the page goes by the real time, and a unit in order is to stay so."""
    told = {name: getattr(one, name) for name in one.__struct_fields__}
    times: dict[str, Any] = {name: at + later for name, at in told.items() if isinstance(at, datetime)}
    return replace(one, **times)


@pytest.fixture
def open_fleet(open_context: Callable[..., BrowserContext], board: ScriptedBoard, server: ScriptedServer) -> OpenFleet:
    later = datetime.now(UTC) - NOW
    for line in troubled():
        facts = line.facts and moved(line.facts, later)
        board.show_nodes(moved(replace(line, facts=facts), later))

    def open_one(**options: Any) -> Page:  # noqa: ANN401 - Playwright's own options
        context = open_context(**options)
        sign_in(context, server)
        page = context.new_page()
        page.goto(f"{server.url}fleet")
        return page

    return open_one


@pytest.mark.parametrize("scheme", ["dark", "light"])
@pytest.mark.parametrize("device", [{}, PHONE], ids=["desk", "phone"])
def test_axe_finds_nothing_on_the_fleet_page(open_fleet: OpenFleet, scheme: str, device: dict[str, Any]) -> None:
    page = open_fleet(color_scheme=scheme, **device)
    for more in page.locator("details").all():
        more.evaluate("one => { one.open = true; }")

    assert 14 == page.locator(".unit").count()
    assert [] == violations(page)


def test_fleet_page_needs_no_script(open_fleet: OpenFleet) -> None:
    page = open_fleet(java_script_enabled=False)
    page.locator("select[name=wrong]").select_option("room")
    page.get_by_role("button", name="Show").click()

    expect(page.locator(".unit")).to_have_count(1)
    expect(page.locator(".unit")).to_contain_text("Card nearly full: 120 MB free.")
    page.locator(".unit-more summary").click()
    expect(page.locator(".unit-facts")).to_contain_text("ssd1309-128x64")


@pytest.mark.parametrize("width", [320, 390, 900, 1440])
def test_fleet_page_fits_any_width_at_twice_the_letters(open_fleet: OpenFleet, width: int) -> None:
    page = open_fleet(viewport={"width": width, "height": 900})
    page.evaluate("document.documentElement.style.fontSize = '200%'")

    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_unit_in_order_takes_one_line(open_fleet: OpenFleet) -> None:
    page = open_fleet()
    boxes = [line.bounding_box() for line in page.locator(".is-well .unit").all()]

    assert [True] * 3 == [box is not None and box["height"] <= 48 for box in boxes]
