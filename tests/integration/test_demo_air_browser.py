"""The air of a town with radios, in a real browser: what goes over it is seen, heard and drawn (N8, N9)."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, ElementHandle, Locator, Page, expect

from tests.support.browser import WITHIN_MS
from tests.support.demo_browser import Addresses, open_page, panel, running, serious_faults, wait_for_words

pytestmark = pytest.mark.integration

CORNER_SHOP, PENNY_BOOKS = "00000010", "00000011"
TAKEN = "Corner Shop, High St shows TRYING. Not received yet"


# Not beside the town without radio: each town's programs go on working while tests look at the other.
@pytest.fixture(scope="module")
def town() -> Iterator[Addresses]:
    """A radio beside each node."""
    with running("--radio") as addresses:
        yield addresses


NOTE_WHAT_PASSES = """() => {
  window.passed = [];
  const look = () => {
    passed.push(document.querySelector("#air [data-words]").textContent);
    for (const panel of document.querySelectorAll(".panel")) {
      const name = panel.querySelector("h2, h1").textContent.trim();
      passed.push(`${name} shows ${panel.querySelector("[data-words]").textContent}`);
      if (panel.querySelector(".on-air").checkVisibility()) passed.push(`${name} is seen on the air`);
    }
  };
  const all = { subtree: true, childList: true, attributes: true, characterData: true };
  new MutationObserver(look).observe(document.body, all);
}"""
"""What a panel shows while an over lasts may have gone before a busy machine looks."""


def wait_for_passing(page: Page, words: str, after: str = "") -> None:
    """``after``: words that have passed before."""
    page.wait_for_function(
        """([words, after]) => {
          const from = passed.findIndex((one) => one.includes(after));
          return from >= 0 && passed.slice(from).some((one) => one.includes(words));
        }""",
        arg=[words, after],
    )


def test_alert_by_radio_is_seen_heard_and_drawn(town: Addresses, chromium: Browser, complaints: list[str]) -> None:
    """N8, N9: no network, so the radio is keyed; the page plays the over and draws its spectrogram."""
    page = open_page(chromium, town.panels, complaints, viewport={"width": 1280, "height": 1000})
    wait_for_words(page, CORNER_SHOP, "READY")
    air, shop = page.locator("#air"), panel(page, CORNER_SHOP)
    expect(shop.locator("[data-radio-words]")).to_have_text("listening", timeout=WITHIN_MS)
    shop.get_by_text("Break something here").click()
    shop.get_by_label("Network cable unplugged").check()

    page.evaluate(NOTE_WHAT_PASSES)
    shop.locator("[data-button=attack]").focus()
    page.keyboard.down("Space")
    # Held until it is taken. What was on the air before may have been the shop's own test of its radio (N11).
    wait_for_passing(page, TAKEN)
    page.keyboard.up("Space")
    wait_for_passing(page, "Corner Shop, High St is seen on the air", TAKEN)
    wait_for_passing(page, "On the air: Corner Shop, High St", TAKEN)
    wait_for_words(page, PENNY_BOOKS, "ATTACK. Corner Shop, High St")
    wait_for_words(page, CORNER_SHOP, "RECEIVED")

    air.locator("[data-overs] button").filter(has_text="Corner Shop").first.click()
    expect(air.locator("[data-caption]")).to_contain_text("Corner Shop")
    picture = air.locator("[data-picture]")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 100
    played_s = air.locator("[data-sound]").evaluate(
        "sound => sound.play().then(() => new Promise(resolve => sound.ontimeupdate = () => resolve(sound.duration)))"
    )
    assert played_s > 1
    assert [] == serious_faults(page)

    air.get_by_role("button", name="Someone talks for 8 s").click()
    wait_for_passing(page, "On the air: someone talking")
    air.get_by_role("button", name="Block this link").click()
    expect(air.locator("[data-blocked]")).to_contain_text("cannot hear each other", timeout=WITHIN_MS)
    air.get_by_label("Jammer on").check()
    expect(air.locator("[data-words]")).to_contain_text("a jammer", timeout=WITHIN_MS)
    air.get_by_label("Jammer on").uncheck()
    expect(air.locator("[data-words]")).not_to_contain_text("a jammer", timeout=WITHIN_MS)
    page.close()


CHOSEN = """air => [
  air.querySelector("[data-caption]").textContent, air.querySelector("[data-sound]").getAttribute("src"),
]"""
"""Its words and its sound, at one moment."""


def over_of_talk(air: Locator) -> ElementHandle:
    """Let somebody talk for 8 s, and wait until that over is written down: an older one may stand there."""
    talks = air.locator("[data-overs] button").filter(has_text="someone talking")
    before = talks.first.text_content() if talks.count() else None
    air.get_by_role("button", name="Someone talks for 8 s").click()
    expect(talks.first).to_be_visible(timeout=WITHIN_MS)
    expect(talks.first).not_to_have_text(before or "nobody yet", timeout=WITHIN_MS)
    over = talks.first.element_handle()
    assert over is not None
    return over


def test_over_that_somebody_listens_to_stays_with_its_words(
    town: Addresses, chromium: Browser, complaints: list[str]
) -> None:
    """Neither is it cut off, nor does the newest one's picture stand above it."""
    page = open_page(chromium, town.panels, complaints)
    air = page.locator("#air")
    caption, sound = air.locator("[data-caption]"), air.locator("[data-sound]")
    over_of_talk(air)
    # Only what plays stays: the shops' radios may begin another over at any moment.
    sound.evaluate("sound => { sound.loop = true; return sound.play(); }")
    heard = air.evaluate(CHOSEN)

    over_of_talk(air)

    assert heard == air.evaluate(CHOSEN)
    sound.evaluate("sound => sound.pause()")
    expect(caption).not_to_have_text(heard[0])
    said, played = air.evaluate(CHOSEN)
    (newest,) = re.findall(r"Over (\d+):", said)
    assert f"{int(newest):04}" in played
    page.close()


@pytest.mark.finding(19)
def test_buttons_of_the_air_stay_the_same_while_it_is_drawn_anew(
    town: Addresses, chromium: Browser, complaints: list[str]
) -> None:
    """Many states a second come while somebody talks: a button made anew between press and release is never clicked."""
    page = open_page(chromium, town.panels, complaints, viewport={"width": 1280, "height": 1000})
    air = page.locator("#air")
    overs = air.locator("[data-overs] button")
    air.get_by_role("button", name="Block this link").click()
    opened = air.get_by_role("button", name=re.compile("Unblock the link between"))
    expect(opened).to_have_count(1, timeout=WITHIN_MS)
    button = opened.element_handle()

    chosen = over_of_talk(air)

    assert button is not None
    assert button.evaluate("button => button.isConnected")

    chosen.click()
    caption = air.locator("[data-caption]").text_content()
    count = overs.count()
    over_of_talk(air)

    assert chosen.evaluate("button => button.isConnected && button.ariaPressed === 'true'")
    assert caption == air.locator("[data-caption]").text_content()
    assert overs.count() >= count
    button.click()
    expect(opened).to_have_count(0, timeout=WITHIN_MS)
    page.close()
