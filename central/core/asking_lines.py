"""Lines of the page about who is asked, who comes on duty and is missing from it, and who went off."""

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


class WentOffLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """Somebody whose duty has ended, and what they left for the next."""

    role: str
    name: str
    at: datetime
    account: int = 0
    schemes: tuple[int, ...] = ()
    """For which they were on duty; empty: for all, as before there were accounts."""
    note: str = ""
    """At most 500 characters; empty: they left none."""

    def is_for(self, scheme: int) -> bool:
        """Whether they were on duty for this scheme."""
        return not self.schemes or scheme in self.schemes
