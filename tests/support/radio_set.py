"""One node whose radio is driven by hand."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from types import MappingProxyType

from msgspec.structs import replace

from node.core.effects import (
    Effect,
    TransmitOver,
)
from node.core.events import (
    ChannelChanged,
    FrameReceived,
    OverEnded,
    OverStarted,
)
from node.core.machine import next_deadline_ms
from node.core.settings import RadioSettings, RadioTiming
from sim.air import over_ms
from tests.support.members import HART, directory
from tests.support.node_world import World, node_world
from wire.frames import Frame, decode
from wire.kinds import Path
from wire.signing import SigningKey

LICENSED = RadioSettings(licence="L-1", seed=7, timing=RadioTiming(path_test_first_ms=10**9, path_test_ms=10**9))
"""Never tests its path by itself."""


@dataclass
class Set:
    """One node and its radio. What it hears, and what becomes of its overs, is said by the test."""

    world: World

    def overs(self, effects: Iterable[Effect] | None = None) -> list[TransmitOver]:
        return [e for e in (self.world.log if effects is None else effects) if isinstance(e, TransmitOver)]

    def wait_over(self, within_ms: int = 300_000) -> TransmitOver:
        """Let time pass until it orders the next over."""
        before, end_ms = len(self.overs()), self.world.now_ms + within_ms
        while len(self.overs()) == before:
            due_ms = next_deadline_ms(self.world.state)
            assert due_ms is not None, "it waits for nothing"
            assert due_ms <= end_ms, f"no over within {within_ms} ms"
            self.world.at(due_ms)
        return self.overs()[-1]

    def carry(self, over: TransmitOver) -> None:
        """Key, say all of it, unkey."""
        self.world.after(20, OverStarted(over.over))
        airtime_ms = over_ms(map(len, over.bursts), over.mode, is_spoken=over.phrase is not None)
        self.world.after(airtime_ms, OverEnded(over.over, airtime_ms))

    def next_over(self, within_ms: int = 300_000) -> TransmitOver:
        """The next over, ordered and carried out."""
        over = self.wait_over(within_ms)
        self.carry(over)
        return over

    def hears(self, frame: Frame | bytes, key: SigningKey | None = None) -> list[Effect]:
        """A burst of somebody else's, in a carrier of its own."""
        data = frame if isinstance(frame, bytes) else self.world.signed(frame, key).data
        self.world.do(ChannelChanged(is_busy=True))
        done = self.world.after(1_000, FrameReceived(data, None, Path.RADIO))
        return list(done + self.world.after(60, ChannelChanged(is_busy=False)))

    def talk(self, length_ms: int) -> None:
        """Somebody speaks."""
        self.world.do(ChannelChanged(is_busy=True))
        self.world.after(length_ms, ChannelChanged(is_busy=False))

    def receipt(self, counter: int) -> FrameReceived:
        return replace(self.world.receipt(counter), path=Path.RADIO)

    def counters(self, over: TransmitOver) -> list[int]:
        return [decode(data).frame.counter for data in over.bursts]

    def facts(self, name: str) -> list[dict[str, str]]:
        return [dict(fact.detail) for fact in self.world.facts(name)]


def radio_set(
    radio: RadioSettings | None = LICENSED,
    *,
    is_online: bool = False,
    is_gateway: bool = False,
    is_attack_silent: bool = False,
    scheme_numbers: tuple[int, ...] = (HART,),
) -> Set:
    """A node with a radio that may transmit, up, with no network unless ``is_online``."""
    world = node_world(radio, is_attack_silent=is_attack_silent, scheme_numbers=scheme_numbers)
    known = directory()
    if is_gateway:
        ours = replace(known.senders[world.settings.node], is_gateway=True)
        known = replace(known, senders=MappingProxyType({**known.senders, world.settings.node: ours}))
    world.start(known=known)
    if is_online:
        world.online()
    return Set(world)
