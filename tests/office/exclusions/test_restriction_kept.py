"""Hidden from shops while accuracy is contested, whenever it was asked for."""

from __future__ import annotations

import pytest
from django.utils import timezone

from office.accounts.access import rights_of
from office.exclusions import acts, reading, voting
from office.exclusions.models import Case
from office.exclusions.rules.life import State
from office.exclusions.rules.period import day_of
from office.people import rights
from office.publisher import gallery_content
from tests.office.conftest import HART, SignedIn
from tests.office.exclusions.conftest import NOMINATION, PROPOSAL, Town
from tests.office.people.conftest import request_of


def ask(town: Town, case: Case) -> int:
    """Somebody contests it; returns how many cases are hidden for it."""
    return rights.restrict(town.cora, rights_of(town.cora), request_of(town, case, kind="restriction"), "contested")


def decide(town: Town, case: Case) -> None:
    """The members exclude the person, from wherever the case stands."""
    if case.state == "nominated":
        acts.check(town.turn(case), PROPOSAL)
    if case.state in {"nominated", "checked"}:
        acts.open_vote(town.turn(case), "meeting")
    if case.state != "decided":
        for member in town.members[1:]:
            voting.write_down(town.cora, town.ballot(case), member.pk, "exclude")
        voting.close_meeting_vote(town.cora, town.ballot(case))
    acts.issue(town.turn(case), day_of(timezone.now()))


def shown(town: Town) -> int:
    """How many readers see, and shops are sent."""
    today = day_of(timezone.now())
    read = reading.cases_shown(reading.open_to(rights_of(town.contacts[1]))).count()
    sent = len(gallery_content.shown_cases(today)[HART])
    assert read == sent
    return read


@pytest.mark.parametrize("state", ["nominated", "checked", "voting", "decided"])
def test_restriction_before_the_issue_holds_from_it_on_until_lifted(town: Town, state: State) -> None:
    case = town.case(state)
    assert ask(town, case) == 1
    decide(town, case)
    assert (Case.objects.get().state, shown(town)) == ("issued", 0)
    acts.lift_restriction(town.turn(case), "The film was seen again.")

    assert shown(town) == 1


def test_restriction_outlasts_a_vote_that_decided_nothing(town: Town) -> None:
    case = town.case("voting")
    ask(town, case)
    acts.stop_vote(town.turn(case), "wrong till")

    assert Case.objects.get().is_restricted


def test_new_case_of_a_person_who_is_hidden_is_issued_hidden_and_says_why(town: Town) -> None:
    first = town.case("served")
    ask(town, first)
    second = acts.nominate(town.cora, rights_of(town.cora), first.individual, None, NOMINATION)
    decide(town, second)

    assert shown(town) == 0
    assert [(step.move, step.reason) for step in second.steps.all()][-1] == ("restrict", acts.HIDDEN_ELSEWHERE)
    assert Case.objects.get(pk=second.pk).version == second.steps.count()


def test_hiding_a_case_hides_what_else_of_the_person_is_in_force(town: Town, signed_in: SignedIn) -> None:
    first = town.case("served")
    second = acts.nominate(town.cora, rights_of(town.cora), first.individual, None, NOMINATION)
    decide(town, second)
    third = acts.nominate(town.cora, rights_of(town.cora), first.individual, None, NOMINATION)
    town.case("issued")
    assert shown(town) == 3
    sent = {"version": first.version, "reason": "contested"}

    assert signed_in(town.cora).post(f"/cases/{first.pk}/restrict/", sent).status_code == 302
    assert shown(town) == 1, "somebody else's"
    told = [(case.is_restricted, case.steps.latest("pk").reason) for case in Case.objects.order_by("pk")[:3]]
    assert told == [(True, "contested"), (True, acts.HIDDEN_ELSEWHERE), (False, "")]
    assert Case.objects.get(pk=second.pk).version == second.steps.count()
    assert not Case.objects.get(pk=third.pk).is_restricted


def test_case_of_somebody_else_is_not_hidden(town: Town) -> None:
    ask(town, town.case("served"))
    town.case("issued")

    assert shown(town) == 1


@pytest.mark.parametrize("state", ["nominated", "voting", "served"])
def test_co_ordinator_hides_a_case_from_its_own_page_whenever_it_is(
    town: Town, signed_in: SignedIn, state: State
) -> None:
    case, browser = town.case(state), signed_in(town.cora)
    sent = {"version": case.version, "reason": "contested"}

    assert browser.post(f"/cases/{case.pk}/restrict/", sent).status_code == 302
    assert "Hidden from shops" in browser.get(f"/cases/{case.pk}/").content.decode()
