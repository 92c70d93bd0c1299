"""The sound modem's order of doing things, with a codec that only pretends (N10): unkeyed first whatever goes wrong."""

from __future__ import annotations

import threading
from array import array
from collections.abc import Iterator

import pytest

from node.core.air import BLOCK_BYTES, KEY_UP_MS, OVER_MS_MAX, SPEECH_GAP_MS
from node.core.controls import Part
from node.core.events import ChannelChanged, OverEnded, OverFailed, OverStarted, PartFailed, PartRecovered
from node.net.radio import sound_modem
from node.net.radio.errors import CodecError
from node.net.radio.over import KEYED_SPARE_MS, milliseconds, silence
from tests.support.modem_bench import BURST, Bench, PretendedCodec
from tests.support.radio_air import Air
from tests.support.radio_rig import OnePhrase, await_so


@pytest.fixture(autouse=True)
def _codec_only_pretends(monkeypatch: pytest.MonkeyPatch) -> None:
    """And a busy machine is no device that is lost, nor a thread that hangs."""
    monkeypatch.setattr(sound_modem, "Codec", PretendedCodec)
    monkeypatch.setattr(sound_modem, "_SILENT_MS_MAX", 60_000)
    monkeypatch.setattr(sound_modem, "_CLOSE_S", 60)


@pytest.fixture
def air() -> Iterator[Air]:
    air = Air(1, speed=4)
    yield air
    air.close()


@pytest.fixture
def bench(air: Air) -> Iterator[Bench]:
    bench = Bench(air)
    bench.start()
    yield bench
    bench.modem.close()


def test_over_is_keyed_only_when_all_of_it_is_there(bench: Bench) -> None:
    bench.codec.is_slow = True
    bench.transmit()
    bench.codec.has_begun.wait()
    assert "key" not in bench.radio.calls
    bench.codec.is_slow = False
    bench.ear.wait_for_end(1)

    assert ["start", "key", "play", "unkey"] == bench.radio.calls
    assert bench.radio.sent.startswith(silence(KEY_UP_MS) + BURST)
    assert not bench.radio.sent_unkeyed


def test_over_asks_the_guard_for_little_more_than_it_lasts(bench: Bench) -> None:
    bench.transmit()
    bench.ear.wait_for_end(1)

    assert [KEY_UP_MS + milliseconds(BURST) + KEYED_SPARE_MS] == bench.radio.max_ms


def test_over_of_unknown_mode_is_refused_unkeyed(bench: Bench) -> None:
    bench.modem.transmit(1, (b"x",), "9600-morse", None)

    assert isinstance(bench.ear.wait_for_end(1), OverFailed)
    assert "key" not in bench.radio.calls


@pytest.mark.parametrize("problem", [CodecError("dead"), OSError(5, "i/o"), RuntimeError("a bug")])
def test_over_that_cannot_be_encoded_fails_unkeyed(bench: Bench, problem: Exception) -> None:
    bench.codec.encode_problem = problem
    bench.transmit()

    assert isinstance(bench.ear.wait_for_end(1), OverFailed)
    assert "key" not in bench.radio.calls
    bench.codec.encode_problem = None
    bench.transmit(2)
    assert isinstance(bench.ear.wait_for_end(2), OverEnded)


def test_over_that_is_too_long_fails_unkeyed(bench: Bench) -> None:
    bench.codec.burst = silence(OVER_MS_MAX)
    bench.transmit()

    assert isinstance(bench.ear.wait_for_end(1), OverFailed)
    assert "key" not in bench.radio.calls


def test_over_whose_key_does_not_move_is_unkeyed_and_fails(bench: Bench) -> None:
    bench.radio.key_problem = "nobody guards it"
    bench.transmit()
    end = bench.ear.wait_for_end(1)

    assert isinstance(end, OverFailed)
    assert "nobody guards it" in end.detail
    assert ["start", "key", "unkey"] == bench.radio.calls[:3]
    assert bench.ear.of(OverStarted) == []


def test_over_that_cannot_be_played_is_unkeyed_and_fails(bench: Bench) -> None:
    bench.radio.play_problem = "gone"
    bench.transmit()

    assert isinstance(bench.ear.wait_for_end(1), OverFailed)
    assert ["start", "key", "unkey"] == bench.radio.calls[:3]
    assert not bench.radio.is_keyed


@pytest.mark.parametrize("problem", [ValueError("write to closed file"), RuntimeError("a bug")])
def test_over_is_unkeyed_whatever_is_raised_after_it_was_keyed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, problem: Exception
) -> None:
    def play(*_: object) -> None:
        raise problem

    monkeypatch.setattr(bench.radio, "play", play)
    bench.transmit()

    assert isinstance(bench.ear.wait_for_end(1), OverFailed)
    assert ["start", "key", "unkey"] == bench.radio.calls[:3]
    assert not bench.radio.is_keyed


def test_key_whose_driver_has_a_bug_is_tried_again_and_the_radio_lives(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unkey() -> None:
        raise RuntimeError("a bug")

    with monkeypatch.context() as broken:
        broken.setattr(bench.radio, "unkey", unkey)
        bench.transmit()
        bench.ear.wait_until(lambda _: bench.ear.of(PartFailed) != [])
    bench.ear.wait_for(PartRecovered(Part.RADIO))

    assert not bench.radio.is_keyed


def test_over_whose_encoding_took_long_does_not_take_the_sound_device_for_lost(bench: Bench) -> None:
    """A modem that had to be replaced: the device has delivered all the while, and nobody has looked."""
    # Its thread encodes, and reads nothing of this.
    bench.codec.is_slow = True
    bench.transmit()
    bench.codec.has_begun.wait()
    await_so(lambda: bench.modem._blocks)
    bench.modem._last_block_ms -= 120_000
    bench.codec.is_slow = False

    assert isinstance(bench.ear.wait_for_end(1), OverEnded)
    assert bench.ear.of(PartFailed) == []


@pytest.mark.parametrize(("first_ms", "every_ms"), [(0, 3_600_000), (3_600_000, 0)])
def test_broken_key_is_told_before_anybody_needs_it(
    air: Air, monkeypatch: pytest.MonkeyPatch, first_ms: int, every_ms: int
) -> None:
    """At the start, and again from time to time (N10)."""
    monkeypatch.setattr(sound_modem, "_KEY_CHECK_FIRST_MS", first_ms)
    monkeypatch.setattr(sound_modem, "_KEY_CHECK_EVERY_MS", every_ms)
    bench = Bench(air)
    bench.start()
    try:
        if first_ms:
            bench.transmit()
            bench.ear.wait_for_end(1)
        bench.radio.unkey_problem = "no such device"
        if not first_ms:
            bench.modem._key_check_due_ms = 0
        bench.ear.wait_until(lambda _: bench.ear.of(PartFailed) != [])
    finally:
        bench.modem.close()

    assert [PartFailed(Part.RADIO, "ptt: no such device")] == bench.ear.of(PartFailed)


def test_over_is_unkeyed_when_the_sound_device_is_lost(bench: Bench) -> None:
    bench.keep_the_air()
    bench.radio.fail("unplugged")
    end = bench.ear.wait_for_end(1)
    bench.ear.wait_for(PartRecovered(Part.RADIO))

    assert isinstance(end, OverFailed)
    assert "unplugged" in end.detail
    assert not bench.radio.is_keyed
    assert [PartFailed(Part.RADIO, "sound: unplugged")] == bench.ear.of(PartFailed)
    assert len(bench.ear.ends(1)) == 1


def test_over_is_unkeyed_when_a_lost_device_says_nothing_of_it(bench: Bench) -> None:
    bench.keep_the_air()
    bench.radio.forget_playing()
    bench.radio.fail("unplugged")

    assert isinstance(bench.ear.wait_for_end(1), OverFailed)
    assert not bench.radio.is_keyed


def test_over_that_the_device_never_ends_is_unkeyed(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sound_modem, "KEYED_SPARE_MS", 100)
    bench.radio.is_stuck = True
    bench.transmit()

    assert isinstance(bench.ear.wait_for_end(1), OverFailed)
    assert not bench.radio.is_keyed


@pytest.mark.finding(19)
def test_over_lasts_as_long_as_its_device_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A simulated air stands still while its machine is busy; what plays there has not failed for that."""
    monkeypatch.setattr(sound_modem, "KEYED_SPARE_MS", 100)
    slow_air = Air(1, speed=0.5)
    bench = Bench(slow_air)
    bench.start()
    bench.transmit()
    end = bench.ear.wait_for_end(1)
    bench.modem.close()
    slow_air.close()

    assert isinstance(end, OverEnded)


def test_over_that_ended_while_the_modems_thread_was_held_up_has_not_failed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a busy machine it stands still for seconds, and hears of the end only when all is over."""
    is_held, may_go_on = threading.Event(), threading.Event()

    def held_up(now_ms: int, *, is_quiet: bool) -> int:
        is_held.set()
        may_go_on.wait()
        return now_ms + 1_000

    bench.keep_the_air()
    monkeypatch.setattr(bench.codec, "step", held_up)
    bench.modem._codec_due_ms = 0
    assert is_held.wait(60)
    assert bench.modem._over is not None
    due_blocks = bench.modem._over.due_blocks
    bench.air.speed = 100
    await_so(lambda: bench.modem._delivered_blocks > due_blocks)
    may_go_on.set()

    assert isinstance(bench.ear.wait_for_end(1), OverEnded)


def test_over_stopped_while_it_is_rendered_is_never_keyed(bench: Bench) -> None:
    bench.codec.is_slow = True
    bench.transmit()
    bench.codec.has_begun.wait()
    bench.modem.stop_over(1)

    assert OverEnded(1, 0) == bench.ear.wait_for_end(1)
    assert "key" not in bench.radio.calls


def test_over_stopped_before_it_began_is_not_even_rendered(bench: Bench) -> None:
    bench.modem.stop_over(1)
    bench.transmit()

    assert OverEnded(1, 0) == bench.ear.wait_for_end(1)
    assert not bench.codec.has_begun.is_set()
    assert "key" not in bench.radio.calls


def test_over_stopped_on_the_air_is_unkeyed_before_anything_else(bench: Bench) -> None:
    bench.keep_the_air()
    bench.modem.stop_over(2)
    bench.modem.stop_over(1)

    assert isinstance(bench.ear.wait_for_end(1), OverEnded)
    assert ["start", "key", "play", "unkey"] == bench.radio.calls[:4]
    assert not bench.radio.is_keyed


def test_key_that_does_not_let_go_is_told_and_tried_until_it_does(bench: Bench) -> None:
    bench.radio.unkey_problem = "stuck"
    bench.transmit()
    bench.ear.wait_until(lambda _: bench.ear.of(PartFailed) != [])
    bench.transmit(2)
    refused = bench.ear.wait_for_end(2)
    bench.radio.unkey_problem = ""
    bench.ear.wait_for(PartRecovered(Part.RADIO))

    assert isinstance(refused, OverFailed)
    assert 1 == bench.radio.keyed_count
    assert not bench.radio.is_keyed


def test_sentence_follows_the_bursts(air: Air) -> None:
    sentence = array("h", [900, -900] * 4_410).tobytes()
    bench = Bench(air, OnePhrase(sentence))
    bench.start()
    bench.transmit(phrase="attack")
    bench.ear.wait_for_end(1)
    bench.modem.close()

    spoken = bytes(bench.radio.sent[len(silence(KEY_UP_MS) + BURST) :])
    assert spoken.startswith(silence(SPEECH_GAP_MS) + sentence)


def test_modem_hears_nothing_of_its_own_over(bench: Bench) -> None:
    """A full-duplex device gives back what it plays."""
    bench.keep_the_air()
    fed = bench.codec.fed
    bench.air.say(BURST * 3)
    await_so(lambda: not bench.air.voice)

    assert fed == bench.codec.fed
    assert bench.ear.of(ChannelChanged) == []


def test_modem_hears_a_voice_and_its_end(bench: Bench) -> None:
    bench.air.say(BURST * 10)
    bench.ear.wait_for(ChannelChanged(is_busy=False))

    assert [ChannelChanged(is_busy=True), ChannelChanged(is_busy=False)] == bench.ear.of(ChannelChanged)


def test_modem_lost_device_clears_the_channel(bench: Bench) -> None:
    bench.air.say(BURST * 100)
    bench.ear.wait_for(ChannelChanged(is_busy=True))
    bench.radio.start_problem = "gone"
    bench.radio.fail("gone")

    bench.ear.wait_for(ChannelChanged(is_busy=False))


def test_modem_without_a_device_refuses_and_finds_it_later(air: Air) -> None:
    bench = Bench(air)
    bench.radio.start_problem = "no such device"
    bench.modem.start()
    bench.ear.wait_for(PartFailed(Part.RADIO, "sound: no such device"))
    bench.transmit()
    refused = bench.ear.wait_for_end(1)
    bench.radio.start_problem = ""
    bench.ear.wait_for(PartRecovered(Part.RADIO))
    bench.modem.close()

    assert isinstance(refused, OverFailed)
    assert "key" not in bench.radio.calls
    assert 1 == len(bench.ear.of(PartFailed))


def test_modem_notices_a_device_that_goes_silent(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sound_modem, "_SILENT_MS_MAX", 100)
    bench.radio.start_problem = "hangs"
    bench.air.close()

    bench.ear.wait_for(PartFailed(Part.RADIO, "sound: the sound device has gone silent"))


def test_modem_tells_what_its_codec_lacks(bench: Bench) -> None:
    bench.codec.problem = "ended"
    bench.ear.wait_for(PartFailed(Part.RADIO, "modem: ended"))
    bench.codec.problem = None
    bench.ear.wait_for(PartRecovered(Part.RADIO))


@pytest.mark.finding(9)
def test_modem_that_lacks_one_mode_is_a_fault_of_its_own_and_no_failed_radio(bench: Bench) -> None:
    bench.codec.problems = ("1200-il2p: ended",)
    bench.ear.wait_for(PartFailed(Part.MODEM, "1200-il2p: ended"))
    bench.codec.problems = ()
    bench.ear.wait_for(PartRecovered(Part.MODEM))


def test_modem_bounds_what_waits_for_a_worker_that_is_held_up(bench: Bench) -> None:
    bench.codec.is_slow = True
    bench.transmit()
    bench.codec.has_begun.wait()
    for _ in range(500):
        bench.modem._on_block(bytes(BLOCK_BYTES))

    assert len(bench.modem._blocks) <= sound_modem._BLOCKS_WAITING_MAX
    assert bench.modem.dropped_blocks > 300


def test_modem_closed_on_the_air_unkeys_and_answers_every_order(bench: Bench) -> None:
    bench.keep_the_air()
    bench.modem.close()
    bench.modem.close()

    assert [OverFailed] == [type(end) for end in bench.ear.ends(1)]
    assert not bench.radio.is_keyed
    assert bench.codec.is_closed
    assert bench.radio.calls.index("unkey") < bench.radio.calls.index("close")


def test_modem_closed_while_it_renders_answers_and_keys_nothing(bench: Bench) -> None:
    bench.codec.is_slow = True
    bench.transmit(1)
    bench.codec.has_begun.wait()
    bench.transmit(2)
    bench.modem.close()

    assert [OverFailed, OverFailed] == [type(bench.ear.wait_for_end(over)) for over in (1, 2)]
    assert "key" not in bench.radio.calls


def test_modem_whose_thread_hangs_is_unkeyed_without_it(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sound device may hold its thread for seconds while it is opened."""
    is_held, held = threading.Event(), threading.Event()

    def hang(now_ms: int, *, is_quiet: bool) -> int:
        is_held.set()
        held.wait()
        return now_ms

    monkeypatch.setattr(sound_modem, "_CLOSE_S", 0.05)
    monkeypatch.setattr(bench.codec, "step", hang)
    is_held.wait()
    bench.radio.is_keyed = True
    bench.modem.close()
    is_keyed = bench.radio.is_keyed
    held.set()

    assert not is_keyed


def test_modem_never_started_can_be_closed(air: Air) -> None:
    bench = Bench(air)
    bench.modem.close()

    assert bench.codec.is_closed
