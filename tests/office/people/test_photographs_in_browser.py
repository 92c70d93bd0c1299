"""The pages of photographs in Chromium: a face is framed by dragging, and everybody can use them."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Route

from office.accounts.models import Account
from office.people.intake_process import Picture
from office.people.intake_terms import Box
from office.people.models import Individual
from office.people.photographs import keep_crop
from tests.office.conftest import SignedIn
from tests.office.exclusions.test_pages_in_browser import OFFICE, faults
from tests.office.people.conftest import WHOLE, MakePhotograph
from tests.support.browser import WITHIN_MS, running_browser

pytestmark = pytest.mark.integration

NUMBERS = ("left", "top", "width")


def numbers(page: Page) -> list[int]:
    return [int(page.input_value(f"[name={name}]")) for name in NUMBERS]


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Between two places of the picture, in its pixels."""
    page.locator("[data-crop-picture]").scroll_into_view_if_needed()
    a, x, y = page.evaluate(
        "(() => { const m = document.querySelector('[data-crop-picture]').getScreenCTM(); return [m.a, m.e, m.f]; })()"
    )
    page.mouse.move(x + a * start[0], y + a * start[1])
    page.mouse.down()
    page.mouse.move(x + a * end[0], y + a * end[1], steps=4)
    page.mouse.up()


def test_a_face_is_framed_by_dragging_and_everybody_can_use_the_pages(
    individual: Individual, make_photograph: MakePhotograph, co_ordinator: Account, signed_in: SignedIn
) -> None:
    browser, photograph = signed_in(co_ordinator), make_photograph(individual)
    keep_crop(co_ordinator, photograph, Box(0, 0, 150, 200), (Picture(480, 640, WHOLE), Picture(96, 128, WHOLE)))
    addresses = [
        f"/individuals/{individual.pk}/photographs/",
        f"/individuals/{individual.pk}/photographs/add/",
        f"/photographs/{photograph.pk}/remove/",
        f"/photographs/{photograph.pk}/",
    ]
    answers = {address: browser.get(address) for address in addresses}
    found: list[object] = []

    def answer(route: Route) -> None:
        path = urlsplit(route.request.url).path
        if path.startswith("/static/"):
            route.fulfill(path=OFFICE / path.removeprefix("/"))
        elif path.endswith(".jpg"):
            route.fulfill(status=200, content_type="image/jpeg", body=WHOLE)
        else:
            route.fulfill(status=200, headers=dict(answers[path].headers), body=answers[path].content)

    with running_browser() as chromium:
        page = chromium.new_page()
        page.set_default_timeout(WITHIN_MS)
        page.on("console", lambda message: found.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: found.append(str(error)))
        page.route("**/*", answer)
        for address in addresses:
            page.goto(f"http://localhost{address}")
            found += faults(page, f"photographs-{addresses.index(address)}")
        page.set_viewport_size({"width": 1280, "height": 1400})
        assert numbers(page) == [0, 0, 150]
        page.check("[value=medium-right]")
        assert numbers(page) == [243, 72, 330]
        assert page.is_checked("[value=medium-right]")
        for name, value in zip(NUMBERS, ("0", "0", "150"), strict=True):
            page.fill(f"[name={name}]", value)

        drag(page, (75, 100), (275, 350))  # the frame
        assert numbers(page) == pytest.approx([200, 250, 150], abs=2)
        assert page.is_checked("[value=own]")
        left, top, width = numbers(page)
        drag(page, (left + width, top + width * 4 / 3), (left + 300, top + 400))  # its corner
        assert numbers(page) == pytest.approx([200, 250, 300], abs=2)
        drag(page, (350, 450), (9_999, -9_999))  # never out of the picture
        assert numbers(page) == pytest.approx([300, 0, 300], abs=2)
        drag(page, (30, 700), (30, 700))  # elsewhere: it comes there
        assert numbers(page) == pytest.approx([0, 400, 300], abs=2)
        page.fill("[name=width]", "120")
        frame = page.locator("[data-crop-box]").bounding_box()
        assert frame is not None
        assert frame["height"] / frame["width"] == pytest.approx(4 / 3, abs=0.05)

    assert found == []
