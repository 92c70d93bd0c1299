from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.utils import timezone

from office.audit.models import AuditRow
from office.exclusions import acts, voting
from office.exclusions.acts import MoveRefusedError
from office.exclusions.models import Ballot, Case
from office.exclusions.rules.votes import Choice
from office.members.models import Membership, Premises, Spokesperson
from tests.office.conftest import HART, PUB_WATCH, MakePerson
from tests.office.exclusions.conftest import PROPOSAL, Town


@pytest.fixture
def ballot(town: Town) -> Ballot:
    """A vote between meetings, just opened."""
    case = town.nominated()
    acts.check(town.turn(case), PROPOSAL)
    acts.open_vote(town.turn(case), "between-meetings")
    return town.ballot(case)


def end(ballot: Ballot) -> Case:
    """Seven days later."""
    assert voting.count_what_is_due(ballot.closes_at) == 1
    return Case.objects.get(pk=ballot.case_id)


def test_members_decide_in_seven_days(town: Town, ballot: Ballot) -> None:
    """G11."""
    assert ballot.closes_at - ballot.opened_at == timedelta(days=7)
    for place in (1, 2, 3):
        voting.vote(town.contacts[place], ballot, town.members[place].pk, "exclude")

    assert voting.count_what_is_due(ballot.closes_at - timedelta(seconds=1)) == 0
    case = end(ballot)

    assert case.state == "decided"
    assert case.decided_at is not None
    assert town.ballot(case).exclude == 3


def test_too_few_votes_decide_nothing(town: Town, ballot: Ballot) -> None:
    voting.vote(town.contacts[1], ballot, town.members[1].pk, "exclude")

    assert end(ballot).state == "checked"


def test_later_vote_of_a_member_replaces_its_first(town: Town, ballot: Ballot) -> None:
    for place in (1, 2, 3):
        voting.vote(town.contacts[place], ballot, town.members[place].pk, "exclude")
        voting.vote(town.contacts[place], ballot, town.members[place].pk, "do-not-exclude")

    assert end(ballot).state == "rejected"
    assert ballot.votes.count() == 3


def refused(town: Town, ballot: Ballot, account: object, member: int) -> bool:
    with pytest.raises(MoveRefusedError):
        voting.vote(account, ballot, member, "exclude")  # type: ignore[arg-type]
    return not ballot.votes.exists() and AuditRow.objects.filter(action="vote.refused").exists()


def test_co_ordinator_has_no_vote_though_chosen_for_a_member(town: Town, ballot: Ballot) -> None:
    Spokesperson.objects.create(member=town.members[1], scheme=town.hart, account=town.cora)

    assert refused(town, ballot, town.cora, town.members[1].pk)


@pytest.mark.parametrize("scheme", [HART, PUB_WATCH])
def test_police_have_no_vote_whatever_else_they_are(
    town: Town, ballot: Ballot, make_person: MakePerson, scheme: int
) -> None:
    officer = make_person("pat", ("police", scheme), ("members-contact", HART))
    Spokesperson.objects.create(member=town.members[1], scheme=town.hart, account=officer)

    assert refused(town, ballot, officer, town.members[1].pk)


@pytest.mark.parametrize("same", ["name", "email"])
def test_police_have_no_vote_by_a_second_account(
    town: Town, ballot: Ballot, make_person: MakePerson, same: str
) -> None:
    officer = make_person("pat", ("police", HART), name="Pat O’Neil")
    officer.email = "pat@example.org"
    officer.save()
    second = make_person("pub", ("members-contact", HART), name="PAT  o’neil" if same == "name" else "Landlord")
    second.email = "PAT@example.org" if same == "email" else ""
    second.save()
    Spokesperson.objects.create(member=town.members[1], scheme=town.hart, account=second)

    assert refused(town, ballot, second, town.members[1].pk)


def test_nobody_votes_for_another_member_or_on_their_own_nomination(town: Town, ballot: Ballot) -> None:
    assert refused(town, ballot, town.contacts[1], town.members[2].pk)
    assert refused(town, ballot, town.contacts[0], town.members[0].pk)


@pytest.mark.parametrize("what", ["member", "contact", "role"])
def test_who_has_left_has_no_vote(town: Town, ballot: Ballot, what: str) -> None:
    contact, member = town.contacts[1], town.members[1]
    match what:
        case "member":
            Membership.objects.filter(member=member).update(ended_on=date(2026, 1, 1))
        case "contact":
            Spokesperson.objects.filter(account=contact).delete()
        case _:
            contact.grants.all().delete()

    assert refused(town, ballot, contact, member.pk)


def test_vote_of_a_member_that_left_before_the_end_does_not_count(town: Town, ballot: Ballot) -> None:
    for place in (1, 2, 3):
        voting.vote(town.contacts[place], ballot, town.members[place].pk, "exclude")
    Membership.objects.filter(member=town.members[1]).update(ended_on=date(2026, 1, 1))

    assert end(ballot).state == "checked"


def test_member_that_left_after_the_end_counts_however_late_it_is_counted(town: Town, ballot: Ballot) -> None:
    for place in (1, 2, 3):
        voting.vote(town.contacts[place], ballot, town.members[place].pk, "exclude")
    after = ballot.closes_at + timedelta(days=2)
    Membership.objects.filter(member=town.members[1]).update(ended_on=after.date())
    assert voting.count_what_is_due(after) == 1

    ballot.refresh_from_db()
    assert (ballot.outcome, ballot.ended_at) == ("accept", ballot.closes_at)


@pytest.mark.parametrize("choice", ["exclude", "do-not-exclude"])
def test_decision_is_of_the_day_on_which_the_vote_ended_however_late_it_is_counted(
    town: Town, ballot: Ballot, choice: Choice
) -> None:
    """The paper says that day, and what is kept of whom the members have cleared is kept from then."""
    for place in (1, 2, 3):
        voting.vote(town.contacts[place], ballot, town.members[place].pk, choice)
    Ballot.objects.filter(pk=ballot.pk).update(closes_at=timezone.now() - timedelta(days=2))
    assert voting.count_what_is_due(timezone.now()) == 1

    case, ended_at = Case.objects.get(), town.ballot(ballot.case).ended_at
    assert (case.decided_at, case.over_at) == ((ended_at, None) if choice == "exclude" else (None, ended_at))


def test_vote_after_the_end_is_refused_before_and_after_it_is_counted(town: Town, ballot: Ballot) -> None:
    Ballot.objects.update(closes_at=timezone.now())
    ballot = town.ballot(ballot.case)
    assert refused(town, ballot, town.contacts[1], town.members[1].pk)
    voting.count_what_is_due(timezone.now())
    assert refused(town, town.ballot(ballot.case), town.contacts[1], town.members[1].pk)


def test_stopped_vote_is_void_and_the_next_begins_with_none(town: Town, ballot: Ballot) -> None:
    voting.vote(town.contacts[1], ballot, town.members[1].pk, "exclude")
    acts.stop_vote(town.turn(ballot.case), "wrong till")
    acts.open_vote(town.turn(ballot.case), "between-meetings")

    assert town.ballot(ballot.case).votes.count() == 0
    assert voting.count_what_is_due(timezone.now()) == 0


def test_at_a_meeting_hands_are_written_down_for_members_that_have_a_vote(town: Town) -> None:
    case = town.case("voting")
    ballot = town.ballot(case)

    for member in (town.members[0].pk, 999_999):
        with pytest.raises(MoveRefusedError):
            voting.write_down(town.cora, ballot, member, "exclude")
    with pytest.raises(MoveRefusedError):
        voting.vote(town.contacts[1], ballot, town.members[1].pk, "exclude")
    assert [member.name for member in voting.members_to_vote(case, timezone.now())] == ["Shop 2", "Shop 3", "Shop 4"]


def test_vote_between_meetings_is_not_written_down_nor_closed_by_hand(town: Town, ballot: Ballot) -> None:
    with pytest.raises(MoveRefusedError):
        voting.write_down(town.cora, ballot, town.members[1].pk, "exclude")
    with pytest.raises(MoveRefusedError):
        voting.close_meeting_vote(town.cora, ballot)


def test_vote_says_from_which_premises(town: Town) -> None:
    case = town.case("voting")
    Case.objects.update(scope="listed")
    case.listed.set(town.premises[:2])
    case.refresh_from_db()
    assert voting.where(case) == "Shop 1, Shop 2"
    town.premises[0].schemes.clear()
    town.premises[1].schemes.clear()
    assert voting.where(case) == "No premises now"
    case.listed.set(
        Premises.objects.create(member=town.members[0], name=f"Branch {number:02}", place="") for number in range(14)
    )
    for one in case.listed.all():
        one.schemes.add(town.hart)

    assert voting.where(case).startswith("Branch 00, Branch 01, ")
    assert voting.where(case).endswith("Branch 11 and 2 more")


def test_made_up_choice_is_refused(town: Town, ballot: Ballot) -> None:
    with pytest.raises(MoveRefusedError):
        voting.vote(town.contacts[1], ballot, town.members[1].pk, "hang")  # type: ignore[arg-type]
