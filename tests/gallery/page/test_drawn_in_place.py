"""What changes is drawn in place, in Chromium: nothing that somebody touches or types is lost by it."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from playwright.sync_api import Page, Route, expect

from gallery.core.events import ReportAsked
from tests.support.browser import show_it, stop_clock
from tests.support.gallery_page import PageUnderTest, nearby
from tests.support.gallery_running import PIN
from tests.support.gallery_screen import open_person, sign_in, type_in

pytestmark = pytest.mark.integration

CALM_MS = 3_001
"""After which nobody is said to be at the page."""


def alert_comes(shop: PageUnderTest) -> None:
    """Of another shop."""
    assert shop.node.state is not None
    shop.node.state = replace(shop.node.state, nearby=(nearby(),))


def alert_is_on_its_way(page: Page, shop: PageUnderTest, url: str) -> list[Route]:
    """It comes, the page asks there what to draw, and the answer is held until :func:`drawn`."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route(url, hold)
    alert_comes(shop)
    while not held:
        page.wait_for_timeout(50)
    return held


def drawn(page: Page, held: list[Route]) -> None:
    """The answers that were held come, and the page has read them."""
    for route in held:
        with page.expect_event("requestfinished"):
            route.continue_()
    page.unroute_all()
    page.evaluate("() => new Promise((done) => setTimeout(done))")


def test_name_that_is_touched_while_a_neighbours_alert_comes_is_chosen(page: Page, shop: PageUnderTest) -> None:
    """And nothing moves under whoever types; the alert is there when they go back."""
    held = alert_is_on_its_way(page, shop, "**/")
    page.get_by_role("button", name="Alice Alder").click()
    page.locator("[data-key='2']").click()
    drawn(page, held)

    expect(page.get_by_role("heading", name="PIN for Alice Alder")).to_be_visible()
    expect(page.locator("#secret")).to_have_value("2")
    expect(page.get_by_label("Alert from another shop")).to_have_count(0)
    page.get_by_role("button", name="I am somebody else").click()

    expect(page.get_by_label("Alert from another shop")).to_be_visible()


def test_question_whether_they_left_is_not_loaded_away(page: Page, shop: PageUnderTest) -> None:
    """It takes a while to ask somebody to leave."""
    page.clock.install()
    open_person(sign_in(page)).get_by_role("button", name="Here now").click()
    stop_clock(page)
    alert_comes(shop)
    expect(page.get_by_role("button", name="Show it")).to_be_visible()
    page.get_by_role("button", name="No, did not leave").click()

    expect(page.get_by_role("alert")).to_contain_text("Sent to central.")


def test_what_is_pressed_while_a_neighbours_alert_comes_stays_pressed(page: Page, shop: PageUnderTest) -> None:
    page.clock.install()
    open_person(sign_in(page))
    page.clock.fast_forward(CALM_MS)
    held = alert_is_on_its_way(page, shop, "**/people/1/42")
    page.get_by_role("button", name="Here now").click()
    drawn(page, held)

    expect(page.get_by_role("button", name="Show it")).to_be_visible()
    expect(page.get_by_role("button", name="No, did not leave")).to_be_visible()
    expect(page.get_by_label("Alert from another shop")).to_have_count(0)


@pytest.mark.parametrize("of_one", [False, True])
def test_neighbours_alert_is_drawn_on_a_page_that_nobody_touches(
    page: Page, shop: PageUnderTest, *, of_one: bool
) -> None:
    page.clock.install()
    sign_in(page)
    if of_one:
        open_person(page)
    page.evaluate("window.isSame = true")
    page.clock.fast_forward(CALM_MS)
    alert_comes(shop)

    expect(page.get_by_label("Alert from another shop")).to_be_visible()
    assert page.evaluate("window.isSame === true")


def test_report_is_listed_on_a_page_that_is_open(page: Page, shop: PageUnderTest) -> None:
    sign_in(page).get_by_role("link", name="Report").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Report somebody")
    page.wait_for_load_state()
    (session,) = shop.gallery.running.snapshot().sessions
    asked = ReportAsked("r", session, 1, 42, "HART-0042", "breach", "no", "ab" * 16)
    assert shop.gallery.running.report(asked).result(30).why is None
    show_it(page, page.get_by_text("Did not leave."))

    expect(page.get_by_role("list").last).to_contain_text("HART-0042 here. Did not leave.")


def test_after_signing_in_a_neighbours_alert_opens_the_person(page: Page, shop: PageUnderTest) -> None:
    alert_comes(shop)
    expect(page.get_by_label("Alert from another shop")).to_contain_text("HART-0042 was seen")
    page.get_by_role("button", name="Alice Alder").click()
    type_in(page, PIN.text)

    expect(page.get_by_role("heading", level=1)).to_have_text("Dean Marsh")
