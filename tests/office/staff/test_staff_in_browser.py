"""The pages of staff in Chromium: axe finds nothing in both themes and on a phone; nothing is too wide."""

from __future__ import annotations

import pytest

from office.accounts.models import Account
from office.members.models import Premises
from office.staff.models import StaffMember
from tests.office.conftest import SignedIn
from tests.office.exclusions.test_pages_in_browser import faults_in_chromium

pytestmark = pytest.mark.integration

NAMES = ("Bartholomew Featherstonehaugh-Cholmondeley of Upper Slaughter", "مريم", "Jo")


def test_pages_can_be_used_by_everybody(
    shop: Premises, contact: Account, co_ordinator: Account, signed_in: SignedIn
) -> None:
    Premises.objects.update(name="The Very Long Arms at the Corner of Saint Bartholomew’s Passage")
    browser, page = signed_in(contact), f"/premises/{shop.pk}/staff/"
    answers = {"nobody": browser.get(page), "nobody-to-co-ordinator": signed_in(co_ordinator).get(page)}
    for place, name in enumerate(NAMES):
        answers[f"code-{place}"] = browser.post(f"{page}add/", {"name": name})
    number = StaffMember.objects.get(name=NAMES[0]).number
    answers |= {
        "list": browser.get(page),
        "list-to-co-ordinator": signed_in(co_ordinator).get(page),
        "add": browser.get(f"{page}add/"),
        "add-twice": browser.post(f"{page}add/", {"name": "jo"}),
        "correct": browser.get(f"{page}{number}/correct/"),
        "start-code": browser.get(f"{page}{number}/start-code/"),
        "take-off": browser.get(f"{page}{number}/take-off/"),
        "premises": browser.get(f"/premises/{shop.pk}/"),
    }

    assert faults_in_chromium(answers) == []
