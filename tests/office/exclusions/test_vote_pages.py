"""Pages of votes: members decide on what was done, without knowing by whom."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models import F
from django.test import Client
from django.utils import timezone

from office.accounts.models import RoleGrant, Scheme
from office.audit.models import AuditRow
from office.exclusions import acts
from office.exclusions.models import Ballot, BallotVote, Case, SchemeTerms
from office.exclusions.rules.votes import ADVISERS
from office.members.models import Membership, Spokesperson
from office.people.models import Individual
from tests.office.conftest import HART, PUB_WATCH, MakePerson, SignedIn
from tests.office.exclusions.conftest import Town
from wire.snapshots import RoleSlug


def between(town: Town) -> Ballot:
    """An open vote between meetings on a case whose person has every word that could give them away."""
    case = town.case("checked")
    Individual.objects.filter(pk=case.individual_id).update(
        name="Xanthe Quill",
        also_known_as="Zorro",
        description="Purple mohican",
        address="7 Elsewhere Row",
        born_on="1987-06-05",
    )
    acts.open_vote(town.turn(case), "between-meetings")
    return town.ballot(case)


GIVE_AWAY = ("Xanthe", "Quill", "Zorro", "mohican", "Elsewhere", "1987", "Jun 87", "HART-0001", "HART-1")


def end(ballot: Ballot) -> None:
    Ballot.objects.filter(pk=ballot.pk).update(closes_at=timezone.now() - timedelta(seconds=1))


def choose(browser: Client, ballot: Ballot, choice: str, *members: int) -> int:
    return browser.post(f"/votes/{ballot.pk}/cast/", {f"member-{one}": choice for one in members}).status_code


def refusals() -> int:
    return AuditRow.objects.filter(action="vote.refused").count()


def test_vote_page_says_what_was_done_and_not_who_did_it(town: Town, signed_in: SignedIn) -> None:
    ballot = between(town)
    browser = signed_in(town.contacts[1])
    answers = [browser.get(address) for address in (f"/votes/{ballot.pk}/", "/votes/", "/cases/")]
    answers.append(browser.post(f"/votes/{ballot.pk}/cast/", {}))
    page = answers[0].content.decode()

    assert [answer.status_code for answer in answers] == [200, 200, 200, 400]
    for answer in answers:
        everything = answer.content.decode() + str(answer.headers)
        assert [word for word in GIVE_AWAY if word in everything] == []
        assert "/photographs/" not in everything
        assert "<img" not in everything
    for shown in (
        "HART case 1",
        "Theft",
        "three bottles",
        "camera 4",
        "<strong>6 months</strong>",
        "12 if excluded before",
    ):
        assert shown in page
    assert f"{timezone.localtime(ballot.closes_at):%H:%M}" in page
    assert "3 members of HART" in page
    assert "All premises of HART, later joiners included" in page
    assert "Goes from shop to shop." in page
    assert "Shop 2 votes" in page


@pytest.mark.parametrize("role", sorted(ADVISERS))
def test_vote_page_of_those_who_advise_names_nobody_either(
    town: Town, make_person: MakePerson, signed_in: SignedIn, role: RoleSlug
) -> None:
    ballot = between(town)
    page = signed_in(make_person("adviser", (role, HART))).get(f"/votes/{ballot.pk}/").content.decode()

    assert [word for word in GIVE_AWAY if word in page] == []
    assert "Police and co-ordinators advise and do not vote" in page
    assert "for, " not in page


def test_vote_page_says_that_somebody_is_under_18(town: Town, signed_in: SignedIn) -> None:
    ballot = between(town)
    browser = signed_in(town.contacts[1])
    assert "under 18" not in browser.get(f"/votes/{ballot.pk}/").content.decode()
    Individual.objects.update(born_on=None, is_believed_minor=True)

    assert "under 18" in browser.get(f"/votes/{ballot.pk}/").content.decode()


def test_vote_is_cast_and_changed_until_its_end(town: Town, signed_in: SignedIn) -> None:
    ballot, member = between(town), town.members[1].pk
    browser = signed_in(town.contacts[1])
    assert choose(browser, ballot, "exclude", member) == 302
    assert choose(browser, ballot, "abstain", member) == 302
    assert [(one.member_id, one.choice) for one in BallotVote.objects.all()] == [(member, "abstain")]
    page = browser.get(f"/votes/{ballot.pk}/").content.decode()
    assert 'value="abstain"' in page.split("checked")[0][-300:]
    end(ballot)
    assert choose(browser, ballot, "exclude", member) == 403
    assert BallotVote.objects.get().choice == "abstain"


def test_vote_is_cast_for_each_member_that_one_speaks_for(town: Town, signed_in: SignedIn) -> None:
    ballot = between(town)
    Spokesperson.objects.create(member=town.members[2], scheme=town.hart, account=town.contacts[1])
    second, third = town.members[1].pk, town.members[2].pk
    browser = signed_in(town.contacts[1])
    assert (
        browser.post(
            f"/votes/{ballot.pk}/cast/", {f"member-{second}": "exclude", f"member-{third}": "do-not-exclude"}
        ).status_code
        == 302
    )

    assert dict(BallotVote.objects.values_list("member_id", "choice")) == {second: "exclude", third: "do-not-exclude"}
    assert choose(browser, ballot, "nonsense", second) == 400


@pytest.mark.parametrize("role", sorted(ADVISERS))
def test_crafted_vote_of_those_who_advise_is_refused_and_known(
    town: Town, make_person: MakePerson, signed_in: SignedIn, role: RoleSlug
) -> None:
    """*R (Boyle) v Haverhill Pub Watch*: a ban that police decide could be reviewed in court."""
    ballot = between(town)
    account = make_person("adviser", (role, HART))
    browser = signed_in(account)
    member = town.members[1]
    assert choose(browser, ballot, "exclude", member.pk) == 403
    assert choose(browser, ballot, "nonsense") == 403
    Spokesperson.objects.create(member=member, scheme=town.hart, account=account)
    RoleGrant.objects.create(account=account, role="members-contact", scheme=town.hart)
    answer = browser.post(f"/votes/{ballot.pk}/cast/", {f"member-{member.pk}": "exclude"})

    assert answer.status_code == 403
    assert "Police and the co-ordinator advise and do not vote." in answer.content.decode()
    assert [(row.action, row.actor_name) for row in AuditRow.objects.filter(action="vote.refused")] == [
        ("vote.refused", "Adviser")
    ] * 3
    assert not BallotVote.objects.exists()


def test_police_are_refused_through_a_second_account(town: Town, make_person: MakePerson, signed_in: SignedIn) -> None:
    ballot = between(town)
    make_person("sergeant", ("police", PUB_WATCH), name="Contact2")
    browser = signed_in(town.contacts[1])

    assert "Your vote" not in browser.get(f"/votes/{ballot.pk}/").content.decode().split("How</dt>")[0]
    assert choose(browser, ballot, "exclude", town.members[1].pk) == 403
    assert refusals() == 1


def test_nobody_votes_for_a_member_that_is_not_theirs(town: Town, signed_in: SignedIn) -> None:
    ballot = between(town)
    browser = signed_in(town.contacts[1])

    assert choose(browser, ballot, "exclude", town.members[2].pk, town.members[1].pk) == 403
    assert [one.member_id for one in BallotVote.objects.all()] == [town.members[1].pk]
    assert refusals() == 1


def test_who_votes_for_two_members_reads_which_vote_was_recorded(town: Town, signed_in: SignedIn) -> None:
    """Else they would think that neither was, though one counts."""
    ballot = between(town)
    not_theirs, other = town.members[2].pk, town.members[1].pk
    sent = {f"member-{not_theirs}": "exclude", f"member-{other}": "exclude"}
    answer = signed_in(town.contacts[1]).post(f"/votes/{ballot.pk}/cast/", sent)
    page = answer.content.decode()

    assert answer.status_code == 403
    assert [one.member_id for one in BallotVote.objects.all()] == [other]
    assert "not counted" not in page
    assert "Only some of your votes are recorded" in page
    assert "Recorded: Shop 2. Not recorded:" in page
    assert "You do not speak for this member now." in page


def test_nobody_votes_on_their_own_nomination(town: Town, signed_in: SignedIn) -> None:
    ballot = between(town)
    browser = signed_in(town.contacts[0])

    assert (
        "You nominated this person, so you have no vote on it." in browser.get(f"/votes/{ballot.pk}/").content.decode()
    )
    assert choose(browser, ballot, "exclude", town.members[0].pk) == 403


def test_vote_does_not_exist_for_others(
    town: Town, make_person: MakePerson, signed_in: SignedIn, schemes: dict[int, Scheme]
) -> None:
    ballot = between(town)
    strangers = [make_person(role, (role, HART)) for role in ("cctv", "duty-officer", "fleet-engineer")]
    strangers += [make_person("otto", ("co-ordinator", PUB_WATCH)), make_person("pc", ("police", PUB_WATCH))]
    strangers.append(make_person("unchosen", ("members-contact", HART)))
    publican = make_person("publican", ("members-contact", PUB_WATCH))
    Membership.objects.create(member=town.members[1], scheme=schemes[PUB_WATCH], joined_on="2025-01-01")
    Spokesperson.objects.create(member=town.members[1], scheme=schemes[PUB_WATCH], account=publican)
    for account in (*strangers, publican):
        browser = signed_in(account)
        assert browser.get(f"/votes/{ballot.pk}/").status_code == 404
        assert choose(browser, ballot, "exclude", town.members[1].pk) == 404

    assert AuditRow.objects.filter(action="vote.not-found").count() == 14
    assert not BallotVote.objects.exists()


def test_vote_that_is_over_is_counted_before_its_page_is_shown(
    town: Town, make_person: MakePerson, signed_in: SignedIn
) -> None:
    ballot = between(town)
    for contact, member in list(zip(town.contacts, town.members, strict=True))[1:]:
        choose(signed_in(contact), ballot, "exclude", member.pk)
    police = signed_in(make_person("pc", ("police", HART)))
    assert "3 for" not in police.get(f"/votes/{ballot.pk}/").content.decode()
    end(ballot)
    page = police.get(f"/votes/{ballot.pk}/").content.decode()

    assert "3 for, 0 against, 0 abstained." in page
    assert "Decided between meetings, without name or photograph" in page
    assert [word for word in GIVE_AWAY if word in page] == []
    shown = signed_in(town.cora).get(f"/votes/{ballot.pk}/").content.decode()
    assert "Xanthe Quill" in shown
    assert Case.objects.get(pk=ballot.case_id).state == "decided"


def test_ended_vote_names_nobody_to_members(town: Town, signed_in: SignedIn) -> None:
    ballot = town.ballot(town.case("decided"))
    member, co_ordinator = (
        signed_in(one).get(f"/votes/{ballot.pk}/").content.decode() for one in (town.contacts[1], town.cora)
    )

    assert "3 for, 0 against, 0 abstained" in member
    for word in ("Nobody Atall", "HART-0001"):
        assert word not in member
        assert word in co_ordinator


def test_ended_vote_is_seen_for_a_month(town: Town, signed_in: SignedIn) -> None:
    ballot = between(town)
    end(ballot)
    browser = signed_in(town.contacts[1])
    assert "too few members voted" in browser.get("/votes/").content.decode()
    Ballot.objects.update(ended_at=F("ended_at") - timedelta(days=31))

    assert "too few members voted" not in browser.get("/votes/").content.decode()


def test_stopped_vote_is_gone(town: Town, signed_in: SignedIn) -> None:
    ballot = between(town)
    acts.stop_vote(town.turn(ballot.case), "wrong film")

    assert signed_in(town.contacts[1]).get(f"/votes/{ballot.pk}/").status_code == 404


def test_list_says_who_has_not_voted_yet(town: Town, signed_in: SignedIn) -> None:
    ballot = between(town)
    browser = signed_in(town.contacts[1])
    assert "<strong>not yet</strong>" in browser.get("/cases/").content.decode()
    choose(browser, ballot, "exclude", town.members[1].pk)

    assert "<td>voted</td>" in browser.get("/votes/").content.decode()


def hands(town: Town, ballot: Ballot, *choices: str) -> dict[str, str]:
    """What the page of hands sends when these are chosen for the members with a vote, and nothing stood there."""
    sent: dict[str, str] = {}
    for member, choice in zip(town.members[1:], choices, strict=True):
        sent |= {f"member-{member.pk}": choice, f"initial-member-{member.pk}": ""}
    return sent


def test_meeting_reads_cases_by_number_takes_hands_and_then_says_who(town: Town, signed_in: SignedIn) -> None:
    case = town.case("voting")
    ballot = town.ballot(case)
    browser = signed_in(town.cora)
    listed = browser.get("/votes/meeting/").content.decode()
    read = browser.get(f"/votes/{ballot.pk}/hands/").content.decode()
    for page in (listed, read):
        assert "HART case 1" in page
        assert "Nobody Atall" not in page
        assert "HART-0001" not in page
    sent = hands(town, ballot, "exclude", "exclude", "do-not-exclude")
    assert browser.post(f"/votes/{ballot.pk}/hands/", {**sent, "keep": ""}).headers["Location"].endswith("/hands/")
    assert "Nobody Atall" not in browser.get(f"/votes/{ballot.pk}/hands/").content.decode()
    assert browser.post(f"/votes/{ballot.pk}/hands/", {"close": ""}, follow=True).status_code == 200
    page = browser.get(f"/votes/{ballot.pk}/").content.decode()

    assert "2 for, 1 against, 0 abstained." in page
    assert "Decided at the meeting of" in page
    assert "without name or photograph" in page
    assert "Nobody Atall" in page


def test_vote_that_decided_nothing_says_not_who_it_is(town: Town, signed_in: SignedIn) -> None:
    """The case is voted on again, perhaps the same evening, and the room reads this page."""
    ballot = town.ballot(town.case("voting"))
    browser = signed_in(town.cora)
    page = browser.post(f"/votes/{ballot.pk}/hands/", {"close": ""}, follow=True).content.decode()

    assert "Too few members voted" in page
    assert "Nobody Atall" not in page
    assert "HART-0001" not in page


def test_vote_is_opened_at_a_meeting_without_saying_who_it_is(town: Town, signed_in: SignedIn) -> None:
    case, browser = town.case("checked"), signed_in(town.cora)
    asked = browser.get(f"/cases/{case.pk}/open-vote/").content.decode()
    opened = browser.post(f"/cases/{case.pk}/open-vote/", {"version": case.version, "way": "meeting"})
    read = browser.get(f"/votes/{town.go_on_past_midnight(case).pk}/hands/").content.decode()

    assert opened.headers["Location"] == f"/votes/{town.ballot(case).pk}/hands/"
    for page in (asked, read):
        assert "HART case 1" in page
        assert "Nobody Atall" not in page
        assert "HART-0001" not in page


def test_hands_are_closed_and_counted_at_once(town: Town, signed_in: SignedIn) -> None:
    ballot = town.ballot(town.case("voting"))
    sent = hands(town, ballot, "do-not-exclude", "exclude", "do-not-exclude")
    signed_in(town.cora).post(f"/votes/{ballot.pk}/hands/", {**sent, "close": ""})

    assert Case.objects.get(pk=ballot.case_id).state == "rejected"


@pytest.mark.parametrize("is_shown_before", [False, True])
@pytest.mark.parametrize("choices", [("do-not-exclude",) * 3, ("abstain", "", "")], ids=["rejected", "no quorum"])
def test_page_of_a_vote_names_nobody_who_was_not_excluded(
    town: Town, signed_in: SignedIn, choices: tuple[str, ...], *, is_shown_before: bool
) -> None:
    """The room reads this page, and whom the members have cleared is nobody’s to know."""
    SchemeTerms.objects.update(shows_identity_at_meetings=is_shown_before)
    ballot = town.ballot(town.case("voting"))
    browser = signed_in(town.cora)
    sent = {**hands(town, ballot, *choices), "close": ""}
    after = browser.post(f"/votes/{ballot.pk}/hands/", sent, follow=True).content.decode()

    for page in (after, browser.get("/votes/meeting/").content.decode(), browser.get("/votes/").content.decode()):
        assert "HART case 1" in page
        assert "Nobody Atall" not in page
        assert "HART-0001" not in page


def test_hand_that_was_misread_is_struck_out(town: Town, signed_in: SignedIn) -> None:
    ballot = town.ballot(town.case("voting"))
    browser, member = signed_in(town.cora), town.members[1].pk
    browser.post(f"/votes/{ballot.pk}/hands/", {f"member-{member}": "exclude", f"initial-member-{member}": ""})
    assert BallotVote.objects.count() == 1
    browser.post(f"/votes/{ballot.pk}/hands/", {f"member-{member}": "", f"initial-member-{member}": "exclude"})

    assert not BallotVote.objects.exists()
    assert AuditRow.objects.filter(action="vote.struck-out").count() == 1


def test_hands_of_another_co_ordinator_are_not_undone_by_an_older_page(town: Town, signed_in: SignedIn) -> None:
    ballot = town.ballot(town.case("voting"))
    signed_in(town.deputy).post(f"/votes/{ballot.pk}/hands/", hands(town, ballot, "exclude", "", ""))
    signed_in(town.cora).post(f"/votes/{ballot.pk}/hands/", hands(town, ballot, "", "abstain", ""))

    assert sorted(BallotVote.objects.values_list("choice", flat=True)) == ["abstain", "exclude"]


def test_hands_after_the_end_are_not_written_down(town: Town, signed_in: SignedIn) -> None:
    ballot = town.ballot(town.case("voting"))
    end(ballot)
    answer = signed_in(town.cora).post(
        f"/votes/{ballot.pk}/hands/", hands(town, ballot, "exclude", "", ""), follow=True
    )

    assert "The vote has ended. Nothing was written down." in answer.content.decode()
    assert not BallotVote.objects.exists()


def test_scheme_may_show_the_identity_at_its_meetings_and_each_decision_says_so(
    town: Town, signed_in: SignedIn
) -> None:
    SchemeTerms.objects.update(shows_identity_at_meetings=True)
    ballot = town.ballot(town.case("voting"))
    browser = signed_in(town.cora)
    assert "Nobody Atall" in browser.get(f"/votes/{ballot.pk}/hands/").content.decode()
    assert "Nobody Atall" not in signed_in(town.contacts[1]).get(f"/votes/{ballot.pk}/").content.decode()
    browser.post(f"/votes/{ballot.pk}/hands/", {"close": ""})

    assert "the identity shown before the vote" in browser.get(f"/votes/{ballot.pk}/").content.decode()


@pytest.mark.parametrize("is_shown_to_adults", [False, True])
def test_meeting_sees_no_name_or_face_of_an_under_18(
    town: Town, signed_in: SignedIn, *, is_shown_to_adults: bool
) -> None:
    """They are for those who decide, without knowing who it is, and for those who serve: not for the room."""
    SchemeTerms.objects.update(shows_identity_at_meetings=is_shown_to_adults)
    case = town.case("checked")
    Individual.objects.update(born_on=None, is_believed_minor=True)
    ballot, browser = town.open_at_a_meeting(case), signed_in(town.cora)
    pages = [browser.get(f"/votes/{ballot.pk}/hands/").content.decode()]
    sent = {**hands(town, ballot, "exclude", "exclude", "exclude"), "close": ""}
    pages.append(browser.post(f"/votes/{ballot.pk}/hands/", sent, follow=True).content.decode())

    assert Case.objects.get().state == "decided"
    for page in pages:
        assert "HART case 1" in page
        assert "Nobody Atall" not in page
        assert "HART-0001" not in page
    assert "without name or photograph" in pages[1]


def test_members_do_not_vote_by_the_page_at_a_meeting(town: Town, signed_in: SignedIn) -> None:
    ballot = town.ballot(town.case("voting"))
    browser = signed_in(town.contacts[1])

    assert "by raising hands" in browser.get(f"/votes/{ballot.pk}/").content.decode()
    assert choose(browser, ballot, "exclude", town.members[1].pk) == 403
    assert browser.get(f"/votes/{ballot.pk}/hands/").status_code == 404


@pytest.mark.parametrize("how", ["police", "nominator"])
def test_list_asks_nobody_for_a_vote_that_they_have_not(town: Town, signed_in: SignedIn, how: str) -> None:
    between(town)
    browser = signed_in(town.contacts[1])
    assert "<strong>not yet</strong>" in browser.get("/votes/").content.decode()
    if how == "police":
        RoleGrant.objects.create(account=town.contacts[1], role="police", scheme_id=PUB_WATCH)
    else:
        Spokesperson.objects.create(member=town.members[0], scheme=town.hart, account=town.contacts[1])

    assert "<strong>" not in browser.get("/votes/").content.decode()
