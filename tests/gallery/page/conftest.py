"""The page over a running gallery, and in a browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.support.browser import PATIENT, WITHIN_MS, running_browser
from tests.support.gallery_page import PageUnderTest, wait_for_ages


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PageUnderTest]:
    """Eight people, and Alice has a PIN. It locks nobody whose next request a busy machine holds up."""
    wait_for_ages(monkeypatch, is_idle=False)
    page = PageUnderTest(tmp_path / "card")
    try:
        yield page.hear().with_pin()
    finally:
        page.end()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_browser() as started:
        yield started


@pytest.fixture
def as_in_a_shop() -> str:
    """Which limit of an open page is the product's: ``lost`` or ``idle``. A busy machine outlasts them all."""
    return ""


@pytest.fixture
def _the_unit_waits(monkeypatch: pytest.MonkeyPatch, as_in_a_shop: str) -> None:
    wait_for_ages(monkeypatch, is_idle=as_in_a_shop != "idle")


@pytest.fixture
def context(
    _the_unit_waits: None, browser: Browser, shop: PageUnderTest, as_in_a_shop: str
) -> Iterator[BrowserContext]:
    url = shop.serve(is_patient=as_in_a_shop != "lost")
    opened = browser.new_context(base_url=url, viewport={"width": 390, "height": 844}, has_touch=True)
    opened.set_default_timeout(WITHIN_MS)
    opened.add_init_script(PATIENT)
    yield opened
    opened.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """Locked, and drawn once more, as it is as soon as it hears the unit."""
    opened = context.new_page()
    with opened.expect_event("requestfinished", lambda request: request.resource_type == "xhr"):
        opened.goto("/")
    return opened
