"""A vote counts if its caster still has one when it ends."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from office.accounts.models import Account, RoleGrant
from office.audit.models import AuditRow
from office.exclusions import acts, voting
from office.exclusions.models import Ballot, Case
from office.members.models import Membership, Spokesperson
from tests.office.conftest import HART, PUB_WATCH, MakePerson, SignedIn
from tests.office.exclusions.conftest import PROPOSAL, Town

Lose = Callable[[Town, MakePerson], object]


def become_police(town: Town, _: MakePerson) -> object:
    return RoleGrant.objects.create(account=town.contacts[1], role="police", scheme_id=PUB_WATCH)


def become_co_ordinator(town: Town, _: MakePerson) -> object:
    return RoleGrant.objects.create(account=town.contacts[1], role="co-ordinator", scheme_id=HART)


def lose_the_role(town: Town, _: MakePerson) -> object:
    return RoleGrant.objects.filter(account=town.contacts[1]).delete()


def be_chosen_no_more(town: Town, _: MakePerson) -> object:
    return Spokesperson.objects.filter(account=town.contacts[1]).delete()


def end_the_account(town: Town, _: MakePerson) -> object:
    return Account.objects.filter(pk=town.contacts[1].pk).update(is_active=False)


def become_police_by_another_account(town: Town, make_person: MakePerson) -> object:
    return make_person("pc", ("police", HART), name=town.contacts[1].name)


def speak_for_who_nominated(town: Town, _: MakePerson) -> object:
    return Spokesperson.objects.create(member=town.members[0], scheme=town.hart, account=town.contacts[1])


LOSE = [
    become_police,
    become_co_ordinator,
    lose_the_role,
    be_chosen_no_more,
    end_the_account,
    become_police_by_another_account,
    speak_for_who_nominated,
]


@pytest.fixture
def ballot(town: Town) -> Ballot:
    """Three members have voted to exclude; the quorum is three."""
    case = town.nominated()
    acts.check(town.turn(case), PROPOSAL)
    acts.open_vote(town.turn(case), "between-meetings")
    ballot = town.ballot(case)
    for place in (1, 2, 3):
        voting.vote(town.contacts[place], ballot, town.members[place].pk, "exclude")
    return ballot


def end(ballot: Ballot) -> None:
    Ballot.objects.filter(pk=ballot.pk).update(closes_at=timezone.now() - timedelta(seconds=1))
    assert voting.count_what_is_due(timezone.now()) == 1


@pytest.mark.parametrize("lose", LOSE, ids=lambda lose: lose.__name__)
def test_vote_whose_caster_has_none_at_the_end_does_not_count(
    town: Town, ballot: Ballot, make_person: MakePerson, lose: Lose
) -> None:
    lose(town, make_person)
    end(ballot)

    ballot.refresh_from_db()
    assert (ballot.exclude, ballot.not_counted, ballot.outcome) == (2, 1, "find-no-quorum")
    assert Case.objects.get().state == "checked"
    row = AuditRow.objects.get(action="vote.not-counted")
    assert row.details == f'{{"members":[{town.members[1].pk}]}}'


def test_vote_whose_caster_still_has_one_counts(town: Town, ballot: Ballot) -> None:
    end(ballot)

    ballot.refresh_from_db()
    assert (ballot.exclude, ballot.not_counted, ballot.outcome) == (3, 0, "accept")
    assert not AuditRow.objects.filter(action="vote.not-counted").exists()


def test_page_says_that_a_vote_was_not_counted_and_not_how_it_was_cast(
    town: Town, ballot: Ballot, make_person: MakePerson, signed_in: SignedIn
) -> None:
    become_police(town, make_person)
    end(ballot)
    for account in (town.cora, town.contacts[2]):
        page = signed_in(account).get(f"/votes/{ballot.pk}/").content.decode()
        assert "2 for, 0 against, 0 abstained." in page
        assert "1 vote was not counted" in page
        assert "Shop 2" not in page


def test_co_ordinator_sees_in_time_whose_vote_will_not_count(
    town: Town, ballot: Ballot, make_person: MakePerson, signed_in: SignedIn
) -> None:
    browser = signed_in(town.cora)
    assert "will not count" not in browser.get(f"/votes/{ballot.pk}/").content.decode()
    become_police(town, make_person)

    assert "the vote of Shop 2 will not count" in browser.get(f"/votes/{ballot.pk}/").content.decode()
    assert "will not count" not in signed_in(town.contacts[2]).get(f"/votes/{ballot.pk}/").content.decode()


def test_who_speaks_for_the_member_next_votes_anew_without_seeing_the_old_choice(
    town: Town, ballot: Ballot, make_person: MakePerson, signed_in: SignedIn
) -> None:
    after = make_person("next", ("members-contact", HART))
    Spokesperson.objects.create(member=town.members[1], scheme=town.hart, account=after)
    browser = signed_in(after)
    assert "<td>voted</td>" in browser.get("/votes/").content.decode()
    be_chosen_no_more(town, make_person)
    page = browser.get(f"/votes/{ballot.pk}/").content.decode()
    assert " checked" not in page
    assert "<strong>not yet</strong>" in browser.get("/votes/").content.decode()
    voting.vote(after, ballot, town.members[1].pk, "do-not-exclude")
    end(ballot)

    ballot.refresh_from_db()
    assert (ballot.exclude, ballot.do_not_exclude, ballot.not_counted) == (2, 1, 0)


def test_questions_are_as_few_for_many_votes_as_for_one(town: Town, ballot: Ballot) -> None:
    """A hundred members vote, and the page is read by each of them."""
    with CaptureQueriesContext(connection) as of_all:
        assert voting.votes_without_effect(ballot, ballot.closes_at) == []
    with CaptureQueriesContext(connection) as of_one:
        assert voting.votes_without_effect(ballot, ballot.closes_at, [town.members[1].pk]) == []

    assert len(of_all) == len(of_one)


def test_hand_of_a_member_that_left_before_the_meeting_closed_is_told(town: Town) -> None:
    ballot = town.ballot(town.case("voting"))
    for member in town.members[1:]:
        voting.write_down(town.cora, ballot, member.pk, "exclude")
    Membership.objects.filter(member=town.members[1]).update(ended_on=date(2026, 1, 1))
    voting.close_meeting_vote(town.cora, ballot)

    ballot.refresh_from_db()
    assert (ballot.exclude, ballot.not_counted) == (2, 1)
