"""Photographs the air strip for the documentation: ``python -m tools.air_pictures [DIR]``.

A town with radios is started, a shop without network presses, and its over is chosen on the panels' page.
Needs Debian's chromium, and what ``make demo DEMO="--radio"`` needs.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Final

from playwright.async_api import async_playwright

from demo.chronicle import CENTRAL
from demo.opening import open_town
from demo.panel.server import FrontPanels
from demo.premises import ADDRESSES, TownPlan
from demo.scripts import on_air
from demo.scripts.stage import Stage
from demo.town import Town
from node.core.air import Phrase
from node.hw.radio.sentences import sentences
from tools.central_pictures import CHROMIUM, CHROMIUM_FLAGS
from tools.pictures import FOLDER, digest, write_small

PICTURE: Final = "demo-air.png"
_STRIP: Final = (
    "static/air.js",
    "static/dom.js",
    "static/panel.css",
    "templates/air.html",
    "templates/base.html",
    "templates/index.html",
)
_SHOP: Final = "corner-shop"
_NO_TESTS_MS: Final = 3_600_000
_WITHIN_MS: Final = 30_000


async def photograph(town: Town, panels_url: str) -> bytes:
    """A PNG of the strip with the sentence of an attack in it."""
    stage, shop = Stage(town), town.premises[_SHOP]
    await on_air.gather(stage)
    await on_air.cut(stage, shop)
    alert = await stage.press(shop, "attack")
    await on_air.until_over_ended(stage, await on_air.until_over_started(stage, shop, alert))
    await stage.until_fact("committed", CENTRAL, alert)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(CHROMIUM_FLAGS))
        page = await browser.new_page(viewport={"width": 1100, "height": 900}, color_scheme="dark")
        page.set_default_timeout(_WITHIN_MS)
        await page.goto(panels_url)
        await page.locator("[data-overs] button").filter(has_text=shop.address.premises).first.click()
        await page.locator("[data-picture]").evaluate("image => image.decode()")
        await page.mouse.move(1, 1)
        await page.evaluate("document.activeElement.blur()")
        picture = await page.locator("#air").screenshot()
        await browser.close()
    return picture


def made_from() -> str:
    """The digest of the page, of what is said, and how it is photographed. Sound itself is never twice the same."""
    address = next(address for address in ADDRESSES if address.key == _SHOP)
    said = sentences(address.premises, address.place)[Phrase.ATTACK]
    drawn_by = ("demo/panel/air.py", "demo/air/spectrogram.py", "tools/air_pictures.py")
    return digest(*drawn_by, *(f"demo/panel/{part}" for part in _STRIP), data=said.encode())


async def _draw(file: Path) -> None:
    async with (
        open_town(plan=TownPlan(has_radio=True, path_test_first_ms=_NO_TESTS_MS)) as town,
        FrontPanels(town) as panels,
    ):
        write_small(file, await photograph(town, panels.url), made_from())


def main(arguments: list[str]) -> int:
    """Write the picture."""
    folder = Path(arguments[0]) if arguments else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    asyncio.run(_draw(folder / PICTURE))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
