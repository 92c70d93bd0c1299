"""One tick of the air: who transmits, who hears it, and how it sounds there. No socket, clock or file.

A keyed radio hears nothing. The far squelch opens some ticks after a strong enough carrier appears, so the beginning
of an over is cut off; it closes with a short hiss.
"""

from __future__ import annotations

import zlib
from collections import deque
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from demo.air.channel import BLOCK, Carrier, Receiver, Samples, Transmitter, amplitude_of, encoded
from demo.air.links import Links
from node.core.air import BLOCK_MS as TICK_MS

SQUELCH_DB: Final = 4.0
"""A receiver's squelch opens at this carrier-to-noise ratio."""
OPENING_TICKS: Final = 10
TAIL_TICKS: Final = 3
DEAD_TICKS: Final = 150
"""A key that is down this long with nothing to send is stuck."""
LONG_TICKS: Final = 1_550
"""So is one that is down longer than the longest over (N10)."""
OFFSET_HZ: Final = 300
QUEUE_TICKS_MAX: Final = 3_000
"""How far ahead a radio may queue audio; more is dropped."""
_SILENCE: Final = np.zeros(BLOCK, np.float32)


@dataclass(slots=True)
class Station:
    """A radio on the air, or another source of sound.

    Attributes:
        name: node id, or the air's name for it.
        is_radio: it belongs to a node; others only transmit.
        queue: blocks of audio and marks, in the order in which they are played.
        is_pressed: its own key is down.
        is_welded: its key is stuck down.
        max_ticks: it releases the key by itself after this many.
        keyed_ticks, dead_ticks: how long it has been keyed; how long with nothing to send.
        shift_db: how much stronger it is than its links say.
    """

    name: str
    is_radio: bool = True
    shift_db: float = 0.0
    queue: deque[Samples | int] = field(default_factory=deque)
    is_pressed: bool = False
    is_welded: bool = False
    max_ticks: int = 0
    keyed_ticks: int = 0
    dead_ticks: int = 0
    transmitter: Transmitter = field(init=False)

    def __post_init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        """Begin a new over, dropping the previous one."""
        # No two radios have exactly the same frequency; the same name always has the same one.
        offset_hz = zlib.crc32(self.name.encode()) % (2 * OFFSET_HZ + 1) - OFFSET_HZ
        self.transmitter = Transmitter(offset_hz)

    @property
    def is_keyed(self) -> bool:
        """Whether its carrier is on the air."""
        return self.is_pressed or self.is_welded

    @property
    def is_stuck(self) -> bool:
        """Whether it is keyed unintentionally."""
        return self.is_keyed and (self.dead_ticks >= DEAD_TICKS or self.keyed_ticks >= LONG_TICKS)

    def press(self, max_ms: int) -> None:
        """Key down."""
        self.is_pressed = True
        self.max_ticks = self.keyed_ticks + max(1, max_ms // TICK_MS)

    def release(self) -> None:
        """Key up."""
        self.is_pressed = False

    def say(self, block: Samples) -> bool:
        """Queue a block; returns whether there was room."""
        if len(self.queue) >= QUEUE_TICKS_MAX:
            return False
        self.queue.append(block)
        return True

    def next_block(self, reached: list[int]) -> Samples | None:
        """The block for this tick; marks reached are added to ``reached``."""
        block: Samples | None = None
        while self.queue:
            front = self.queue[0]
            if not isinstance(front, int):
                if block is not None:
                    break
                block = front
            else:
                reached.append(front)
            self.queue.popleft()
        return block


@dataclass(slots=True)
class _Ear:
    """A receiver and its squelch."""

    receiver: Receiver
    waited: int = 0
    tail: int = 0

    @property
    def is_open(self) -> bool:
        return self.waited >= OPENING_TICKS


@dataclass(slots=True)
class Tick:
    """The result of a tick.

    Attributes:
        heard: by radio: 16-bit samples; a radio not in it hears silence.
        ended: by station: marks that were reached.
        keyed, unkeyed: stations whose carrier came or went, the latter with its milliseconds.
        timed_out: stations unkeyed by their timeout.
        stuck: stations that have just become stuck.
        monitor: sound at a scanner in the middle of the town; ``None`` = none.
    """

    heard: dict[str, bytes] = field(default_factory=dict)
    ended: dict[str, list[int]] = field(default_factory=dict)
    keyed: list[str] = field(default_factory=list)
    unkeyed: list[tuple[str, int]] = field(default_factory=list)
    timed_out: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    monitor: Samples | None = None


class Mixer:
    """All stations and the air between them.

    Attributes:
        links: who hears whom.
        stations: by name.
        squelch_db: of every radio.
    """

    def __init__(self, links: Links | None = None, seed: int | None = None) -> None:
        self.links = links or Links()
        self.stations: dict[str, Station] = {}
        self.squelch_db = SQUELCH_DB
        self._random = np.random.default_rng(seed)
        self._ears: dict[str, _Ear] = {}
        self._on_air: dict[str, Station] = {}
        self._monitor = Receiver(self._random)

    @property
    def keyed(self) -> tuple[str, ...]:
        """Names of the stations on the air."""
        return tuple(sorted(self._on_air))

    def join(self, name: str, *, is_radio: bool = True, shift_db: float = 0.0) -> Station:
        """Add a station. An existing one of that name is replaced: its program has restarted.

        Raises:
            ValueError: the name is empty.
        """
        if not name:
            raise ValueError("a station needs a name")
        is_welded = name in self.stations and self.stations[name].is_welded
        station = Station(name, is_radio=is_radio, shift_db=shift_db, is_welded=is_welded)
        self.stations[name] = station
        self._ears.pop(name, None)
        return station

    def leave(self, station: Station) -> None:
        """Remove a station, and its carrier unless its key is welded."""
        station.release()
        station.queue.clear()
        if self.stations.get(station.name) is station and not station.is_welded:
            del self.stations[station.name]
            self._ears.pop(station.name, None)

    def tick(self) -> Tick:
        """Advance by 20 ms."""
        tick = Tick()
        carriers = self._transmit(tick)
        if carriers:
            everything = np.add.reduce([carrier * amplitude_of(30) for carrier in carriers.values()])
            tick.monitor = self._monitor.hear(everything)
        for station in self.stations.values():
            if station.is_radio and not station.is_keyed:
                samples = self._receive(station.name, carriers)
                if samples is not None:
                    tick.heard[station.name] = encoded(samples)
        return tick

    def _transmit(self, tick: Tick) -> dict[str, Carrier]:
        carriers: dict[str, Carrier] = {}
        for name, station in self.stations.items():
            if station.is_pressed and station.keyed_ticks >= station.max_ticks:
                station.release()
                tick.timed_out.append(name)
            reached: list[int] = []
            block = station.next_block(reached)
            if reached:
                tick.ended[name] = reached
            if station.is_keyed:
                if name not in self._on_air:
                    station.renew()
                    tick.keyed.append(name)
                was_stuck = station.is_stuck
                station.keyed_ticks += 1
                station.dead_ticks = 0 if block is not None else station.dead_ticks + 1
                if station.is_stuck and not was_stuck:
                    tick.stuck.append(name)
                self._ears.pop(name, None)
                carriers[name] = station.transmitter.carry(_SILENCE if block is None else block)
        for name, station in self._on_air.items():
            if name not in carriers:
                tick.unkeyed.append((name, station.keyed_ticks * TICK_MS))
                station.keyed_ticks = station.dead_ticks = 0
        self._on_air = {name: self.stations[name] for name in carriers}
        return carriers

    def _receive(self, name: str, carriers: dict[str, Carrier]) -> Samples | None:
        ear = self._ears.get(name)
        if not carriers and ear is None:
            return None
        arriving = [
            (carrier, cnr_db + self.stations[other].shift_db)
            for other, carrier in carriers.items()
            if (cnr_db := self.links.cnr_between(name, other)) is not None
        ]
        is_strong = sum(10 ** (cnr_db / 10) for _, cnr_db in arriving) >= 10 ** (self.squelch_db / 10)
        if ear is None:
            if not is_strong:
                return None
            ear = self._ears[name] = _Ear(Receiver(self._random))
        if is_strong:
            ear.waited += 1
            ear.tail = TAIL_TICKS
        elif not ear.is_open or ear.tail == 0:
            del self._ears[name]
            return None
        else:
            ear.tail -= 1
        if not ear.is_open:
            return None
        there = [carrier * amplitude_of(cnr_db) for carrier, cnr_db in arriving]
        return ear.receiver.hear(np.add.reduce(there) if there else None)
