"""The peer: the plain policy of most data radios on the same air, as a yardstick for ours.

A random wait in a window, then transmit if the channel is clear, else wait for it to clear and draw again; if no
receipt comes in time, the window doubles. No wait is frozen, nothing is learnt from what is heard. The gateway sends
receipts by air at once, as many in one burst as fit.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from node.core.air import Mode
from sim.air import SimAir
from sim.timeline import Timeline

FRAME_BYTES: Final = 89
RECEIPT_TARGETS: Final = 6
RECEIPT_DUE_MS: Final = 5_000
WINDOW_MAX_MS: Final = 160_000
GATEWAY: Final = "gateway"


class PeerResult(Struct, frozen=True):
    """The outcome. ``last_ms``: from the press until the last of the delivered frames was heard."""

    delivered: int
    last_ms: int
    airtime_ms: int
    overs: int
    collisions: int


class _Peer:
    def __init__(self, at: int, air: SimAir, timeline: Timeline, window_ms: tuple[int, int]) -> None:
        self.name = f"peer-{at}"
        self.frame = at.to_bytes(2, "big") + bytes(FRAME_BYTES - 2)
        self.is_done = False
        self._air, self._timeline, self._window_ms = air, timeline, window_ms
        self._is_waiting_for_clear = False
        self._try = 0
        air.join(self.name, self)

    def draw(self) -> None:
        """Wait a random time, then look at the channel."""
        self._timeline.after(self._timeline.chance.randint(*self._window_ms), self._fire)

    def channel_changed(self, *, is_busy: bool) -> None:
        """Called by the air."""
        if not is_busy and self._is_waiting_for_clear:
            self._is_waiting_for_clear = False
            self.draw()

    def burst_heard(self, data: bytes) -> None:
        """Called by the air: perhaps our receipt."""
        if data[:1] == b"R" and self.frame[:2] in [data[at : at + 2] for at in range(1, 1 + 2 * RECEIPT_TARGETS, 2)]:
            self.is_done = True

    def _fire(self) -> None:
        if self.is_done:
            return
        if self._air.is_busy(self.name):
            self._is_waiting_for_clear = True
            return
        self._try += 1
        self._air.key(self.name, (self.frame,), Mode.IL2P_1200, on_end=self._sent)

    def _sent(self, _: int) -> None:
        number = self._try

        def due() -> None:
            if not self.is_done and self._try == number:
                low_ms, high_ms = self._window_ms
                self._window_ms = min(2 * low_ms, WINDOW_MAX_MS // 2), min(2 * high_ms, WINDOW_MAX_MS)
                self.draw()

        self._timeline.after(RECEIPT_DUE_MS, due)


class _Gateway:
    def __init__(self, air: SimAir, timeline: Timeline) -> None:
        self.heard_ms: dict[bytes, int] = {}
        self._owed: list[bytes] = []
        self._air, self._timeline = air, timeline
        air.join(GATEWAY, self)

    def channel_changed(self, *, is_busy: bool) -> None:
        """Called by the air."""
        if not is_busy:
            self._answer()

    def burst_heard(self, data: bytes) -> None:
        """Called by the air."""
        self.heard_ms.setdefault(data[:2], self._timeline.now_ms)
        self._owed.append(data[:2])
        self._answer()

    def _answer(self) -> None:
        if self._owed and not self._air.is_keyed(GATEWAY) and not self._air.is_busy(GATEWAY):
            told, self._owed = self._owed[:RECEIPT_TARGETS], self._owed[RECEIPT_TARGETS:]
            data = (b"R" + b"".join(told)).ljust(FRAME_BYTES, b"\xff")
            self._air.key(GATEWAY, (data,), Mode.IL2P_1200, on_end=lambda _: self._answer())


def storm(seed: int, count: int, window_ms: tuple[int, int], *, until_ms: int) -> PeerResult:
    """``count`` stations press at once; played until ``until_ms``."""
    timeline = Timeline(seed)
    air = SimAir(timeline)
    gateway = _Gateway(air, timeline)
    for at in range(count):
        _Peer(at, air, timeline, window_ms).draw()
    timeline.run_until(until_ms, lambda: None)
    figures = air.figures
    return PeerResult(
        delivered=len(gateway.heard_ms),
        last_ms=max(gateway.heard_ms.values(), default=0),
        airtime_ms=figures.airtime_ms,
        overs=figures.overs,
        collisions=figures.collisions,
    )
