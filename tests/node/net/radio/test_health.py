"""The radio path as one part made of several: what is wrong now is told, and once that all is well (N11)."""

from __future__ import annotations

from node.core.controls import Part
from node.core.events import Event, PartFailed, PartRecovered
from node.net.radio.health import KEY, RadioHealth


def details(told: list[Event]) -> list[str]:
    return [event.detail for event in told if isinstance(event, PartFailed)]


def test_health_tells_what_is_wrong_whenever_it_changes_and_once_that_all_is_well() -> None:
    told: list[Event] = []
    health = RadioHealth(told.append)
    health.tell("modem", None)
    health.tell("modem", "ended")
    health.tell("modem", "ended")
    health.tell("sound", "unplugged")
    health.tell("modem", None)
    is_well_before_the_end = health.is_well

    assert not is_well_before_the_end
    assert ["modem: ended", "modem: ended; sound: unplugged", "sound: unplugged"] == details(told)
    health.tell("sound", None)
    health.tell("sound", None)

    assert health.is_well
    assert PartRecovered(Part.RADIO) == told[-1]
    assert len(told) == 4


def test_health_hides_no_stuck_key_behind_what_failed_first() -> None:
    """A key that stays down silences everyone: it comes first, and stays when the sound is back."""
    told: list[Event] = []
    health = RadioHealth(told.append)
    health.tell("sound", "no such device")
    health.tell(KEY, "does not let go")
    health.tell("sound", None)

    assert ["ptt: does not let go; sound: no such device", "ptt: does not let go"] == details(told)[1:]


def test_health_names_the_modem_that_fails_now() -> None:
    told: list[Event] = []
    health = RadioHealth(told.append)
    health.tell_modems(None, ("afsk300: ended",))
    health.tell_modems(None, ("afsk1200: ended",))
    health.tell_modems(None, ())

    assert ["afsk300: ended", "afsk1200: ended"] == details(told)
    assert PartRecovered(Part.MODEM) == told[-1]


def test_health_tells_a_hostile_detail_in_clean_words() -> None:
    told: list[Event] = []
    RadioHealth(told.append).tell("tnc", "a\x1b[31m\u202e\n" + "b" * 999)

    (failed,) = told
    assert isinstance(failed, PartFailed)
    assert failed.detail.isprintable()
    assert len(failed.detail) <= 200
