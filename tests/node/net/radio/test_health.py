"""The radio path as one part made of several: a failure is told once, and once that all is well (N11)."""

from __future__ import annotations

from node.core.controls import Part
from node.core.events import Event, PartFailed, PartRecovered
from node.net.radio.health import RadioHealth


def test_health_tells_the_first_problem_and_the_last_end() -> None:
    told: list[Event] = []
    health = RadioHealth(told.append)
    health.tell("modem", None)
    health.tell("modem", "ended")
    health.tell("modem", "ended again")
    health.tell("sound", "unplugged")
    health.tell("modem", None)
    is_well_before_the_end = health.is_well

    assert not is_well_before_the_end
    assert [PartFailed(Part.RADIO, "modem: ended")] == told
    health.tell("sound", None)
    health.tell("sound", None)

    assert health.is_well
    assert PartRecovered(Part.RADIO) == told[-1]
    assert len(told) == 2


def test_health_tells_a_hostile_detail_in_clean_words() -> None:
    told: list[Event] = []
    RadioHealth(told.append).tell("tnc", "a\x1b[31m\u202e\n" + "b" * 999)

    (failed,) = told
    assert isinstance(failed, PartFailed)
    assert failed.detail.isprintable()
    assert len(failed.detail) <= 200
