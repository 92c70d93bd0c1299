"""The month's figures leave the page only for somebody who has just shown their second factor, and not all day long."""

from __future__ import annotations

from datetime import timedelta

import pytest

from central.web.figures import FIGURES_EACH_MAX
from tests.central.web.signing_browser import Browser, in_browser
from tests.support.town_office import PATEL, PRIYA

MINUTE_S = 60


@pytest.mark.parametrize(("age_s", "status"), [(0, 200), (4 * MINUTE_S, 200), (6 * MINUTE_S, 403), (None, 403)])
def test_figures_want_a_second_factor_of_the_last_five_minutes(age_s: int | None, status: int) -> None:
    async def script(browser: Browser) -> None:
        await browser.enter(second_factor_age_s=age_s)

        assert status == (await browser.open("/figures.csv")).status_code

    in_browser(script)


def test_figures_lead_to_the_second_factor_at_the_office() -> None:
    async def script(browser: Browser) -> None:
        await browser.enter()
        then = browser.gate.now() + timedelta(minutes=6)
        browser.gate.now = lambda: then
        page = await browser.open("/figures.csv")

        assert 403 == page.status_code
        assert "&amp;step_up=1" in page.text
        assert "second factor again" in page.text
        assert "step_up" not in (await browser.open("/sign-in")).text

    in_browser(script)


def test_figures_are_given_out_a_few_times_only() -> None:
    """To each person, in all their sessions."""

    async def script(browser: Browser) -> None:
        await browser.enter(PRIYA)
        answers = [await browser.open("/figures.csv") for _ in range(FIGURES_EACH_MAX)]
        refused = await browser.open("/figures.csv")

        assert {200} == {answer.status_code for answer in answers}
        assert (429, "600") == (refused.status_code, refused.headers["retry-after"])
        await browser.send("/sign-out")
        await browser.enter(PATEL)
        assert 200 == (await browser.open("/figures.csv")).status_code
        then = browser.gate.now() + timedelta(minutes=11)
        await browser.send("/sign-out")
        browser.gate.now = lambda: then
        await browser.enter(PRIYA)
        assert 200 == (await browser.open("/figures.csv")).status_code

    in_browser(script)
