"""Reports what does not work on the radio path whenever that changes, and once when all of it works again."""

from __future__ import annotations

import logging
from typing import Final

from node.core.controls import Part
from node.core.events import Emit, KeyProven, PartFailed, PartRecovered
from wire.limits import DETAIL_CHARS_MAX
from wire.text import display_text

logger = logging.getLogger(__name__)

KEY: Final = "ptt"
"""The transmit key, as in what is told of it."""


class RadioHealth:
    """``Part.RADIO``, made up of several parts, ``Part.MODEM``, and that the key has once moved. Used by one thread."""

    def __init__(self, put: Emit) -> None:
        """Everything works until a problem is reported.

        Args:
            put: the loop's queue.
        """
        self._put = put
        self._problems: dict[str, str] = {}
        self._said = ""
        self._lacking = ""
        self._is_key_proven = False

    @property
    def is_well(self) -> bool:
        """Whether no reported problem remains."""
        return not self._problems

    def tell(self, what: str, problem: str | None) -> None:
        """Report a problem of ``what``; ``None`` = it works. What is wrong now is passed on when it changes."""
        if problem is None:
            if what == KEY and not self._is_key_proven:
                self._is_key_proven = True
                self._put(KeyProven())
            if self._problems.pop(what, None) is not None and not self._problems:
                logger.info("the radio path works again")
        else:
            if self._problems.get(what) != problem:
                logger.warning("radio path: %s: %s", what, problem)
            self._problems[what] = problem
        # First the key: one that stays down silences everyone, and must not be cut off a long line.
        worst_first = sorted(self._problems.items(), key=lambda broken: broken[0] != KEY)
        said = "; ".join(f"{broken}: {reason}" for broken, reason in worst_first)
        self._said = self._pass_on(Part.RADIO, self._said, said)

    def tell_modems(self, problem: str | None, problems: tuple[str, ...]) -> None:
        """Report the modems: ``problem`` = none works; ``problems`` = those that fail while others go on."""
        self.tell("modem", problem)
        self._lacking = self._pass_on(Part.MODEM, self._lacking, "" if problem else "; ".join(problems))

    def _pass_on(self, part: Part, before: str, now: str) -> str:
        """Tell the loop of ``part`` if what is wrong with it has changed; empty = nothing. Returns what is."""
        if now != before:
            self._put(PartFailed(part, display_text(now, DETAIL_CHARS_MAX)) if now else PartRecovered(part))
        return now


def words(error: Exception) -> str:
    """An error's message, fit for an event."""
    strerror = error.strerror if isinstance(error, OSError) else None
    return display_text(strerror or str(error) or type(error).__name__, DETAIL_CHARS_MAX)
