"""One person with two accounts has what one has."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from office.accounts.models import Account, Invitation
from office.exclusions import acts, voting
from office.exclusions.acts import MoveRefusedError
from office.exclusions.models import Ballot, Case
from office.exclusions.rules.period import day_of
from office.exclusions.second_accounts import same_as
from office.members.models import Spokesperson
from tests.office.conftest import HART, MakePerson, SignedIn
from tests.office.exclusions.conftest import PROPOSAL, Town


@pytest.fixture
def ballot(town: Town) -> Ballot:
    """A vote between meetings on what the first member's contact has nominated."""
    case = town.nominated()
    acts.check(town.turn(case), PROPOSAL)
    acts.open_vote(town.turn(case), "between-meetings")
    return town.ballot(case)


def second(make_person: MakePerson, of: Account, how: str, role: str = "members-contact") -> Account:
    """Another account of somebody, told by their name, their address, or that to which its invitation was sent."""
    of.email = "somebody@example.org"
    of.save()
    account = make_person("second", (role, HART), name=f"Mr {of.name.upper()}" if how == "name" else "Landlord")
    account.email = "Somebody+shop@Example.org" if how == "email" else "landlord@example.org"
    account.save()
    if how == "invitation":
        Invitation.objects.create(
            digest="d", name="Landlord", email=of.email, role=role, used_by=account, expires_at=timezone.now()
        )
    return account


def refused(ballot: Ballot, account: Account, member: int) -> bool:
    with pytest.raises(MoveRefusedError, match=r"has no vote|advise and do not vote|have no vote"):
        voting.vote(account, ballot, member, "exclude")
    return not ballot.votes.exists()


@pytest.mark.parametrize("how", ["name", "email", "invitation"])
@pytest.mark.parametrize("has_left", [False, True])
def test_nominator_has_no_vote_through_a_second_account(
    town: Town, ballot: Ballot, make_person: MakePerson, how: str, *, has_left: bool
) -> None:
    account = second(make_person, town.contacts[0], how)
    Spokesperson.objects.create(member=town.members[1], scheme=town.hart, account=account)
    Account.objects.filter(pk=town.contacts[0].pk).update(is_active=not has_left)

    assert refused(ballot, account, town.members[1].pk)


@pytest.mark.parametrize("how", ["name", "email", "invitation"])
def test_police_have_no_vote_through_a_second_account_whatever_it_is_called(
    town: Town, ballot: Ballot, make_person: MakePerson, how: str
) -> None:
    account = second(make_person, make_person("pc", ("police", HART), name="PC Pat O’Neil"), how)
    Spokesperson.objects.create(member=town.members[1], scheme=town.hart, account=account)

    assert refused(ballot, account, town.members[1].pk)


def test_colleague_of_the_nominator_has_no_vote_for_another_member(town: Town, ballot: Ballot) -> None:
    for member in town.members[:2]:
        Spokesperson.objects.get_or_create(member=member, scheme=town.hart, account=town.contacts[1])

    assert refused(ballot, town.contacts[1], town.members[1].pk)
    voting.vote(town.contacts[2], ballot, town.members[2].pk, "exclude")


def test_page_says_to_a_second_account_of_the_nominator_that_it_has_no_vote(
    town: Town, ballot: Ballot, make_person: MakePerson, signed_in: SignedIn
) -> None:
    account = second(make_person, town.contacts[0], "email")
    Spokesperson.objects.create(member=town.members[1], scheme=town.hart, account=account)
    page = signed_in(account).get(f"/votes/{ballot.pk}/").content.decode()

    assert "You nominated this person, so you have no vote on it." in page
    assert "Your vote" not in page.split("How</dt>")[0]


def minor(town: Town) -> Case:
    """Checked by cora; decided, and about a child."""
    case = town.case("decided")
    case.individual.born_on = day_of(timezone.now()) - timedelta(days=15 * 365)
    case.individual.save()
    return case


@pytest.mark.parametrize("how", ["name", "email", "invitation"])
@pytest.mark.parametrize("whose", ["checked", "nominated"])
def test_nobody_is_their_own_second_approver(
    town: Town, make_person: MakePerson, signed_in: SignedIn, how: str, whose: str
) -> None:
    case = minor(town)
    account = second(make_person, town.cora if whose == "checked" else town.contacts[0], how, "co-ordinator")
    page = signed_in(account).get(f"/cases/{case.pk}/").content.decode()

    assert "Approve for an under-18" not in page
    with pytest.raises(MoveRefusedError, match="Ask another co-ordinator"):
        acts.approve_minor(town.turn(case, account), "seen", may_show=True)
    acts.approve_minor(town.turn(case, town.deputy), "seen", may_show=False)


@pytest.mark.parametrize("how", ["name", "email", "invitation"])
@pytest.mark.parametrize("whose", ["checked", "nominated"])
def test_nobody_hears_an_appeal_against_their_own_through_a_second_account(
    town: Town, make_person: MakePerson, how: str, whose: str
) -> None:
    case = town.case("served")
    account = second(make_person, town.cora if whose == "checked" else town.contacts[0], how, "co-ordinator")
    acts.appeal(town.turn(case), "It was not me")

    for who in (town.cora, account):
        with pytest.raises(MoveRefusedError, match="another co-ordinator hears the appeal"):
            acts.dismiss_appeal(town.turn(case, who), "The film shows him")
    acts.dismiss_appeal(town.turn(case, town.deputy), "The film shows him")
    assert case.steps.latest("pk").reason == "The film shows him"


@pytest.mark.parametrize("why", ["left", "no-second-factor", "checked-before", "second-account"])
def test_appeal_that_nobody_else_can_hear_is_heard_all_the_same_and_says_so(
    town: Town, make_person: MakePerson, why: str
) -> None:
    """An appeal that nobody may dismiss would stay open for ever."""
    case = town.nominated()
    if why == "checked-before":
        acts.check(town.turn(case, town.deputy), PROPOSAL)
    else:
        # Its only co-ordinators are cora, and an account that is hers, cannot sign in, or has ended.
        town.deputy.grants.all().delete()
    if why == "left":
        Account.objects.filter(pk=make_person("gone", ("co-ordinator", HART)).pk).update(is_active=False)
    if why == "no-second-factor":
        make_person("lost", ("co-ordinator", HART), has_second_factor=False)
    if why == "second-account":
        second(make_person, town.cora, "name", "co-ordinator")
    acts.check(town.turn(case), PROPOSAL)
    Case.objects.update(state="served")
    acts.appeal(town.turn(case), "It was not me")
    acts.dismiss_appeal(town.turn(case), "The film shows him")

    assert case.steps.latest("pk").reason == f"The film shows him\n{acts.NOBODY_ELSE_HEARS}"


def test_account_that_does_not_exist_is_nobody(town: Town) -> None:
    assert same_as(999_999, {town.cora.pk}) == frozenset()
    assert same_as(town.cora.pk, {town.cora.pk, town.deputy.pk}) == {town.cora.pk}
