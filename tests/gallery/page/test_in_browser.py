"""The page in Chromium: used by everybody, at phone, tablet and desk width, and locked with nothing of a face left."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from playwright.sync_api import Page, expect

from gallery.core.events import Ticked
from gallery.page import keeping
from gallery.page.ports import AlertAnswer, AlertProgress, AlertState
from tests.support.browser import show_it, stop_clock
from tests.support.gallery_page import HIDE, LOST_S, TRACES, PageUnderTest, nearby
from tests.support.gallery_running import CODE, hung
from tests.support.gallery_screen import is_locked, open_person, sign_in, type_in
from tests.support.page_for_everybody import faults

pytestmark = pytest.mark.integration

WIDTHS = [320, 390, 820, 1366]
TOUCH_PX = 72


def test_everybody_can_use_a_locked_page(page: Page, shop: PageUnderTest) -> None:
    assert shop.node.state is not None
    shop.node.state = replace(shop.node.state, nearby=(nearby(),))
    expect(page.get_by_label("Alert from another shop")).to_be_visible()
    found = faults(page)
    page.get_by_role("button", name="Alice Alder").click()

    assert [] == found + faults(page)


def test_everybody_can_use_list_and_person(page: Page, shop: PageUnderTest) -> None:
    assert shop.node.state is not None
    found = faults(sign_in(page))
    shop.node.state = replace(shop.node.state, nearby=(nearby(),))
    open_person(page).get_by_role("button", name="Here now").click()

    assert [] == found + faults(page)


def test_everybody_can_use_the_other_tabs(page: Page) -> None:
    sign_in(page)
    found: list[str] = []
    for tab, title in (("Report", "Report somebody"), ("Advice", "Advice"), ("Status", "Status")):
        page.get_by_role("link", name=tab).click()
        expect(page.get_by_role("heading", level=1)).to_have_text(title)
        found += faults(page)

    assert [] == found


def test_everybody_can_read_how_a_tablet_is_fitted(page: Page) -> None:
    page.goto("/fit")
    expect(page.get_by_role("link", name="https://watchlink-00000010.local/")).to_be_visible()

    assert [] == faults(page)


def test_gallery_that_is_off_can_be_read_by_everybody(page: Page, shop: PageUnderTest) -> None:
    sign_in(page)
    (session,) = shop.gallery.running.snapshot().sessions
    shop.gallery.now_ms += 40 * 86_400_000
    shop.gallery.running.use(session)
    shop.gallery.running.put(Ticked())
    expect(page.get_by_role("heading", name="Who are you?")).to_be_visible()
    expect(page.get_by_text("The gallery is off").first).to_be_visible()

    assert [] == faults(page)


def test_letters_of_twice_the_size_fit_any_width(page: Page) -> None:
    wide: list[str] = []
    for step in (lambda _page: None, sign_in, open_person):
        step(page)
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            if page.evaluate("document.documentElement.scrollWidth") > width:
                wide.append(f"{page.url} at {width}")

    assert [] == wide


def test_what_a_thumb_presses_is_large_enough(page: Page) -> None:
    def small(selector: str) -> list[str]:
        found: list[str] = page.locator(selector).evaluate_all(
            "(all, least) => all.filter((one) => one.checkVisibility() && one.getBoundingClientRect().height < least)"
            ".map((one) => one.textContent.trim())",
            TOUCH_PX,
        )
        return found

    page.get_by_role("button", name="Alice Alder").click()
    found = small(".names .button, .key, .others .button, #secret")
    page.reload()
    sign_in(page)
    found += small(".lock, .tabs a, .search input, .search button, .chip, .person")
    open_person(page).get_by_role("button", name="Here now").click()

    assert [] == found + small(".back a, .report button")


def test_face_on_a_card_is_wide_enough_to_be_known(page: Page) -> None:
    boxes = [one.bounding_box() for one in sign_in(page).locator(".person img").all()]
    open_person(page)
    large = page.locator(".portrait").bounding_box()

    assert [True] * 7 == [box is not None and box["width"] >= 120 for box in boxes]
    assert large is not None
    assert large["width"] >= 240
    below = page.get_by_role("button", name="Here now").bounding_box()
    assert below is not None
    assert below["y"] + below["height"] <= 844 - TOUCH_PX, "the button is below the fold"


def test_first_time_needs_a_keyboard_alone(page: Page) -> None:
    page.get_by_role("button", name="Bob Birch").press("Enter")
    page.keyboard.type(CODE.text)
    page.keyboard.press("Enter")
    for _ in range(2):
        expect(page.locator("#typing-title")).to_contain_text("PIN")
        page.keyboard.type("481516")
        page.keyboard.press("Enter")

    expect(page.get_by_role("heading", level=1)).to_have_text("8 people must not be in here")


def test_wrong_pin_says_so_and_a_wait_is_counted_down(page: Page) -> None:
    page.get_by_role("button", name="Alice Alder").click()
    for _ in range(4):
        expect(page.locator("#enter")).to_be_enabled()
        type_in(page, "000000")
    expect(page.locator("#typing-said")).to_contain_text("Wait")
    before = page.locator("#typing-said").inner_text()

    expect(page.locator("#enter")).to_be_disabled()
    expect(page.locator("#typing-said")).not_to_have_text(before)


def test_lock_leaves_nothing_and_back_brings_nothing(page: Page) -> None:
    open_person(sign_in(page)).get_by_role("button", name="LOCK").click()
    is_locked(page)
    page.go_back()

    is_locked(page)


def test_page_out_of_sight_is_locked_at_once(page: Page, shop: PageUnderTest) -> None:
    open_person(sign_in(page))

    assert 0 == page.evaluate(f"() => {{ ({HIDE})(); return ({TRACES})(); }}")
    is_locked(page)
    assert {} == dict(shop.gallery.running.snapshot().sessions)


def test_from_page_to_page_nobody_is_locked_out(page: Page) -> None:
    open_person(sign_in(page))
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("8 people must not be in here")
    page.reload()
    page.get_by_role("link", name="Here", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("3 of 8 people")
    page.get_by_role("searchbox").fill("reed")
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", level=1)).to_have_text("1 of 8 people")
    assert page.url.endswith("/?only=here&q=reed")


@pytest.mark.parametrize("as_in_a_shop", ["idle"])
def test_page_that_nobody_touches_warns_stays_by_one_tap_and_locks(page: Page) -> None:
    page.clock.install()
    sign_in(page)
    stop_clock(page)
    page.keyboard.press("Shift")  # touched just now
    page.clock.fast_forward(41_000)
    expect(page.get_by_role("dialog")).to_contain_text("locks in")
    page.get_by_role("button", name="Stay signed in").click()
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.clock.fast_forward(41_000)
    expect(page.get_by_role("dialog")).to_be_visible()
    page.clock.fast_forward(20_000)

    is_locked(page)


@pytest.mark.parametrize("as_in_a_shop", ["lost"])
@pytest.mark.parametrize("what", ["core", "program"])
def test_page_of_a_gallery_that_hangs_locks_itself(
    page: Page, shop: PageUnderTest, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """Its page program may go on though the core loops; stopped as a whole (SIGSTOP) it says nothing at all.

    The page's clock stands still until then, however slow a busy machine is, and then goes on as the unit's does.
    """
    page.clock.install()
    stop_clock(page)
    open_person(sign_in(page))
    told = page.get_by_text("The unit does not answer this page.")
    with hung(shop.gallery, monkeypatch) if what == "core" else shop.stopped():
        page.clock.resume()
        expect(told).to_be_visible()
        assert 0 == page.evaluate(TRACES)
        assert "Dean Marsh" not in page.content()
        # What is told to the unit is not heard: the notice stays, and no page of faces comes back.
        page.wait_for_timeout(3_000)
        expect(told).to_be_visible()

    is_locked(page)


@pytest.mark.parametrize("as_in_a_shop", ["lost"])
def test_page_that_hears_nothing_shows_no_face_after_twelve_seconds(page: Page, shop: PageUnderTest) -> None:
    """By its own clock, which stands still here: so a busy machine changes nothing."""
    page.clock.install()
    stop_clock(page)
    open_person(sign_in(page))
    with shop.stopped():
        stop_clock(page)
        page.clock.run_for((LOST_S + 1) * 1_000)  # The last sign of life may have come after the clock had stopped.
        expect(page.get_by_text("The unit does not answer this page.")).to_be_visible()
        assert 0 == page.evaluate(TRACES)


def test_revoked_person_is_gone_from_an_open_page(page: Page, shop: PageUnderTest) -> None:
    sign_in(page)
    shop.gallery.told(shop.published.withdraw(42))

    expect(page.get_by_role("link", name="Dean Marsh")).to_have_count(0)
    expect(page.get_by_role("link", name="Noor Hale")).to_be_visible()


def test_revoked_person_is_gone_from_their_own_page(page: Page, shop: PageUnderTest) -> None:
    open_person(sign_in(page))
    shop.gallery.told(shop.published.withdraw(42))

    expect(page.get_by_role("heading", level=1)).to_have_text("This person is no longer shown.")
    assert "Dean Marsh" not in page.content()


def test_new_person_is_shown_on_an_open_page(page: Page, shop: PageUnderTest) -> None:
    sign_in(page)
    shop.gallery.told(shop.published.issue(45, "Una New"))

    show_it(page, page.get_by_role("link", name="Una New"))


def test_session_that_is_ended_locks_its_page(page: Page, shop: PageUnderTest) -> None:
    open_person(sign_in(page))
    for session in shop.gallery.running.snapshot().sessions:
        shop.gallery.running.sign_out(session)

    is_locked(page)


def test_closed_page_is_locked_from_the_unit(page: Page, shop: PageUnderTest, monkeypatch: pytest.MonkeyPatch) -> None:
    sign_in(page)
    monkeypatch.setattr(keeping, "UNWATCHED_S", 0.5)
    page.close()

    shop.gallery.until(lambda: not shop.gallery.running.snapshot().sessions)


def test_locked_page_needs_a_pin_though_nobody_heard_the_lock(page: Page, shop: PageUnderTest) -> None:
    sign_in(page)
    page.route("**/lock", lambda route: route.abort())
    page.locator("#lock").click()
    expect(page.get_by_role("heading", name="Locked")).to_be_visible()
    page.get_by_role("link", name="Sign in").click()

    expect(page.get_by_role("heading", level=1).first).to_have_text("Who are you?")
    is_locked(page)
    shop.gallery.until(lambda: not shop.gallery.running.snapshot().sessions)


def test_locked_page_is_not_opened_by_loading_it_again(page: Page) -> None:
    sign_in(page)
    page.route("**/lock", lambda route: route.abort())
    page.locator("#lock").click()
    expect(page.get_by_role("heading", name="Locked")).to_be_visible()
    page.reload()

    is_locked(page)


def test_lock_is_told_until_it_is_heard(page: Page, shop: PageUnderTest) -> None:
    sign_in(page)
    page.route("**/lock", lambda route: route.abort(), times=1)
    page.locator("#lock").click()

    is_locked(page)
    shop.gallery.until(lambda: not shop.gallery.running.snapshot().sessions)


def test_breach_is_two_taps(page: Page, shop: PageUnderTest) -> None:
    open_person(sign_in(page)).get_by_role("button", name="Here now").click()
    page.get_by_role("button", name="Not asked").click()
    expect(page.get_by_role("alert")).to_contain_text("Sent to central.")

    assert [("breach", 42, "not-asked")] == [(one.kind, one.person, one.left) for one in shop.node.asked]


def test_report_that_nobody_knows_of_is_raised_once(page: Page, shop: PageUnderTest) -> None:
    shop.node.answer = AlertAnswer(AlertState.UNKNOWN)
    open_person(sign_in(page)).get_by_role("button", name="Seen nearby").click()
    expect(page.get_by_role("alert")).to_contain_text("It is not known whether this was sent.")
    shop.node.answer = AlertAnswer(AlertState.SENT, "00000010-7")
    page.get_by_role("button", name="Seen nearby").click()
    expect(page.get_by_role("alert")).to_contain_text("Sent to central.")

    first, again = shop.node.asked
    assert first == again


def test_another_answer_after_one_that_nobody_knows_of_is_a_report_of_its_own(page: Page, shop: PageUnderTest) -> None:
    """The first one was kept; under its id the second would be called sent, and be lost."""
    shop.node.answer = AlertAnswer(AlertState.UNKNOWN)
    open_person(sign_in(page)).get_by_role("button", name="Here now").click()
    page.get_by_role("button", name="Yes, left").click()
    expect(page.get_by_role("alert")).to_contain_text("It is not known whether this was sent.")
    shop.node.answer = AlertAnswer(AlertState.SENT, "00000010-7")
    page.get_by_role("button", name="No, did not leave").click()
    expect(page.get_by_role("alert")).to_contain_text("Sent to central.")

    assert {"yes", "no"} == {one.left for one in shop.gallery.running.snapshot().reports}
    assert ["yes", "no"] == [one.left for one in shop.node.asked]
    assert 2 == len({one.request for one in shop.node.asked})


def test_report_that_is_saved_is_told_to_have_been_received(page: Page, shop: PageUnderTest) -> None:
    assert shop.node.state is not None
    shop.node.answer = AlertAnswer(AlertState.SAVED, "00000010-7")
    open_person(sign_in(page)).get_by_role("button", name="Seen nearby").click()
    expect(page.get_by_role("alert")).to_contain_text("Not received yet")
    progress = (AlertProgress("00000010-7", "Received by central", is_at_central=True),)
    shop.node.state = replace(shop.node.state, progress=progress)

    expect(page.get_by_role("alert")).to_contain_text("Received by central")
