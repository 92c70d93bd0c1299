"""What a panel says of central is what central said lately: an adversary at the broker cannot make it up.

| id | what must hold |
|---|---|
| I26 (N3, N11) | a panel says Net✓ only if central could reach that node within the last 100 s |
| I27 (N3, C2) | a panel names those on duty only as central named them within the last three minutes |
| I28 (N2) | a node raises its counter only to what central has on disk of it |
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Final, NoReturn

from node.core import effects as do
from node.core.panel.words import on_duty
from node.core.screens import Screen
from sim.broken import BrokenInvariantError
from sim.timeline import Timeline
from sim.watched import WatchedNode
from wire.ids import FrameId, NodeId
from wire.messages import CentralStatus

if TYPE_CHECKING:
    from central.core.journal import FrameEntry

NET_KNOWN_MS: Final = 100_000
"""A question a minute, five seconds for its answer, half a minute of silence; and a slow network."""
DUTY_KNOWN_MS: Final = 180_000
_NET: Final = "Net✓"
_NOBODY: Final = on_duty(())
_DUTY: Final = on_duty(("pcso",)).removesuffix("PCSO")
_NOT_KNOWN: Final = "On duty: not known"


class TrustInvariants:
    """Knows when central could reach which node, and what it said.

    Attributes:
        reached: those of these nodes that what central sends now reaches; set by the town.
    """

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self.reached: Callable[[Iterable[NodeId]], Iterable[NodeId]] = lambda nodes: nodes
        self._reached_ms: dict[NodeId, int] = {}
        self._duty: deque[tuple[int, str]] = deque()

    def said(self, status: CentralStatus) -> None:
        """Central publishes this status."""
        now_ms, line = self._timeline.now_ms, on_duty(tuple(status.on_duty))
        self._duty.append((now_ms, line))
        while self._duty[0][0] < now_ms - DUTY_KNOWN_MS:
            self._duty.popleft()

    def after_each(self, nodes: Iterable[NodeId]) -> None:
        """After a step of the town: note which nodes central can reach."""
        now_ms = self._timeline.now_ms
        for node in self.reached(nodes):
            self._reached_ms[node] = now_ms

    def on_panel(self, node: WatchedNode, screen: Screen) -> None:
        """A node's panel now shows this."""
        now_ms = self._timeline.now_ms
        self.after_each((node.id,))
        for line in screen.lines:
            if _NET in line and now_ms - self._reached_ms.get(node.id, -NET_KNOWN_MS) > NET_KNOWN_MS:
                self._broken("I26", f"{node.name} says {line!r}; central has not reached it for long")
            if line == _NOBODY or (line.startswith(_DUTY) and line != _NOT_KNOWN):
                known = {said for at_ms, said in self._duty if at_ms >= now_ms - DUTY_KNOWN_MS}
                if line not in known:
                    self._broken("I27", f"{node.name} says {line!r}; central said {sorted(known)}")

    def node_orders(self, node: WatchedNode, effect: do.Effect, on_disk: Mapping[FrameId, FrameEntry]) -> None:
        """A node is about to carry this out."""
        if isinstance(effect, do.RaiseCounterFloor):
            highest = max((frame.counter for frame in on_disk if frame.node == node.id), default=0)
            if effect.counter > highest:
                self._broken("I28", f"{node.name} raises its counter to {effect.counter}; central has {highest}")

    def _broken(self, invariant: str, what: str) -> NoReturn:
        raise BrokenInvariantError(f"{invariant}: {what} (at {self._timeline.now_ms} ms)")
