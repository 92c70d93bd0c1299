"""Waiting for a condition without polling."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class NeverCameError(Exception):
    """Did not happen in time; the message says what was awaited."""


class Notice:
    """Wakes all waiters at each change."""

    def __init__(self) -> None:
        self._changed = asyncio.Event()

    def tell(self) -> None:
        """Something has changed."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def next(self) -> None:
        """Return at the next change."""
        await self._changed.wait()

    async def until(self, look: Callable[[], T | None], what: str, within_s: float = 20.0) -> T:
        """The first answer of ``look`` that is not ``None`` or ``False``.

        Args:
            look: called now and after each change.
            what: what is awaited, as in "did not happen: …".
            within_s: how long; generous, because the machine may be busy.

        Raises:
            NeverCameError: not within that time.
        """
        try:
            async with asyncio.timeout(within_s):
                while True:
                    changed = self._changed
                    answer = look()
                    if answer is not None and answer is not False:
                        return answer
                    await changed.wait()
        except TimeoutError as e:
            raise NeverCameError(f"{what} (waited {within_s:.0f} s)") from e
