from __future__ import annotations

from datetime import date

import pytest

from office.accounts.models import Scheme
from office.members.entries import stored_entries
from office.members.facts import ContactFacts, PremisesFacts
from office.members.models import Contact, Member, Membership, Premises
from wire.snapshots import ContactEntry, Place

pytestmark = pytest.mark.django_db


def test_stored_entries_leave_out_what_no_reader_accepts() -> None:
    scheme = Scheme.objects.create(number=7, slug="hart", name="HART")
    member = Member.objects.create(name="Corner Shops Ltd")
    Membership.objects.create(member=member, scheme=scheme, joined_on=date(2026, 1, 1))
    facts = PremisesFacts(
        name="Corner Shop",
        latitude=52.24,
        longitude=-0.9,
        contacts=(ContactFacts(name="J Patel", phone="01604 496000", is_key_holder=True),),
    )
    good, unplaced, cut = Premises(member=member), Premises(member=member), Premises(member=member)
    for one in (good, unplaced, cut):
        one.put(facts, member.name)
    cut.latitude = 91.0
    for one in (good, unplaced, cut):
        one.save()
        Contact.objects.bulk_create(Contact.of(one, facts))
    good.schemes.add(scheme)
    cut.schemes.add(scheme)

    entries, left_out = stored_entries()

    assert [(one.premises, one.schemes, one.position) for one in entries] == [
        (good.pk, (7,), Place(latitude=52.24, longitude=-0.9))
    ]
    assert entries[0].contacts == (ContactEntry(name="J Patel", phone="01604 496000", is_key_holder=True),)
    assert [one.premises for one in left_out] == [unplaced.pk, cut.pk]


def test_a_premises_number_is_never_used_again() -> None:
    member = Member.objects.create(name="Corner Shops Ltd")
    first = Premises.objects.create(member=member, name="A")
    number = first.pk
    first.delete()

    assert Premises.objects.create(member=member, name="B").pk > number
