"""Reports of breaches and sightings, as the node keeps them, and what the office says of them."""

from __future__ import annotations

from typing import Final, Literal

from msgspec import Struct

from wire.gallery_reports import BreachReport, Outcomes

NO_OUTCOMES: Final = Outcomes(version="")


class ReportRow(Struct, frozen=True):
    """A report.

    Attributes:
        reference: of the person, for the page: ``HART-0042``.
        state: ``waiting`` for the office, ``sent`` = it has committed it, ``refused`` = it never will.
    """

    report: BreachReport
    reference: str
    state: Literal["waiting", "sent", "refused"] = "waiting"


class ReportBook(Struct, frozen=True):
    """All that is kept of reports, replaced on the disk as one.

    Attributes:
        rows: oldest first.
        outcomes: as the office told them last.
    """

    rows: tuple[ReportRow, ...] = ()
    outcomes: Outcomes = NO_OUTCOMES

    def has(self, report: str) -> bool:
        """Whether one of this id is in it."""
        return any(row.report.id == report for row in self.rows)

    @property
    def waiting(self) -> tuple[ReportRow, ...]:
        """Those that the office does not have yet."""
        return tuple(row for row in self.rows if row.state == "waiting")
