"""Every face of look.md as a screen, with the words a node would show: for pictures, documentation and tests."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from node.core.screens import Dots, Emphasis, Face, Screen
from wire.kinds import Priority

_IDLE_LINES: Final = ("14:32  Net✓ Radio✓", "On duty: CCTV PCSO")


def _silent(dots: Dots) -> Screen:
    return Screen(Face.SILENT, ("READY",), _IDLE_LINES, dots=dots, is_dim=True)


def _neighbour(headline: str, priority: Priority, emphasis: Emphasis) -> Screen:
    lines = ("Corner Shop, High St", "14:32 ▲Seen ►Coming")
    return Screen(Face.NEIGHBOUR, (headline,), lines, emphasis=emphasis, priority=priority)


SPECIMENS: Final[Mapping[str, Screen]] = MappingProxyType(
    {
        "boot": Screen(Face.BOOT, ("STARTING",), ("Watchlink 1.4", "Checking radio")),
        "claim": Screen(Face.CLAIM, ("CLAIM",), ("Code 7K4M-Q9P", "Scan the label")),
        "ready": Screen(Face.READY, ("READY",), _IDLE_LINES, is_dim=True),
        "fault": Screen(Face.FAULT, ("READY!",), ("Network down", "Alerts go by radio")),
        "no-link": Screen(Face.FAULT, ("NO LINK",), ("Network down", "Use radio or call 999")),
        "sending": Screen(Face.SENDING, ("SENDING",), ("ATTACK 14:32:07", "Saved on this unit"), priority=Priority.P1),
        "stored": Screen(Face.STORED, ("TRYING",), ("Not received yet", "By radio now     6 s"), priority=Priority.P1),
        "not-stored": Screen(
            Face.NOT_STORED,
            ("NOT", "SAVED"),
            ("", "Use radio or call 999"),
            emphasis=Emphasis.INVERTED,
            priority=Priority.P1,
        ),
        "received": Screen(
            Face.RECEIVED, ("RECEIVED",), ("by central system", "No one answered yet"), priority=Priority.P1
        ),
        "answered": Screen(Face.ANSWERED, ("ANSWERED",), ("PCSO J Patel", "14:32:21 after 14 s"), priority=Priority.P1),
        "on-the-way": Screen(Face.ON_THE_WAY, ("COMING",), ("PCSO J Patel", "on the way 14:33"), priority=Priority.P1),
        "undelivered": Screen(
            Face.UNDELIVERED,
            ("NOT", "DELIVERED"),
            ("", "Use radio or call 999"),
            emphasis=Emphasis.INVERTED,
            priority=Priority.P1,
        ),
        "cancelled": Screen(
            Face.CANCELLED, ("CANCELED",), ("Cancelled by shop", "Central closes it"), priority=Priority.P2
        ),
        "closed": Screen(Face.CLOSED, ("CLOSED",), ("by CCTV A Shah", "14:51"), priority=Priority.P2),
        "neighbour": _neighbour("ATTACK", Priority.P1, Emphasis.INVERTED),
        "neighbour-later": _neighbour("DISORDER", Priority.P2, Emphasis.FRAMED),
        "silent-saved": _silent(Dots.SAVED),
        "silent-received": _silent(Dots.RECEIVED),
        "silent-answered": _silent(Dots.ANSWERED),
        "silent-undelivered": _silent(Dots.UNDELIVERED),
        "test-due": Screen(
            Face.TEST_DUE, ("TEST DUE",), ("Press Test when quiet", "Last good: 9 days ago"), priority=Priority.TEST
        ),
        "hint": Screen(Face.HINT, ("HOLD IT",), ("Hold 1 s for ATTACK", "Nothing was sent")),
        "stopping": Screen(Face.STOPPING, ("STOPPING",), ("Alerts are off", "Use radio or call 999")),
    }
)
"""By the name of its picture."""
