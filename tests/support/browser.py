"""Debian's Chromium, as tests start it, without a window, and what a person does there before anything else."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

from tools.central_pictures import CHROMIUM, CHROMIUM_FLAGS

WITHIN_MS: Final = 180_000
"""For whatever a page is to show or let be pressed: a busy machine may need a minute for the first page alone."""
expect.set_options(timeout=WITHIN_MS)
PATIENT: Final = "AbortSignal.timeout = () => new AbortController().signal;"
"""Of a page that waits for an answer as long as a busy machine needs, or as a test holds it back."""
_HEADLESS: Final = Path("/usr/bin/chromium-headless-shell")
"""The same engine of the same version. A whole Chromium without a window still draws tabs and menus, in processes of
their own, and takes almost three times the processor's time."""


@contextlib.contextmanager
def running_browser() -> Iterator[Browser]:
    """Until the block ends. Meanwhile Playwright's own loop runs in this thread, and no other can."""
    program = _HEADLESS if _HEADLESS.exists() else CHROMIUM
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(CHROMIUM_FLAGS), timeout=WITHIN_MS)
        yield browser
        browser.close()


def until(page: Page, is_so: Callable[[], object], what: str) -> None:
    """Let the page run until ``is_so()``, with a generous deadline."""
    for _ in range(WITHIN_MS // 50):
        if is_so():
            return
        page.wait_for_timeout(50)
    raise TimeoutError(what)


def press_on_card(button: Locator) -> None:
    """As a person does: once more, if the page says that the list had just moved, and so did nothing."""
    refused = button.page.locator("#figures", has_text="The list had just moved")
    button.click()
    while refused.count():
        refused.wait_for(state="detached")
        button.click()


def show_second_factor_if_asked(page: Page, wanted: Locator, code: Callable[[], str]) -> None:
    """On the way to what is ``wanted``, as a person does: a busy machine may take longer than the last one is valid."""
    asked = page.get_by_role("heading", name="Show your second factor again")
    expect(wanted.or_(asked).first).to_be_visible()
    if asked.is_visible():
        page.get_by_label("Code").fill(code())
        page.get_by_role("button", name="Continue").click()


def stop_clock(page: Page) -> None:
    """The page's own, which has been installed: what it does after some time it does when the clock goes on."""
    page.clock.pause_at(page.evaluate("Date.now() / 1_000 + 20"))


def show_it(page: Page, news: Locator, press: Callable[..., None] = Locator.click) -> None:
    """See what has changed on a shop's page: it shows it by itself, or after a press.

    Between the look and the press it may have shown it by itself, and then there is nothing to press.
    """
    button = page.get_by_role("button", name="Show it")
    for _ in range(60):
        expect(news.or_(button).first).to_be_visible()
        if news.is_visible():
            return
        with contextlib.suppress(PlaywrightTimeoutError):
            press(button, timeout=2_000)
    raise TimeoutError("what has changed is not shown")


def hear(page: Page) -> None:
    """Answer that the tone was heard: the window to start duty is open, or opens now.

    Until it counts: the page takes no answer before the tone has sounded for half a second. An answer that it took is
    waited for, and not given twice: the window that closes meanwhile would leave nothing to press.
    """
    window = page.locator("#dialog-duty")
    window.wait_for(state="visible")
    for _ in range(600):
        window.locator("[data-submit]").click()
        page.wait_for_selector("#dialog-duty:not([open]), #dialog-duty .dialog-error:not(:empty)", state="attached")
        if window.is_hidden():
            page.mouse.move(2, 2)  # A pointer left on the list would hold it as it is.
            return
        if "SOUND IS BLOCKED" in (window.locator("#tone-said").text_content() or ""):
            window.locator("#tone-again").click()  # A busy machine's sound may begin too late to be believed.
        page.wait_for_timeout(100)
    raise TimeoutError("the answer that the tone was heard did nothing")
