"""How a database that comes from a backup begins: above every number that was used, with nobody signed in."""

from __future__ import annotations

from django.utils import timezone

from office.accounts.models import Scheme
from office.audit.chain import NO_HEAD
from office.audit.journal import head, record_restored
from office.audit.restoring import (
    carry_over,
    is_newer,
    leave_numbers_out,
    sign_browsers_out,
    tell_co_ordinators,
    void_links,
    who_is_back,
)
from office.people.gone import forget_again, leave_register_numbers_out, leave_rows_out
from office.publisher.gone import ERASED, GoneRows, carry
from office.publisher.models import PublishedNumber
from office.publisher.shelf import KINDS, PublishedHead
from office.rota.after_restore import end_calendars
from office.staff.after_restore import void_start_codes
from runtime.backup_rules import height_by_clock
from wire.gallery_head import head_name
from wire.snapshots import GoneEntry, People, Premises


def begin_anew(
    published: PublishedHead, *, above_row: int, number: int, leap: int = 0, told: frozenset[GoneEntry] = frozenset()
) -> list[str]:
    """Record the restore, and take from what was published what must not come back. Inside a transaction.

    Args:
        published: what is known of the time after the copy.
        above_row: highest row of the audit that anybody is known to have seen.
        number: highest number of a snapshot that anybody is known to have seen.
        leap: by how much rows and numbers are raised besides, for what nobody here knows of.
        told: what further lists, signed by the office, name as gone.

    Returns:
        What a person should know, in sentences.
    """
    known = published.read()
    _, newest = published.shelf.newest("people")
    _, listed = published.shelf.newest("premises")
    people = newest if isinstance(newest, People) else None
    premises = listed if isinstance(listed, Premises) else None
    by_clock = height_by_clock(timezone.now())
    names = {*KINDS, *published.shelf.given_names(), *map(head_name, _schemes())}
    for name in sorted(names):
        line, _ = PublishedNumber.objects.get_or_create(name=name)
        # Of galleries nobody here knows what was published: they rise in any case.
        line.number = max(max(line.number, number) + leap, by_clock if leap or name not in KINDS else 0)
        line.save()
    true_until = published.last_said_by(people.number) if people is not None else NO_HEAD
    # Asked before the restore is recorded, and its row takes a number.
    newer = people if people is not None and is_newer(people, true_until) else None
    until = newer.made_at if newer is not None else None
    # An erasure is for ever: what any list says of it holds, whichever life of the office it is from.
    all_gone = {one for one in (*told, *published.shelf.gone()) if one.kind in ERASED}
    all_gone.update(newer.gone if newer is not None else ())
    in_copy = GoneRows().read(head(), timezone.now())
    details = {"published_row": known.sequence, "last_row": head().sequence, "left_out": leap}
    record_restored(max(max(above_row, known.sequence, head().sequence) + leap, by_clock if leap else 0), details)
    said = [who_is_back(until), *carry_over(people, true_until)]
    said += forget_again(sorted(all_gone, key=lambda one: (one.kind, one.row)), in_copy)
    # Also of rows that are not in this copy. Another backup has them, and may be restored next.
    carry(all_gone - {*in_copy})
    tell_co_ordinators(until)
    said += void_links() + sign_browsers_out()
    said += void_start_codes() + end_calendars()
    leave_numbers_out(people, premises)
    leave_rows_out(all_gone)
    leave_register_numbers_out()
    return said


def _schemes() -> list[int]:
    return list(Scheme.objects.values_list("number", flat=True))
