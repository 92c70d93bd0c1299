"""The ways by which people are reached, as the database has them. Changes run inside ``acting``.

A number is for the person and for central, which asks them. The audit and co-ordinators learn of what kind a way is.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from office.accounts.models import Account, Scheme
from office.accounts.telling import tell
from office.audit.journal import record
from office.escalation.models import ContactWay
from wire.snapshots import WayEntry


def ways_of(account: Account) -> tuple[WayEntry, ...]:
    """A person's, in order."""
    return tuple(entry_of(way, to) for way, to in account.ways.values_list("way", "to"))


def set_ways(account: Account, ways: Sequence[WayEntry]) -> None:
    """A person's own: these, in this order, and no others."""
    if ways_of(account) == tuple(ways):
        return
    account.ways.all().delete()
    ContactWay.objects.bulk_create(
        ContactWay(account=account, place=place, way=one.way, to=one.to) for place, one in enumerate(ways, 1)
    )
    record(account, "ways.changed", account, ways=[one.way for one in ways])
    tell(
        account,
        "Your telephone numbers or e-mail addresses for alerts were changed. If this was not you, say so at once.",
    )


def reached_in(scheme: Scheme) -> frozenset[tuple[str, str]]:
    """(role, way) of which somebody in a scheme can be reached."""
    rows = ContactWay.objects.filter(account__is_active=True, account__grants__scheme=scheme)
    return frozenset(rows.values_list("account__grants__role", "way"))


def entry_of(way: str, to: str) -> WayEntry:
    """As it is published.

    Raises:
        msgspec.ValidationError: no reader would accept it.
    """
    return msgspec.convert({"way": way, "to": to}, WayEntry)
