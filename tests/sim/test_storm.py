"""N8–N10: premises that press at once on one frequency, and have no network. Two of them: test_pair."""

from __future__ import annotations

from node.core import effects as do
from node.core.air import LADDER, Mode
from sim.air import LOSS
from sim.storm import QUIET_START_MS, alerts_of, press_together, start_without_network, storm, wait_for_receipts
from sim.town import RadioPlan, Town
from sim.watched import WatchedNode
from wire.ids import NodeId
from wire.kinds import AlertKind


def test_lone_alert_is_at_central_within_six_seconds_of_the_press() -> None:
    result = storm(1, seed=4)

    assert (1, 1, "") == (result.delivered, result.receipted, result.broken)
    assert result.last_commit_ms <= 6_000


def test_fifty_at_once_are_all_received_long_before_six_minutes() -> None:
    """A plain policy takes six; and those who have their receipt leave the air to the others."""
    town, overs = Town(1, 50, None, RadioPlan()), list[tuple[int, NodeId]]()
    tell = town.invariants.node_orders

    def node_orders(node: WatchedNode, effect: do.Effect) -> None:
        if isinstance(effect, do.TransmitOver):
            overs.append((town.timeline.now_ms, node.id))
        tell(node, effect)

    town.invariants.node_orders = node_orders  # type: ignore[method-assign]
    start_without_network(town)
    press_together(town, AlertKind.ATTACK)
    wait_for_receipts(town, QUIET_START_MS + 900_000)
    town.invariants.after_each()

    alerts, receipted_ms = alerts_of(town), town.invariants.receipted_ms
    assert 50 == len(alerts)
    assert town.invariants.committed_ms.keys() >= set(alerts)
    assert receipted_ms.keys() >= set(alerts)
    assert [] == [over for over in overs for alert in alerts if over[1] == alert.node and over[0] > receipted_ms[alert]]
    assert max(receipted_ms[alert] for alert in alerts) - QUIET_START_MS < 300_000


def test_crowd_that_nobody_can_read_for_a_while_does_not_end_in_slow_bursts() -> None:
    """As two hundred at once in their first minutes. Slow bursts last three times as long, so ever more are lost.

    With every loss in silence taken for weakness, 127 of 212 overs were slow, and the last receipt came after 414 s.
    """
    town, modes = Town(1, 40, None, RadioPlan()), list[Mode]()
    assert town.air is not None
    tell = town.invariants.node_orders

    def node_orders(node: WatchedNode, effect: do.Effect) -> None:
        if isinstance(effect, do.TransmitOver) and node is not town.gateway:
            modes.append(effect.mode)
        tell(node, effect)

    town.invariants.node_orders = node_orders  # type: ignore[method-assign]
    start_without_network(town)
    press_together(town, AlertKind.ATTACK)
    town.air.weather.loss = dict.fromkeys(Mode, 1.0)
    town.timeline.run_until(QUIET_START_MS + 90_000, lambda: None)
    town.air.weather.loss = dict(LOSS)
    wait_for_receipts(town, QUIET_START_MS + 600_000)
    town.invariants.after_each()

    assert town.invariants.receipted_ms.keys() >= set(alerts_of(town))
    assert modes.count(LADDER[0]) > 0.9 * len(modes)
    assert max(town.invariants.receipted_ms.values()) - QUIET_START_MS < 330_000
