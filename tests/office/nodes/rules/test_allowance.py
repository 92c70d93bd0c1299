"""How often a node may ask."""

from __future__ import annotations

from office.nodes.rules.allowance import AT_ONCE, EACH_S, REPORTS_AT_ONCE, REPORTS_EACH_S, Allowance
from wire.ids import NodeId


def test_node_that_asks_too_often_waits_and_no_other_does() -> None:
    allowance = Allowance()
    assert not any(allowance.wait_s(NodeId(1), 0) for _ in range(AT_ONCE))

    wait_s = allowance.wait_s(NodeId(1), 0)
    assert wait_s == 1 / EACH_S
    assert 0 == allowance.wait_s(NodeId(2), 0)
    assert 0 == allowance.wait_s(NodeId(1), wait_s)
    assert allowance.wait_s(NodeId(1), wait_s)


def test_stolen_unit_does_not_fill_the_journal_with_reports() -> None:
    """After its first ones it has one in ten minutes."""
    allowance = Allowance(REPORTS_AT_ONCE, REPORTS_EACH_S)
    assert 0 == allowance.wait_s(NodeId(1), 0, REPORTS_AT_ONCE)

    day = [allowance.wait_s(NodeId(1), now_s) for now_s in range(0, 86_400, 10)]

    assert day.count(0) <= 144


def test_what_was_not_kept_is_not_counted() -> None:
    allowance = Allowance(3, 0.001)
    assert 0 == allowance.wait_s(NodeId(1), 0, 3)
    allowance.give_back(NodeId(1), 3)

    assert 0 == allowance.wait_s(NodeId(1), 0, 3)
    assert allowance.wait_s(NodeId(1), 0)
