"""N8–N10: the cores of a town on one frequency; the big storms are the simulation's."""

from __future__ import annotations

import pytest

from tests.support.toy_air import Town
from wire.frames import SignedFrame


@pytest.fixture(autouse=True)
def _unsigned(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fifty receivers of each burst would spend the test on signatures, which are tested elsewhere."""
    monkeypatch.setattr(SignedFrame, "verify", lambda self, key: None)


def press_all(town: Town) -> int:
    town.run(60_000)
    for node in town.nodes[1:]:
        town.press(node)
    start_ms: int = town.now_ms
    town.run(start_ms + 3_000)
    return start_ms


def test_lone_alert_is_at_central_within_six_seconds_of_the_press() -> None:
    town = Town(1, 4)
    start_ms = press_all(town)
    town.run(start_ms + 60_000, town.is_all_received)

    (committed_ms,) = town.committed.values()
    assert committed_ms - start_ms <= 6_000
    assert town.is_all_received()


def test_two_at_once_are_both_decoded() -> None:
    """Nineteen of twenty within a minute, all of them in the end."""
    soon = 0
    for seed in range(20):
        town = Town(2, seed)
        start_ms = press_all(town)
        soon += town.run(start_ms + 900_000, town.is_all_received) <= start_ms + 60_000
        assert town.is_all_received(), seed
    assert soon >= 19


def test_fifty_at_once_are_all_received_long_before_six_minutes() -> None:
    town = Town(50, 1)
    start_ms = press_all(town)
    town.run(start_ms + 900_000, town.is_all_received)

    assert town.is_all_received()
    assert max(town.receipts.values()) - start_ms < 300_000
    for receipted_ms, alert in ((at_ms, alert) for alert, at_ms in town.receipts.items()):
        later = [at_ms for at_ms, node, _ in town.overs if node == alert.node and at_ms > receipted_ms]
        assert [] == later, "an over after the receipt"
