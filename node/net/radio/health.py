"""Reports once what does not work on the radio path, and once when all of it works again."""

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
        self._lacking = ""
        self._is_key_proven = False

    @property
    def is_well(self) -> bool:
        """Whether no reported problem remains."""
        return not self._problems

    def tell(self, what: str, problem: str | None) -> None:
        """Report a problem of ``what``; ``None`` = it works. Passed on: the first problem and the last recovery."""
        if problem is None:
            if what == KEY and not self._is_key_proven:
                self._is_key_proven = True
                self._put(KeyProven())
            if self._problems.pop(what, None) is not None and not self._problems:
                logger.info("the radio path works again")
                self._put(PartRecovered(Part.RADIO))
            return
        is_news = not self._problems
        if self._problems.get(what) != problem:
            logger.warning("radio path: %s: %s", what, problem)
        self._problems[what] = problem
        if is_news:
            self._put(PartFailed(Part.RADIO, display_text(f"{what}: {problem}", DETAIL_CHARS_MAX)))

    def tell_modems(self, problem: str | None, problems: tuple[str, ...]) -> None:
        """Report the modems: ``problem`` = none works; ``problems`` = those that fail while others go on."""
        self.tell("modem", problem)
        lacking = "" if problem else "; ".join(problems)
        if bool(lacking) is not bool(self._lacking):
            detail = display_text(lacking, DETAIL_CHARS_MAX)
            self._put(PartFailed(Part.MODEM, detail) if lacking else PartRecovered(Part.MODEM))
        self._lacking = lacking


def words(error: Exception) -> str:
    """An error's message, fit for an event."""
    strerror = error.strerror if isinstance(error, OSError) else None
    return display_text(strerror or str(error) or type(error).__name__, DETAIL_CHARS_MAX)
