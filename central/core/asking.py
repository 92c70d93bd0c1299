"""At which step of a policy an alert stands, and what its history says of it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from central.core.journal import ActionEntry, AskedPerson, Asking, Told
from central.core.view import HistoryLine
from wire.kinds import Role
from wire.snapshots import Way

WAY_WORDS: Final[dict[Way, str]] = {"push": "phone", "sms": "text message", "email": "e-mail"}
ASKING_LINES: Final = ("asked", "skipped", "nobody", "told", "not-told")
ASKING_LINES_MAX: Final = 40
"""Of a history: an alert that stands for a night must not lose who pressed it. A restart reads as many entries."""
_NAMED_MAX: Final = 5


class Stands(Struct, frozen=True):
    """Where an alert stands in one scheme's policy.

    Attributes:
        entry: number of the journal entry that began the step.
        since: when the step began, in central's present time.
        failed: messages of it that did not go out, by account and way.
        ended: those of which it is known whether they did.
    """

    asking: Asking
    entry: int
    since: datetime
    failed: tuple[tuple[int, Way], ...] = ()
    ended: tuple[tuple[int, Way], ...] = ()

    @property
    def is_nobody(self) -> bool:
        """Nobody can be asked: not a step, and over at any time."""
        return not self.asking.people

    @property
    def until(self) -> datetime:
        """When the next step is due."""
        return self.since + timedelta(seconds=self.asking.steps[self.asking.step].wait_s)

    def is_over(self, now_at: datetime, at_pages: Collection[int | str], left: Collection[int | str] = ()) -> bool:
        """Whether somebody else is to be asked now. A clock that went back while central was off stretches no step.

        Args:
            now_at: central's present time.
            at_pages: those on duty with a page open now, as :attr:`AskedPerson.key` has them.
            left: those of its people whose duty or role is over, likewise.
        """
        people = [one for one in self.asking.people if one.key not in left]
        return not people or not self.has_time(now_at) or self._reaches_nobody(people, at_pages)

    def has_time(self, now_at: datetime) -> bool:
        """Whether its seconds run now."""
        return self.since <= now_at < self.until

    def _reaches_nobody(self, people: Collection[AskedPerson], at_pages: Collection[int | str]) -> bool:
        messages = {(one.account, way) for one in people for way in one.ways}
        has_page = any(one.is_on_duty and one.key in at_pages for one in people)
        return not has_page and messages.issubset(self.failed)

    def shifted(self, step: timedelta) -> Stands:
        """The same, in a clock that was set by ``step``."""
        return replace(self, since=self.since + step)

    def told(self, told: Told) -> Stands:
        """With what became of a message, if it was of this step."""
        if told.entry != self.entry:
            return self
        one = (told.account, told.way)
        failed = self.failed if told.is_delivered else (*self.failed, one)
        return replace(self, failed=failed, ended=(*self.ended, one))

    @property
    def unsettled(self) -> tuple[tuple[int, tuple[Way, ...]], ...]:
        """Accounts with the ways of which it is not known whether a message went out."""
        people = (
            (one.account, tuple(way for way in one.ways if (one.account, way) not in self.ended))
            for one in self.asking.people
        )
        return tuple((account, ways) for account, ways in people if account and ways)


def lines_of(entry: ActionEntry) -> Iterator[HistoryLine]:
    """What the history says of an entry of this kind."""
    details = entry.details
    if isinstance(details, Told):
        how = f"{details.name}, by {WAY_WORDS[details.way]}"
        what, text = ("told", how) if details.is_delivered else ("not-told", f"{how}: {details.words}")
        yield HistoryLine(entry.at, what, text, scheme=details.scheme)
        return
    if details is None:
        return
    skipped = dict.fromkeys(details.skipped)
    if details.role is None:
        titles = (f"{_title(role)}{_away(details, role)}" for role in skipped)
        yield HistoryLine(entry.at, "nobody", ", ".join(titles), scheme=details.scheme)
        return
    for role in skipped:
        text = f"nobody is there as {_title(role)}{_away(details, role)}"
        yield HistoryLine(entry.at, "skipped", text, scheme=details.scheme)
    names = [one.name for one in details.people[:_NAMED_MAX]]
    more = len(details.people) - len(names)
    people = ", ".join([*names, *([f"{more} more"] if more else [])])
    yield HistoryLine(entry.at, "asked", f"{_title(details.role)}: {people}{_how(details)}", scheme=details.scheme)


def _how(asking: Asking) -> str:
    """How those are asked who have no page open; a message itself is told of once it has gone out."""
    if any(one.is_on_duty and not one.is_away for one in asking.people):
        return ""
    ways = dict.fromkeys(WAY_WORDS[way] for one in asking.people for way in one.ways)
    why = "on duty with no page open" if any(one.is_away for one in asking.people) else "named by the rota"
    return f", {why}, to be told by {' and '.join(ways)}"


def _away(asking: Asking, role: str) -> str:
    """Who is on duty in a step that was skipped."""
    names = [name for its, name in asking.away if its == role]
    return f" ({', '.join(names)} on duty, but with no page open)" if names else ""


def _title(role: str) -> str:
    known = Role.by_slug(role)
    return known.title if known is not None else role
