"""Debian's Chromium, as tests start it, without a window, and what a person does there before anything else."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, Locator, Page, Playwright

from tools.central_pictures import CHROMIUM, CHROMIUM_FLAGS

_HEADLESS: Final = Path("/usr/bin/chromium-headless-shell")
"""The same engine of the same version. A whole Chromium without a window still draws tabs and menus, in processes of
their own, and takes almost three times the processor's time."""


def launched(playwright: Playwright) -> Browser:
    """A browser; whoever asks closes it."""
    program = _HEADLESS if _HEADLESS.exists() else CHROMIUM
    return playwright.chromium.launch(executable_path=program, args=list(CHROMIUM_FLAGS))


def press_on_card(button: Locator) -> None:
    """As a person does: once more, if the page says that the list had just moved, and so did nothing."""
    refused = button.page.locator("#figures", has_text="The list had just moved")
    button.click()
    while refused.count():
        refused.wait_for(state="detached")
        button.click()


def hear(page: Page) -> None:
    """Answer that the tone was heard: the window to start duty is open, or opens now.

    Until it counts: the page takes no answer before the tone has sounded for half a second.
    """
    window = page.locator("#dialog-duty")
    window.wait_for(state="visible")
    for _ in range(120):
        window.locator("[data-submit]").click()
        for _ in range(10):
            if window.is_hidden():
                page.mouse.move(2, 2)  # A pointer left on the list would hold it as it is.
                return
            page.wait_for_timeout(50)
    raise TimeoutError("the answer that the tone was heard did nothing")
