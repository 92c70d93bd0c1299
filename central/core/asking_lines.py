"""Lines of the page about who is asked, who comes on duty next, and who is missing."""

from __future__ import annotations

from datetime import datetime

import msgspec


class AskingLine(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Who is asked now about an unanswered alert, by one scheme's policy."""

    scheme: int
    scheme_name: str
    role: str = ""
    """Slug of :class:`wire.kinds.Role`; empty = NOBODY can be asked."""
    names: tuple[str, ...] = ()
    round: int = 1
    step: int = 1
    """From 1; of ``steps``."""
    steps: int = 1
    since: datetime
    until: datetime | None = None
    """When the next step is due; ``None`` of NOBODY."""
    next_role: str = ""
    """Of the step after this one; empty of NOBODY."""


class ShiftLine(msgspec.Struct, frozen=True):
    """A shift of the rota: one that is still to begin, or whose person is not on duty."""

    scheme: int
    role: str
    name: str
    begins_at: datetime
