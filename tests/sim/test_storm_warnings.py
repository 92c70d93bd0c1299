"""N13: in a storm on the air every warning is heard, however long the channel or the panel has kept it."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from node.core import effects as do
from node.core.controls import SoundPattern
from sim.storm import QUIET_START_MS, press_together, start_without_network
from sim.town import RadioPlan, Town
from sim.watched import WatchedNode
from wire.kinds import AlertKind


@dataclass
class Ears:
    """What each node's panel and sounder have told of whose alert."""

    shown: set[tuple[str, str]] = field(default_factory=set)
    late: set[tuple[str, str]] = field(default_factory=set)
    heard: set[tuple[str, str]] = field(default_factory=set)

    def take(self, node: WatchedNode, effect: do.Effect) -> None:
        """An order of a node's core."""
        match effect:
            case do.ReportFact(fact="shown" | "late" as fact, alert=alert) if alert is not None:
                (self.shown if fact == "shown" else self.late).add((node.name, alert.text))
            case do.PlaySound(pattern=SoundPattern.ATTACK) if (
                node.state is not None and node.state.sounding is not None
            ):
                about = node.state.sounding.neighbour
                self.heard.add((node.name, about.text if about is not None else ""))
            case _:
                pass


@pytest.mark.finding(2)
def test_every_warning_of_a_storm_is_heard_once() -> None:
    """Twelve press at once and none has a network: the last burst is on the air minutes later. 55 of 66 were mute."""
    town, ears = Town(2, 12, None, RadioPlan()), Ears()
    tell = town.invariants.node_orders

    def node_orders(node: WatchedNode, effect: do.Effect) -> None:
        ears.take(node, effect)
        tell(node, effect)

    town.invariants.node_orders = node_orders  # type: ignore[method-assign]
    start_without_network(town)
    press_together(town, AlertKind.ATTACK)
    town.timeline.run_until(QUIET_START_MS + 300_000, lambda: None)

    assert ears.late, "some came more than a minute after their press"
    assert 50 < len(ears.shown)
    assert ears.shown == ears.heard
