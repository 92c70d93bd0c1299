"""Texts as cells of the CSV files that Watchlink gives out, so that no spreadsheet runs one as a formula."""

from __future__ import annotations

import re
from typing import Final

# What a spreadsheet takes for the beginning of a formula. A full-width sign counts as the sign.
_START: Final = "[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]"
_FORMULA: Final = re.compile(f"'*{_START}")
_GUARDED: Final = re.compile(f"'+{_START}")
_NUMBER: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?")


def guard_cell(text: str) -> str:
    """``text`` so that no spreadsheet runs it: an apostrophe before what would be a formula. Plain numbers stay.

    :func:`unguard_cell` undoes it: no two texts become one.
    """
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def unguard_cell(text: str) -> str:
    """The text that :func:`guard_cell` guarded."""
    return text[1:] if _GUARDED.match(text) else text
