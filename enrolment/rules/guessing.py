"""Slows whoever guesses claims, and knows when it is done in bulk. Pure: the caller tells the time.

A claim has 105 random bits: nobody finds one by trying. But each trial costs this machine something, and central runs
on it. A right claim costs its address nothing, so fifty nodes behind one router come in at once; and whoever is awaited
(:func:`enrolment.rules.claiming.is_awaited`) does not wait for what a stranger behind the same router does. But nobody
is answered again and again: a unit in the wrong hands would take everybody's turns.
"""

from __future__ import annotations

from typing import Final

from runtime.slowing import Slowing

REQUESTS_AT_ONCE: Final = 200
REQUESTS_EACH_S: Final = 20.0
"""In total, from whatever addresses, right or wrong: two signatures and a write to the disk for each right one."""
BULK_FAILURES: Final = 20
"""Wrong claims within :data:`BULK_WITHIN_S`, from whatever addresses: no dozen typing errors."""
BULK_WITHIN_S: Final = 600.0
TOLD_EVERY_S: Final = 60.0


class Guessing:
    """Whether a request is looked at. Not safe across threads."""

    def __init__(self) -> None:
        self._slowing = Slowing()
        self._answered = Slowing()
        self._tokens = float(REQUESTS_AT_ONCE)
        self._filled_s: float | None = None
        self._failed_s: list[float] = []
        self._told_s: float | None = None

    def address_wait_s(self, address: str, now_s: float) -> float:
        """How long this address must wait, for wrong claims that came from there; 0 = it need not."""
        return self._slowing.wait_s(address, now_s)

    def repeat_wait_s(self, signing_key: bytes, now_s: float) -> float:
        """How long the unit with this key must wait, which was answered before; 0 = it need not."""
        return self._answered.wait_s(signing_key.hex(), now_s)

    def total_wait_s(self, now_s: float) -> float:
        """How long everybody must wait; 0 = this request counts, and is looked at."""
        since_s = 0.0 if self._filled_s is None else now_s - self._filled_s
        self._filled_s = now_s
        self._tokens = min(float(REQUESTS_AT_ONCE), self._tokens + since_s * REQUESTS_EACH_S)
        if self._tokens < 1:
            return (1 - self._tokens) / REQUESTS_EACH_S
        self._tokens -= 1
        return 0.0

    def note_failure(self, address: str, now_s: float) -> int:
        """A wrong claim came from there. Returns how many lately, if that is worth an alarm; else 0."""
        self._slowing.note_failure(address, now_s)
        self._failed_s = [
            *(at_s for at_s in self._failed_s[-10 * BULK_FAILURES :] if now_s - at_s < BULK_WITHIN_S),
            now_s,
        ]
        if len(self._failed_s) < BULK_FAILURES or (self._told_s is not None and now_s - self._told_s < TOLD_EVERY_S):
            return 0
        self._told_s = now_s
        return len(self._failed_s)

    def note_answered(self, signing_key: bytes, address: str, now_s: float) -> None:
        """A right one came from there. A unit whose answer got lost asks again, some times."""
        self._answered.note_failure(signing_key.hex(), now_s)
        self._slowing.forget(address)
