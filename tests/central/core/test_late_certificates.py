"""Central's page names the premises whose certificate is late, a month before anybody is locked out."""

from __future__ import annotations

from datetime import datetime, timedelta

from central.core import events as ev
from central.core.nodes import late_certificate
from tests.support.central_town import CORNER, START, Town
from wire.ids import node_text
from wire.messages import Health

DAY = timedelta(days=1)


def beat(town: Town, ends_at: datetime | None) -> tuple[str, ...]:
    """A heartbeat with that end; what the page then says of the premises' faults."""
    town.handle(ev.HealthArrived(CORNER, Health(state="armed", boot_id="n1", certificate_ends_at=ends_at)))
    return next(line.faults for line in town.board().nodes if line.node == node_text(CORNER))


def test_certificate_that_is_late_is_told_until_it_is_renewed(town: Town) -> None:
    ends_at = START + 31 * DAY
    assert () == beat(town, ends_at)
    town.later(DAY.total_seconds(), tick_s=30)
    said = f"certificate: ends on {ends_at:%d %B %Y} and is not renewed; tell the fleet’s engineer"

    assert (said,) == beat(town, ends_at)
    assert "ok" == town.node_state(CORNER), "the unit works"
    assert () == beat(town, ends_at + 60 * DAY)


def test_premises_that_a_late_certificate_is_told_of_are_drawn_again(town: Town) -> None:
    beat(town, START + 31 * DAY)
    town.later(DAY.total_seconds(), tick_s=30)

    changed = town.handle(
        ev.HealthArrived(CORNER, Health(state="armed", boot_id="n1", certificate_ends_at=START + 31 * DAY))
    )
    assert "is not renewed" in str(changed)


def test_certificate_that_has_ended_is_told_as_such() -> None:
    assert "certificate: ended on" in late_certificate(START, START)[0]


def test_node_that_says_nothing_of_its_certificate_is_not_late(town: Town) -> None:
    assert () == beat(town, None)
