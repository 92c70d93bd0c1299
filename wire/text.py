"""Makes foreign text safe to show: one line, no control or direction characters, cut to length."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import Final

from wire.limits import SHORT_NAME_BYTES_MAX

# Unicode general categories that never reach a screen: control, format (bidi overrides, BOM, zero-width),
# surrogate, private use, unassigned, line and paragraph separators.
_UNSHOWABLE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# Letters and symbols by category, yet blank on every screen: a name made of these would look empty.
_BLANK: Final = frozenset("\u115f\u1160\u2800\u3164\uffa0")
_MARKS: Final = frozenset({"Mn", "Me"})
_MARKS_IN_A_ROW_MAX: Final = 3
"""No orthography stacks more; taller stacks draw over the lines above and below."""


def display_text(text: str, chars_max: int) -> str:
    """``text`` as one clean line of at most ``chars_max`` characters, ``chars_max`` ≥ 1.

    Runs of white space become one space; unshowable characters vanish; a cut text ends in ``…``. Idempotent.
    """
    # Only a bounded prefix is looked at: a megabyte of name costs no more than a short one.
    looked_at = text[: 8 * chars_max + 64]
    # Nearly every text is plain, and a node cleans some at each step: this takes a tenth of the time.
    shown = looked_at if looked_at.isascii() and looked_at.isprintable() else _showable(looked_at)
    line = " ".join(shown.split())
    return line if len(line) <= chars_max else line[: chars_max - 1].rstrip() + "…"


@lru_cache(maxsize=256)
def _showable(text: str) -> str:
    # A node cleans the same arrows, dashes and names at each step.
    spaced = "".join(" " if c.isspace() else c for c in text)
    shown = "".join(c for c in spaced if unicodedata.category(c) not in _UNSHOWABLE and c not in _BLANK)
    return _flattened(unicodedata.normalize("NFC", shown))


def _flattened(text: str) -> str:
    kept: list[str] = []
    marks = 0
    for c in text:
        marks = marks + 1 if unicodedata.category(c) in _MARKS else 0
        if marks <= _MARKS_IN_A_ROW_MAX:
            kept.append(c)
    return "".join(kept)


def short_name(full_name: str) -> str:
    """A person's name for an acknowledgement frame: initial and surname, at most nine UTF-8 bytes.

    ``"Jaswinder Patel"`` → ``"J Patel"``; ``"Patel"`` → ``"Patel"``; ``""`` → ``""``.
    """
    words = display_text(full_name, 64).split()
    name = f"{words[0][0]} {words[-1]}" if len(words) > 1 else "".join(words)
    while len(name.encode()) > SHORT_NAME_BYTES_MAX:
        name = name[:-1]
    return name.rstrip()
