"""Breaches and sightings that a shop reports to the office, and what has become of them.

The alert itself goes by the node (a frame, the radio if need be). What the office works with goes by the gallery's own
way: who, when, and whether they left when asked. Nothing in it is free text, so nothing in it is an allegation, and no
name is in it. A report has a random id, so that one that is sent twice is taken once.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal, TypeAlias

import msgspec

from wire.gallery_lines import CaseNumber, GalleryError, UnixSeconds
from wire.limits import DETAIL_CHARS_MAX
from wire.messages import Count, Message, SchemeNumber, Slug
from wire.text import display_text

REPORTS_MAX: Final = 50
"""That are sent at once."""
REPORT_BYTES_MAX: Final = 512
REPORTS_BYTES_MAX: Final = REPORTS_MAX * REPORT_BYTES_MAX
TAKEN_BYTES_MAX: Final = 4_096
OUTCOMES_MAX: Final = 100
"""Of one node's reports, the newest."""
OUTCOME_CHARS_MAX: Final = 160

ReportId = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}$(?!\n)")]
PersonNumber = Annotated[int, msgspec.Meta(ge=1, le=9_999_999_999)]
"""The digits of a reference: 42 of ``HART-0042``."""
IncidentText = Annotated[str, msgspec.Meta(pattern=r"^((?!0{8})[0-9a-f]{8}-[1-9][0-9]{0,9})?$(?!\n)")]
OutcomesVersion = Annotated[str, msgspec.Meta(pattern=r"^([0-9a-f]{16})?$(?!\n)")]
Kind: TypeAlias = Literal["breach", "sighting"]
Left: TypeAlias = Literal["yes", "no", "not-asked"]


class BreachReport(Message, frozen=True, kw_only=True, gc=False):
    """An excluded person who was where they may not be, or was seen elsewhere."""

    id: ReportId
    """Drawn by the node at random."""
    kind: Kind
    """``breach`` = here, against the ban; ``sighting`` = seen nearby."""
    scheme: SchemeNumber
    case: CaseNumber
    """Which ban, as in the line that was on the page."""
    person: PersonNumber
    """The digits of the reference."""
    staff: Count = 0
    """Number of the member of staff who reported it; 0 = nobody was signed in."""
    at_s: UnixSeconds
    """Unix time by the node's clock."""
    is_proven: bool = False
    """Whether that clock was proven right."""
    left: Left = "not-asked"
    """Whether they left when asked."""
    incident: IncidentText = ""
    """Id of the alert that went out with it, as the node gave it; empty = none went out."""


class ReportsTaken(Message, frozen=True, kw_only=True):
    """What the office answers to reports. One that is in neither list is sent again later."""

    committed: Annotated[tuple[ReportId, ...], msgspec.Meta(max_length=REPORTS_MAX)] = ()
    """They are on the office's disk, now or since before."""
    refused: Annotated[tuple[ReportId, ...], msgspec.Meta(max_length=REPORTS_MAX)] = ()
    """They will never be taken: the premises is not in their scheme, or the id is another report's."""

    def __post_init__(self) -> None:
        if not set(self.committed).isdisjoint(self.refused):
            raise ValueError("a report both committed and refused")


class ReportOutcome(Message, frozen=True, kw_only=True, gc=False):
    """What has become of a report."""

    report: ReportId
    state: Slug
    """``received`` = the office has it; ``in-hand`` = somebody has begun to deal with it; ``closed`` = it is done with.
    A reader shows the words of a state that it does not know."""
    words: Annotated[str, msgspec.Meta(max_length=OUTCOME_CHARS_MAX)] = ""
    """For the reporter: "Police informed." It names nobody."""
    at_s: UnixSeconds
    """Since when, by the office's clock."""


class Outcomes(Message, frozen=True, kw_only=True):
    """All that is told to a node now; what it held before and is not in here is forgotten."""

    version: OutcomesVersion
    """Opaque; the node says it in its next question, so that it is told nothing twice."""
    reports: Annotated[tuple[ReportOutcome, ...], msgspec.Meta(max_length=OUTCOMES_MAX)] = ()

    def __post_init__(self) -> None:
        if len({one.report for one in self.reports}) != len(self.reports):
            raise ValueError("a report is listed twice")


_read_reports: Final = msgspec.json.Decoder(
    Annotated[tuple[BreachReport, ...], msgspec.Meta(min_length=1, max_length=REPORTS_MAX)]
).decode
_read_taken: Final = msgspec.json.Decoder(ReportsTaken).decode


def encode_reports(reports: tuple[BreachReport, ...]) -> bytes:
    """The body in which they are sent: a list as JSON."""
    return msgspec.json.encode(reports)


def decode_reports(data: bytes) -> tuple[BreachReport, ...]:
    """Read reports.

    Raises:
        GalleryError: too large, malformed, none, too many, or an id twice.
    """
    if len(data) > REPORTS_BYTES_MAX:
        raise GalleryError("gallery reports", REPORTS_BYTES_MAX, f"{len(data)} bytes")
    try:
        reports: tuple[BreachReport, ...] = _read_reports(data)
    except (msgspec.MsgspecError, ValueError, RecursionError) as e:
        raise GalleryError("gallery reports", detail=display_text(str(e), DETAIL_CHARS_MAX)) from e
    if len({one.id for one in reports}) != len(reports):
        raise GalleryError("gallery reports", detail="a report twice")
    return reports


def encode_taken(taken: ReportsTaken) -> bytes:
    """The answer's body."""
    return msgspec.json.encode(taken)


def decode_taken(data: bytes) -> ReportsTaken:
    """Read the answer to reports.

    Raises:
        GalleryError: too large, malformed, or contradicting itself.
    """
    if len(data) > TAKEN_BYTES_MAX:
        raise GalleryError("gallery reports taken", TAKEN_BYTES_MAX, f"{len(data)} bytes")
    try:
        return _read_taken(data)
    except (msgspec.MsgspecError, ValueError, RecursionError) as e:
        raise GalleryError("gallery reports taken", detail=display_text(str(e), DETAIL_CHARS_MAX)) from e
