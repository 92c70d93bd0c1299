"""Somebody at the page of a :class:`tests.support.gallery_page.PageUnderTest`, in a browser."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.support.gallery_page import TRACES
from tests.support.gallery_running import PIN


def type_in(page: Page, secret: str) -> None:
    for digit in secret:
        page.locator(f"[data-key='{digit}']").click()
    page.get_by_role("button", name="Enter").click()


def sign_in(page: Page) -> Page:
    page.get_by_role("button", name="Alice Alder").click()
    type_in(page, PIN.text)
    expect(page.get_by_role("heading", level=1)).to_have_text("8 people must not be in here")
    page.wait_for_load_state()
    return page


def open_person(page: Page) -> Page:
    page.get_by_role("link", name="Dean Marsh").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Dean Marsh")
    page.wait_for_load_state()
    return page


def is_locked(page: Page, *names: str) -> None:
    """And nothing of a face, nor a name, is in it."""
    expect(page.get_by_role("heading", name="Who are you?")).to_be_visible()
    assert 0 == page.evaluate(TRACES)
    assert [] == [name for name in ("Dean Marsh", *names) if name in page.content()]
