"""What of the register a person sees: every query for pages and files begins here."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from office.accounts.models import Scheme
from office.accounts.rules import Rights
from office.members.import_rules import Existing, Known, OwnScheme
from office.members.models import Member, Membership, Premises
from office.members.stored import stored_of


def premises_of(own_schemes: frozenset[int]) -> QuerySet[Premises]:
    """The premises that exist for a co-ordinator of these schemes."""
    in_them = Premises.schemes.through.objects.filter(scheme_id__in=own_schemes)
    return Premises.objects.filter(pk__in=in_them.values("premises_id"))


def members_of(own_schemes: frozenset[int]) -> QuerySet[Member]:
    """The members that exist for a co-ordinator of these schemes, former ones too."""
    in_them = Membership.objects.filter(scheme_id__in=own_schemes)
    return Member.objects.filter(pk__in=in_them.values("member_id"))


def premises_visible(rights: Rights) -> QuerySet[Premises]:
    """The premises that exist for a person.

    They are those of the schemes they co-ordinate, and those of the members they speak for in the schemes in which
    they are a member's contact.
    """
    seen = premises_of(rights.co_ordinates)
    as_contact = rights.schemes("members-contact")
    if not as_contact:
        return seen
    theirs = premises_of(as_contact).filter(member__people=rights.account)
    return Premises.objects.filter(Q(pk__in=seen.values("pk")) | Q(pk__in=theirs.values("pk")))


def schemes_of(numbers: frozenset[int]) -> list[OwnScheme]:
    """These schemes, by number."""
    found = Scheme.objects.filter(pk__in=numbers).order_by("pk")
    return [OwnScheme(scheme.number, scheme.slug, scheme.name) for scheme in found]


def existing_of(own_schemes: frozenset[int], premises: QuerySet[Premises] | None = None) -> dict[int, Existing]:
    """The premises of :func:`premises_of`, or those given, with all that is known of them, by name; three queries."""
    found: dict[int, Existing] = {}
    for one in stored_of(premises_of(own_schemes) if premises is None else premises):
        found[one.number] = Existing(
            one.number, one.version, one.member, one.schemes & own_schemes, one.schemes <= own_schemes, one.facts
        )
    return found


def known_of(own_schemes: frozenset[int]) -> Known:
    """What an import by a co-ordinator of these schemes is compared with."""
    return Known(
        schemes=tuple(schemes_of(own_schemes)),
        premises=existing_of(own_schemes),
        members=tuple(members_of(own_schemes).values_list("name", flat=True)),
        premises_in_town=Premises.objects.count(),
    )
