"""N13: central's time does not step while it runs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from central.clock import CentralClock

pytestmark = pytest.mark.finding(2)
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
S = 1_000_000_000


@pytest.mark.parametrize("step_s", [-1_800, 70, 86_400])
def test_clock_that_is_set_while_central_runs_moves_nothing_and_is_told(step_s: int) -> None:
    wall_ns, steady_ns = int(NOON.timestamp()) * S, 5 * S
    clock = CentralClock(lambda: wall_ns, lambda: steady_ns)
    assert (NOON, timedelta()) == (clock.now(), clock.wall_ahead())

    wall_ns, steady_ns = wall_ns + (10 + step_s) * S, steady_ns + 10 * S
    assert (NOON + timedelta(seconds=10), timedelta(seconds=step_s)) == (clock.now(), clock.wall_ahead())
    assert (NOON + timedelta(seconds=10), NOON + timedelta(seconds=10 + step_s)) == clock.readings()
    assert timedelta() == CentralClock(lambda: wall_ns, lambda: steady_ns).wall_ahead(), "a new start takes it"


def test_clock_of_the_machine_is_taken_at_the_start() -> None:
    clock = CentralClock()

    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=5)
    assert abs(clock.wall_ahead()) < timedelta(seconds=5)
