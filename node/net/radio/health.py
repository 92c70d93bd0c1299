"""What does not work on the radio path, told once, and once that all of it works again."""

from __future__ import annotations

import logging

from node.core.controls import Part
from node.core.events import Emit, PartFailed, PartRecovered
from wire.limits import DETAIL_CHARS_MAX
from wire.text import display_text

logger = logging.getLogger(__name__)


class RadioHealth:
    """``Part.RADIO`` as one part made of several, and ``Part.MODEM`` beside it. Used by one thread."""

    def __init__(self, put: Emit) -> None:
        """Everything works until something is told.

        Args:
            put: the loop's queue.
        """
        self._put = put
        self._problems: dict[str, str] = {}
        self._lacking = ""

    @property
    def is_well(self) -> bool:
        """Nothing was told that is not over."""
        return not self._problems

    def tell(self, what: str, problem: str | None) -> None:
        """How ``what`` is doing: a problem, or ``None`` = it works. Only the first one and the last end are news."""
        if problem is None:
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
        """How the modems are doing: ``problem``, none works; ``problems``, each that does not while others carry on."""
        self.tell("modem", problem)
        lacking = "" if problem else "; ".join(problems)
        if bool(lacking) is not bool(self._lacking):
            detail = display_text(lacking, DETAIL_CHARS_MAX)
            self._put(PartFailed(Part.MODEM, detail) if lacking else PartRecovered(Part.MODEM))
        self._lacking = lacking


def words(error: Exception) -> str:
    """What an error says, fit for an event."""
    strerror = error.strerror if isinstance(error, OSError) else None
    return display_text(strerror or str(error) or type(error).__name__, DETAIL_CHARS_MAX)
