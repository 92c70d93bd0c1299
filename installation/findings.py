"""What a check finds: one line each, with what to do."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal

import msgspec

State = Literal["ok", "soon", "bad"]
_WORDS = {"ok": "ok  ", "soon": "SOON", "bad": "BAD "}


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at; ``--json`` prints a list of these.

    Attributes:
        state: in order; in order, but not for long; wrong.
        about: a word or two.
        text: what was found, without a full stop.
        to_do: a command or an instruction; empty if in order.
    """

    state: State
    about: str
    text: str
    to_do: str = ""

    @property
    def line(self) -> str:
        """As printed."""
        return f"{_WORDS[self.state]} {self.about}: {self.text}.{f' {self.to_do}' if self.to_do else ''}"


def good(about: str, text: str) -> Finding:
    """In order."""
    return Finding("ok", about, text)


def bad(about: str, text: str, to_do: str) -> Finding:
    """Wrong."""
    return Finding("bad", about, text, to_do)


def look_at(unit: str) -> str:
    """What to do about a unit that does not work."""
    return f"Run 'systemctl restart {unit}'; if that does not help, 'journalctl -u {unit} -n 20' says why."


def why(error: Exception) -> str:
    """In words, on one line, without a number that nobody knows."""
    told = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return told.strip().partition("\n")[0]


def in_order(about: str, text: str, problems: Iterable[Finding]) -> list[Finding]:
    """The problems, or one line that there are none."""
    return list(problems) or [good(about, text)]


def expiry(about: str, what: str, ends_at: datetime, now: datetime, *, warning: timedelta, to_do: str) -> Finding:
    """Of something that ends at ``ends_at``; it is told from ``warning`` before."""
    left = ends_at - now
    if left <= timedelta(0):
        return bad(about, f"{what} has expired, on {ends_at:%Y-%m-%d}", to_do)
    if left <= warning:
        days = "less than a day" if left.days == 0 else f"{left.days} day{'' if left.days == 1 else 's'}"
        return Finding("soon", about, f"{what} expires in {days}", to_do)
    return good(about, f"{what} is good until {ends_at:%Y-%m-%d}")
