"""Whether a scheme's register may be used at all: the papers of the law come first (G13, D).

Nothing is issued, shown or published until each document is recorded and it is said who is responsible. Nominations may
be prepared. A yearly review reminds; a late one does not hide who is excluded.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final, Literal, get_args

from dateutil.relativedelta import relativedelta

DocumentKind = Literal[
    "appropriate-policy",
    "impact-assessment",
    "legitimate-interests",
    "sharing-agreement",
    "joint-controllers",
    "privacy-notice",
]
DOCUMENT_KINDS: Final[tuple[DocumentKind, ...]] = get_args(DocumentKind)
DOCUMENT_TITLES: Final[Mapping[DocumentKind, str]] = {
    "appropriate-policy": "Appropriate policy document",
    "impact-assessment": "Data protection impact assessment",
    "legitimate-interests": "Legitimate interests assessment",
    "sharing-agreement": "Sharing agreement",
    "joint-controllers": "Joint controller agreement",
    "privacy-notice": "Privacy notice",
}
REMIND_DAYS: Final = 30
"""Before a review is due."""


def why_off(recorded: Mapping[DocumentKind, date], today: date, *, names_responsible: bool) -> str | None:
    """Why a scheme's register is off, and what to do; ``None`` = it may be used.

    Args:
        recorded: when each document was recorded; one dated later than today does not count.
        today: in Europe/London.
        names_responsible: the terms say who is responsible and how to reach them.
    """
    missing = [title for kind, title in DOCUMENT_TITLES.items() if kind not in recorded or recorded[kind] > today]
    if missing:
        return f"The register is off until these documents are recorded: {', '.join(missing)}."
    if not names_responsible:
        return "The register is off until the terms say who is responsible and how to reach them."
    return None


def review_due(recorded_on: date) -> date:
    """When a document is to be reviewed: a year after it was recorded."""
    return recorded_on + relativedelta(years=1)


def reviews_to_remind(due: Mapping[DocumentKind, date], today: date) -> list[DocumentKind]:
    """Documents whose review is due within :data:`REMIND_DAYS`, or was."""
    return [kind for kind in DOCUMENT_KINDS if kind in due and (due[kind] - today).days <= REMIND_DAYS]
