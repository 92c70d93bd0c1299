from __future__ import annotations

from datetime import date, timedelta
from typing import get_args

import pytest
from django.utils import timezone

from office.accounts.access import rights_of
from office.accounts.models import Account, Scheme
from office.exclusions import acts, voting
from office.exclusions.acts import Nomination, Proposal, Serving, Turn
from office.exclusions.models import Ballot, Case, LawDocument, SchemeTerms
from office.exclusions.rules.law import DOCUMENT_KINDS, review_due
from office.exclusions.rules.life import State
from office.exclusions.rules.period import day_of
from office.members.models import Member, Membership, Premises, Spokesperson
from office.people.models import Individual
from tests.office.conftest import HART, MakePerson

YESTERDAY = date(2026, 1, 5)
NOMINATION = Nomination(
    category="theft",
    conduct="Took three bottles from the shelf and left without paying.",
    evidence="Film of camera 4, held by the shop.",
    happened_on=YESTERDAY,
    happened_at="High Street",
)
PROPOSAL = Proposal(
    note="Film seen, till checked.",
    category="theft",
    is_repeat=False,
    months=6,
    months_reason="",
    scope="all",
    listed=frozenset(),
    necessity="Goes from shop to shop.",
)


class Town:
    """HART with a co-ordinator, and four members with a premises and a contact each."""

    def __init__(self, make_person: MakePerson, schemes: dict[int, Scheme]) -> None:
        self.hart = schemes[HART]
        self.cora = make_person("cora", ("co-ordinator", HART))
        self.deputy = make_person("dan", ("co-ordinator", HART))
        self.members: list[Member] = []
        self.premises: list[Premises] = []
        self.contacts: list[Account] = []
        self.record_documents()
        for number in range(1, 5):
            self.add_member(f"Shop {number}", make_person(f"contact{number}", ("members-contact", HART)))

    def record_documents(self) -> None:
        """Whatever must be recorded before the register is on."""
        SchemeTerms.objects.create(scheme=self.hart, responsible="HART, 1 High Street", contact="office@example.org")
        today = timezone.localdate()
        due = review_due(today)
        LawDocument.objects.bulk_create(
            LawDocument(
                scheme=self.hart, kind=kind, version="1", recorded_on=today, recorded_by=self.cora, review_due=due
            )
            for kind in DOCUMENT_KINDS
        )

    def add_member(self, name: str, contact: Account) -> Member:
        """A member with a premises, for whom ``contact`` speaks."""
        member = Member.objects.create(name=name)
        Membership.objects.create(member=member, scheme=self.hart, joined_on=date(2025, 1, 1))
        Spokesperson.objects.create(member=member, scheme=self.hart, account=contact)
        premises = Premises.objects.create(member=member, name=name, place="High Street")
        premises.schemes.add(self.hart)
        self.members.append(member)
        self.premises.append(premises)
        self.contacts.append(contact)
        return member

    def individual(self, name: str = "Nobody Atall") -> Individual:
        """Somebody new in the register."""
        return Individual.objects.create(
            scheme=self.hart, number=Individual.objects.count() + 1, name=name, born_on=date(1990, 5, 1)
        )

    def turn(self, case: Case, actor: Account | None = None) -> Turn:
        """The co-ordinator, or another, with the case as it is now."""
        who = actor or self.cora
        now = Case.objects.get(pk=case.pk)
        return Turn(who, rights_of(who), now, now.version)

    def nominated(self) -> Case:
        """A case that the first member has nominated."""
        contact = self.contacts[0]
        return acts.nominate(contact, rights_of(contact), self.individual(), self.members[0], NOMINATION)

    def ballot(self, case: Case) -> Ballot:
        """The newest vote on a case."""
        return case.ballots.select_related("case").latest("pk")

    def open_at_a_meeting(self, case: Case) -> Ballot:
        """A vote of today's meeting."""
        acts.open_vote(self.turn(case), "meeting")
        return self.go_on_past_midnight(case)

    def go_on_past_midnight(self, case: Case) -> Ballot:
        """A test may run at any time, and a meeting's vote ends with its day."""
        Ballot.objects.filter(case=case).update(closes_at=timezone.now() + timedelta(days=1))
        return self.ballot(case)

    def case(self, state: State) -> Case:
        """A case that has come as far as ``state``, by way of a meeting."""
        assert state in get_args(State)
        case = self.nominated()
        if state == "nominated":
            return case
        acts.check(self.turn(case), PROPOSAL)
        if state == "checked":
            return Case.objects.get(pk=case.pk)
        self.open_at_a_meeting(case)
        if state == "voting":
            return Case.objects.get(pk=case.pk)
        for member in self.members[1:]:
            voting.write_down(self.cora, self.ballot(case), member.pk, "exclude")
        voting.close_meeting_vote(self.cora, self.ballot(case))
        if state in {"issued", "served"}:
            acts.issue(self.turn(case), day_of(timezone.now()))
        if state == "served":
            acts.serve(self.turn(case), serving())
        return Case.objects.get(pk=case.pk)


def serving() -> Serving:
    """By hand, just now."""
    return Serving(at=timezone.now(), by="PC 1234", where="High Street", how="by hand", gave_privacy_information=True)


@pytest.fixture
def town(make_person: MakePerson, schemes: dict[int, Scheme]) -> Town:
    return Town(make_person, schemes)
