"""F2, N11: central knows a unit's health although it did not know the unit when it came."""

from __future__ import annotations

import pytest

from node.core.effects import PublishHealth
from node.core.events import LinkUp
from tests.support.node_world import World
from wire.messages import SyncAnswer


@pytest.mark.parametrize(("answered_ms", "expected"), [(200, 0), (4_000, 1)], ids=["at-once", "late"])
def test_health_goes_again_to_a_central_that_came_to_know_us_later(
    offline: World, answered_ms: int, expected: int
) -> None:
    """F2: a unit that has just claimed its place may be there before central has the directory that names it."""
    offline.do(LinkUp())
    offline.after(answered_ms)

    done = offline.do(offline.answers(SyncAnswer(boot_id="central-1", counter_floor=0)))

    assert expected == len(offline.of(PublishHealth, done))
