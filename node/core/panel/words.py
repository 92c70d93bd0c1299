"""The words of the faces: everything that must fit a 21-character line, whatever name it is about."""

from __future__ import annotations

from typing import Final

from node.core.gallery_state import Person
from node.core.screens import LINE_CHARS_MAX
from node.core.spelling import PANEL_LETTERS, spelled
from node.core.state import NodeState
from wire.kinds import AlertKind, Role, reference_text
from wire.text import display_text

UNKNOWN_TIME: Final = "--:--"
USE_RADIO: Final = "Use radio or call 999"
NOBODY: Final = "NOBODY ON DUTY"
NOBODY_TO_ASK: Final = "NOBODY TO ASK"
TELL: Final = "Tell co-ordinator"
NAME_CHARS_MIN: Final = 5
"""A premises' name beside a long place keeps so many, its ``…`` among them."""
PLACE_CHARS_MIN: Final = 4
"""A place beside a whole name keeps so many, or is left out."""
_DUTY: Final = "On duty: "
_SHORT: Final = {
    "street": "St", "road": "Rd", "lane": "Ln", "avenue": "Ave", "square": "Sq", "place": "Pl", "gardens": "Gdns",
    "station": "Stn", "market": "Mkt", "terrace": "Ter", "crescent": "Cres", "drive": "Dr", "close": "Cl",
}  # fmt: skip
"""The last word of a place, where it does not fit whole."""
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
    return shortened(text, LINE_CHARS_MAX)


def shortened(text: str, chars_max: int) -> str:
    """At most so many characters; a cut ends in ``…``."""
    return display_text(text, chars_max)


def named(name: str) -> str:
    """Somebody's name in the panel's letters; empty if it has none of them."""
    return " ".join(spelled(name, PANEL_LETTERS.__contains__).split())


def reference(state: NodeState, about: Person, chars_max: int) -> str:
    """``HART-0042``, whole as to the number: what is too long is taken from the scheme's name."""
    scheme = state.directory.schemes.get(about.scheme)
    text = reference_text(named(scheme.slug) if scheme is not None else str(about.scheme), about.number)
    slug, number = text.rsplit("-", 1)
    return text if len(text) <= chars_max else f"{shortened(slug, chars_max - len(number) - 1)}-{number}"


def where(premises: str, place: str, before: str = "", *, is_name_whole: bool = False) -> str:
    """``Corner Shop, High St``: where to go. What is too long is taken from the premises' name first.

    Args:
        premises: its name, in the panel's letters.
        place: the same; may be empty.
        before: said first, and never cut.
        is_name_whole: take it from the place first: another premises there would read the same.
    """
    if not place:
        return line(f"{before}{premises}")
    words = place.split()
    brief = " ".join((*words[:-1], _SHORT.get(words[-1].lower(), words[-1])))
    bare = premises.removeprefix("The ")
    for name, at in ((premises, place), (premises, brief), (bare, brief)):
        if len(said := f"{before}{name}, {at}") <= LINE_CHARS_MAX:
            return said
    room = LINE_CHARS_MAX - len(f"{before}, ")
    if is_name_whole:
        left = room - len(premises)
        return line(
            f"{before}{premises}, {shortened(brief, left)}" if left >= PLACE_CHARS_MIN else f"{before}{premises}"
        )
    at = shortened(brief, room - min(len(bare), NAME_CHARS_MIN))
    return f"{before}{shortened(bare, room - len(at))}, {at}"


def fullest(*candidates: str) -> str:
    """The first that fits a line whole; if none does, the last, cut."""
    cleaned = [display_text(text, 4 * LINE_CHARS_MAX) for text in candidates]
    return next((text for text in cleaned if len(text) <= LINE_CHARS_MAX), line(cleaned[-1]))


def clock(state: NodeState, at_s: int, *, with_seconds: bool = False) -> str:
    """Local time of a moment: ``14:32``, or dashes if it is not known."""
    if at_s <= 0:
        return "--:--:--" if with_seconds else UNKNOWN_TIME
    minutes, seconds = divmod((at_s + state.clock.utc_offset_s) % 86_400, 60)
    hour_and_minute = f"{minutes // 60:02}:{minutes % 60:02}"
    return f"{hour_and_minute}:{seconds:02}" if with_seconds else hour_and_minute


def span(duration_ms: int) -> str:
    """``14 s``, ``3 min``, ``5 h``, ``9 d``: at most six characters."""
    seconds = max(0, duration_ms) // 1000
    for size, limit, unit in ((1, 100, "s"), (60, 100, "min"), (3_600, 100, "h")):
        if seconds < size * limit:
            return f"{seconds // size} {unit}"
    return f"{min(seconds // 86_400, 9999)} d"


def person(role: str, name: str, before: str = "") -> str:
    """``PCSO J Patel``, with a word before it or none, as full as it fits."""
    name = named(name)
    words = name.split()
    shorter = f"{words[0][0]} {words[-1]}" if len(words) > 1 else name
    surname = words[-1] if words else ""
    return fullest(*(f"{before} {named(role)} {said}" for said in (name, shorter, surname)))


def asking(slug: str) -> str:
    """``Asking Duty sergeant``: which role is asked now."""
    role = _ROLES.get(slug)
    said = (role.title, role.short) if role is not None else (named(slug).upper(),)
    return fullest(*(f"Asking {who}" for who in said))


def on_duty(roles: tuple[str, ...]) -> str:
    """``On duty: CCTV PCSO``; what does not fit is counted: ``On duty: CCTV, 3 more``."""
    if not roles:
        return NOBODY
    shorts = [_ROLES[slug].short if slug in _ROLES else display_text(named(slug).upper(), 6) for slug in roles]
    said = [" ".join(shorts)]
    said += [f"{' '.join(shorts[:named])}, {len(shorts) - named} more" for named in range(len(shorts) - 1, 0, -1)]
    return fullest(*(f"{_DUTY}{who}" for who in said), f"Duty: {said[-1]}")
