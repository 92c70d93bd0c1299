"""Everybody can use the page: WCAG 2.2 AA by axe, narrow screens, big text, no colour, no motion, no script."""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from PIL import Image, ImageChops, ImageStat
from playwright.sync_api import BrowserContext, Page, expect

from central.core.asking_lines import ShiftLine
from central.core.unit_lines import PathFigures
from central.core.view import Person, RadioLine, RejectedLine, Standing
from tests.browser.conftest import OpenPage, pulses, sign_in
from tests.browser.test_asking import asking
from tests.browser.test_place import SHOP
from tests.central.web.scripted_board import ScriptedBoard, ScriptedServer, healthy, members
from tests.support import page_for_everybody
from tests.support.town_office import PATEL
from wire.snapshots import RoleEntry

pytestmark = pytest.mark.integration

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


@pytest.fixture(autouse=True)
def busy_night(board: ScriptedBoard) -> None:
    """Every kind of card, premises and banner at once."""
    by = Person("pcso", "J Patel")
    now = datetime.now(UTC)
    board.press(
        "attack",
        "Corner Shop",
        is_silent=True,
        alert_count=3,
        members=tuple(members(("The Crown", "seen"))),
        asking=(asking("pcso", names=("J Patel",)),),
    )
    board.press(
        "assist",
        "An extraordinarily long name of a premises that nobody shortened",
        is_late=True,
        asking=(asking(""), asking("duty-officer", 2, names=("K Publican of a very long name", "B", "C", "D"))),
    )
    board.tell(next_shifts=(ShiftLine(1, "pcso", "J Patel", now + timedelta(hours=2)),))
    board.tell(missing=(ShiftLine(1, "cctv", "Somebody of a very long name indeed", now - timedelta(hours=2)),))
    board.press("theft", "Pneumonoultramicroscopicsilicovolcanoconiosis", cancelled="mistake")
    board.press("fault", "Vine & Barrel")
    board.press("test", "Market Pharmacy")
    board.press("disorder", "Fox & Goose", state="answered", answered_by=by, answered_at=now, assigned_to="Sgt Ash")
    board.press("breach", "Gas & Co", state="on-the-way", answered_by=by, answered_at=now)
    board.press("theft", "Old Mill", state="closed", outcome="Dealt with on site")
    board.show_premises(SHOP)
    states: tuple[Standing, ...] = ("ok", "fault", "no-contact", "stopped", "never-seen", "revoked")
    board.show_nodes(*(healthy(f"{i:08x}", f"Shop {i}", state=state) for i, state in enumerate(states)))
    board.press(
        "breach",
        "Tea Room",
        path="radio",
        paths=("radio", "network"),
        relay="Corner Shop",
        is_untold=True,
        state="answered",
        answered_by=by,
        answered_at=now,
    )
    radios = (
        RadioLine(state="ready", tested_at=now, heard_at=now, heard_by=("Corner Shop",), busy_percent=60),
        RadioLine(state="untested", is_test_overdue=True),
        RadioLine(state="listening"),
        RadioLine(state="fault"),
        RadioLine(state="unknown", heard_at=now),
    )
    month = PathFigures(
        month="2026-11",
        path="network",
        watched_minutes=900,
        available_percent=99.93,
        frames=9,
        late=1,
        deliveries=8,
        median_s=1,
        most_s=4,
    )
    board.show_nodes(
        *(
            healthy(f"{i:08x}", f"{radio.state} radio", radio=radio, is_gateway=radio.state == "ready")
            for i, radio in enumerate(radios, 0x30)
        ),
        healthy(
            "00000040",
            "Jammed Jewellers",
            radio=RadioLine(state="ready", blocked_since=now - timedelta(minutes=2)),
            weekly_test_at=now - timedelta(days=9),
            is_weekly_test_overdue=True,
            figures=(month, replace(month, path="radio", available_percent=None, most_s=None)),
        ),
    )
    board.rejected = (RejectedLine("signature does not verify", "00000017", 3, now),)
    board.is_broker_linked = False


@pytest.mark.parametrize("scheme", ["dark", "light"])
@pytest.mark.parametrize("device", [{}, PHONE], ids=["desk", "phone"])
def test_axe_finds_nothing(open_page: OpenPage, scheme: str, device: dict[str, Any]) -> None:
    page = open_page(color_scheme=scheme, reduced_motion="reduce", **device)
    page.locator("#closed-zone > summary").click()
    page.locator("#rejected-zone > summary").click()
    page.locator(".card-toggle").first.press("Enter")
    assert [] == violations(page)


def test_axe_finds_nothing_in_a_window(open_page: OpenPage) -> None:
    page = open_page()
    page.keyboard.press("j")
    for which, key in {"assign": "s", "note": "n", "close": "c", "help": "?"}.items():
        page.keyboard.press(key)
        expect(page.locator(f"#dialog-{which}")).to_be_visible()
        assert [] == violations(page, f"#dialog-{which}")
        page.keyboard.press("Escape")


def test_axe_finds_nothing_in_the_window_that_asks_for_the_role(open_page: OpenPage, server: ScriptedServer) -> None:
    roles = (RoleEntry(role="pcso", schemes=(1,)), RoleEntry(role="duty-officer", schemes=(2,)))
    server.office.change(PATEL, roles=roles)
    server.call(server.publish)
    page = open_page(is_on_duty=False, account=PATEL)
    page.click("#start-duty")
    expect(page.locator("#dialog-duty")).to_be_visible()

    assert [] == violations(page, "#dialog-duty")


def test_live_regions_are_there_from_the_start_and_hold_no_button(open_page: OpenPage) -> None:
    page = open_page(java_script_enabled=True)

    html = page.request.get(page.url).text()
    for region in ('id="say-alert" role="alert"></div>', 'id="say-status" role="status"></div>'):
        assert region in html
    assert 0 == page.locator("[role=alert] button, [role=status] button").count()


CUT = """() => [...document.querySelectorAll(".card *, .node *, .bar *, .banner *")]
  .filter(node => node.checkVisibility() && node.clientWidth && getComputedStyle(node).overflow !== "visible")
  .filter(node => node.scrollWidth > node.clientWidth + 1).map(node => node.className)"""
OUTSIDE = """width => [...document.querySelectorAll("button, .card, .node")].filter(node => node.checkVisibility())
  .filter(node => { const r = node.getBoundingClientRect(); return r.left < 0 || r.right > width + 0.5; })
  .map(node => node.className)"""


def test_nothing_is_lost_on_a_narrow_screen_or_with_big_text(open_page: OpenPage) -> None:
    """WCAG 1.4.10 and 1.4.4: no sideways scrolling, no text cut off."""
    page = open_page()
    page.locator(".card-toggle").first.press("Enter")
    sizes = [(320, 100), (390, 100), (768, 100), (1210, 100), (1440, 100), (640, 200), (1280, 200), (1440, 200)]
    for width, text_percent in sizes:
        page.set_viewport_size({"width": width, "height": 800})
        page.evaluate(f"document.documentElement.style.fontSize = '{text_percent}%'")

        assert page.evaluate("document.documentElement.scrollWidth") <= width, (width, text_percent)
        assert ([], []) == (page.evaluate(CUT), page.evaluate(OUTSIDE, width)), (width, text_percent)


@pytest.mark.parametrize("device", [{}, PHONE], ids=["desk", "phone"])
def test_targets_are_large_enough(open_page: OpenPage, device: dict[str, Any]) -> None:
    page = open_page(**device)
    sizes = page.eval_on_selector_all(
        "button, summary, select, input:not([type=checkbox], [type=radio])",
        """nodes => nodes.filter(node => node.checkVisibility()).map(node => {
            const r = node.getBoundingClientRect(); return [node.id || node.className, r.width, r.height]; })""",
    )

    assert [] == [size for size in sizes if size[1] < 44 or size[2] < 44]
    assert len(sizes) > 20
    primary = page.locator("#unanswered .card-primary").first.bounding_box()
    assert primary is not None
    assert primary["height"] >= 56


@pytest.mark.parametrize(
    ("options", "is_pulsing"),
    [
        ({"reduced_motion": "no-preference"}, True),
        ({"reduced_motion": "reduce"}, False),
        ({"forced_colors": "active"}, False),
    ],
    ids=["usual", "reduced-motion", "forced-colours"],
)
def test_bar_pulses_unless_motion_is_reduced(open_page: OpenPage, options: dict[str, Any], *, is_pulsing: bool) -> None:
    page = open_page(**options)

    assert is_pulsing == pulses(page.locator("#unanswered .card-bar").first)


@pytest.mark.parametrize(
    "options",
    [{"color_scheme": "dark"}, {"color_scheme": "light"}, {"forced_colors": "active"}],
    ids=["dark", "light", "forced-colours"],
)
def test_priorities_are_told_apart_without_colour(open_page: OpenPage, options: dict[str, Any]) -> None:
    """A greyscale picture of each badge's shape and letter differs from every other's."""
    page = open_page(reduced_motion="reduce", **options)
    badges = {level: grey(page, level) for level in ("p1", "p2", "p3", "p4", "t")}

    for one, other in itertools.combinations(badges, 2):
        difference = ImageStat.Stat(ImageChops.difference(badges[one], badges[other])).mean[0]
        assert difference > 4, f"{one} looks like {other}"


def test_chosen_theme_is_kept(open_page: OpenPage, server: ScriptedServer) -> None:
    page = open_page(color_scheme="dark")
    assert "rgb(21, 24, 28)" == background(page)
    page.click("#theme")
    page.click("#theme")
    assert "rgb(233, 236, 239)" == background(page)
    page.reload()
    assert "rgb(233, 236, 239)" == background(page)


def test_focus_ring_is_three_pixels_with_a_gap(open_page: OpenPage) -> None:
    page = open_page(color_scheme="dark")
    page.keyboard.press("j")

    style = page.locator(".card:focus").evaluate(
        "card => { const s = getComputedStyle(card); return [s.outlineWidth, s.outlineOffset, s.outlineColor]; }"
    )
    assert ["3px", "2px", "rgb(255, 255, 255)"] == style


def test_page_without_script_is_readable_and_says_that_it_is_not_live(
    open_context: Callable[..., BrowserContext], server: ScriptedServer
) -> None:
    context = open_context(java_script_enabled=False)
    sign_in(context, server)
    page = context.new_page()
    page.goto(server.url)

    expect(page.locator("body")).to_contain_text("NOT LIVE. JavaScript is off", use_inner_text=True)
    expect(page.locator("#start-duty")).to_be_hidden()
    expect(page.locator("#unanswered .card").first).to_contain_text("Corner Shop")
    expect(page.locator("#premises .node")).to_have_count(12)


def violations(page: Page, within: str | None = None) -> list[str]:
    found = page_for_everybody.violations(page, within, RULES)
    return [f"{one['id']}: {[node['html'][:160] for node in one['nodes']]}" for one in found]


def grey(page: Page, level: str) -> Image.Image:
    png = page.locator(f'#unanswered .card[data-level="{level}"] .badge-level').screenshot()
    with Image.open(io.BytesIO(png)) as image:
        return image.convert("L").resize((90, 30))


def background(page: Page) -> str:
    colour: str = page.evaluate("getComputedStyle(document.body).backgroundColor")
    return colour
