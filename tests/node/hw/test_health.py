"""A part's fault is told once, each retry is answered, and recovery is told once."""

from __future__ import annotations

from node.core.controls import Part
from node.core.events import PartFailed, PartRecovered
from node.hw.health import PartHealth
from tests.support.event_recorder import EventRecorder


def test_failure_is_told_once_until_it_recovers(events: EventRecorder) -> None:
    health = PartHealth(Part.OLED, events)
    health.fail("a")
    health.fail("b")
    health.recover()
    health.recover()
    health.fail("c")

    assert [PartFailed(Part.OLED, "a"), PartRecovered(Part.OLED), PartFailed(Part.OLED, "c")] == events.all


def test_failed_retry_is_answered_each_time(events: EventRecorder) -> None:
    health = PartHealth(Part.LED, events)
    for detail in ("a", "b"):
        health.fail(detail, is_retry=True)

    assert [PartFailed(Part.LED, "a"), PartFailed(Part.LED, "b")] == events.all


def test_detail_is_one_short_clean_line(events: EventRecorder) -> None:
    PartHealth(Part.LED, events).fail("two\nlines \u202e" + "x" * 500)
    (failure,) = events.of(PartFailed)

    assert failure.detail.startswith("two lines x")
    assert 120 == len(failure.detail)
