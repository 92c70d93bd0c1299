"""The pages of policies: a proposal that asks nobody until it is confirmed, versions, refusals, the audit (C3)."""

from __future__ import annotations

import html
import json

import pytest
from django.test import Client

from office.accounts.models import Account, Scheme
from office.audit.models import AuditRow
from office.escalation import policies, rules
from office.escalation.models import Policy, PolicyVersion
from office.escalation.policies import entry_of, in_force
from tests.office.conftest import HART, PUB_WATCH, SignedIn
from tests.office.escalation.conftest import STEPS, typed
from wire.snapshots import StepEntry

STEP = StepEntry(role="pcso", wait_s=30)


def text_of(answer: object) -> str:
    """As a person reads it, tags apart."""
    return html.unescape(answer.content.decode())  # type: ignore[attr-defined]


@pytest.fixture
def policy(browser: Client) -> Policy:
    """Of HART, for attack and assist."""
    assert browser.post("/escalation/hart/add/", typed()).status_code == 302
    return Policy.objects.get()


def test_nobody_is_asked_until_the_proposal_is_confirmed(browser: Client) -> None:
    page, form = text_of(browser.get("/escalation/")), text_of(browser.get("/escalation/hart/add/"))

    assert "NOBODY IS ASKED in HART" in page
    assert "Duty sergeant" in page
    assert "Nobody is asked until you press “Confirm”" in form
    assert list(in_force([HART])) == []
    assert "Nobody is asked when an alert of HART goes unanswered" in text_of(browser.get("/"))


def test_confirmed_proposal_holds_and_is_in_the_audit(browser: Client, policy: Policy) -> None:
    (version,) = in_force([HART, PUB_WATCH])
    entry = entry_of(version)

    assert (entry.scheme, entry.kinds, entry.version) == (HART, ("attack", "assist"), 1)
    assert entry.steps == tuple(
        StepEntry(role=role, wait_s=wait_s, ways=tuple(ways))  # type: ignore[arg-type]
        for role, wait_s, *ways in STEPS
    )
    page = text_of(browser.get("/escalation/"))
    assert "NOBODY IS ASKED" not in page
    assert "Nobody is asked about Disorder, Theft in progress" in page
    assert "A round lasts 2 min" in page
    assert "goes unanswered" not in text_of(browser.get("/"))
    row = AuditRow.objects.get(action="policy.made")
    assert row.schemes == " 1 "
    assert json.loads(row.details)["steps"] == ["pcso 30 s push sms", "duty-sergeant 30 s push", "co-ordinator 60 s"]


def test_each_change_is_a_new_version_and_the_old_ones_stay_readable(browser: Client, policy: Policy) -> None:
    at = f"/escalation/{policy.pk}/"
    browser.post(f"{at}edit/", typed(steps=(("cctv", 20, "email"),), version=1))
    browser.post(f"{at}edit/", typed(steps=(("cctv", 20, "email"),), version=2))

    assert list(PolicyVersion.objects.values_list("number", flat=True)) == [2, 1]
    page = text_of(browser.get(at))
    assert page.index("Version 2") < page.index("Older versions") < page.index("Version 1")
    assert "Nobody in HART has any of these roles" in page
    assert "Duty sergeant" in page
    assert AuditRow.objects.filter(action="policy.changed").count() == 1


def test_policy_that_central_would_not_take_is_refused(
    browser: Client, policy: Policy, schemes: dict[int, Scheme], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Central's limit is the town's: another scheme's policies count, and those that have ended do not."""
    monkeypatch.setattr(policies, "POLICIES_MAX", 2)
    policies.make_policy(Account.objects.all()[0], schemes[PUB_WATCH], rules.Policy(("attack",), (STEP,)))

    refused = browser.post("/escalation/hart/add/", typed("theft"))

    assert (400, True) == (refused.status_code, "end one first" in text_of(refused))
    assert 2 == Policy.objects.count()
    assert 302 == browser.post(f"/escalation/{policy.pk}/edit/", typed("theft", version=1)).status_code, "no new one"
    assert 302 == browser.post(f"/escalation/{policy.pk}/end/").status_code
    assert 302 == browser.post("/escalation/hart/add/", typed("theft")).status_code


def test_versions_are_counted_through_the_policies_of_a_scheme(browser: Client, policy: Policy) -> None:
    browser.post("/escalation/hart/add/", typed("theft"))
    browser.post(f"/escalation/{policy.pk}/edit/", typed("attack", version=1))

    assert [(one.kinds, one.number) for one in in_force([HART])] == [(["attack"], 3), (["theft"], 2)]


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        (typed(steps=()), "Choose a role in at least one step"),
        (typed(kinds=()), "Choose at least one kind of alert"),
        (typed("test"), "Select a valid choice"),
        (typed(steps=(("pcso", 14),)), "from 15 to 3,600 seconds"),
        (typed(steps=(("pcso", 3_601),)), "from 15 to 3,600 seconds"),
        (typed(steps=(("pcso", "soon"),)), "from 15 to 3,600 seconds"),
        (typed(steps=(("pcso", ""),)), "from 15 to 3,600 seconds"),
        (typed(steps=(("pcso", 30), ("", 30))), "Choose who is asked in this step"),
        (typed(steps=(("pcso", 30), ("", "", "sms"))), "Choose who is asked in this step"),
        (typed(steps=(("fleet-engineer", 30),)), "Select a valid choice"),
        (typed(steps=(("pcso", 30, "pigeon"),)), "Select a valid choice"),
    ],
    ids=["steps", "kinds", "test", "short", "long", "words", "no seconds", "no role", "ways alone", "role", "way"],
)
def test_a_policy_that_cannot_be_is_refused_with_a_sentence(
    browser: Client, sent: dict[str, object], says: str
) -> None:
    answer = browser.post("/escalation/hart/add/", sent)

    assert answer.status_code == 400
    assert says in text_of(answer)
    assert not Policy.objects.exists()


def test_more_than_the_most_steps_are_not_taken(browser: Client) -> None:
    browser.post("/escalation/hart/add/", typed(steps=(("pcso", 30),) * 9))

    assert len(PolicyVersion.objects.get().steps) == 8


def test_a_kind_has_one_policy_in_a_scheme(browser: Client, policy: Policy) -> None:
    """At the form, and if the other was made after the form was opened."""
    answer = browser.post("/escalation/hart/add/", typed("assist", "theft"))

    assert answer.status_code == 400
    assert "Another policy of HART is for Assist: take it out there first" in text_of(answer)
    assert Policy.objects.count() == 1


def test_who_saves_last_does_not_undo_what_another_has_saved(browser: Client, policy: Policy) -> None:
    at = f"/escalation/{policy.pk}/edit/"
    browser.post(at, typed(steps=(("cctv", 20),), version=1))

    answer = browser.post(at, typed(steps=(("police", 20),), version=1))

    assert answer.status_code == 400
    assert "Somebody has changed this policy meanwhile" in text_of(answer)
    assert policy.versions.latest("number").steps[0]["role"] == "cctv"


def test_an_ended_policy_asks_nobody_and_stays_readable(browser: Client, policy: Policy) -> None:
    at = f"/escalation/{policy.pk}/"
    browser.post(f"{at}end/")

    assert list(in_force([HART])) == []
    assert "nobody is asked by it" in text_of(browser.get(at))
    assert "NOBODY IS ASKED in HART" in text_of(browser.get("/escalation/"))
    assert {browser.get(f"{at}{act}/").status_code for act in ("edit", "end")} == {404}
    assert AuditRow.objects.filter(action="policy.ended", schemes=" 1 ").count() == 1
    browser.post("/escalation/hart/add/", typed())
    assert [one.number for one in in_force([HART])] == [2]


def test_policies_of_another_scheme_do_not_exist(
    browser: Client, policy: Policy, other_co_ordinator: Account, signed_in: SignedIn, schemes: dict[int, Scheme]
) -> None:
    other, at = signed_in(other_co_ordinator), f"/escalation/{policy.pk}/"

    for address in (at, f"{at}edit/", f"{at}end/", "/escalation/hart/add/"):
        assert {other.get(address).status_code, other.post(address, typed("theft")).status_code} <= {404, 405}
    assert "HART" not in text_of(other.get("/escalation/"))
    assert "Duty officer" in text_of(other.get("/escalation/"))
