"""What people are told: that something waits, and nothing of what it is."""

from __future__ import annotations

from typing import Final

import msgspec

from wire.notices import Notice

SENTENCES: Final = {
    "alert": "Watchlink: an alert waits.",
    "drill": "Watchlink: a drill waits.",
    "shift": "Watchlink: your shift begins.",
    "premises-alert": "Watchlink: an alert at your premises.",
    "premises-fault": "Watchlink: your unit needs a look. If nobody there knows why, ring the co-ordinator.",
    "test": "Watchlink: a test. Open it to show that it reached you.",
}
_NOTHING_TO_OPEN: Final = frozenset({"premises-alert", "premises-fault"})
"""Who is told of these has no place in the control room."""


def sentence(notice: Notice, page: str) -> str:
    """For a text message or an e-mail.

    Args:
        notice: what is told.
        page: central's, ending in a slash; empty = without an address to open.
    """
    if not page or notice.occasion in _NOTHING_TO_OPEN:
        return SENTENCES[notice.occasion]
    return f"{SENTENCES[notice.occasion]} {page}wake/{notice.reference}"


def payload(notice: Notice) -> bytes:
    """For the service worker of central's page; encrypted for that browser."""
    return msgspec.json.encode({"occasion": notice.occasion, "reference": notice.reference})
