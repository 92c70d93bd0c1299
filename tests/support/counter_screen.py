"""Somebody at a shop's counter, at a browser of a phone's, a tablet's or a desk's width."""

from __future__ import annotations

import contextlib
import re
from typing import Final

from playwright.sync_api import Browser, Error, Locator, ViewportSize, expect

from tests.support.browser import show_it
from tests.support.demo_browser import Counter, open_page, serious_faults

SIZES: Final = {
    "phone": ViewportSize(width=390, height=844),
    "tablet": ViewportSize(width=1024, height=768),
    "desk": ViewportSize(width=1440, height=900),
}
_PIN: Final = "280341"


class CounterScreen:
    """A browser at a shop's counter, at which somebody acts.

    Attributes:
        size: of it; all but a desk's are touched.
        found: the banned person in the list.
    """

    def __init__(self, chromium: Browser, counter: Counter, size: str, complaints: list[str], banned: str) -> None:
        self.size, self._counter = size, counter
        touched = size != "desk"
        self.page = open_page(chromium, counter.url, complaints, viewport=SIZES[size], has_touch=touched)
        self._is_touched = touched
        self._banned = banned
        self.found = self.page.get_by_role("link", name=banned)

    def press(self, what: Locator, timeout: float | None = None) -> None:
        """``timeout``: in ms; ``None`` = the page's."""
        if self._is_touched:
            what.tap(timeout=timeout)
        else:
            what.click(timeout=timeout)

    def press_button(self, name: str) -> None:
        self.press(self.page.get_by_role("button", name=name))

    def enter(self, secret: str) -> None:
        """By the page's own keys, where they have them all."""
        if self._is_touched and secret.isdecimal():
            for digit in secret:
                self.press(self.page.locator(f"[data-key='{digit}']"))
            self.press_button("Enter")
        else:
            self.page.keyboard.type(secret)
            self.page.keyboard.press("Enter")

    def is_for_everybody(self) -> None:
        assert [] == serious_faults(self.page), (self.size, self.page.url)
        assert self.page.evaluate("document.documentElement.scrollWidth") <= SIZES[self.size]["width"], self.page.url

    def choose_a_pin(self) -> None:
        self.is_for_everybody()
        self.press_button(self._counter.person)
        self.enter(self._counter.start_code)
        for heading in ("Choose a PIN", "The same PIN again"):
            expect(self.page.get_by_role("heading", name=heading)).to_be_visible()
            self.is_for_everybody()
            self.enter(_PIN)
        expect(self.page.get_by_role("heading", level=1)).to_have_text(re.compile("must not be in here"))

    def is_at_the_counter(self) -> None:
        """Signs in. Nobody has touched the page while others were busy: it may just be locking itself."""
        # A page that is open asks what has changed, and without its cookie is refused.
        while self.page.url != "about:blank":
            with contextlib.suppress(Error):  # It may turn to another page of its own just then.
                self.page.goto("about:blank")
        self.page.context.clear_cookies()
        self.page.goto(self._counter.url)
        self.press_button(self._counter.person)
        self.enter(_PIN)
        # Another shop's alert opens on the person.
        self.press(self.page.get_by_role("link", name="Gallery", exact=True))
        expect(self.page.get_by_text("must not be in here")).to_be_visible()

    def report(self) -> None:
        """In two taps, from the person's page."""
        self.is_at_the_counter()
        show_it(self.page, self.found, self.press)
        self.is_for_everybody()
        self.press(self.found)
        expect(self.page.get_by_role("heading", level=1)).to_have_text(self._banned)
        self.is_for_everybody()
        self.press(self.page.get_by_role("button", name="Here now"))
        self.press(self.page.get_by_role("button", name="No, did not leave"))
        expect(self.page.get_by_role("alert")).to_contain_text(re.compile("Sent|Saved|Received"))
        self.is_for_everybody()

    def reads_the_outcome(self) -> None:
        self.is_at_the_counter()
        self.press(self.page.get_by_role("link", name="Report", exact=True))
        show_it(self.page, self.page.get_by_text("The person was warned.").first, self.press)
        self.is_for_everybody()
