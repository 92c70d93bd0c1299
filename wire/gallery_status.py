"""The gallery's status line for systemd: whether the office answers, and how each gallery is.

``watchlink node check`` reads it back: whether the office answers is the running gallery's own word.
"""

from __future__ import annotations

from typing import Final

_NEVER: Final = "No contact with the office yet. "
_NO_MORE: Final = "No contact with the office any more. "


def status_line(galleries: str, *, was_heard: bool, is_heard: bool) -> str:
    """The line.

    Args:
        galleries: how they are; no personal data.
        was_heard: the office has answered at all.
        is_heard: it does now.
    """
    if is_heard:
        return galleries
    return (_NO_MORE if was_heard else _NEVER) + galleries


def is_heard(line: str) -> bool:
    """Whether the office answers, as far as a line says it."""
    return not line.startswith((_NEVER, _NO_MORE))
