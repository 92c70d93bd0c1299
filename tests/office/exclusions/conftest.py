from __future__ import annotations

from collections.abc import Sequence
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
from tests.office.conftest import HART, people_of
from wire.snapshots import RoleSlug

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

    def __init__(self, schemes: dict[int, Scheme]) -> None:
        self.hart = schemes[HART]
        shops = range(1, 5)
        contacts: dict[str, tuple[RoleSlug, int]] = {f"contact{number}": ("members-contact", HART) for number in shops}
        self.cora, self.deputy, *speakers = people_of(
            {"cora": ("co-ordinator", HART), "dan": ("co-ordinator", HART), **contacts}
        )
        self.members: list[Member] = []
        self.premises: list[Premises] = []
        self.contacts: list[Account] = []
        self.record_documents()
        self.add_members([(f"Shop {number}", speaker) for number, speaker in zip(shops, speakers, strict=True)])

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
        self.add_members([(name, contact)])
        return self.members[-1]

    def add_members(self, named: Sequence[tuple[str, Account]]) -> None:
        """Likewise, several at once."""
        members = Member.objects.bulk_create(Member(name=name) for name, _ in named)
        contacts = [contact for _, contact in named]
        Membership.objects.bulk_create(
            Membership(member=member, scheme=self.hart, joined_on=date(2025, 1, 1)) for member in members
        )
        Spokesperson.objects.bulk_create(
            Spokesperson(member=member, scheme=self.hart, account=contact)
            for member, contact in zip(members, contacts, strict=True)
        )
        premises = Premises.objects.bulk_create(
            Premises(member=member, name=member.name, place="High Street") for member in members
        )
        link = Premises.schemes.through
        link.objects.bulk_create(link(premises=one, scheme=self.hart) for one in premises)
        self.members += members
        self.premises += premises
        self.contacts += contacts

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
        ballot = self.open_at_a_meeting(case)
        if state == "voting":
            return Case.objects.get(pk=case.pk)
        for member in self.members[1:]:
            voting.write_down(self.cora, ballot, member.pk, "exclude")
        voting.close_meeting_vote(self.cora, ballot)
        if state in {"issued", "served"}:
            acts.issue(self.turn(case), day_of(timezone.now()))
        if state == "served":
            acts.serve(self.turn(case), serving())
        return Case.objects.get(pk=case.pk)


def serving() -> Serving:
    """By hand, just now."""
    return Serving(at=timezone.now(), by="PC 1234", where="High Street", how="by hand", gave_privacy_information=True)


@pytest.fixture
def town(schemes: dict[int, Scheme]) -> Town:
    return Town(schemes)
