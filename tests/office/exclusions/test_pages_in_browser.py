"""The pages of cases and votes in Chromium: axe, both themes, narrow windows, and what a screen reader is told."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.http import HttpResponseBase
from playwright.sync_api import Page, Route

from office.exclusions import acts
from office.people.models import Individual
from tests.office.conftest import HART, MakePerson, SignedIn
from tests.office.exclusions.conftest import Town
from tests.support import page_for_everybody
from tests.support.browser import WITHIN_MS, running_browser
from tests.support.page_for_everybody import DESK, PHONE

pytestmark = pytest.mark.integration

OFFICE = Path(__file__).parents[3] / "office"
PICTURES = os.environ.get("WATCHLINK_PICTURES_OF_CASES")
"""A folder for pictures of every page, for a person to look at; empty = none are taken."""


def faults(page: Page, name: str) -> list[object]:
    """What keeps somebody from using a page that is loaded."""
    if PICTURES:
        for where, size in (("phone", PHONE), ("desk", DESK)):
            page.set_viewport_size(size)
            page.screenshot(path=f"{PICTURES}/{name}-{where}.png", full_page=True)
    return [(name, fault) for fault in page_for_everybody.faults(page)]


def faults_in_chromium(answers: Mapping[str, HttpResponseBase]) -> list[object]:
    """Of all of these, by name, what pages load apart; what the browser itself complains of is among them."""
    shown = {f"/{name}": answer for name, answer in answers.items()}

    def answer(route: Route) -> None:
        path = urlsplit(route.request.url).path
        if path.startswith("/static/"):
            route.fulfill(path=OFFICE / path.removeprefix("/"))
        else:
            one = shown[path]
            route.fulfill(status=200, headers=dict(one.headers), body=one.content)  # type: ignore[attr-defined]

    found: list[object] = []
    with running_browser() as chromium:
        page = chromium.new_page()
        page.set_default_timeout(WITHIN_MS)
        page.on("console", lambda message: found.append(message.text) if message.type == "error" else None)
        page.route("**/*", answer)
        for name in (name for name in answers if not name.endswith(".jpg")):
            page.goto(f"http://localhost/{name}")
            found += faults(page, name)
    return found


def test_pages_of_cases_and_votes_can_be_used_by_everybody(
    town: Town, make_person: MakePerson, signed_in: SignedIn
) -> None:
    served, checked, nominated = (town.case(state) for state in ("served", "checked", "nominated"))
    long_name = "Bartholomew Featherstonehaugh-Cholmondeley"
    Individual.objects.update(name=long_name, description="Tall.\nRed coat.", is_believed_minor=True, born_on=None)
    town.individual("Bartholomew Featherstone")
    acts.appeal(town.turn(served), "It was my brother.")
    meeting = town.ballot(town.case("voting"))
    acts.open_vote(town.turn(checked), "between-meetings")
    ballot = town.ballot(checked)
    cora, contact = signed_in(town.cora), signed_in(town.contacts[1])
    police = signed_in(make_person("pc", ("police", HART)))
    version = {"version": nominated.version}
    answers = {
        "cases": cora.get("/cases/"),
        "case-served": cora.get(f"/cases/{served.pk}/"),
        "case-nominated": cora.get(f"/cases/{nominated.pk}/"),
        "check": cora.get(f"/cases/{nominated.pk}/check/"),
        "check-wrong": cora.post(f"/cases/{nominated.pk}/check/", version),
        "shorten": cora.get(f"/cases/{served.pk}/shorten/"),
        "shorten-late": cora.post(f"/cases/{served.pk}/shorten/", {**version, "last_on": "2027-01-01", "reason": "x"}),
        "correct": cora.get(f"/cases/{served.pk}/correct/"),
        "correct-wrong": cora.post(f"/cases/{served.pk}/correct/", {**version, "conduct": long_name}),
        "serve": cora.get(f"/cases/{served.pk}/serve/"),
        "nominate": cora.get("/cases/nominate/"),
        "nominate-wrong": contact.post("/cases/nominate/", {}),
        "meeting": cora.get("/votes/meeting/"),
        "hands": cora.get(f"/votes/{meeting.pk}/hands/"),
        "vote-ended": cora.get(f"/votes/{town.ballot(served).pk}/"),
        "contact-cases": contact.get("/cases/"),
        "vote": contact.get(f"/votes/{ballot.pk}/"),
        "votes": police.get("/votes/"),
        "vote-police": police.get(f"/votes/{ballot.pk}/"),
    }

    assert faults_in_chromium(answers) == []
