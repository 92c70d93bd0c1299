"""The air is a channel: one speaks, others hear, two at once spoil it, and nobody hears behind a hill."""

from __future__ import annotations

import numpy as np
import pytest

from demo.air.channel import BLOCK, Samples, decoded
from demo.air.links import Links
from demo.air.mixer import DEAD_TICKS, LONG_TICKS, OPENING_TICKS, TAIL_TICKS, Mixer, Tick
from node.core.air import BLOCK_MS as TICK_MS
from node.core.air import RATE_HZ

LOW_HZ, HIGH_HZ = 1_000, 2_000
LONG_MS = 60_000


def tone(hz: int, ticks: int) -> list[Samples]:
    moments = np.arange(ticks * BLOCK) / RATE_HZ
    return list((0.5 * np.sin(2 * np.pi * hz * moments)).astype(np.float32).reshape(-1, BLOCK))


def town(*names: str, cnr_db: float = 30) -> Mixer:
    mixer = Mixer(Links(cnr_db), seed=1)
    for name in names:
        mixer.join(name)
    return mixer


def speak(mixer: Mixer, name: str, hz: int, ticks: int) -> None:
    station = mixer.stations[name]
    station.queue.extend(tone(hz, ticks))
    station.press(LONG_MS)


def run(mixer: Mixer, ticks: int) -> list[Tick]:
    return [mixer.tick() for _ in range(ticks)]


def heard_by(name: str, ticks: list[Tick]) -> Samples:
    blocks = [decoded(tick.heard[name]) for tick in ticks if name in tick.heard]
    return np.concatenate(blocks) if blocks else np.zeros(0, np.float32)


def share(samples: Samples, hz: int) -> float:
    """How much of the sound is that tone: 0 … 1."""
    power = np.abs(np.fft.rfft(samples * np.hanning(len(samples)))) ** 2
    bins = np.fft.rfftfreq(len(samples), 1 / RATE_HZ)
    return float(power[np.abs(bins - hz) < 50].sum() / power.sum())


def test_air_carries_what_a_radio_says_to_all_others() -> None:
    mixer = town("a", "b", "c")
    speak(mixer, "a", LOW_HZ, 50)

    ticks = run(mixer, 50)

    assert all(share(heard_by(name, ticks), LOW_HZ) > 0.95 for name in ("b", "c"))


def test_radio_that_is_keyed_hears_nothing() -> None:
    """Half-duplex: of two that speak at once neither hears the other."""
    mixer = town("a", "b", "c")
    speak(mixer, "a", LOW_HZ, 50)
    speak(mixer, "b", HIGH_HZ, 50)

    ticks = run(mixer, 50)

    assert 0 == len(heard_by("a", ticks)) == len(heard_by("b", ticks))


def test_far_squelch_opens_late_and_closes_with_a_hiss() -> None:
    mixer = town("a", "b")
    speak(mixer, "a", LOW_HZ, 50)

    opening = run(mixer, 50)
    mixer.stations["a"].release()
    closing = run(mixer, 10)

    first = next(index for index, tick in enumerate(opening) if "b" in tick.heard)
    assert OPENING_TICKS - 1 == first
    assert [True] * TAIL_TICKS + [False] * (10 - TAIL_TICKS) == ["b" in tick.heard for tick in closing]


def test_equal_carriers_spoil_each_other() -> None:
    mixer = town("a", "b", "c")
    speak(mixer, "a", LOW_HZ, 50)
    speak(mixer, "b", HIGH_HZ, 50)

    heard = heard_by("c", run(mixer, 50))

    assert share(heard, LOW_HZ) < 0.5
    assert share(heard, HIGH_HZ) < 0.5


def test_much_stronger_carrier_captures_the_receiver() -> None:
    mixer = town("a", "b", "c")
    mixer.links.set_cnr(12, "c", "b")
    speak(mixer, "a", LOW_HZ, 50)
    speak(mixer, "b", HIGH_HZ, 50)

    assert share(heard_by("c", run(mixer, 50)), LOW_HZ) > 0.9


def test_blocked_link_carries_nothing_either_way_and_others_do() -> None:
    mixer = town("a", "b", "c")
    mixer.links.block("b", "a", is_blocked=True)
    speak(mixer, "a", LOW_HZ, 50)

    ticks = run(mixer, 50)

    assert 0 == len(heard_by("b", ticks))
    assert 0 < len(heard_by("c", ticks))
    mixer.links.block("a", "b", is_blocked=False)
    speak(mixer, "a", LOW_HZ, 50)
    assert 0 < len(heard_by("b", run(mixer, 50)))


@pytest.mark.parametrize(("cnr_db", "is_heard"), [(3.0, False), (6.0, True)])
def test_weak_carrier_does_not_open_the_squelch(*, cnr_db: float, is_heard: bool) -> None:
    mixer = town("a", "b", cnr_db=cnr_db)
    speak(mixer, "a", LOW_HZ, 50)

    assert is_heard == bool(len(heard_by("b", run(mixer, 50))))


def test_noise_grows_as_the_carrier_weakens() -> None:
    shares = []
    for cnr_db in (30, 10, 6):
        mixer = town("a", "b", cnr_db=cnr_db)
        speak(mixer, "a", LOW_HZ, 60)
        shares.append(share(heard_by("b", run(mixer, 60)), LOW_HZ))

    assert shares == sorted(shares, reverse=True)
    assert shares[0] > 0.98
    assert shares[-1] < 0.9


def test_idle_air_is_silent_and_costs_no_receiver() -> None:
    mixer = town("a", "b")

    ticks = run(mixer, 5)

    assert all(not tick.heard and tick.monitor is None for tick in ticks)


def test_key_lets_go_by_itself_when_its_time_is_up() -> None:
    """N10: whatever becomes of the program that pressed it."""
    mixer = town("a", "b")
    mixer.stations["a"].press(10 * TICK_MS)

    ticks = run(mixer, 12)

    assert [10] == [index for index, tick in enumerate(ticks) if "a" in tick.timed_out]
    assert [("a", 10 * TICK_MS)] == [gone for tick in ticks for gone in tick.unkeyed]


def test_radio_that_leaves_is_unkeyed() -> None:
    mixer = town("a", "b")
    speak(mixer, "a", LOW_HZ, 50)
    run(mixer, 5)

    mixer.leave(mixer.stations["a"])

    assert [("a", 5 * TICK_MS)] == mixer.tick().unkeyed
    assert () == mixer.keyed


def test_key_that_is_down_with_nothing_to_say_is_stuck() -> None:
    mixer = town("a", "b")
    mixer.stations["a"].is_welded = True

    ticks = run(mixer, DEAD_TICKS + 5)

    assert [DEAD_TICKS - 1] == [index for index, tick in enumerate(ticks) if "a" in tick.stuck]
    assert mixer.stations["a"].is_stuck


def test_key_that_is_down_longer_than_any_over_is_stuck_though_it_speaks() -> None:
    mixer = town("a")
    speak(mixer, "a", LOW_HZ, LONG_TICKS + 5)

    assert not any(tick.stuck for tick in run(mixer, LONG_TICKS - 1))
    assert ["a"] == mixer.tick().stuck


def test_welded_key_outlives_its_program() -> None:
    mixer = town("a", "b")
    mixer.stations["a"].is_welded = True
    run(mixer, 2)

    mixer.leave(mixer.stations["a"])
    run(mixer, 2)
    again = mixer.join("a")

    assert again.is_welded
    assert ("a",) == mixer.keyed


def test_mark_is_reached_with_the_last_block_before_it() -> None:
    mixer = town("a")
    queue = mixer.stations["a"].queue
    queue.extend(tone(LOW_HZ, 3))
    queue.append(7)
    queue.extend(tone(LOW_HZ, 1))

    assert [{}, {}, {"a": [7]}, {}] == [tick.ended for tick in run(mixer, 4)]


def test_links_refuse_what_no_radio_has() -> None:
    with pytest.raises(ValueError, match="carrier-to-noise"):
        Links().set_cnr(200)
