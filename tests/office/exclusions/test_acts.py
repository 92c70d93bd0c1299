from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest
from django.utils import timezone

from office.accounts.models import RoleGrant
from office.accounts.rules import TITLES as ROLE_TITLES
from office.audit.models import AuditRow
from office.exclusions import acts, voting
from office.exclusions.acts import ChangedMeanwhileError, MoveRefusedError
from office.exclusions.case_views import waits_for_co_ordinator
from office.exclusions.models import STEP_BY_CHARS_MAX, Case, Notice
from office.exclusions.rules.period import TOWN_ZONE, day_of, end_s, last_day
from office.members.models import Premises
from office.people.models import Individual
from tests.office.conftest import HART, MakePerson
from tests.office.exclusions.conftest import NOMINATION, PROPOSAL, Town, serving
from wire.limits import NAME_CHARS_MAX


def today() -> date:
    return day_of(timezone.now())


def test_case_goes_its_whole_way_and_tells_it(town: Town) -> None:
    """G2: each step with who, in the history and in the audit."""
    case = town.case("served")

    assert case.state == "served"
    assert case.period is not None
    assert case.period.last == last_day(today(), 6)
    assert [(step.move, step.by) for step in case.steps.all()] == [
        ("nominate", "Contact1, Member’s contact"),
        ("check", "Cora, Co-ordinator"),
        ("open-vote", "Cora, Co-ordinator"),
        ("accept", "Watchlink itself"),
        ("issue", "Cora, Co-ordinator"),
        ("serve", "Cora, Co-ordinator"),
    ]
    rows = AuditRow.objects.filter(action__startswith="case.").order_by("sequence")
    assert [row.action for row in rows] == [f"case.{step.move}" for step in case.steps.all()]


def test_audit_holds_neither_name_nor_reason(town: Town) -> None:
    """What is said about a person can be erased; the audit cannot."""
    case = town.case("served")
    acts.revoke(town.turn(case), "It was his brother Somebody Else")

    text = "".join(f"{row.subject_name} {row.details}" for row in AuditRow.objects.all())
    assert "HART-0001" in text
    assert "Nobody" not in text
    assert "brother" not in text


def test_step_has_room_for_the_longest_name_and_every_role(town: Town) -> None:
    town.cora.name = "C" * NAME_CHARS_MAX
    town.cora.save()
    for role in ROLE_TITLES:
        RoleGrant.objects.get_or_create(account=town.cora, role=role, scheme=town.hart)
    case = town.case("checked")

    assert all(len(step.by) <= STEP_BY_CHARS_MAX for step in case.steps.all())


def test_two_who_act_at_once_notice_one_another(town: Town) -> None:
    case = town.case("served")
    acts.restrict(town.turn(case, town.deputy), "contested")

    with pytest.raises(ChangedMeanwhileError):
        acts.revoke(msgspec.structs.replace(town.turn(case), version=case.version), "not needed any more")

    assert Case.objects.get(pk=case.pk).state == "served"


def test_conduct_of_tomorrow_is_refused(town: Town) -> None:
    contact = town.contacts[0]
    tomorrow = msgspec.structs.replace(NOMINATION, happened_on=today() + timedelta(days=1))

    with pytest.raises(MoveRefusedError):
        acts.nominate(contact, town.turn(town.nominated(), contact).rights, town.individual("X"), None, tomorrow)


@pytest.mark.parametrize(
    "bad",
    [
        {"note": " "},
        {"months": 7},
        {"months": 0, "months_reason": "r"},
        {"necessity": ""},
        {"scope": "listed", "listed": frozenset()},
        {"scope": "listed", "listed": frozenset({999_999})},
    ],
    ids=str,
)
def test_proposal_that_lacks_something_is_refused(town: Town, bad: dict[str, Any]) -> None:
    case = town.nominated()

    with pytest.raises(MoveRefusedError):
        acts.check(town.turn(case), msgspec.structs.replace(PROPOSAL, **bad))

    assert Case.objects.get(pk=case.pk).state == "nominated"


def test_notice_names_the_premises_of_its_day_and_the_next_version_those_of_its_own(town: Town) -> None:
    """G3."""
    case = town.case("served")
    added = Premises.objects.create(member=town.members[0], name="Later", place="Mill Ln")
    added.schemes.add(town.hart)

    acts.reissue(town.turn(case), "a shop has joined")

    new, old = case.notices.all()
    assert [new.version, old.version] == [2, 1]
    assert {row["name"] for row in new.premises} - {row["name"] for row in old.premises} == {"Later"}
    assert new.served_at is None


def test_new_version_is_served_once(town: Town) -> None:
    case = town.case("served")

    with pytest.raises(MoveRefusedError):
        acts.serve(town.turn(case), serving())
    acts.reissue(town.turn(case), "a shop has joined")
    acts.serve(town.turn(case), serving())

    assert all(notice.served_at is not None for notice in case.notices.all())


@pytest.mark.parametrize(
    "bad",
    [
        {"gave_privacy_information": False},
        {"by": " "},
        {"where": ""},
        {"how": ""},
    ],
    ids=str,
)
def test_serving_says_who_where_how_and_that_privacy_information_was_given(town: Town, bad: dict[str, Any]) -> None:
    case = town.case("issued")

    with pytest.raises(MoveRefusedError):
        acts.serve(town.turn(case), msgspec.structs.replace(serving(), **bad))
    with pytest.raises(MoveRefusedError):
        acts.serve(town.turn(case), msgspec.structs.replace(serving(), at=timezone.now() + timedelta(hours=1)))
    with pytest.raises(MoveRefusedError, match="before it was made"):
        acts.serve(town.turn(case), msgspec.structs.replace(serving(), at=timezone.now() - timedelta(minutes=6)))


def test_notice_is_served_in_an_hour_that_comes_twice(town: Town) -> None:
    """Made at 01:50 of summer time, served twenty minutes later: the clock on the wall says 01:10."""
    case = town.case("issued")
    Notice.objects.update(made_at=datetime(2025, 10, 26, 0, 50, tzinfo=UTC))
    acts.serve(town.turn(case), msgspec.structs.replace(serving(), at=datetime(2025, 10, 26, 1, 10, tzinfo=TOWN_ZONE)))

    assert Case.objects.get().state == "served"


def test_order_that_covers_no_premises_is_not_issued(town: Town) -> None:
    case = town.case("decided")
    case.scope = "listed"
    case.save()

    with pytest.raises(MoveRefusedError, match="no premises"):
        acts.issue(town.turn(case), today())


def test_order_whose_only_premises_left_is_not_issued(town: Town) -> None:
    case = town.case("decided")
    case.scope = "listed"
    case.save()
    case.listed.add(town.premises[0])
    assert acts.covered(case) == {town.premises[0].pk}
    town.premises[0].schemes.clear()

    with pytest.raises(MoveRefusedError, match="no premises"):
        acts.issue(town.turn(case), today())


def test_exclusion_does_not_begin_yesterday(town: Town) -> None:
    with pytest.raises(MoveRefusedError):
        acts.issue(town.turn(town.case("decided")), today() - timedelta(days=1))


def test_under_18_waits_for_a_second_approver(town: Town) -> None:
    """G2."""
    case = town.case("decided")
    case.individual.born_on = today() - timedelta(days=15 * 365)
    case.individual.save()

    with pytest.raises(MoveRefusedError):
        acts.issue(town.turn(case), today())
    with pytest.raises(MoveRefusedError):
        acts.approve_minor(town.turn(case), "seen", may_show=False)
    acts.approve_minor(town.turn(case, town.deputy), "school and police heard", may_show=False)
    acts.issue(town.turn(case), today())

    assert Case.objects.get(pk=case.pk).state == "issued"


def test_check_is_made_anew_until_the_vote_is_open(town: Town) -> None:
    """Else a wrong word that members have read could not be set right: the case would have to be nominated anew."""
    case = town.case("checked")
    acts.check(town.turn(case), msgspec.structs.replace(PROPOSAL, months=3, months_reason="The first time."))
    assert Case.objects.get(pk=case.pk).months == 3
    acts.open_vote(town.turn(case), "between-meetings")
    with pytest.raises(MoveRefusedError, match="“Being voted on”"):
        acts.check(town.turn(case), PROPOSAL)
    acts.stop_vote(town.turn(case), "It names them.")
    acts.check(town.turn(case), PROPOSAL)

    case = Case.objects.get(pk=case.pk)
    assert (case.state, case.months) == ("checked", 6)
    assert [step.move for step in case.steps.all()] == ["nominate", "check", "check", "open-vote", "stop-vote", "check"]


def test_whoever_checked_first_is_no_second_approver_either(town: Town, make_person: MakePerson) -> None:
    case = town.nominated()
    Individual.objects.update(born_on=None, is_believed_minor=True)
    acts.check(town.turn(case, town.deputy), PROPOSAL)
    acts.check(town.turn(case), PROPOSAL)
    Case.objects.update(state="decided")
    for who in (town.cora, town.deputy):
        with pytest.raises(MoveRefusedError, match="neither nominated nor checked"):
            acts.approve_minor(town.turn(case, who), "seen", may_show=False)
    third = make_person("third", ("co-ordinator", HART))
    acts.approve_minor(town.turn(case, third), "school and police heard", may_show=False)

    assert Case.objects.get().minor_approved_by == third


def test_appeal_is_settled_by_what_follows_it(town: Town) -> None:
    case = town.case("served")
    acts.appeal(town.turn(case), "It was not me")
    acts.dismiss_appeal(town.turn(case, town.deputy), "The film shows him")
    acts.appeal(town.turn(case), "My work is there")
    acts.shorten(town.turn(case), today() + timedelta(days=30), "half the time is enough")

    case = Case.objects.get(pk=case.pk)
    assert not case.has_open_appeal
    assert case.last_on == today() + timedelta(days=30)
    with pytest.raises(MoveRefusedError):
        acts.shorten(town.turn(case), today() + timedelta(days=31), "longer")
    with pytest.raises(MoveRefusedError):
        acts.shorten(town.turn(case), today() - timedelta(days=1), "over")


def test_restriction_comes_and_goes(town: Town) -> None:
    case = town.case("served")
    acts.restrict(town.turn(case), "contested")
    assert Case.objects.get(pk=case.pk).is_restricted
    acts.lift_restriction(town.turn(case), "film seen again")
    assert not Case.objects.get(pk=case.pk).is_restricted


@pytest.mark.parametrize("end", [acts.revoke])
def test_what_is_over_says_since_when(town: Town, end: Callable[[acts.Turn, str], None]) -> None:
    case = town.case("served")
    end(town.turn(case), "no longer needed")

    assert Case.objects.get(pk=case.pk).over_at is not None


def test_nomination_is_withdrawn_by_who_made_it(town: Town) -> None:
    case = town.nominated()

    with pytest.raises(MoveRefusedError):
        acts.withdraw(town.turn(case, town.contacts[1]), "not mine")
    acts.withdraw(town.turn(case, town.contacts[0]), "the wrong man")

    assert Case.objects.get(pk=case.pk).state == "withdrawn"


def test_exclusion_ends_by_itself_after_its_last_day(town: Town) -> None:
    case = town.case("served")
    last = case.last_on
    assert last is not None
    end = datetime.fromtimestamp(end_s(last), UTC)

    assert voting.end_what_is_over(end - timedelta(seconds=1)) == 0
    assert voting.end_what_is_over(end) == 1

    case = Case.objects.get(pk=case.pk)
    assert (case.state, case.steps.all()[6].by) == ("expired", "Watchlink itself")


def test_appeal_that_is_open_when_the_exclusion_ends_is_waited_for_no_longer(town: Town) -> None:
    case = town.case("served")
    acts.appeal(town.turn(case), "It was not me")
    Case.objects.filter(pk=case.pk).update(last_on=today() - timedelta(days=1))
    assert voting.end_what_is_over(timezone.now()) == 1

    assert not Case.objects.filter(waits_for_co_ordinator()).exists()


def test_what_has_ended_by_itself_is_over_since_its_last_day(town: Town) -> None:
    case = town.case("served")
    Case.objects.filter(pk=case.pk).update(last_on=date(2026, 6, 30))
    assert voting.end_what_is_over(timezone.now()) == 1

    case.refresh_from_db()
    assert case.over_at == datetime(2026, 6, 30, 23, tzinfo=UTC)


def test_repeat_is_known_by_what_was_decided_before(town: Town) -> None:
    first = town.case("served")
    contact = town.contacts[0]
    again = acts.nominate(contact, town.turn(first, contact).rights, first.individual, None, NOMINATION)

    assert (first.is_repeat, again.is_repeat, again.number) == (False, True, 2)
