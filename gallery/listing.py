"""What the page lists now, made from what the core knows and what is open. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType

from msgspec import Struct
from msgspec.structs import replace

from gallery.core.holdings import Gallery
from gallery.core.readable import Now, Why, why_not, why_off
from gallery.core.state import State
from gallery.page.ports import Person, Reported, SchemeGallery, Snapshot, Staff
from gallery.texts import Known, Name
from wire.gallery_lines import PhotographSize, last_day_of
from wire.gallery_reports import OUTCOME_CHARS_MAX
from wire.text import display_text


class Names(Struct, frozen=True):
    """What things are called.

    Attributes:
        premises: of this unit; empty = not known yet.
        schemes: by number.
    """

    premises: str = ""
    schemes: Mapping[int, str] = MappingProxyType({})

    def of_scheme(self, scheme: int) -> str:
        """As people say it."""
        return self.schemes.get(scheme, f"Scheme {scheme}")


def picture(state: State, schemes: tuple[SchemeGallery, ...], names: Names, now_ms: int) -> Snapshot:
    """All of it, at this moment.

    Args:
        state: of the core.
        schemes: as :func:`scheme_galleries` made them.
        names: what things are called.
        now_ms: by the core's clock.
    """
    return Snapshot(
        premises=names.premises,
        schemes=schemes,
        staff=tuple(
            Staff(row.person, row.told.name, has_pin=row.may_use_pin)
            for row in sorted(state.staff.values(), key=lambda row: (row.told.name.casefold(), row.person))
        ),
        sessions=MappingProxyType({name: session.person for name, session in state.sessions.items()}),
        now_s=max(0, state.clock.floor_s(now_ms)),
        heard_at_s=state.lease.told_at_s,
        reports=_reports(state),
    )


def _reports(state: State) -> tuple[Reported, ...]:
    told = {one.report: one for one in state.book.outcomes.reports}
    on_disk = [row for row in state.book.rows if state.book_disk.has(row.report.id)]
    return tuple(
        Reported(
            row.report.id,
            row.report.kind,
            row.report.scheme,
            row.report.case,
            row.reference,
            row.report.at_s,
            row.report.left,
            state=row.state if outcome is None else outcome.state,
            words="" if outcome is None else display_text(outcome.words, OUTCOME_CHARS_MAX),
            told_at_s=0 if outcome is None else outcome.at_s,
        )
        for row in reversed(on_disk)
        for outcome in (told.get(row.report.id),)
    )


def scheme_galleries(state: State, known: Mapping[Name, Known], names: Names, now_ms: int) -> tuple[SchemeGallery, ...]:
    """Each that this unit may hold, by number, with the people who may be shown at this moment."""
    now = replace(state.now, now_ms=max(now_ms, state.now_ms))
    on_card = state.photographs.__contains__
    return tuple(
        _scheme(now, state.galleries[scheme], known, names.of_scheme(scheme), on_card)
        for scheme in sorted(state.galleries)
        if state.galleries[scheme].title.is_allowed
    )


@cache
def _same(sizes: frozenset[PhotographSize]) -> frozenset[PhotographSize]:
    """There are four of these, and ten thousand people."""
    return sizes


def _scheme(
    now: Now, gallery: Gallery, known: Mapping[Name, Known], name: str, on_card: Callable[[str], bool]
) -> SchemeGallery:
    off = why_off(now, gallery)
    if off is not None:
        return SchemeGallery(gallery.scheme, name, off)
    people: list[Person] = []
    coming = 0
    for line in sorted(gallery.lines.values(), key=lambda line: (-line.since, -line.case)):
        why = why_not(now, gallery, line)
        found = known.get((gallery.scheme, line.key))
        if why is Why.ON_ITS_WAY or (why is None and found is None):
            coming += 1
        if why is None and found is not None:
            photographs = zip(found.sizes, line.photographs, strict=True)
            people.append(
                Person(
                    gallery.scheme,
                    line.case,
                    line.since,
                    found.text,
                    is_here=found.is_here,
                    not_before_s=line.not_before_s,
                    last_day=last_day_of(line.not_after_s),
                    sizes=_same(frozenset(size for size, digest in photographs if on_card(digest))),
                )
            )
    return SchemeGallery(gallery.scheme, name, people=tuple(people), coming=coming)
