"""Two rows of the register that are one person: one of them stays with all that is known, of the other the number.

Runs inside :func:`office.accounts.access.acting`. The caller decides, and writes the audit.
"""

from __future__ import annotations

from datetime import date
from typing import Final

from django.db import transaction
from django.utils import timezone

from office.members.facts import folded
from office.people import erasure
from office.people.forgetting import forget_deleted_rows
from office.people.models import ADDRESS_CHARS_MAX, DESCRIPTION_CHARS_MAX, PERSON_NAME_CHARS_MAX, Individual
from office.people.rules import BETWEEN_NAMES, other_names

_NOT_KEPT: Final = "What the nomination said otherwise"


def put_together(known: Individual, was: Individual) -> str:
    """Give ``known`` what is held of ``was``, and leave of ``was`` its number, which leads to ``known`` from now on.

    Returns:
        in words what had no room with the person, such as another date of birth; empty = everything had. It is about
        the person, so it belongs where it can be erased.
    """
    said = [
        _put_names(known, was),
        _put_born_on(known, was.born_on),
        _put_text(known, "description", was.description, DESCRIPTION_CHARS_MAX),
        _put_text(known, "address", was.address, ADDRESS_CHARS_MAX),
    ]
    known.is_believed_minor = known.is_believed_minor or was.is_believed_minor
    # Above both: a page that was loaded about the other row must not pass for one about this.
    known.version = max(known.version, was.version) + 1
    known.search_text = folded(f"{known.name} {known.also_known_as}")
    known.save()
    if known.photographs.filter(is_shown=True).exists():
        was.photographs.update(is_shown=False)
    was.photographs.update(individual=known)
    was.requests.update(individual=known)
    was.merged.update(same_as=known)
    was.same_as, was.erased_at = known, timezone.now()
    erasure.erase_words(was)
    transaction.on_commit(forget_deleted_rows)
    left_over = "\n".join(filter(None, said))
    return left_over and f"{_NOT_KEPT}:\n{left_over}"


def _put_names(known: Individual, was: Individual) -> str:
    known.name = known.name or was.name
    seen, kept, left_over = {"", folded(known.name)}, "", ""
    for name in (*other_names(known.also_known_as), was.name, *other_names(was.also_known_as)):
        if folded(name) in seen:
            continue
        seen.add(folded(name))
        longer = f"{kept}{BETWEEN_NAMES}{name}" if kept else name
        if len(longer) <= PERSON_NAME_CHARS_MAX:
            kept = longer
        else:
            left_over = f"{left_over}{BETWEEN_NAMES}{name}" if left_over else f"Also known as {name}"
    known.also_known_as = kept
    return left_over


def _put_born_on(known: Individual, born_on: date | None) -> str:
    if known.born_on is None:
        known.born_on = born_on
    if born_on in {None, known.born_on}:
        return ""
    assert born_on is not None
    return f"Born on {born_on.day} {born_on:%b %Y}"


def _put_text(known: Individual, field: str, text: str, chars_max: int) -> str:
    held: str = getattr(known, field)
    if not text or folded(text) in folded(held):
        return ""
    both = f"{held}\n{text}" if held else text
    if len(both) > chars_max:
        return f"{field.capitalize()}: {text}"
    setattr(known, field, both)
    return ""
