"""Shifts as calendars (RFC 5545), for the programs of people's phones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final, cast

from msgspec import Struct

from office.accounts.access import rights_of
from office.accounts.models import Account, Scheme
from office.accounts.rules import TITLES, Rights
from office.rota.models import POST_ROLES, RotaFeed
from office.rota.planned import good_shifts, names_of
from office.rota.rules.plan import Post, Shift
from office.rota.rules.spans import Span
from wire.snapshots import AnsweringRole

OWN: Final = "own"
BACK: Final = timedelta(days=14)
AHEAD: Final = timedelta(days=60)
_REFRESH: Final = timedelta(hours=1)


class Choice(Struct, frozen=True):
    """A calendar that somebody may have.

    Attributes:
        what: in its address: ``own``, or ``1-pcso`` for a post.
        title: for people.
    """

    what: str
    title: str


def choices(mine: Rights) -> list[Choice]:
    """Those that a person may have: their own, and each post of their schemes."""
    schemes = Scheme.objects.filter(pk__in=mine.schemes(*POST_ROLES))
    posts = [Choice(f"{one.pk}-{role}", f"{TITLES[role]} in {one}") for one in schemes for role in POST_ROLES]
    return [Choice(OWN, "Your own shifts"), *posts]


def opened(digest: str) -> RotaFeed | None:
    """The calendar of an address, if its person may have it still."""
    found = RotaFeed.objects.select_related("account").filter(digest=digest, account__is_active=True).first()
    if found is None or found.what not in {one.what for one in choices(rights_of(found.account))}:
        return None
    return found


def calendar_of(found: RotaFeed, at: datetime) -> bytes:
    """What a calendar says now: fourteen days back and sixty ahead. Of people it names colleagues alone."""
    window, mine = Span(at - BACK, at + AHEAD), rights_of(found.account)
    schemes = mine.schemes(*POST_ROLES)
    if found.what == OWN:
        shown = [one for one in good_shifts(window, schemes) if one.account == found.account.pk]
    else:
        post = _post(found.what)
        shown = [one for one in good_shifts(window, [post.scheme]) if one.post == post]
    titles = {one.what: one.title for one in choices(mine)}
    title = f"Rota of {found.account}" if found.what == OWN else titles.get(found.what, "Rota")
    return _written(title, shown, found.account, at)


def _post(what: str) -> Post:
    scheme, _, role = what.partition("-")
    return Post(cast("AnsweringRole", role), int(scheme))


def _written(title: str, shown: Sequence[Shift], reader: Account, at: datetime) -> bytes:
    # A tenth of a second, which the pages do without.
    from icalendar import Calendar, Event  # noqa: PLC0415

    names = names_of(one.account for one in shown)
    schemes = dict(Scheme.objects.values_list("pk", "name"))
    calendar = Calendar()
    calendar.add("prodid", "-//Watchlink//Rota//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", title)
    calendar.add("refresh-interval", _REFRESH, parameters={"VALUE": "DURATION"})
    for shift in _first_of_each(shown):
        what = f"{TITLES[shift.post.role]} in {schemes[shift.post.scheme]}"
        event = Event()
        event.add("uid", f"{_key(shift)}@watchlink")
        event.add("dtstamp", at)
        event.add("dtstart", shift.span.begins_at)
        event.add("dtend", shift.span.ends_at)
        event.add("summary", what if shift.account == reader.pk else f"{names[shift.account]}, {what}")
        calendar.add_component(event)
    written: bytes = calendar.to_ical()
    return written


def _first_of_each(shown: Iterable[Shift]) -> Iterable[Shift]:
    """Without what is planned twice."""
    return {_key(one): one for one in shown}.values()


def _key(shift: Shift) -> str:
    return f"{shift.post.scheme}-{shift.post.role}-{shift.account}-{int(shift.span.begins_at.timestamp())}"
