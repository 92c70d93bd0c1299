"""Who plays an exclusion in real browsers: each has one of their own, at an office that runs."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from playwright.sync_api import Browser, BrowserContext, Locator, Response, expect

from tests.support.browser import WITHIN_MS
from tests.support.exclusion_office import CO_ORDINATOR, NOMINATOR, POLICE, VOTERS, RunningOffice
from tests.support.page_for_everybody import DESK, PHONE, faults

PICTURES: Final = os.environ.get("WATCHLINK_PICTURES_OF_CASES")
"""A folder for pictures of every page, for a person to look at; empty = none are taken."""


class Seat:
    """Somebody at a browser of their own.

    Attributes:
        been_at: every address that the browser has asked for.
        complaints: whatever the browser itself complained of.
    """

    def __init__(self, context: BrowserContext, name: str) -> None:
        self.name = name
        self.context = context
        self.been_at: list[str] = []
        self.complaints: list[str] = []
        self._shots = 0
        context.set_default_timeout(WITHIN_MS)
        self.page = context.new_page()
        self.page.set_viewport_size(DESK)
        self.page.on("response", self._note)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)

    def _note(self, answer: Response) -> None:
        if answer.request.method == "GET" and "/static/" not in answer.url:
            self.been_at.append(answer.url)

    def is_at(self, heading: str) -> None:
        """On the page with that heading."""
        expect(self.page.get_by_role("heading", level=1)).to_have_text(re.compile(heading))

    def check(self, heading: str) -> None:
        """On the page with that heading, which everybody can use."""
        self.is_at(heading)
        found = faults(self.page)
        assert [] == found, "\n".join((self.name, self.page.url, *found))
        if PICTURES:
            self._shots += 1
            for kind, size in (("phone", PHONE), ("desk", DESK)):
                self.page.set_viewport_size(size)
                self.page.screenshot(path=f"{PICTURES}/{self.name}-{self._shots:02}-{kind}.png", full_page=True)

    def press(self, button: str) -> None:
        self.page.get_by_role("button", name=button, exact=True).click()

    def follow(self, link: str) -> None:
        self.page.get_by_role("link", name=link, exact=True).click()

    def field(self, label: str) -> Locator:
        return self.page.locator("input, select, textarea").and_(self.page.get_by_label(label, exact=True))

    def fill(self, filled: Mapping[str, str]) -> None:
        """Fields, by their labels."""
        for label, text in filled.items():
            self.field(label).fill(text)

    def still_shown(self, words: tuple[str, ...]) -> list[str]:
        """Of all addresses that they have been at: those that have one of these words still, or a picture."""
        found = []
        for address in dict.fromkeys(self.been_at):
            answer = self.context.request.get(address)
            assert answer.status < HTTPStatus.INTERNAL_SERVER_ERROR, address
            is_picture = answer.headers.get("content-type", "").startswith("image/")
            if is_picture or any(word in answer.text() for word in words):
                found.append(address)
        return found


class Cast:
    """Who plays.

    Attributes:
        reader: a member's contact, once everybody has voted.
    """

    def __init__(self, office: RunningOffice, chromium: Browser) -> None:
        self.office = office
        self._chromium = chromium
        self.co_ordinator, self.nominator, self.police, self.reader = map(
            self.seat, (CO_ORDINATOR, NOMINATOR, POLICE, VOTERS[0])
        )

    def seat(self, username: str, **options: Any) -> Seat:  # noqa: ANN401 - Playwright's own options
        return Seat(self.office.context(self._chromium, username, **options), username)

    def everybody(self) -> list[Seat]:
        return [self.co_ordinator, self.nominator, self.police, self.reader]
