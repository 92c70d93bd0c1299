"""The words of the faces: everything that must fit a 21-character line, whatever name it is about."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from node.core.screens import LINE_CHARS_MAX
from node.core.state import NodeState
from wire.kinds import AlertKind, Role
from wire.text import display_text

UNKNOWN_TIME: Final = "--:--"
USE_RADIO: Final = "Use radio or call 999"
TELL: Final = "Tell co-ordinator"
_DUTY: Final = "On duty: "
_ROLES: Final = {role.slug: role for role in Role}

KIND_WORDS: Final = {
    AlertKind.ATTACK: "ATTACK",
    AlertKind.ASSIST: "ASSIST",
    AlertKind.THEFT: "THEFT",
    AlertKind.SIGHTING: "SIGHTING",
    AlertKind.DISORDER: "DISORDER",
    AlertKind.BREACH: "BREACH",
    AlertKind.CALL_REQUEST: "CALL BACK",
    AlertKind.TEST: "TEST",
    AlertKind.TAMPER: "TAMPER",
    AlertKind.POWER: "POWER",
    AlertKind.FAULT: "FAULT",
}


def line(text: str) -> str:
    """As one line of the panel."""
    return display_text(text, LINE_CHARS_MAX)


def fullest(*candidates: str) -> str:
    """The first that fits a line whole; if none does, the last, cut."""
    cleaned = [display_text(text, 4 * LINE_CHARS_MAX) for text in candidates]
    return next((text for text in cleaned if len(text) <= LINE_CHARS_MAX), line(cleaned[-1]))


def clock(state: NodeState, at_s: int, *, with_seconds: bool = False) -> str:
    """Local time of a moment: ``14:32``, or dashes if it is not known."""
    if at_s <= 0:
        return "--:--:--" if with_seconds else UNKNOWN_TIME
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=at_s % 86_400 + state.clock.utc_offset_s % 86_400)
    return moment.strftime("%H:%M:%S" if with_seconds else "%H:%M")


def span(duration_ms: int) -> str:
    """``14 s``, ``3 min``, ``5 h``, ``9 d``: at most six characters."""
    seconds = max(0, duration_ms) // 1000
    for size, limit, unit in ((1, 100, "s"), (60, 100, "min"), (3_600, 100, "h")):
        if seconds < size * limit:
            return f"{seconds // size} {unit}"
    return f"{min(seconds // 86_400, 9999)} d"


def person(role: str, name: str, before: str = "") -> str:
    """``PCSO J Patel``, with a word before it or none, as full as it fits."""
    words = name.split()
    shorter = f"{words[0][0]} {words[-1]}" if len(words) > 1 else name
    surname = words[-1] if words else ""
    return fullest(*(f"{before} {role} {said}" for said in (name, shorter, surname)))


def on_duty(roles: tuple[str, ...]) -> str:
    """``On duty: CCTV PCSO``; what does not fit is counted: ``On duty: CCTV, 3 more``."""
    if not roles:
        return "NOBODY ON DUTY"
    shorts = [_ROLES[slug].short if slug in _ROLES else display_text(slug.upper(), 6) for slug in roles]
    said = [" ".join(shorts)]
    said += [f"{' '.join(shorts[:named])}, {len(shorts) - named} more" for named in range(len(shorts) - 1, 0, -1)]
    return fullest(*(f"{_DUTY}{who}" for who in said), f"Duty: {said[-1]}")
