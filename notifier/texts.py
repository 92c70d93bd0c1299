"""What people are told: that something waits, and nothing of what it is."""

from __future__ import annotations

from typing import Final

import msgspec

from wire.notices import Notice

SENTENCES: Final = {
    "alert": "Watchlink: an alert waits.",
    "drill": "Watchlink: a drill waits.",
    "shift": "Watchlink: your shift begins.",
    "test": "Watchlink: a test. Open it to show that it reached you.",
}


def sentence(notice: Notice, page: str) -> str:
    """For a text message or an e-mail.

    Args:
        notice: what is told.
        page: central's, ending in a slash; empty = without an address to open.
    """
    return f"{SENTENCES[notice.occasion]} {page}wake/{notice.reference}" if page else SENTENCES[notice.occasion]


def payload(notice: Notice) -> bytes:
    """For the service worker of central's page; encrypted for that browser."""
    return msgspec.json.encode({"occasion": notice.occasion, "reference": notice.reference})
