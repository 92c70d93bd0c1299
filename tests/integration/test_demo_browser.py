"""The whole way in a real browser: a finger on the front panel, central's page, and the shop's screen (N1, N3, C1)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.support.browser import WITHIN_MS, hear, press_on_card, show_second_factor_if_asked, until
from tests.support.counter_screen import SIZES, CounterScreen
from tests.support.demo_browser import (
    Addresses,
    open_page,
    panel,
    running,
    serious_faults,
    sign_in,
    sign_in_at_the_office,
    wait_for_words,
)

pytestmark = pytest.mark.integration

CORNER_SHOP, PENNY_BOOKS, RED_LION = "00000010", "00000011", "00000012"


@pytest.fixture(scope="module")
def town() -> Iterator[Addresses]:
    """Without radio."""
    with running() as addresses:
        yield addresses


def test_alert_that_nobody_answers_rings_a_phone_whose_tap_opens_it(
    town: Addresses, chromium: Browser, complaints: list[str]
) -> None:
    """C3, C8: the page of phones, the sign-in, the card, and the answer on the shop's screen."""
    phones = open_page(chromium, f"{town.panels}phones", complaints, viewport={"width": 390, "height": 900})
    panels = open_page(chromium, town.panels, complaints, viewport={"width": 1280, "height": 1000})
    phone = phones.locator("section").filter(has_text="J Patel’s phone")
    notices = phone.locator("[data-notices] a").filter(has_text="an alert waits")
    before = notices.count()
    assert [] == serious_faults(phones)
    assert phones.evaluate("document.documentElement.scrollWidth") <= 390

    attack = panel(panels, PENNY_BOOKS).locator("[data-button=attack]")
    attack.scroll_into_view_if_needed()
    attack.hover()
    panels.mouse.down()
    wait_for_words(panels, PENNY_BOOKS, "Asking PCSO")
    panels.mouse.up()

    # One a minute: after another alert it may take so long.
    expect(notices).to_have_count(before + 1)
    expect(phone.locator("[data-texts] a").first).to_contain_text("an alert waits")
    assert [] == serious_faults(phones)
    with phones.context.expect_page() as opened:
        notices.first.click()
    tapped = opened.value
    tapped.set_default_timeout(WITHIN_MS)
    expect(tapped.get_by_role("link", name="Sign in at the office")).to_be_visible()
    assert "Penny Books" not in tapped.content()
    addresses: list[str] = []
    tapped.on("framenavigated", lambda frame: addresses.append(frame.url))
    sign_in(tapped, town, "patel")

    card = tapped.locator("#unanswered .card").filter(has_text="Penny Books")
    expect(card).to_be_visible()
    expect(tapped).to_have_url(town.central)  # Once it has jumped to the card, a reload leads nowhere old.
    assert any(re.search("#00000011-[0-9]+$", one) for one in addresses), addresses
    press_on_card(card.get_by_role("button", name=re.compile("Acknowledge", re.IGNORECASE)))
    hear(tapped)
    wait_for_words(panels, PENNY_BOOKS, "ANSWERED. PCSO J Patel")
    # Its neighbours are READY again.
    in_hand = tapped.locator("#in-hand .card").filter(has_text="Penny Books")
    dialog = tapped.locator("#dialog-close")
    press_on_card(in_hand.get_by_role("button", name=re.compile("Close", re.IGNORECASE)))
    dialog.locator("input[type=radio]").first.check()
    dialog.locator("[data-submit]").click()
    wait_for_words(panels, PENNY_BOOKS, "READY")
    tapped.get_by_role("button", name="End duty").click()
    tapped.locator("#dialog-end [data-submit]").click()
    expect(tapped.get_by_role("button", name="Start duty")).to_be_visible()
    for page in (phones, panels, tapped):
        page.close()


def test_box_of_a_phone_stays_as_it_was_touched_though_an_older_answer_comes(
    town: Addresses, chromium: Browser, complaints: list[str]
) -> None:
    page = open_page(chromium, f"{town.panels}phones", complaints)
    box = page.get_by_label("Its push service refuses messages").first
    held: list[Route] = []
    page.route("**/phones.json", lambda route: held.append(route))  # noqa: PLW0108 - Playwright marks what it is given
    until(page, lambda: held, "the page asks how things stand")
    older = held[0].fetch()
    with page.expect_response(re.compile(r"/phones/\d")):
        box.check()
    expect(box).to_be_enabled()

    with page.expect_response("**/phones.json") as come:
        held[0].fulfill(response=older)
    come.value.finished()
    page.wait_for_timeout(100)

    expect(box).to_be_checked()
    page.unroute("**/phones.json")
    with page.expect_response(re.compile(r"/phones/\d")):
        box.uncheck()
    page.close()


def test_shop_presses_person_answers_shop_knows(town: Addresses, chromium: Browser, complaints: list[str]) -> None:
    panels = open_page(chromium, town.panels, complaints, viewport={"width": 1280, "height": 1000})
    central = open_page(chromium, town.central, complaints, viewport={"width": 1440, "height": 900})
    sign_in(central, town, "patel")
    central.get_by_role("button", name="Start duty").click()
    hear(central)
    expect(central.get_by_role("button", name="End duty")).to_be_visible()
    wait_for_words(panels, CORNER_SHOP, "READY")

    attack = panel(panels, CORNER_SHOP).locator("[data-button=attack]")
    attack.scroll_into_view_if_needed()
    attack.hover()
    panels.mouse.down()
    wait_for_words(panels, CORNER_SHOP, "RECEIVED")
    panels.mouse.up()

    wait_for_words(panels, PENNY_BOOKS, "ATTACK. Corner Shop, High St")
    expect(panel(panels, PENNY_BOOKS).locator(".horn")).to_have_attribute("data-sound", "attack")
    expect(panel(panels, RED_LION).locator("[data-words]")).to_contain_text("READY")
    assert [] == serious_faults(panels)
    card = central.locator("#unanswered .card").filter(has_text="Corner Shop")
    expect(card).to_be_visible(timeout=WITHIN_MS)
    assert [] == serious_faults(central)

    press_on_card(card.get_by_role("button", name=re.compile("Acknowledge", re.IGNORECASE)))

    wait_for_words(panels, CORNER_SHOP, "ANSWERED. PCSO J Patel")
    expect(central.locator("#in-hand .card").filter(has_text="Corner Shop")).to_be_visible(timeout=WITHIN_MS)
    for page in (panels, central):
        page.close()


def test_pin_goes_high_when_the_page_goes_away(town: Addresses, chromium: Browser, complaints: list[str]) -> None:
    """A button that stays down for ever would be an alarm for ever."""
    watching = open_page(chromium, town.panels, complaints)
    pressing = open_page(chromium, f"{town.panels}premises/{RED_LION}", complaints)
    pressed = panel(pressing, RED_LION).locator("[data-button=responding]")
    shown = panel(watching, RED_LION).locator("[data-button=responding]")
    pressed.hover()
    pressing.mouse.down()
    expect(shown).to_have_attribute("data-held", "", timeout=WITHIN_MS)

    pressing.close()

    expect(shown).not_to_have_attribute("data-held", "", timeout=WITHIN_MS)
    watching.close()


def open_ungreeted(town: Addresses, chromium: Browser, complaints: list[str]) -> tuple[Page, Callable[[], None]]:
    """Red Lion's page that the server has not named yet, and what lets it be named."""
    context = chromium.new_context()
    greetings: list[Route] = []

    def hold_back(route: Route) -> None:
        greetings.append(route)

    def greet() -> None:
        until(page, lambda: greetings, "the page asks what happens")
        greetings.pop().continue_()

    context.route("**/events", hold_back)
    page = open_page(context, f"{town.panels}premises/{RED_LION}", complaints)
    return page, greet


def test_press_before_the_page_is_greeted_is_let_go_of_with_it(
    town: Addresses, chromium: Browser, complaints: list[str]
) -> None:
    watching = open_page(chromium, town.panels, complaints)
    pressing, greet = open_ungreeted(town, chromium, complaints)
    shown = panel(watching, RED_LION).locator("[data-button=responding]")
    panel(pressing, RED_LION).locator("[data-button=responding]").hover()
    pressing.mouse.down()
    greet()
    expect(shown).to_have_attribute("data-held", "", timeout=WITHIN_MS)

    pressing.context.close()

    expect(shown).not_to_have_attribute("data-held", "", timeout=WITHIN_MS)
    watching.close()


def test_tap_that_ends_before_the_page_is_greeted_does_nothing_and_says_so(
    town: Addresses, chromium: Browser, complaints: list[str]
) -> None:
    """Sent late and without its length it would be another press than somebody made."""
    page, greet = open_ungreeted(town, chromium, complaints)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url))
    panel(page, RED_LION).locator("[data-button=responding]").click()

    greet()

    expect(page.get_by_role("alert")).to_contain_text("You let go before the demo was there")
    assert [] == [url for url in sent if url.endswith("/button")]

    panel(page, RED_LION).locator("[data-button=responding]").click()

    expect(page.get_by_role("alert")).to_be_empty()
    page.context.close()


def test_what_is_done_does_not_wipe_that_the_page_is_not_live(
    town: Addresses, chromium: Browser, complaints: list[str]
) -> None:
    held_back: list[Route] = []

    def break_off(route: Route) -> None:
        if not held_back:
            route.abort()
        held_back.append(route)

    context = chromium.new_context()
    context.route("**/events", break_off)
    page = open_page(context, f"{town.panels}premises/{RED_LION}", [])
    expect(page.get_by_role("alert")).to_contain_text("NOT LIVE")

    for box in (page.get_by_label("Sounder broken").check, page.get_by_label("Sounder broken").uncheck):
        with page.expect_response("**/part", timeout=WITHIN_MS) as answered:
            box()
        answered.value.finished()

    expect(page.get_by_role("alert")).to_contain_text("NOT LIVE")
    context.close()


def test_front_panel_works_by_keyboard_on_a_small_screen(
    town: Addresses, chromium: Browser, complaints: list[str]
) -> None:
    """C1: 320 px wide, no pointer; and a broken OLED shows as what it is."""
    page = open_page(chromium, f"{town.panels}premises/{RED_LION}", complaints, viewport={"width": 320, "height": 800})
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    wait_for_words(page, RED_LION, "READY")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert [] == serious_faults(page)

    page.locator("[data-button=assist]").focus()
    page.keyboard.down("Space")
    wait_for_words(page, RED_LION, "RECEIVED")
    page.keyboard.up("Space")
    page.get_by_label("Network cable unplugged").check()
    page.locator("[data-button=assist]").focus()
    page.keyboard.down("Enter")
    wait_for_words(page, RED_LION, "NOT DELIVERED")
    page.keyboard.up("Enter")
    page.get_by_label("Network cable unplugged").uncheck()
    wait_for_words(page, RED_LION, "RECEIVED")
    page.close()


@pytest.mark.finding(19)
def test_box_stays_as_touched_while_older_states_come(
    town: Addresses, chromium: Browser, complaints: list[str]
) -> None:
    """A state drawn before the order was done must not put the box back under the finger."""
    page = open_page(chromium, f"{town.panels}premises/{RED_LION}", complaints)
    other = open_page(chromium, f"{town.panels}premises/{RED_LION}", complaints)
    held_back: list[Route] = []

    def hold_back(route: Route) -> None:
        held_back.append(route)

    page.route("**/part", hold_back)
    box = page.get_by_label("Sounder broken")

    box.check()
    with page.expect_console_message(lambda message: message.text == "drawn anew", timeout=WITHIN_MS):
        page.evaluate(
            "new MutationObserver(() => console.log('drawn anew'))"
            ".observe(document.querySelector('[data-button=responding]'), { attributes: true })"
        )
        other.locator("[data-button=responding]").hover()
        other.mouse.down()

    expect(box).to_be_checked()
    other.mouse.up()
    held_back.pop().continue_()
    expect(panel(other, RED_LION).get_by_label("Sounder broken")).to_be_checked(timeout=WITHIN_MS)
    expect(box).to_be_checked()
    other.get_by_label("Sounder broken").uncheck()
    expect(box).not_to_be_checked(timeout=WITHIN_MS)
    for one in (page, other):
        one.close()


def test_box_whose_order_is_refused_goes_back_and_says_so(
    town: Addresses, chromium: Browser, complaints: list[str]
) -> None:
    """And nothing moves under a finger when the sentence goes."""
    page = open_page(chromium, f"{town.panels}premises/{RED_LION}", [])
    page.route("**/part", lambda route: route.fulfill(status=503, body="not now"))
    box = page.get_by_label("Sounder broken")

    box.click()

    expect(page.get_by_role("alert")).to_contain_text("Refused: not now", timeout=WITHIN_MS)
    expect(box).not_to_be_checked()
    # In one breath: what the panel's screen says may take another line at any moment.
    assert 0 == box.evaluate(
        """box => {
            const before = box.getBoundingClientRect().y;
            document.querySelector("[role=alert]").textContent = "";
            return box.getBoundingClientRect().y - before;
        }"""
    )
    page.close()


BANNED: Final = "Linden Grey"


def test_ban_is_in_the_shop_reported_dealt_with_and_gone(
    town: Addresses, chromium: Browser, complaints: list[str]
) -> None:
    """G4-G10: issued at the office, seen at the counter, reported in two taps, told back, revoked, gone.

    On a phone, a tablet and a desk at once: each is acted on at its own width, at the counter and at the office.
    """
    lion, stop = town.counters["Red Lion"], town.counters["Night Stop"]
    at = ((lion, "phone"), (stop, "tablet"), (lion, "desk"))
    screens = [CounterScreen(chromium, counter, size, complaints, BANNED) for counter, size in at]
    for one in screens[:2]:
        one.choose_a_pin()
    for one in screens:
        one.is_at_the_counter()
        expect(one.found).to_have_count(0)
        one.press_button("LOCK")

    office = open_page(chromium, town.office, complaints, viewport=SIZES["phone"])
    sign_in_at_the_office(office, town, "grant")
    office.goto(f"{town.office}cases/")
    office.get_by_role("row").filter(has_text=BANNED).get_by_role("link").first.click()
    act(office, town, "Issue")
    case = office.url
    for one in screens:
        one.report()
    reports_have_come(office, town, len(screens))
    for size in SIZES:
        office.set_viewport_size(SIZES[size])
        deal_with_a_breach(office, town)
    for one in screens:
        one.reads_the_outcome()

    office.goto(case)
    for one in screens:
        one.is_at_the_counter()
        expect(one.found).to_be_visible()
    office.set_viewport_size(SIZES["tablet"])
    act(office, town, "Revoke")
    for one in screens:
        expect(one.found).to_have_count(0)
        assert BANNED not in one.page.content()
        one.page.close()
    office.close()


def reports_have_come(office: Page, town: Addresses, count: int) -> None:
    """Each is on its way for a moment, and the list is not drawn anew by itself."""
    for _ in range(120):
        office.goto(f"{town.office}breaches/")
        if office.get_by_role("row").filter(has_text=BANNED).count() >= count:
            return
        office.wait_for_timeout(1_000)
    raise TimeoutError("not all reports have come to the office")


def deal_with_a_breach(office: Page, town: Addresses) -> None:
    """The newest that nobody has dealt with."""
    office.goto(f"{town.office}breaches/")
    assert [] == serious_faults(office)
    office.get_by_role("row").filter(has_text=BANNED).get_by_role("link").first.click()
    expect(office.get_by_role("heading", level=1)).to_contain_text(BANNED)
    expect(office.get_by_role("main")).to_contain_text("Did not leave when asked")
    assert [] == serious_faults(office)
    office.get_by_label("The person was warned").check()
    office.get_by_label(re.compile("This closes it")).check()
    office.get_by_role("button", name="Write it down").click()
    expect(office.get_by_role("main")).to_contain_text("The person was warned")


def act(office: Page, town: Addresses, move: str) -> None:
    """Take a step of the case, and say why if that is asked."""
    office.get_by_role("link", name=move, exact=True).click()
    button = office.get_by_role("button", name=move, exact=True)
    show_second_factor_if_asked(office, button, lambda: town.code("grant"))
    expect(button).to_be_visible()  # So are the fields above it: until then this may be the page before.
    why = office.get_by_label(re.compile("Why|Reason"))
    if why.count():
        why.first.fill("It was somebody else.")
    button.click()
    expect(button).to_have_count(0)
