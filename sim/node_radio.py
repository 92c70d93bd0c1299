"""A node's radio in the simulation: carries out overs on the air, and tells the core the outcome.

It breaks and heals apart from its node, and dies with it, unkeyed at once: a key never outlives its program (N10).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from node.core import effects as do
from node.core import events as ev
from node.core.controls import Part
from sim.air import READY_MS, SimAir
from sim.timeline import Timeline
from wire.kinds import Path

RECOVER_MS: Final = (500, 5_000)
"""How long the driver takes to find it by itself."""


class SimRadio:
    """Between one node's core and the air.

    Attributes:
        is_broken: the modem, sound device or key does not work: nothing goes out or comes in.
    """

    def __init__(self, name: str, air: SimAir, timeline: Timeline, take: Callable[[ev.Event], None]) -> None:
        self.is_broken = False
        self._is_told = False
        """The core has been told that it is broken."""
        self._name = name
        self._air = air
        self._timeline = timeline
        self._take = take
        self._over: int | None = None
        self._run = 0
        self._is_running = False
        air.join(name, self)

    # Called by the node's program.

    def start(self) -> None:
        """The program runs, and is told the present state."""
        self._run += 1
        self._is_running = True
        self._over = None
        self._is_told = self.is_broken
        if self.is_broken:
            self._take(ev.PartFailed(Part.RADIO, "no sound device"))
        elif self._air.is_busy(self._name):
            self._take(ev.ChannelChanged(is_busy=True))

    def die(self) -> None:
        """The program is gone, and the key with it."""
        self._run += 1
        self._is_running = False
        self._over = None
        self._air.cut(self._name)

    def transmit(self, effect: do.TransmitOver) -> None:
        """Start an over; the answers come later."""
        if self.is_broken:
            self._later(lambda: self._take(ev.OverFailed(effect.over, "no sound device")))
            return
        self._over = effect.over

        def key() -> None:
            if self._over != effect.over:
                return

            def ended(airtime_ms: int) -> None:
                self._over = None
                self._take(ev.OverEnded(effect.over, airtime_ms))

            is_spoken = effect.phrase is not None
            self._air.key(
                self._name, effect.bursts, effect.mode, is_spoken=is_spoken, on_end=self._while_running(ended)
            )
            self._take(ev.OverStarted(effect.over))

        self._later(key, self._timeline.chance.randint(*READY_MS))

    def retry(self) -> None:
        """The core asks for its state at once."""
        if self.is_broken:
            self._later(lambda: self._take(ev.PartFailed(Part.RADIO, "still broken")))
        else:
            self._later(self._recovered)

    def stop(self, over: int) -> None:
        """Unkey now, if that over is still out."""
        if self._over == over:
            self._over = None
            airtime_ms = self._air.cut(self._name) or 0
            self._later(lambda: self._take(ev.OverEnded(over, airtime_ms)))

    # Called by the world.

    def fail(self) -> None:
        """The sound device is pulled out."""
        if self.is_broken:
            return
        self.is_broken = True
        self._timeline.note(self._name, "radio breaks")
        airtime_ms = self._air.cut(self._name) or 0
        over, self._over = self._over, None
        if self._is_running:
            if over is not None:
                self._take(ev.OverFailed(over, "sound device lost", airtime_ms))
            self._is_told = True
            self._take(ev.PartFailed(Part.RADIO, "sound device lost"))

    def mend(self) -> None:
        """It is back; the driver finds it after a while."""
        if not self.is_broken:
            return
        self.is_broken = False
        self._timeline.note(self._name, "radio mends")
        self._later(self._recovered, self._timeline.chance.randint(*RECOVER_MS))

    def channel_changed(self, *, is_busy: bool) -> None:
        """Called by the air."""
        if self._is_running and not self.is_broken:
            self._take(ev.ChannelChanged(is_busy))

    def burst_heard(self, data: bytes) -> None:
        """Called by the air."""
        if self._is_running and not self.is_broken:
            self._take(ev.FrameReceived(data, None, Path.RADIO))

    def _recovered(self) -> None:
        if not self.is_broken and self._is_told:
            self._is_told = False
            self._take(ev.PartRecovered(Part.RADIO))
            self._take(ev.ChannelChanged(self._air.is_busy(self._name)))

    def _later(self, action: Callable[[], None], delay_ms: int = 0) -> None:
        run = self._run
        self._timeline.after(delay_ms, lambda: action() if self._run == run and self._is_running else None)

    def _while_running(self, action: Callable[[int], None]) -> Callable[[int], None]:
        run = self._run
        return lambda value: action(value) if self._run == run and self._is_running else None
