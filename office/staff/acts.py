"""Changes of lists of staff, each with its row in the audit. Called inside :func:`office.accounts.access.acting`.

The audit says the person's number and not their name: names are not kept for ever.
"""

from __future__ import annotations

import os
import secrets
from datetime import datetime, timedelta
from typing import Final

from django.db.models import QuerySet
from django.utils import timezone
from msgspec import Struct

from office.accounts.access import in_turn
from office.accounts.models import Account
from office.audit.journal import Entry, record, record_many
from office.members.facts import folded
from office.members.models import Premises
from office.staff.models import StaffMember
from office.staff.rules import NUMBER_MAX, NUMBER_MIN, code_until, next_code, why_not_add, why_not_call
from wire.gallery_staff import start_code_check
from wire.printed_codes import code_text

_CODE_BYTES: Final = 10


class StaffRefusedError(ValueError):
    """A change that is not possible, as a sentence that says what to do."""


class StartCode(Struct, frozen=True):
    """A start code that was just given: it is shown once.

    Attributes:
        member: whose.
        text: as it is typed.
    """

    member: StaffMember
    text: str


def listed(premises: Premises) -> QuerySet[StaffMember]:
    """Everybody who may sign in there, by name."""
    return StaffMember.objects.filter(premises=premises, taken_off_at=None)


def add(actor: Account, premises: Premises, name: str) -> StartCode:
    """Add a person, with a start code.

    Raises:
        StaffRefusedError: the list is full, or has this name.
    """
    others = list(listed(premises))
    why_not = why_not_add(len(others)) or _why_not_call(name, others)
    if why_not is not None:
        raise StaffRefusedError(why_not)
    member = StaffMember.objects.create(number=_new_number(), premises=premises, name=name)
    _record(actor, "staff.added", member)
    return give_code(actor, member)


def correct(actor: Account, member: StaffMember, name: str) -> None:
    """Correct a person's name. They stay who they are: number and PIN are as before.

    Raises:
        StaffRefusedError: the list has this name.
    """
    assert member.premises is not None
    why_not = _why_not_call(name, [one for one in listed(member.premises) if one.pk != member.pk])
    if why_not is not None:
        raise StaffRefusedError(why_not)
    if name != member.name:
        member.name = name
        member.save(update_fields=["name"])
        _record(actor, "staff.corrected", member)


def give_code(actor: Account, member: StaffMember) -> StartCode:
    """Give a new start code, which ends the PIN and the code before it."""
    text = code_text(os.urandom(_CODE_BYTES))
    member.code = next_code(member.code, int(timezone.now().timestamp()))
    member.code_check = start_code_check(text) or ""
    member.code_until = code_until(timezone.localdate())
    member.save(update_fields=["code", "code_check", "code_until"])
    _record(actor, "start-code.given", member)
    return StartCode(member, text)


def take_off(actor: Account, member: StaffMember) -> None:
    """A person may sign in no more. Their name is kept as long as the view log knows them."""
    _record(actor, "staff.taken-off", member)
    member.taken_off_at = timezone.now()
    member.code_check = ""
    member.save(update_fields=["taken_off_at", "code_check"])


def tidy_staff(now: datetime, kept_days: int) -> None:
    """Take off whose premises are gone, and forget who was taken off long ago. In the audit it is Watchlink itself.

    Args:
        now: by a clock that can be believed: names do not come back.
        kept_days: so long a name is kept after its person was taken off.
    """
    with in_turn():
        gone = StaffMember.objects.filter(premises=None, taken_off_at=None)
        _record_by_itself("staff.taken-off", gone)
        gone.update(taken_off_at=now, code_check="")
        old = StaffMember.objects.filter(taken_off_at__lt=now - timedelta(days=kept_days))
        _record_by_itself("staff.forgotten", old)
        old.delete()


def _why_not_call(name: str, others: list[StaffMember]) -> str | None:
    return why_not_call(folded(name), {folded(one.name) for one in others})


def _new_number() -> int:
    """A number that nobody has."""
    while True:
        number = NUMBER_MIN + secrets.randbelow(NUMBER_MAX - NUMBER_MIN + 1)
        if not StaffMember.objects.filter(number=number).exists():
            return number


def _record_by_itself(action: str, members: QuerySet[StaffMember]) -> None:
    entries = [
        Entry(action, "named staff", {"staff_number": one.number}, [scheme.pk for scheme in one.schemes.all()])
        for one in members.prefetch_related("schemes")
    ]
    record_many(None, entries)


def _record(actor: Account, action: str, member: StaffMember) -> None:
    assert member.premises is not None
    schemes = list(member.premises.schemes.values_list("pk", flat=True))
    member.schemes.set(schemes)
    record(actor, action, member.premises, schemes=schemes, staff_number=member.number)
