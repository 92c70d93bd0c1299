"""The air in virtual time, burst by burst: who hears whom, what collides, what noise destroys. No samples.

A transmitter is *keyed* from the start of its over to the end, speech included, and hears nothing meanwhile
(half-duplex). Another radio notices a carrier only ``blind_ms`` after key-up, and its end ``clear_ms`` after unkeying.
A burst is received by every radio in range that did not transmit during it, unless another carrier reached that radio
during it (and was not ``capture_db`` weaker there) or noise destroyed it. Links may be blocked, one way or both: hidden
nodes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final, Protocol

from node.core.air import BURST_GAP_MS, KEY_UP_MS, SPEECH_GAP_MS, SPEECH_MS, Mode, burst_ms
from sim.timeline import Timeline

BLIND_MS: Final = 300
CLEAR_MS: Final = 60
READY_MS: Final = (10, 40)
"""From the order to the first millisecond of carrier: the delay of the codec and the sound device."""
_RECENT_MS: Final = 10_000
"""Longer than the longest burst."""
LOSS: Final = {Mode.IL2P_1200: 0.05, Mode.FX25_1200: 0.02, Mode.IL2P_300: 0.01}


class Radio(Protocol):
    """A receiver on the air."""

    def channel_changed(self, *, is_busy: bool) -> None:
        """Its carrier sense changed."""

    def burst_heard(self, data: bytes) -> None:
        """A burst was decoded."""


@dataclass(eq=False, slots=True)
class Carrier:
    """One transmission.

    Attributes:
        bursts: the bytes of each, and its start and end in milliseconds of the run.
        ends_ms: when it ends, or ended if it was cut short.
    """

    sender: str
    starts_ms: int
    ends_ms: int
    bursts: tuple[tuple[bytes, int, int], ...] = ()
    is_over: bool = False


@dataclass(slots=True)
class AirWeather:
    """The present state of the channel.

    Attributes:
        loss: by mode, share of clean bursts lost to noise at each receiver.
        bit_errors: share of bursts decoded with one wrong bit.
    """

    loss: dict[Mode, float] = field(default_factory=lambda: dict(LOSS))
    bit_errors: float = 0.0


@dataclass(slots=True)
class Figures:
    """Totals since the start. ``collisions``: receptions lost to another carrier, the receiver's own included."""

    overs: int = 0
    airtime_ms: int = 0
    bursts: int = 0
    receptions: int = 0
    collisions: int = 0


def over_ms(burst_bytes: Iterable[int], mode: Mode, *, is_spoken: bool) -> int:
    """Length of a whole over, key-up to unkeying."""
    total_ms = KEY_UP_MS - BURST_GAP_MS
    for frame_bytes in burst_bytes:
        total_ms += BURST_GAP_MS + burst_ms(mode, frame_bytes)
    return total_ms + (SPEECH_GAP_MS + SPEECH_MS) * is_spoken


@dataclass(slots=True)
class _Place:
    radio: Radio | None
    is_told_busy: bool = False
    carrier: Carrier | None = None
    deaf_until_ms: int = 0
    """End of its own last over; it cannot have noticed anyone earlier."""


class SimAir:
    """One channel."""

    def __init__(
        self,
        timeline: Timeline,
        *,
        blind_ms: int = BLIND_MS,
        clear_ms: int = CLEAR_MS,
        capture_db: float | None = None,
    ) -> None:
        self.weather = AirWeather()
        self.figures = Figures()
        self.blocked: set[tuple[str, str]] = set()
        """From, to: links that do not exist."""
        self.level_db: dict[tuple[str, str], float] = {}
        """From, to: signal level, by default 0. Matters only with ``capture_db``."""
        self.on_carrier: Callable[[Carrier], None] = _ignore
        """Called with every transmission when it has ended."""
        self._timeline = timeline
        self._blind_ms = blind_ms
        self._clear_ms = clear_ms
        self._capture_db = capture_db
        self._places: dict[str, _Place] = {}
        self._recent: list[Carrier] = []
        """On the air, or recent enough to matter to a burst or a carrier sense."""

    def join(self, name: str, radio: Radio | None) -> None:
        """Add a radio, or (``None``) someone who only transmits. It stays, whether or not its program runs."""
        self._places[name] = _Place(radio)

    @property
    def has_capture(self) -> bool:
        """Whether a strong carrier can be heard over a weaker one."""
        return self._capture_db is not None

    def hears(self, sender: str, receiver: str) -> bool:
        """Whether the sender's carrier reaches the receiver."""
        return sender != receiver and (sender, receiver) not in self.blocked

    def block(self, one: str, other: str) -> None:
        """Stop the two from hearing each other."""
        self.blocked |= {(one, other), (other, one)}

    def clear_blocks(self) -> None:
        """Let everyone hear everyone."""
        self.blocked.clear()

    def is_keyed(self, name: str) -> bool:
        """Whether it is transmitting now."""
        return self._places[name].carrier is not None

    def is_busy(self, name: str) -> bool:
        """What its carrier sense last reported."""
        return self._places[name].is_told_busy

    def key(
        self,
        name: str,
        bursts: tuple[bytes, ...],
        mode: Mode,
        *,
        is_spoken: bool = False,
        extra_ms: int = 0,
        on_end: Callable[[int], None] | None = None,
    ) -> None:
        """Key now; the carrier lasts as long as the bursts, the sentence and ``extra_ms`` take.

        ``on_end`` is called with how long it was keyed, unless :meth:`cut` ends it.
        """
        place, now_ms = self._places[name], self._timeline.now_ms
        assert place.carrier is None, f"{name} is keyed already"
        lengths = [burst_ms(mode, len(data)) for data in bursts]
        at_ms, laid = now_ms + KEY_UP_MS, []
        for data, length_ms in zip(bursts, lengths, strict=True):
            laid.append((data, at_ms, at_ms + length_ms))
            at_ms += length_ms + BURST_GAP_MS
        ends_ms = now_ms + over_ms(map(len, bursts), mode, is_spoken=is_spoken) + extra_ms
        carrier = Carrier(name, now_ms, ends_ms, tuple(laid))
        place.carrier = carrier
        self._recent.append(carrier)
        self.figures.overs += 1
        self.figures.bursts += len(bursts)
        self._timeline.note("air", f"{name} keyed, {len(bursts)} bursts {mode}{', speaks' if is_spoken else ''}")
        for data, _, until_ms in carrier.bursts:
            self._timeline.after(until_ms - now_ms, lambda data=data: self._burst_ends(carrier, data, mode))  # type: ignore[misc]
        self._timeline.after(self._blind_ms, self._sense_all)

        def end() -> None:
            if not carrier.is_over:
                self._unkey(carrier)
                if on_end is not None:
                    on_end(self._timeline.now_ms - carrier.starts_ms)

        self._timeline.after(ends_ms - now_ms, end)

    def cut(self, name: str) -> int | None:
        """Unkey now, before the end; returns how long it was keyed, or ``None`` if it was not."""
        carrier = self._places[name].carrier
        if carrier is None:
            return None
        self._unkey(carrier)
        return self._timeline.now_ms - carrier.starts_ms

    def _unkey(self, carrier: Carrier) -> None:
        now_ms = self._timeline.now_ms
        carrier.is_over, carrier.ends_ms = True, now_ms
        place = self._places[carrier.sender]
        place.carrier, place.deaf_until_ms = None, now_ms
        self.figures.airtime_ms += now_ms - carrier.starts_ms
        self._timeline.note("air", f"{carrier.sender} unkeyed after {now_ms - carrier.starts_ms} ms")
        self._timeline.after(self._clear_ms, self._sense_all)
        # It heard nobody while it transmitted, and takes the usual time to notice them now.
        self._timeline.after(self._blind_ms, self._sense_all)
        self.on_carrier(carrier)

    def _burst_ends(self, carrier: Carrier, data: bytes, mode: Mode) -> None:
        if carrier.is_over:
            return  # Cut short before the end of this burst.
        until_ms = self._timeline.now_ms
        from_ms = next(start for laid, start, end in carrier.bursts if laid is data and end == until_ms)
        chance = self._timeline.chance
        rivals = [rival for rival in self._during(from_ms, until_ms) if rival is not carrier]
        for name, place in list(self._places.items()):
            if place.radio is None or not self.hears(carrier.sender, name):
                continue
            if any(rival.sender == name for rival in rivals):
                self.figures.collisions += 1
                continue
            if any(self._drowns(rival, carrier, name) for rival in rivals):
                self.figures.collisions += 1
                continue
            if chance.random() < self.weather.loss[mode]:
                continue
            heard = data
            if self.weather.bit_errors and chance.random() < self.weather.bit_errors:
                changed = bytearray(data)
                changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
                heard = bytes(changed)
            self.figures.receptions += 1
            place.radio.burst_heard(heard)

    def _drowns(self, rival: Carrier, carrier: Carrier, name: str) -> bool:
        if not self.hears(rival.sender, name):
            return False
        if self._capture_db is None:
            return True
        margin_db = self.level_db.get((carrier.sender, name), 0.0) - self.level_db.get((rival.sender, name), 0.0)
        return margin_db < self._capture_db

    def _during(self, from_ms: int, until_ms: int) -> list[Carrier]:
        self._recent = [c for c in self._recent if not c.is_over or c.ends_ms > self._timeline.now_ms - _RECENT_MS]
        return [c for c in self._recent if c.starts_ms < until_ms and (not c.is_over or c.ends_ms > from_ms)]

    def _sense_all(self) -> None:
        now_ms = self._timeline.now_ms
        on_air = [c for c in self._recent if not c.is_over or now_ms - c.ends_ms < self._clear_ms]
        for name, place in list(self._places.items()):
            if place.radio is None or place.carrier is not None:
                continue
            since_ms = [max(c.starts_ms, place.deaf_until_ms) for c in on_air if self.hears(c.sender, name)]
            if place.is_told_busy:
                is_busy = bool(since_ms)
            else:
                is_busy = any(now_ms - since >= self._blind_ms for since in since_ms)
            if is_busy is not place.is_told_busy:
                place.is_told_busy = is_busy
                place.radio.channel_changed(is_busy=is_busy)


def _ignore(_: Carrier) -> None:
    return
