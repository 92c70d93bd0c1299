"""Changes of members and premises: each with its rows in the audit, in one transaction.

Rights are the caller's to check; which schemes a change may touch is given as ``own_schemes``. The audit names the
fields that were changed, not their values: who the key-holders once were must not be kept for ever.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from django.db import transaction
from django.db.models import ProtectedError
from django.utils import timezone
from msgspec import Struct

from office.accounts.models import Account, Scheme
from office.audit.journal import Entry, record, record_many
from office.members.facts import LABELS, PremisesFacts, entry_bytes, folded, texts_of
from office.members.models import Contact, Member, Membership, Premises, Spokesperson
from office.members.rules import (
    HAS_CASES,
    MAY_NOT_MOVE,
    NO_ROOM,
    PREMISES_MAX,
    has_room,
    may_see,
    schemes_after,
    schemes_when_removed,
)
from office.members.scope import bytes_in_town, premises_of


class ChangedMeanwhileError(Exception):
    """Somebody else has saved the row since it was read."""


class ChangeRefusedError(ValueError):
    """A change that is not possible, as a sentence that says what to do."""


class Wanted(Struct, frozen=True):
    """A premises as it is to be.

    Attributes:
        member: whose.
        schemes: of those of ``own_schemes`` that the change names.
        facts: all else.
    """

    member: Member
    schemes: frozenset[int]
    facts: PremisesFacts


@transaction.atomic
def add_premises(actor: Account, own_schemes: frozenset[int], wanted: Wanted) -> Premises:
    """Add a premises; its member joins the schemes it is not in yet.

    Raises:
        SchemesRefusedError: not theirs, or none.
        ChangeRefusedError: the office is full, or the member has the same premises already.
    """
    member, facts = wanted.member, wanted.facts
    numbers = schemes_after(frozenset(), wanted.schemes, own_schemes)
    if Premises.objects.count() >= PREMISES_MAX:
        raise ChangeRefusedError(f"The office holds {PREMISES_MAX} premises at most. Remove one first.")
    _refuse_without_room(entry_bytes(facts))
    for name, place in premises_of(own_schemes).filter(member=member).values_list("name", "place"):
        if (folded(name), folded(place)) == (folded(facts.name), folded(facts.place)):
            raise ChangeRefusedError("This member already has premises of that name there. Edit those instead.")
    premises = Premises(member=member, changed_by=actor.name)
    premises.put(facts, member.name)
    premises.save()
    premises.schemes.set(numbers)
    Contact.objects.bulk_create(Contact.of(premises, facts))
    record(actor, "premises.added", premises, schemes=numbers, member=member.name)
    join(actor, member, numbers)
    return premises


@transaction.atomic
def change_premises(actor: Account, own_schemes: frozenset[int], number: int, version: int, wanted: Wanted) -> None:
    """Change a premises that is at ``version``. Without a difference nothing happens.

    Raises:
        Premises.DoesNotExist: removed meanwhile.
        ChangedMeanwhileError: it is at another version.
        SchemesRefusedError: not theirs, none, or too many.
        ChangeRefusedError: not theirs alone, so it stays with its member; or there is no room for so much text.
    """
    premises = _locked(number, own_schemes)
    if premises.version != version:
        raise ChangedMeanwhileError
    before, now = premises.facts(), scheme_numbers(premises)
    member, facts = wanted.member, wanted.facts
    after = schemes_after(now, wanted.schemes, own_schemes)
    if premises.member_id != member.pk and not now <= own_schemes:
        raise ChangeRefusedError(MAY_NOT_MOVE)
    entries = list(change_entries(premises, before, wanted, schemes_before=now, schemes_now=after))
    if not entries:
        return
    _refuse_without_room(entry_bytes(facts) - premises.entry_bytes)
    premises.member = member
    premises.version += 1
    premises.changed_by = actor.name
    premises.put(facts, member.name)
    premises.save()
    if before.contacts != facts.contacts:
        premises.contacts.all().delete()
        Contact.objects.bulk_create(Contact.of(premises, facts))
    premises.schemes.set(after)
    record_many(actor, entries)
    join(actor, member, after & own_schemes)


def change_entries(
    premises: Premises,
    before: PremisesFacts,
    wanted: Wanted,
    *,
    schemes_before: frozenset[int],
    schemes_now: frozenset[int],
) -> Iterable[Entry]:
    """What the audit says of a change that is about to be made; nothing if nothing differs.

    Of a scheme that a premises joins or leaves, that scheme's co-ordinators alone read.
    """
    fields = changed_fields(before, wanted.facts)
    moves = premises.member_id != wanted.member.pk
    if fields or moves:
        details: dict[str, object] = {"fields": fields}
        if before.name != wanted.facts.name:
            details["name_before"] = before.name
        if moves:
            details["member"] = wanted.member.name
        yield Entry("premises.changed", premises, details, schemes_before | schemes_now)
    for scheme in sorted(schemes_now - schemes_before):
        yield Entry("premises.joined-scheme", premises, {}, (scheme,))
    for scheme in sorted(schemes_before - schemes_now):
        yield Entry("premises.left-scheme", premises, {}, (scheme,))


@transaction.atomic
def remove_premises(actor: Account, own_schemes: frozenset[int], number: int, schemes: frozenset[int]) -> bool:
    """Take a premises out of these schemes; whether it was deleted, since none is left.

    Raises:
        Premises.DoesNotExist: removed meanwhile.
        SchemesRefusedError: not theirs.
    """
    premises = _locked(number, own_schemes)
    now = scheme_numbers(premises)
    left = schemes_when_removed(now, schemes, own_schemes)
    for scheme in sorted(now - left):
        record(actor, "premises.left-scheme" if left else "premises.removed", premises, schemes=(scheme,))
    if left:
        premises.version += 1
        premises.changed_by = actor.name
        premises.save()
        premises.schemes.set(left)
    else:
        premises.delete()
    return not left


@transaction.atomic
def add_member(actor: Account, name: str, joined: dict[int, date]) -> Member:
    """Add a member with its first memberships, by scheme."""
    member = Member.objects.create(name=name)
    Membership.objects.bulk_create(
        Membership(member=member, scheme_id=scheme, joined_on=day) for scheme, day in joined.items()
    )
    record(actor, "member.added", member, schemes=joined)
    return member


@transaction.atomic
def change_member(actor: Account, number: int, version: int, name: str, joined: dict[int, date]) -> None:
    """Rename a member, and correct or add memberships of these schemes.

    Raises:
        Member.DoesNotExist: removed meanwhile.
        ChangedMeanwhileError: it is at another version.
    """
    member = Member.objects.select_for_update().get(pk=number)
    if member.version != version:
        raise ChangedMeanwhileError
    before = member.name
    held = {one.scheme_id: one for one in member.memberships.all()}
    member.name = name
    member.version += 1
    member.save()
    if before != name:
        record(actor, "member.renamed", member, schemes=held, name_before=before)
        for premises in member.premises.prefetch_related("contacts"):
            premises.put(premises.facts(), name)
            premises.save(update_fields=["search_text"])
    for scheme, day in joined.items():
        membership = held.get(scheme) or Membership(member=member, scheme_id=scheme)
        if membership.pk is None or membership.joined_on != day or membership.ended_on is not None:
            membership.joined_on, membership.ended_on = day, None
            membership.save()
            record(actor, "membership.set", member, schemes=(scheme,), joined_on=day)


@transaction.atomic
def end_membership(actor: Account, number: int, scheme: Scheme, ended_on: date) -> int:
    """End a membership; the member's premises leave the scheme, and nobody speaks for it there. How many premises did.

    Raises:
        Membership.DoesNotExist: there is none that goes on.
    """
    membership = Membership.objects.select_for_update().get(member=number, scheme=scheme, ended_on=None)
    membership.ended_on = ended_on
    membership.save()
    member = membership.member
    member.version += 1
    member.save()
    record(actor, "membership.ended", member, schemes=(scheme.pk,), ended_on=ended_on)
    set_people(
        actor,
        member,
        scheme.pk,
        frozenset(),
        Account.objects.filter(spokesperson_for__member=member, spokesperson_for__scheme=scheme),
    )
    leaving = list(member.premises.filter(schemes=scheme).values_list("pk", flat=True))
    for premises in leaving:
        remove_premises(actor, frozenset({scheme.pk}), premises, frozenset({scheme.pk}))
    return len(leaving)


@transaction.atomic
def delete_membership(actor: Account, number: int, scheme: Scheme) -> bool:
    """Forget an ended membership; whether the member was deleted, since none is left.

    Raises:
        Membership.DoesNotExist: there is none that has ended.
        ChangeRefusedError: the member has nominated or voted, and those cases are still kept.
    """
    membership = Membership.objects.select_for_update().get(member=number, scheme=scheme, ended_on__isnull=False)
    member = membership.member
    record(actor, "membership.deleted", member, schemes=(scheme.pk,))
    membership.delete()
    if member.memberships.exists():
        return False
    try:
        member.delete()
    except ProtectedError as e:
        raise ChangeRefusedError(HAS_CASES) from e
    return True


@transaction.atomic
def set_people(actor: Account, member: Member, scheme: int, chosen: frozenset[int], among: Iterable[Account]) -> None:
    """Let exactly these of ``among`` see the member's premises of a scheme; others who may are left alone.

    Args:
        actor: who chooses.
        member: whose premises.
        scheme: one that the actor co-ordinates.
        chosen: numbers of accounts.
        among: accounts to choose from.
    """
    for account in among:
        held = Spokesperson.objects.filter(member=member, scheme=scheme, account=account)
        if account.pk not in chosen:
            action = "member.person-removed" if held.delete()[0] else ""
        else:
            _, is_new = Spokesperson.objects.get_or_create(member=member, scheme_id=scheme, account=account)
            action = "member.person-added" if is_new else ""
        if action:
            record(actor, action, member, schemes=(scheme,), person=account.name)


def join(actor: Account, member: Member, schemes: Iterable[int]) -> None:
    """Make the member one of these schemes from today, where it is none. In the caller's transaction."""
    held = {one.scheme_id: one for one in member.memberships.all()}
    today = timezone.localdate()
    for scheme in sorted(schemes):
        membership = held.get(scheme)
        if membership is None:
            Membership.objects.create(member=member, scheme_id=scheme, joined_on=today)
        elif membership.ended_on is not None:
            membership.joined_on, membership.ended_on = today, None
            membership.save()
        else:
            continue
        record(actor, "membership.set", member, schemes=(scheme,), joined_on=today)


def _refuse_without_room(more_bytes: int) -> None:
    if not has_room(bytes_in_town(), more_bytes):
        raise ChangeRefusedError(NO_ROOM)


def _locked(number: int, own_schemes: frozenset[int]) -> Premises:
    premises = Premises.objects.select_for_update().get(pk=number)
    if not may_see(scheme_numbers(premises), own_schemes):
        raise Premises.DoesNotExist
    return premises


def scheme_numbers(premises: Premises) -> frozenset[int]:
    """Of a premises."""
    return frozenset(premises.schemes.values_list("pk", flat=True))


def changed_fields(before: PremisesFacts, after: PremisesFacts) -> list[str]:
    """Labels of the fields in which two states differ."""
    old, new = texts_of(before), texts_of(after)
    return [label for field, label in LABELS.items() if old[field] != new[field]]
