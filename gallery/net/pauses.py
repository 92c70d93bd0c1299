"""How long to leave the office alone: longer each time, and each unit for another time, so that nobody overruns it."""

from __future__ import annotations

import random
from typing import Final

FIRST_S: Final = 2.0
LONGEST_S: Final = 120.0
_DOUBLINGS_MAX: Final = 16


def pause_s(failures: int, asked_for_s: int = 0) -> float:
    """Before the next try.

    Args:
        failures: in a row; 0 = none.
        asked_for_s: by the office; it is not asked sooner.
    """
    if not failures:
        return 0.0
    doubled = min(FIRST_S * 2.0 ** min(failures - 1, _DOUBLINGS_MAX), LONGEST_S)
    return asked_for_s + doubled * (0.5 + random.random())  # noqa: S311 - no secret
