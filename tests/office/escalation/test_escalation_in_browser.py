"""The pages of escalation in Chromium: axe finds nothing in both themes and on a phone; nothing is too wide."""

from __future__ import annotations

import pytest
from django.test import Client

from office.accounts.models import Account
from office.escalation.models import Policy
from tests.office.conftest import HART, PUB_WATCH, MakePerson, SignedIn
from tests.office.escalation.conftest import typed
from tests.office.exclusions.test_pages_in_browser import faults_in_chromium

pytestmark = pytest.mark.integration


def test_pages_can_be_used_by_everybody(
    browser: Client, people: dict[str, Account], make_person: MakePerson, signed_in: SignedIn
) -> None:
    nobody_asked = signed_in(make_person("otto", ("co-ordinator", PUB_WATCH)))
    answers = {"proposal": browser.get("/escalation/"), "confirm": browser.get("/escalation/hart/add/")}
    browser.post("/escalation/hart/add/", typed())
    at = f"/escalation/{Policy.objects.get().pk}/"
    answers |= {
        "others": browser.get("/escalation/"),
        "change": browser.get(f"{at}edit/"),
        "change-wrong": browser.post(f"{at}edit/", typed(steps=(("pcso", 1), ("", 30), ("cctv", "", "sms")))),
        "kinds-twice": browser.post("/escalation/hart/add/", typed()),
        "end": browser.get(f"{at}end/"),
    }
    browser.post(f"{at}edit/", typed("attack", steps=(("cctv", 20, "email"),), version=1))
    answers |= {"versions": browser.get(at), "warned": browser.get("/escalation/")}
    answers["other-scheme"] = nobody_asked.get("/escalation/")
    answers |= {"ways": browser.get("/account/ways/"), "account-without": browser.get("/account/")}
    answers["ways-wrong"] = browser.post("/account/ways/", {"way-1": "7", "way-2": "07700 900123"})
    browser.post("/account/ways/", {"way-1": "07700 900123", "way-2": f"{'bartholomew.' * 4}x@mail.example.org"})
    answers |= {"account": browser.get("/account/"), "person": browser.get(f"/people/{people['pcso'].pk}/")}
    contact = signed_in(make_person("asha", ("members-contact", HART)))
    answers |= {"told": contact.get("/account/told/"), "account-of-nothing": contact.get("/account/")}
    answers["told-wrong"] = contact.post("/account/told/", {"of": ["everything"]})
    contact.post("/account/told/", {"of": ["alerts", "faults"]})
    answers |= {"account-of-both": contact.get("/account/")}
    answers |= {
        "try": browser.get("/escalation/hart/try/"),
        "try-none": browser.get("/escalation/hart/try/?kind=theft"),
        "try-wrong": browser.get("/escalation/hart/try/?at=soon"),
    }
    browser.post("/escalation/hart/add/", typed("theft"))
    answers["try-theft"] = browser.get("/escalation/hart/try/?kind=theft")
    browser.post(f"{at}end/")
    answers["ended"] = browser.get(at)

    assert faults_in_chromium(answers) == []
