"""A town's register in the office's database."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date

import pytest

from office.accounts.models import Scheme
from office.members.facts import ContactFacts, PremisesFacts
from office.members.models import Contact, Member, Membership, Premises

MakePremises = Callable[..., Premises]


@pytest.fixture
def make_premises(schemes: dict[int, Scheme]) -> MakePremises:
    """``make_premises("Corner Shop", HART, …, member="Shops Ltd", place="High Street")``: with its member."""

    def make(
        name: str, *numbers: int, member: str = "", contacts: Iterable[ContactFacts] = (), **facts: object
    ) -> Premises:
        known = PremisesFacts(name=name, contacts=tuple(contacts), **facts)  # type: ignore[arg-type]
        of, _ = Member.objects.get_or_create(name=member or f"{name} Ltd")
        for number in numbers:
            Membership.objects.get_or_create(
                member=of, scheme=schemes[number], defaults={"joined_on": date(2026, 1, 5)}
            )
        premises = Premises(member=of)
        premises.put(known, of.name)
        premises.save()
        premises.schemes.set(numbers)
        Contact.objects.bulk_create(Contact.of(premises, known))
        return premises

    return make
