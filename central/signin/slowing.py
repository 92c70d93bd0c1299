"""Slows sign-ins that succeed, by account: each is written to the disk that alerts are written to.

Those that fail are slowed by the address that they come from: :mod:`runtime.slowing`.
"""

from __future__ import annotations

from typing import Final

SIGN_INS_AT_ONCE: Final = 10
"""Of one account; then one each :data:`SIGN_IN_EVERY_S`."""
SIGN_IN_EVERY_S: Final = 1.0


class Pace:
    """Sign-ins of each account: a few at once, then one a second. Only who has proved to be that person counts."""

    def __init__(self) -> None:
        self._even_at_s: dict[int, float] = {}

    def take(self, account: int, now_s: float) -> float:
        """One more; returns how long it must wait, and 0 if it need not and is counted."""
        even_at_s = max(now_s, self._even_at_s.get(account, now_s)) + SIGN_IN_EVERY_S
        wait_s = even_at_s - SIGN_INS_AT_ONCE * SIGN_IN_EVERY_S - now_s
        if wait_s <= 0:
            self._even_at_s[account] = even_at_s
        return max(0.0, wait_s)

    def give_back(self, account: int) -> None:
        """It came to nothing, without a write."""
        self._even_at_s[account] -= SIGN_IN_EVERY_S
