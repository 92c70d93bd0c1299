"""Premises as the publisher signs them."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from msgspec import Struct

from office.members.facts import entry_of
from office.members.models import Premises
from office.members.stored import stored_of
from wire.snapshots import PremisesEntry


class Unusable(Struct, frozen=True):
    """A premises that no reader of a snapshot would accept, so that it is left out.

    Attributes:
        premises: its number.
        reason: for the log.
    """

    premises: int
    reason: str


def usable(entries: Iterable[PremisesEntry]) -> tuple[tuple[PremisesEntry, ...], tuple[Unusable, ...]]:
    """The entries that every reader accepts, and the others: one bad row must not stop the publishing of the rest."""
    good: list[PremisesEntry] = []
    bad: list[Unusable] = []
    for entry in entries:
        try:
            msgspec.json.decode(msgspec.json.encode(entry), type=PremisesEntry)
        except (msgspec.MsgspecError, UnicodeError) as e:
            bad.append(Unusable(entry.premises, str(e)))
        else:
            good.append(entry)
    return tuple(good), tuple(bad)


def stored_entries() -> tuple[tuple[PremisesEntry, ...], tuple[Unusable, ...]]:
    """All premises of the office, by number: the usable ones, and those that had to be left out."""
    stored = stored_of(Premises.objects.order_by("pk"))
    return usable(entry_of(one.number, one.facts, one.schemes) for one in stored)
