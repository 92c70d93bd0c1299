"""Sounds are short, bounded and stop at once; the LED's patterns can be told apart (docs/screen.md)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest

from node.core.controls import LedPattern, SoundPattern
from node.hw.errors import PartError
from node.hw.patterns import LEDS, SOUND_MS_MAX, SOUNDS, Pattern, PatternPlayer, Step
from tests.support.event_recorder import PATIENCE_S

ALL_DAY_MS = 86_400_000


class Output:
    """What the player wrote, and what it said."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self.said: list[object] = []
        self.error: PartError | None = None

    def write(self, value: int) -> None:
        """As the player writes."""
        if self.error is not None:
            raise self.error
        self.say(value)

    def say(self, word: object) -> None:
        """As the player tells."""
        with self._changed:
            self.said.append(word)
            self._changed.notify_all()

    def wait_for(self, *said: object) -> None:
        """Wait until exactly this was written and said."""
        with self._changed:
            if not self._changed.wait_for(lambda: self.said == list(said), PATIENCE_S):
                raise AssertionError(f"{self.said} instead of {list(said)}")


@pytest.fixture
def output() -> Output:
    return Output()


@pytest.fixture
def patient_clock(output: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    """It stands still until something was written, however late the player's thread has its turn."""
    began_s = time.monotonic()
    clock = SimpleNamespace(monotonic=lambda: time.monotonic() if output.said else began_s)
    monkeypatch.setattr("node.hw.patterns.time", clock)


@pytest.fixture
def player(output: Output) -> Iterator[PatternPlayer]:
    player = PatternPlayer("test", output.write, output.say, output.say)
    yield player
    player.close()


def test_every_pattern_of_the_core_can_be_played() -> None:
    assert set(SoundPattern) == set(SOUNDS)
    assert set(LedPattern) == set(LEDS)
    for patterns in (SOUNDS, LEDS):
        assert [key.value for key in patterns] == [pattern.name for pattern in patterns.values()]


@pytest.mark.parametrize("pattern", [p for p in SOUNDS.values() if p.name != "off"], ids=lambda p: p.name)
def test_sound_is_pulses_in_the_band_that_carries_and_is_bounded(pattern: Pattern) -> None:
    tones = [step for step in pattern.steps if step.value]
    rests = [step for step in pattern.steps if not step.value]

    assert all(330 <= step.value <= 900 for step in tones)
    assert all(step.duration_ms is not None and step.duration_ms <= 400 for step in tones)
    assert len(rests) >= len(tones)
    assert SOUND_MS_MAX == pattern.limit_ms == 60_000


def test_attack_is_three_and_two_twice_every_5_s() -> None:
    steps = SOUNDS[SoundPattern.ATTACK].steps
    gaps_ms: list[int] = []
    for step in steps:
        if step.value:
            gaps_ms.append(0)
        else:
            gaps_ms[-1] += step.duration_ms or 0
    long_gaps = [n for n, gap_ms in enumerate(gaps_ms, start=1) if gap_ms > 150]

    assert [3, 5, 8, 10] == long_gaps
    assert {660, 880} == {step.value for step in steps if step.value}
    assert 5_000 == sum(step.duration_ms or 0 for step in steps)


def test_assist_is_three_pulses_every_15_s_and_notice_one_pulse_once() -> None:
    assist, notice = SOUNDS[SoundPattern.ASSIST], SOUNDS[SoundPattern.NOTICE]

    assert [660] * 3 == [step.value for step in assist.steps if step.value]
    assert 15_000 == sum(step.duration_ms or 0 for step in assist.steps)
    assert [520] == [step.value for step in notice.steps if step.value]
    assert not notice.is_repeated


def test_led_patterns_differ_and_the_idle_one_needs_no_timer() -> None:
    assert len(LEDS) == len({pattern.steps for pattern in LEDS.values()})
    assert (Step(1, None),) == LEDS[LedPattern.READY].steps


def test_player_plays_a_pattern_once_and_says_off(player: PatternPlayer, output: Output) -> None:
    player.play(Pattern("x", (Step(660, 1), Step(0, 1), Step(880, 1))))

    output.wait_for(660, "x", 0, 880, 0, "off")


def test_player_stops_at_once_in_the_middle_of_a_step(player: PatternPlayer, output: Output) -> None:
    player.play(Pattern("x", (Step(660, ALL_DAY_MS),)))
    output.wait_for(660, "x")
    player.play(SOUNDS[SoundPattern.OFF])

    output.wait_for(660, "x", 0, "off")


@pytest.mark.usefixtures("patient_clock")
def test_player_ends_a_repeated_pattern_at_its_limit(player: PatternPlayer, output: Output) -> None:
    player.play(Pattern("x", (Step(1, ALL_DAY_MS),), is_repeated=True, limit_ms=20))

    output.wait_for(1, "x", 0, "off")


def test_player_leaves_the_output_off(output: Output) -> None:
    player = PatternPlayer("test", output.write, output.say, output.say)
    player.play(Pattern("x", (Step(1, None),)))
    output.wait_for(1, "x")
    player.close()

    output.wait_for(1, "x", 0, "off")


def test_player_gives_up_a_pattern_that_fails_and_resumes_it_on_a_new_output(
    player: PatternPlayer, output: Output
) -> None:
    output.error = PartError("gone")
    player.play(Pattern("x", (Step(1, None),)))
    output.wait_for(output.error)
    error, output.error = output.error, None
    player.resume()

    output.wait_for(error, 1, "x")


@pytest.mark.usefixtures("patient_clock")
def test_player_resumes_nothing_that_has_run_out(player: PatternPlayer, output: Output) -> None:
    player.play(Pattern("x", (Step(1, ALL_DAY_MS),), is_repeated=True, limit_ms=20))
    output.wait_for(1, "x", 0, "off")
    player.resume()

    output.wait_for(1, "x", 0, "off", 0, "off")


@pytest.mark.parametrize("burst", [50])
def test_player_takes_only_the_last_of_a_burst(player: PatternPlayer, output: Output, burst: int) -> None:
    is_last: Callable[[], bool] = lambda: output.said[-2:] == [burst, str(burst)]  # noqa: E731
    for n in range(1, burst + 1):
        player.play(Pattern(str(n), (Step(n, None),)))
    with output._changed:
        assert output._changed.wait_for(is_last, PATIENCE_S)
