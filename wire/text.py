"""Text from elsewhere, made safe to show: one line, no control or direction characters, cut to length."""

from __future__ import annotations

import unicodedata
from typing import Final

from wire.limits import SHORT_NAME_BYTES_MAX

# Unicode general categories that never reach a screen: control, format (bidi overrides, BOM, zero-width),
# surrogate, private use, unassigned, line and paragraph separators.
_UNSHOWABLE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def display_text(text: str, chars_max: int) -> str:
    """``text`` as one clean line of at most ``chars_max`` characters.

    White space runs become one space; unshowable characters vanish; a cut ends in ``…``.
    """
    # Look no further than a bounded prefix: a megabyte of name costs no more than a short one.
    spaced = "".join(" " if c.isspace() else c for c in text[: 8 * chars_max + 64])
    shown = "".join(c for c in spaced if unicodedata.category(c) not in _UNSHOWABLE)
    line = " ".join(unicodedata.normalize("NFC", shown).split())
    return line if len(line) <= chars_max else line[: chars_max - 1].rstrip() + "…"


def short_name(full_name: str) -> str:
    """A person's name as it fits an acknowledgement frame: initial and surname, at most nine UTF-8 bytes.

    ``"Jaswinder Patel"`` → ``"J Patel"``; ``"Patel"`` → ``"Patel"``; ``""`` → ``""``.
    """
    words = display_text(full_name, 64).split()
    name = f"{words[0][0]} {words[-1]}" if len(words) > 1 else "".join(words)
    while len(name.encode()) > SHORT_NAME_BYTES_MAX:
        name = name[:-1]
    return name.rstrip()
