"""What of the register a person sees: every query for pages and files begins here."""

from __future__ import annotations

from datetime import date

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Sum

from office.accounts.models import Account, RoleGrant, Scheme
from office.accounts.rules import Rights
from office.members.import_rules import Existing, Known, OwnScheme
from office.members.models import Member, Membership, Premises, Spokesperson
from office.members.stored import stored_of


def premises_of(own_schemes: frozenset[int]) -> QuerySet[Premises]:
    """The premises that exist for a co-ordinator of these schemes."""
    in_them = Premises.schemes.through.objects.filter(scheme_id__in=own_schemes)
    return Premises.objects.filter(pk__in=in_them.values("premises_id"))


def members_of(own_schemes: frozenset[int]) -> QuerySet[Member]:
    """The members that exist for a co-ordinator of these schemes, former ones too."""
    in_them = Membership.objects.filter(scheme_id__in=own_schemes)
    return Member.objects.filter(pk__in=in_them.values("member_id"))


def memberships_on(day: date) -> QuerySet[Membership]:
    """Those that have begun by a day and have not ended on it."""
    return Membership.objects.filter(Q(ended_on=None) | Q(ended_on__gt=day), joined_on__lte=day)


def members_without_contact(own_schemes: frozenset[int]) -> QuerySet[Member]:
    """The members of these schemes for whom nobody sees their premises, in one of them at least; by name."""
    seeing = Spokesperson.objects.filter(
        member=OuterRef("member"),
        scheme=OuterRef("scheme"),
        account__is_active=True,
        account__grants__role="members-contact",
        account__grants__scheme=OuterRef("scheme"),
    )
    without = Membership.objects.filter(~Exists(seeing), scheme__in=own_schemes, ended_on=None)
    return Member.objects.filter(pk__in=without.values("member")).order_by("name", "pk")


def contacts_of(member: int, scheme: int) -> QuerySet[Account]:
    """Who speaks for a member in a scheme, and can sign in; by name."""
    found = Account.objects.filter(
        is_active=True, grants__in=RoleGrant.objects.filter(role="members-contact", scheme=scheme)
    )
    chosen = Spokesperson.objects.filter(member=member, scheme=scheme)
    return found.filter(pk__in=chosen.values("account")).order_by("name", "pk")


def premises_visible(rights: Rights, schemes: frozenset[int] | None = None) -> QuerySet[Premises]:
    """The premises that exist for a person.

    They are those of the schemes they co-ordinate, and in each scheme in which they are a member's contact, those of
    the members for which that scheme's co-ordinator has chosen them.

    Args:
        rights: theirs.
        schemes: only premises that one of these shows them; ``None`` = all.
    """
    co_ordinates, as_contact = rights.co_ordinates, rights.schemes("members-contact")
    if schemes is not None:
        co_ordinates, as_contact = co_ordinates & schemes, as_contact & schemes
    seen = premises_of(co_ordinates)
    if not as_contact:
        return seen
    theirs = Premises.objects.filter(
        member__spokespeople__account=rights.account,
        member__spokespeople__scheme__in=as_contact,
        member__spokespeople__scheme=F("schemes"),
    )
    return Premises.objects.filter(Q(pk__in=seen.values("pk")) | Q(pk__in=theirs.values("pk")))


def spoken_for(rights: Rights) -> frozenset[tuple[int, int]]:
    """(member, scheme) for which a person is chosen and in which they are a member's contact."""
    found = Spokesperson.objects.filter(account=rights.account, scheme__in=rights.schemes("members-contact"))
    return frozenset(found.values_list("member_id", "scheme_id"))


def schemes_of(numbers: frozenset[int]) -> list[OwnScheme]:
    """These schemes, by number."""
    found = Scheme.objects.filter(pk__in=numbers).order_by("pk")
    return [OwnScheme(scheme.number, scheme.slug, scheme.name) for scheme in found]


def existing_of(own_schemes: frozenset[int], premises: QuerySet[Premises] | None = None) -> dict[int, Existing]:
    """The premises of :func:`premises_of`, or those given, with all that is known of them, by name; three queries."""
    found: dict[int, Existing] = {}
    for one in stored_of(premises_of(own_schemes) if premises is None else premises):
        found[one.number] = Existing(
            one.number, one.version, one.member, one.schemes & own_schemes, one.schemes - own_schemes, one.facts
        )
    return found


def known_of(own_schemes: frozenset[int]) -> Known:
    """What an import by a co-ordinator of these schemes is compared with."""
    return Known(
        schemes=tuple(schemes_of(own_schemes)),
        premises=existing_of(own_schemes),
        members=tuple(members_of(own_schemes).values_list("name", flat=True)),
        premises_in_town=Premises.objects.count(),
        bytes_in_town=bytes_in_town(),
    )


def bytes_in_town() -> int:
    """What all premises take in a snapshot, seen or not."""
    total: int | None = Premises.objects.aggregate(total=Sum("entry_bytes"))["total"]
    return total or 0
