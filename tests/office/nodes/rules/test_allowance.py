"""How often a node may ask."""

from __future__ import annotations

from office.nodes.rules.allowance import AT_ONCE, EACH_S, Allowance
from wire.ids import NodeId


def test_node_that_asks_too_often_waits_and_no_other_does() -> None:
    allowance = Allowance()
    assert not any(allowance.wait_s(NodeId(1), 0) for _ in range(AT_ONCE))

    wait_s = allowance.wait_s(NodeId(1), 0)
    assert wait_s == 1 / EACH_S
    assert 0 == allowance.wait_s(NodeId(2), 0)
    assert 0 == allowance.wait_s(NodeId(1), wait_s)
    assert allowance.wait_s(NodeId(1), wait_s)
