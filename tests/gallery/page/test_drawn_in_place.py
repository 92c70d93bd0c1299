"""What changes is drawn in place, in Chromium: nothing that somebody touches or types is lost by it."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from playwright.sync_api import APIResponse, Page, Route, expect

from gallery.core.events import ReportAsked
from gallery.page.drawing import STATIC_DIR
from runtime.web_files import digest_of
from tests.support.browser import show_it, stop_clock, until
from tests.support.gallery_page import PageUnderTest, nearby
from tests.support.gallery_running import PIN
from tests.support.gallery_screen import open_person, sign_in, type_in

pytestmark = pytest.mark.integration

CALM_MS = 3_001
"""After which nobody is said to be at the page."""
CLICK_MS = 500
"""After which a finger that was lifted has clicked or has not."""
TOUCH_MS = 10_000
"""After which what still rests on the glass counts as lifted."""
TURN = """() => new Promise((done) => {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => done();
  port2.postMessage(0);
})"""
"""The page has done what it was about to do, also if its clock stands."""


def alert_comes(shop: PageUnderTest) -> None:
    """Of another shop."""
    assert shop.node.state is not None
    shop.node.state = replace(shop.node.state, nearby=(nearby(),))


def sign_in_and_leave(page: Page) -> None:
    """Nobody is at the list then."""
    page.clock.install()
    sign_in(page)
    page.clock.fast_forward(CALM_MS)


def held_back(page: Page, url: str) -> list[Route]:
    """What the page asks for there is not answered before :func:`drawn`."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route(url, hold)
    return held


def one_of(page: Page, held: list[Route]) -> Route:
    """The first, as soon as there is one."""
    until(page, lambda: held, "the page asks")
    return held[0]


def drawn(page: Page, route: Route, answer: APIResponse | None = None) -> None:
    """The answer that was held comes, and the page has read it; ``answer``: an older one instead."""
    with page.expect_event("requestfinished"):
        route.continue_() if answer is None else route.fulfill(response=answer)
    page.evaluate(TURN)


def has_heard(page: Page, shop: PageUnderTest) -> None:
    """The page has asked about all that the gallery has told it so far: of one change it is told more than once."""
    shop.gallery.look("nobody", 0)  # answered after what came before
    assert shop.node.state is not None
    shop.node.state = replace(shop.node.state, words="HEARD")
    expect(page.get_by_text("HEARD")).to_be_visible()


def alert_waits(page: Page, shop: PageUnderTest) -> list[Route]:
    """Another shop's alert has come, the page has asked for it, and its clock stands."""
    page.clock.install()
    held = held_back(page, "**/")
    alert_comes(shop)
    one_of(page, held)
    stop_clock(page)
    return held


def still_waits(page: Page, held: list[Route]) -> None:
    """The page has the answer, and has neither drawn it nor asked again."""
    (asked,) = held
    drawn(page, asked)
    assert [asked] == held
    expect(page.get_by_label("Alert from another shop")).to_have_count(0)


def touches(page: Page, kind: str, finger: int = 1) -> None:
    """Somebody does, where no click comes of it."""
    page.locator("#names").dispatch_event(kind, {"pointerId": finger, "bubbles": True})


def test_name_that_is_touched_while_a_neighbours_alert_comes_is_chosen(page: Page, shop: PageUnderTest) -> None:
    """And nothing moves under whoever types; the alert is there when they go back."""
    held = held_back(page, "**/")
    alert_comes(shop)
    asked = one_of(page, held)
    page.get_by_role("button", name="Alice Alder").click()
    page.locator("[data-key='2']").click()
    drawn(page, asked)
    page.unroute_all()

    expect(page.get_by_role("heading", name="PIN for Alice Alder")).to_be_visible()
    expect(page.locator("#secret")).to_have_value("2")
    expect(page.get_by_label("Alert from another shop")).to_have_count(0)
    page.get_by_role("button", name="I am somebody else").click()

    expect(page.get_by_label("Alert from another shop")).to_be_visible()


def test_name_under_a_finger_stays_there_while_a_neighbours_alert_comes(page: Page, shop: PageUnderTest) -> None:
    held = held_back(page, "**/")
    alert_comes(shop)
    asked = one_of(page, held)
    page.get_by_role("button", name="Alice Alder").hover()
    page.mouse.down()
    drawn(page, asked)
    page.mouse.up()

    expect(page.get_by_role("heading", name="PIN for Alice Alder")).to_be_visible()


def test_name_under_a_finger_stays_there_when_another_finger_is_lifted(page: Page, shop: PageUnderTest) -> None:
    held = alert_waits(page, shop)
    for finger in (1, 2):
        touches(page, "pointerdown", finger)
    touches(page, "pointerup", 1)
    page.clock.fast_forward(CLICK_MS)

    still_waits(page, held)


def test_button_that_opens_a_menu_holds_no_alert_back(page: Page, shop: PageUnderTest) -> None:
    """What ends such a press may never reach the page."""
    page.locator("#names").dispatch_event("pointerdown", {"button": 2, "bubbles": True})
    alert_comes(shop)

    expect(page.get_by_label("Alert from another shop")).to_be_visible()


@pytest.mark.parametrize("end", ["pointerup", "pointercancel"])
def test_neighbours_alert_is_drawn_when_no_click_has_come_of_a_touch(page: Page, shop: PageUnderTest, end: str) -> None:
    held = alert_waits(page, shop)
    touches(page, "pointerdown")
    touches(page, end)
    page.clock.fast_forward(CLICK_MS - 1)
    still_waits(page, held)
    page.unroute_all()
    page.clock.fast_forward(1)

    expect(page.get_by_label("Alert from another shop")).to_be_visible()


def test_neighbours_alert_is_drawn_though_a_hand_rests_on_the_glass(page: Page, shop: PageUnderTest) -> None:
    held = alert_waits(page, shop)
    touches(page, "pointerdown")
    page.clock.fast_forward(TOUCH_MS)
    page.clock.fast_forward(CLICK_MS - 1)
    still_waits(page, held)
    page.unroute_all()
    page.clock.fast_forward(1)

    expect(page.get_by_label("Alert from another shop")).to_be_visible()


def test_name_under_a_finger_stays_there_when_a_hand_has_rested_for_long(page: Page, shop: PageUnderTest) -> None:
    """It stays no longer than that finger."""
    held = alert_waits(page, shop)
    touches(page, "pointerdown", 1)
    page.clock.fast_forward(TOUCH_MS - 1)
    touches(page, "pointerdown", 2)
    page.clock.fast_forward(1)
    page.clock.fast_forward(CLICK_MS)
    still_waits(page, held)
    page.unroute_all()
    touches(page, "pointerup", 2)
    page.clock.fast_forward(CLICK_MS)

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
    held = held_back(page, "**/people/1/42")
    alert_comes(shop)
    asked = one_of(page, held)
    page.get_by_role("button", name="Here now").click()
    drawn(page, asked)

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


def test_page_of_one_person_that_was_drawn_over_another_works(page: Page, shop: PageUnderTest) -> None:
    """They are not shown yet when their page is opened: a page of another kind is loaded, not drawn."""
    page.clock.install()
    sign_in(page)
    page.goto("/people/1/45")
    expect(page.get_by_role("heading", level=1)).not_to_have_text("Una New")
    shop.gallery.told(shop.published.issue(45, "Una New"))
    shop.gallery.until(shop.gallery.shows(45, 44, 42, 41, 40, 38, 35, 34, 31))
    page.clock.fast_forward(CALM_MS)
    alert_comes(shop)
    expect(page.get_by_role("heading", level=1)).to_have_text("Una New")
    page.wait_for_load_state()
    page.get_by_role("button", name="Here now").click()

    expect(page.get_by_role("button", name="No, did not leave")).to_be_visible()


def test_who_was_withdrawn_after_the_answer_was_made_is_gone(page: Page, shop: PageUnderTest) -> None:
    """It comes late, and somebody had touched the page meanwhile."""
    sign_in_and_leave(page)
    held = held_back(page, "**/")
    alert_comes(shop)
    asked = one_of(page, held)
    made = asked.fetch()
    page.keyboard.press("Shift")
    shop.gallery.told(shop.published.withdraw(42))
    expect(page.get_by_role("link", name="Dean Marsh")).to_have_count(0)
    page.clock.fast_forward(CALM_MS)
    drawn(page, asked, made)

    expect(page.get_by_role("link", name="Dean Marsh")).to_have_count(0)
    expect(page.get_by_role("button", name="Show it")).to_be_visible()


def test_who_was_withdrawn_while_others_were_drawn_is_gone(page: Page, shop: PageUnderTest) -> None:
    """Though it was asked about the list as it was before."""
    sign_in_and_leave(page)
    lists, stills = held_back(page, "**/"), held_back(page, "**/still")
    shop.gallery.told(shop.published.issue(45, "Una New"))
    one_of(page, stills).continue_()
    asked = one_of(page, lists)
    made = asked.fetch()
    del stills[:]
    shop.gallery.told(shop.published.withdraw(42))
    still = one_of(page, stills)
    has_heard(page, shop)
    drawn(page, asked, made)
    expect(page.get_by_role("link", name="Una New")).to_be_visible()
    stop_clock(page)  # somebody is at it however long the answer takes
    page.keyboard.press("Shift")
    still.continue_()
    page.unroute_all()

    expect(page.get_by_role("link", name="Dean Marsh")).to_have_count(0)
    expect(page.get_by_role("link", name="Una New")).to_be_visible()


def test_state_of_the_unit_that_came_meanwhile_stays(page: Page, shop: PageUnderTest) -> None:
    sign_in_and_leave(page)
    held = held_back(page, "**/")
    alert_comes(shop)
    asked = one_of(page, held)
    made = asked.fetch()
    assert shop.node.state is not None
    shop.node.state = replace(shop.node.state, words="NO NETWORK NOW", needs_care=True, nearby=(nearby(),))
    expect(page.get_by_text("NO NETWORK NOW")).to_be_visible()
    until(page, lambda: len(held) > 1, "the page asks again")
    drawn(page, held[1], made)
    expect(page.get_by_label("Alert from another shop")).to_be_visible()

    expect(page.get_by_text("NO NETWORK NOW")).to_be_visible()


@pytest.mark.parametrize("is_right", [True, False])
def test_nobody_else_stands_at_the_page_when_the_answer_to_a_pin_comes(page: Page, *, is_right: bool) -> None:
    """It would open as the person before, or call the PIN wrong that somebody else is typing."""
    held = held_back(page, "**/sign-in")
    page.get_by_role("button", name="Alice Alder").click()
    type_in(page, PIN.text if is_right else PIN.text[::-1])
    asked = one_of(page, held)
    others = [page.get_by_role("button", name=name) for name in ("I am somebody else", "I have a start code")]
    for other in others:
        expect(other).to_be_disabled()
    asked.continue_()

    if is_right:
        expect(page.locator("#lock")).to_contain_text("Alice Alder")
    for other in others if not is_right else ():
        expect(other).to_be_enabled()


def test_page_that_is_somebody_elses_by_now_is_loaded(page: Page, shop: PageUnderTest) -> None:
    """Only parts of a page are drawn, and whose it is stands in none of them."""
    sign_in_and_leave(page)
    page.evaluate("window.isSame = true")
    held = held_back(page, "**/")
    alert_comes(shop)
    asked = one_of(page, held)
    answer = asked.fetch()
    asked.fulfill(response=answer, body=answer.text().replace("Alice Alder", "Bernard Birch"))
    page.unroute_all()
    expect(page.get_by_label("Alert from another shop")).to_be_visible()

    assert page.evaluate("window.isSame") is None


def test_locked_page_whose_request_failed_asks_again(page: Page, shop: PageUnderTest) -> None:
    page.route("**/", lambda route: route.abort())
    with page.expect_event("requestfailed"):
        alert_comes(shop)
    page.unroute_all()

    expect(page.get_by_label("Alert from another shop")).to_be_visible()


def test_page_goes_by_scripts_of_its_own_version(page: Page) -> None:
    """After an update a browser would go by those that it kept."""
    addresses = page.evaluate("performance.getEntriesByType('resource').map((one) => new URL(one.name).pathname)")

    assert {True} == {
        one.startswith(f"/static/{digest_of(STATIC_DIR)}/") for one in addresses if one.endswith((".js", ".css"))
    }
