"""Photographs the in-shop page for the documentation, over a running gallery: the people on it are nobody.

``python -m tools.shop_page_pictures``.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.support.gallery_page import PageUnderTest
from tests.support.gallery_running import PIN
from tools.central_pictures import CHROMIUM, CHROMIUM_FLAGS
from tools.pictures import FOLDER, digest, write_small

TABLET: Final[dict[str, Any]] = {"viewport": {"width": 820, "height": 1000}, "color_scheme": "light"}
PHONE: Final[dict[str, Any]] = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 1.5,
    "color_scheme": "dark",
    "has_touch": True,
}
SHOTS: Final[dict[str, dict[str, Any]]] = {"shop-page-list.png": TABLET, "shop-page-person.png": PHONE}
"""Name of the file: how large. The list; and one person, about to be reported."""


def made_from() -> str:
    """Digest of what the pictures show."""
    return digest(
        "gallery/page/templates",
        "gallery/page/static",
        "runtime/watermark.py",
        "tests/support/gallery_page.py",
        "tools/shop_page_pictures.py",
    )


def main() -> int:
    """Write the pictures."""
    with tempfile.TemporaryDirectory(prefix="wl-") as folder:
        shop = PageUnderTest(Path(folder) / "card").hear().with_pin()
        try:
            url = shop.serve()
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*CHROMIUM_FLAGS, "--lang=en-GB"])
                for name, size in SHOTS.items():
                    write_small(FOLDER / name, _photograph(browser, url, size), made_from())
                browser.close()
        finally:
            shop.end()
    return 0


def _photograph(browser: Browser, url: str, size: dict[str, Any]) -> bytes:
    context = browser.new_context(locale="en-GB", timezone_id="Europe/London", reduced_motion="reduce", **size)
    try:
        page = context.new_page()
        page.goto(url)
        _sign_in(page)
        if size is PHONE:
            page.get_by_role("link", name="Dean Marsh").click()
            page.wait_for_load_state()
            page.get_by_role("button", name="Here now").click()
        page.wait_for_load_state()
        page.evaluate("document.fonts.ready.then(() => undefined)")
        return page.screenshot()
    finally:
        context.close()


def _sign_in(page: Page) -> None:
    page.get_by_role("button", name="Alice Alder").click()
    page.keyboard.type(PIN.text)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("must not be in here")


if __name__ == "__main__":
    raise SystemExit(main())
