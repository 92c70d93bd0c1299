"""The simulated air: half-duplex, blind time, collisions, noise, hidden nodes (N9, N10)."""

from __future__ import annotations

import pytest

from node.core import effects as do
from node.core import events as ev
from node.core.air import BURST_GAP_MS, KEY_UP_MS, OVER_MS_MAX, SPEECH_GAP_MS, SPEECH_MS, Mode, Phrase, burst_ms
from node.core.controls import Part
from sim.air import AirWeather, SimAir, over_ms
from sim.node_radio import SimRadio
from sim.timeline import Timeline
from wire.kinds import Path

FRAME = bytes(89)
BURST_MS = burst_ms(Mode.IL2P_1200, 89)
QUIET = AirWeather(dict.fromkeys(Mode, 0.0))


class Ear:
    """A stub: writes down what it hears, and when."""

    def __init__(self, timeline: Timeline) -> None:
        self.heard: list[bytes] = []
        self.channel: list[tuple[int, bool]] = []
        self._timeline = timeline

    def channel_changed(self, *, is_busy: bool) -> None:
        self.channel.append((self._timeline.now_ms, is_busy))

    def burst_heard(self, data: bytes) -> None:
        self.heard.append(data)


class Field:
    """Three radios a, b, c and an air without noise."""

    def __init__(self, capture_db: float | None = None) -> None:
        self.timeline = Timeline(1)
        self.air = SimAir(self.timeline, blind_ms=300, clear_ms=60, capture_db=capture_db)
        self.air.weather = QUIET
        self.ears = {name: Ear(self.timeline) for name in "abc"}
        for name, ear in self.ears.items():
            self.air.join(name, ear)

    def key(self, name: str, at_ms: int = 0, data: bytes = FRAME, extra_ms: int = 0) -> None:
        self.timeline.after(
            at_ms - self.timeline.now_ms, lambda: self.air.key(name, (data,), Mode.IL2P_1200, extra_ms=extra_ms)
        )

    def run(self, until_ms: int = 60_000) -> None:
        self.timeline.run_until(until_ms, lambda: None)


@pytest.fixture
def field() -> Field:
    return Field()


def test_burst_is_heard_by_everybody_in_range_but_its_sender(field: Field) -> None:
    field.air.block("a", "c")
    field.key("a")
    field.run()

    assert ([], [FRAME], []) == tuple(ear.heard for ear in field.ears.values())


def test_over_lasts_as_long_as_its_parts() -> None:
    spoken_ms = over_ms((89, 89), Mode.IL2P_1200, is_spoken=True)

    assert KEY_UP_MS + 2 * BURST_MS + BURST_GAP_MS + SPEECH_GAP_MS + SPEECH_MS == spoken_ms
    assert spoken_ms < OVER_MS_MAX


def test_carrier_is_noticed_after_the_blind_time_and_missed_after_its_end(field: Field) -> None:
    field.key("a")
    field.run()

    assert [(300, True), (KEY_UP_MS + BURST_MS + 60, False)] == field.ears["b"].channel
    assert [] == field.ears["a"].channel, "nothing is said of its own over"


def test_each_carrier_is_noticed_after_its_own_blind_time(field: Field) -> None:
    field.air.block("a", "b")
    field.key("a")
    field.key("c", at_ms=200)
    field.run()

    assert (500, True) == field.ears["b"].channel[0]


def test_keyed_radio_notices_others_only_after_its_own_end(field: Field) -> None:
    field.key("a")
    field.key("c", at_ms=500, extra_ms=5_000)
    field.run()

    own_end_ms = KEY_UP_MS + BURST_MS

    assert [(own_end_ms + 300, True), (500 + own_end_ms + 5_060, False)] == field.ears["a"].channel


def test_carrier_is_sensed_where_it_reaches_alone(field: Field) -> None:
    """Hidden nodes: the third hears both, and they do not hear each other."""
    field.air.block("a", "c")
    field.key("a")
    field.key("c", at_ms=600)
    field.run()

    assert [] == field.ears["c"].channel
    assert [] == field.ears["b"].heard, "two bursts at once are none"


def test_overlapping_bursts_are_lost_to_all_who_hear_both(field: Field) -> None:
    field.key("a")
    field.key("b", at_ms=200)
    field.run()

    assert [] == field.ears["c"].heard
    assert 4 == field.air.figures.collisions, "two at c, and each at the other's keyed radio"


def test_bare_carrier_drowns_a_burst(field: Field) -> None:
    """Key-up silence and speech are carrier like any other."""
    field.air.join("talker", None)
    field.key("a")
    field.timeline.after(KEY_UP_MS + 100, lambda: field.air.key("talker", (), Mode.IL2P_1200, extra_ms=5_000))
    field.run()

    assert [] == field.ears["b"].heard


def test_burst_after_the_other_carriers_end_is_heard(field: Field) -> None:
    field.key("b", data=b"first")
    field.key("a", at_ms=KEY_UP_MS + burst_ms(Mode.IL2P_1200, 5))
    field.run()

    assert [b"first", FRAME] == field.ears["c"].heard


def test_capture_lets_the_stronger_one_through() -> None:
    field = Field(capture_db=6.0)
    field.air.level_db["a", "c"] = 10.0
    field.key("a", data=b"near")
    field.key("b", at_ms=100, data=b"far")
    field.run()

    assert [b"near"] == field.ears["c"].heard


def test_cut_over_delivers_what_was_whole_and_no_more(field: Field) -> None:
    field.timeline.after(0, lambda: field.air.key("a", (b"one", b"two"), Mode.IL2P_1200))
    field.run(KEY_UP_MS + burst_ms(Mode.IL2P_1200, 3) + 100)
    field.air.cut("a")
    field.run()

    assert [b"one"] == field.ears["b"].heard
    assert not field.air.is_keyed("a")
    assert KEY_UP_MS + burst_ms(Mode.IL2P_1200, 3) + 100 == field.air.figures.airtime_ms


@pytest.mark.parametrize("mode", Mode)
def test_noise_takes_about_its_share(mode: Mode) -> None:
    field = Field()
    field.air.weather = AirWeather({**dict.fromkeys(Mode, 0.0), mode: 0.3})
    for at in range(400):
        field.timeline.after(at * 10_000, lambda: field.air.key("a", (FRAME,), mode))
    field.run(4_100_000)

    lost = 1 - len(field.ears["b"].heard) / 400

    assert abs(lost - 0.3) < 0.06


def test_bit_errors_change_one_bit() -> None:
    field = Field()
    field.air.weather = AirWeather(dict.fromkeys(Mode, 0.0), bit_errors=1.0)
    field.key("a")
    field.run()
    (heard,) = field.ears["b"].heard

    assert 1 == sum((one ^ other).bit_count() for one, other in zip(heard, FRAME, strict=True))


class Desk:
    """A radio whose core is a list of events."""

    def __init__(self, field: Field) -> None:
        self.events: list[ev.Event] = []
        self.radio = SimRadio("n", field.air, field.timeline, self.events.append)
        self.radio.start()


def over(number: int = 1, phrase: Phrase | None = None) -> do.TransmitOver:
    return do.TransmitOver(number, (FRAME,), Mode.IL2P_1200, phrase)


def test_radio_answers_an_over_with_its_start_and_its_end(field: Field) -> None:
    desk = Desk(field)
    desk.radio.transmit(over(7, Phrase.ATTACK))
    field.run()

    airtime_ms = KEY_UP_MS + BURST_MS + SPEECH_GAP_MS + SPEECH_MS

    assert [ev.OverStarted(7), ev.OverEnded(7, airtime_ms)] == desk.events
    assert [FRAME] == field.ears["a"].heard


def test_radio_stops_an_over_at_once(field: Field) -> None:
    desk = Desk(field)
    desk.radio.transmit(over(7))
    field.run(500)
    desk.radio.stop(8)
    assert field.air.is_keyed("n"), "another over's number changes nothing"
    desk.radio.stop(7)

    assert not field.air.is_keyed("n")
    field.run()
    assert [ev.OverStarted, ev.OverEnded] == [type(event) for event in desk.events]
    assert [] == field.ears["a"].heard


def test_radio_dies_unkeyed_with_its_program(field: Field) -> None:
    """N10: a key never outlives its program."""
    desk = Desk(field)
    desk.radio.transmit(over(7))
    field.run(500)
    desk.radio.die()

    assert not field.air.is_keyed("n")
    field.run()
    assert [ev.OverStarted(7)] == desk.events
    assert [] == field.ears["a"].heard


def test_broken_radio_says_so_and_hears_nothing(field: Field) -> None:
    desk = Desk(field)
    desk.radio.transmit(over(7))
    field.run(500)
    desk.radio.fail()
    field.key("a", at_ms=1_000)
    desk.radio.transmit(over(8))
    field.run(30_000)
    desk.radio.mend()
    field.run()

    started, failed, part, refused, recovered, clear = desk.events

    assert ev.OverStarted(7) == started
    assert isinstance(failed, ev.OverFailed)
    assert 7 == failed.over
    assert failed.airtime_ms > 400
    assert isinstance(part, ev.PartFailed)
    assert Part.RADIO is part.part
    assert isinstance(refused, ev.OverFailed)
    assert (8, 0) == (refused.over, refused.airtime_ms)
    assert [ev.PartRecovered(Part.RADIO), ev.ChannelChanged(is_busy=False)] == [recovered, clear]


def test_radio_hands_over_what_it_hears(field: Field) -> None:
    desk = Desk(field)
    field.key("a")
    field.run()

    assert [
        ev.ChannelChanged(is_busy=True),
        ev.FrameReceived(FRAME, None, Path.RADIO),
        ev.ChannelChanged(is_busy=False),
    ] == desk.events
