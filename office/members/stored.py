"""Reads thousands of premises at once: rows without Django's objects, which take four times as long."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from django.db.models import QuerySet
from msgspec import Struct

from office.members.facts import ContactFacts, PremisesFacts
from office.members.models import Contact, Premises


class Stored(Struct, frozen=True):
    """A premises as stored, with the numbers of all its schemes."""

    number: int
    version: int
    member: str
    schemes: frozenset[int]
    facts: PremisesFacts


def stored_of(premises: QuerySet[Premises]) -> Iterator[Stored]:
    """These premises in their order, by three queries however many they are."""
    chosen = premises.order_by().values("pk")
    contacts: defaultdict[int, list[ContactFacts]] = defaultdict(list)
    held = Contact.objects.filter(premises__in=chosen).order_by("pk")
    for number, name, phone, is_key_holder, note in held.values_list(
        "premises_id", "name", "phone", "is_key_holder", "note"
    ):
        contacts[number].append(ContactFacts(name=name, phone=phone, is_key_holder=is_key_holder, note=note))
    schemes: defaultdict[int, set[int]] = defaultdict(set)
    in_schemes = Premises.schemes.through.objects.filter(premises__in=chosen)
    for number, scheme in in_schemes.values_list("premises_id", "scheme_id"):
        schemes[number].add(scheme)
    rows = premises.values_list(
        "pk",
        "version",
        "member__name",
        "name",
        "place",
        "address",
        "latitude",
        "longitude",
        "opening_hours",
        "staff_contact",
        "when_going",
    )
    for number, version, member, name, place, address, latitude, longitude, hours, staff, going in rows:
        facts = PremisesFacts(
            name=name,
            place=place,
            address=address,
            latitude=latitude,
            longitude=longitude,
            opening_hours=hours,
            staff_contact=staff,
            when_going=going,
            contacts=tuple(contacts.get(number, ())),
        )
        yield Stored(number, version, member, frozenset(schemes.get(number, ())), facts)
