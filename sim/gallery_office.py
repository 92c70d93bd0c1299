"""An office in virtual time: what it has issued, and what it answers."""

from __future__ import annotations

from typing import Final

from msgspec import Struct, field

from gallery.core import effects as do
from gallery.core import events as ev
from gallery.core.holdings import Line
from gallery.core.staff import StaffTold

DAY_S: Final = 86_400
LEASE_S: Final = 14 * DAY_S


class Book(Struct):
    """A scheme's gallery at the office.

    Attributes:
        elsewhere: cases that this node's premises is not shown.
        unopened: cases whose row is spoilt on its way.
    """

    number: int = 1
    lease_s: int = LEASE_S
    shows_without_proof: bool = False
    lines: dict[int, Line] = field(default_factory=dict)
    elsewhere: set[int] = field(default_factory=set)
    unopened: set[int] = field(default_factory=set)

    def issue(self, case: int, not_before_s: int, not_after_s: int, photographs: tuple[str, ...] = ()) -> Line:
        """Issue a ban, or change it."""
        self.number += 1
        self.lines[case] = Line(case, self.number, not_before_s, not_after_s, photographs)
        return self.lines[case]

    def withdraw(self, case: int) -> None:
        """It is shown no more."""
        self.number += 1
        del self.lines[case]


class SimOffice:
    """One office, as one node meets it.

    Attributes:
        allowed: schemes whose gallery the node may hold.
        staff: who may sign in there; ``None`` = nothing new.
        reports: ids of those that it has.
        unproven: schemes of which it cannot tell what is in force.
    """

    def __init__(self) -> None:
        self.books: dict[int, Book] = {}
        self.allowed: set[int] = set()
        self.staff: tuple[StaffTold, ...] | None = None
        self.unproven: tuple[int, ...] = ()
        self.lease_s = LEASE_S
        self.reports: set[str] = set()

    def answer(self, asked: do.AskOffice, asked_ms: int, now_s: int, *, views_received: int = 0) -> ev.OfficeAnswered:
        """What it says to this question."""
        held = {one.scheme: one for one in asked.held}
        schemes = sorted(self.allowed)
        return ev.OfficeAnswered(
            asked_ms,
            now_s,
            now_s + self.lease_s,
            schemes=tuple(ev.SchemeTold(scheme, self.books[scheme].shows_without_proof) for scheme in schemes),
            galleries=tuple(
                self._told(scheme, held[scheme].number if scheme in held else 0)
                for scheme in schemes
                if scheme not in held or held[scheme].number != self.books[scheme].number
            ),
            staff=self.staff,
            views_received=views_received,
            unproven=self.unproven,
        )

    def take(self, asked: do.AskOffice) -> ev.ReportsAnswered:
        """What it says to the reports that go before this question: it has them."""
        sent = frozenset(one.id for one in asked.reports)
        self.reports |= sent
        return ev.ReportsAnswered(sent)

    def _told(self, scheme: int, after: int) -> ev.GalleryTold:
        book = self.books[scheme]
        lines = tuple(book.lines[case] for case in sorted(book.lines))
        unopened = frozenset(book.unopened & book.lines.keys())
        keys = frozenset(
            line.key for line in lines if line.since > after and line.case not in book.elsewhere | unopened
        )
        return ev.GalleryTold(scheme, book.number, book.lease_s, lines, keys, after, unopened)
