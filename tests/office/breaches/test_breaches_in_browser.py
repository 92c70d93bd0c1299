"""The pages of breaches in Chromium: axe, both themes, narrow windows."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from office.accounts.access import rights_of
from office.breaches.acts import add_action
from office.people.intake_terms import Box
from office.people.photographs import add_photograph, keep_crop, show_photograph
from tests.office.breaches.conftest import breach_of
from tests.office.conftest import HART, SignedIn
from tests.office.exclusions.conftest import Town
from tests.office.exclusions.test_pages_in_browser import faults_in_chromium
from tests.office.people.conftest import taken

pytestmark = pytest.mark.integration


def test_everybody_can_use_the_pages_of_breaches(town: Town, signed_in: SignedIn) -> None:
    case, now = town.case("served"), timezone.now()
    photograph = add_photograph(town.cora, case.individual, taken(), source="camera 4", taken_on=None)
    keep_crop(town.cora, photograph, Box(0, 0, 300, 400), (taken().whole, taken().whole))
    show_photograph(town.cora, photograph)
    closed = breach_of(case, at=now - timedelta(days=40), place="Echo Club, Market Place", left="yes")
    open_one = breach_of(case, staff=4_242, incident="00000010-7", is_time_proven=False)
    breach_of(case, kind="sighting", left="not-asked")
    by = town.cora, rights_of(town.cora)
    add_action(*by, closed, "warned", version=1)
    add_action(*by, closed, "police-informed", version=2, crime_reference="26*123456", closes=True)
    browser, incident = signed_in(town.cora), "/incidents/00000011-3/"
    form, refused = browser.get(f"{incident}?kind=theft"), browser.post(incident, {"happened": "theft"})
    shop, sent = town.premises[0].pk, {"scheme": HART, "happened": "theft", "on": "2026-07-05", "at": "14:03"}
    written = browser.post(incident, sent | {"premises": shop}).headers["Location"]
    answers = {
        "breaches": browser.get("/breaches/"),
        "breach": browser.get(f"/breaches/{open_one.pk}/"),
        "closed": browser.get(f"/breaches/{closed.pk}/"),
        "refused": browser.post(f"/breaches/{open_one.pk}/act/", {"kind": "police-informed", "version": 1}),
        "statement": browser.get(f"/breaches/{open_one.pk}/statement/"),
        "incident-form": form,
        "incident-refused": refused,
        "incident": browser.get(written),
        "incident-statement": browser.get(f"{written}statement/"),
        **{
            f"breaches/{one.pk}/portrait.jpg": browser.get(f"/breaches/{one.pk}/portrait.jpg")
            for one in (open_one, closed)
        },
    }

    assert [] == faults_in_chromium(answers)
