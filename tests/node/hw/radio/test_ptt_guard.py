"""The guard's own rules: off when told, when time is up, when the pipe ends, at a signal, at any error (N10)."""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Iterator

import pytest

from node.core.air import OVER_MS_MAX
from node.hw.radio.ptt import PttError
from node.hw.radio.ptt_guard import Guard, serve


class RecordingLine:
    """Remembers what it was told."""

    name = "a line"

    def __init__(self) -> None:
        self.moves: list[bool] = []
        self.is_broken = False

    def set(self, *, is_on: bool) -> None:
        if self.is_broken:
            raise PttError("a line is gone")
        self.moves.append(is_on)

    def close(self) -> None:
        self.set(is_on=False)


class Clock:
    """Milliseconds that pass when told."""

    now_ms = 1_000

    def __call__(self) -> int:
        return self.now_ms


@pytest.fixture
def line() -> RecordingLine:
    return RecordingLine()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def guard(line: RecordingLine, clock: Clock) -> Guard:
    return Guard(line, clock)


def test_key_moves_the_line_then_confirms(guard: Guard, line: RecordingLine) -> None:
    assert "keyed 1" == guard.obey("key 1 5000")
    assert [True] == line.moves


def test_unkey_moves_the_line_then_confirms(guard: Guard, line: RecordingLine) -> None:
    guard.obey("key 1 5000")

    assert "off 2" == guard.obey("unkey 2")
    assert [True, False] == line.moves
    assert guard.left_s() is None


def test_unkey_drives_the_line_even_where_it_should_be_off(guard: Guard, line: RecordingLine) -> None:
    guard.obey("unkey 1")

    assert [False] == line.moves


def test_line_is_let_go_when_the_time_is_up_and_not_before(guard: Guard, line: RecordingLine, clock: Clock) -> None:
    guard.obey("key 7 5000")
    clock.now_ms += 4_999
    before = guard.expire()
    clock.now_ms += 1

    assert ("", "expired 7", "") == (before, guard.expire(), guard.expire())
    assert [True, False] == line.moves


def test_no_over_is_longer_than_the_cap_whatever_is_asked(guard: Guard, clock: Clock) -> None:
    """N10: 30 s, enforced outside the program."""
    guard.obey("key 1 999999999")

    assert OVER_MS_MAX == 30_000
    assert OVER_MS_MAX / 1000 == guard.left_s()

    clock.now_ms += OVER_MS_MAX

    assert "expired 1" == guard.expire()


def test_asking_again_while_keyed_buys_no_time(guard: Guard, clock: Clock) -> None:
    guard.obey("key 1 30000")
    clock.now_ms += 20_000
    guard.obey("key 2 30000")

    assert 10.0 == guard.left_s()


def test_asking_again_while_keyed_can_shorten(guard: Guard) -> None:
    guard.obey("key 1 30000")
    guard.obey("key 2 500")

    assert 0.5 == guard.left_s()


def test_next_over_has_its_own_time(guard: Guard, clock: Clock) -> None:
    guard.obey("key 1 30000")
    clock.now_ms += 20_000
    guard.obey("unkey 2")
    guard.obey("key 3 30000")

    assert 30.0 == guard.left_s()


def test_line_that_could_not_be_put_off_stays_due(guard: Guard, line: RecordingLine) -> None:
    """So that whoever looks sees an over that should have ended."""
    guard.obey("key 1 5000")
    line.is_broken = True

    with pytest.raises(PttError):
        guard.obey("unkey 2")

    assert guard.left_s() is not None


@pytest.mark.parametrize("command", ["", "key", "key 1", "key 1 -5", "key x 5000", "unkey", "key 1 5 5", "ké 1"])
def test_what_is_no_command_is_refused(guard: Guard, line: RecordingLine, command: str) -> None:
    with pytest.raises(PttError, match="not a command"):
        guard.obey(command)

    assert [] == line.moves


class Serving:
    """``serve`` in a thread, with its pipes."""

    def __init__(self, line: RecordingLine, clock: Clock) -> None:
        self.commands_out, self.commands = os.pipe()
        self.answers, self.answers_in = os.pipe()
        self.stop_out, self.stop = os.pipe()
        self.error: OSError | None = None
        self._parts = line, self.commands_out, self.answers_in, self.stop_out, clock
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            serve(*self._parts)
        except OSError as e:
            self.error = e

    def say(self, data: bytes) -> None:
        os.write(self.commands, data)

    def hear(self) -> bytes:
        assert select.select([self.answers], [], [], 20)[0]
        return os.read(self.answers, 4096)

    def ended(self) -> bool:
        self._thread.join(60)
        return not self._thread.is_alive()

    def close(self) -> None:
        os.write(self.stop, b"x")
        assert self.ended()
        for fd in (self.commands_out, self.commands, self.answers, self.answers_in, self.stop_out, self.stop):
            if fd >= 0:
                os.close(fd)

    def close_commands(self) -> None:
        os.close(self.commands)
        self.commands = -1


@pytest.fixture
def serving(line: RecordingLine, clock: Clock) -> Iterator[Serving]:
    it = Serving(line, clock)
    yield it
    it.close()


def test_commands_may_come_in_pieces_and_together(serving: Serving) -> None:
    serving.say(b"key 1 50")
    serving.say(b"00\nunkey 2\nkey 3 5000\n")
    heard = b""
    while heard.count(b"\n") < 3:
        heard += serving.hear()

    assert b"keyed 1\noff 2\nkeyed 3\n" == heard


def test_end_of_the_pipe_is_a_reason_to_end(serving: Serving) -> None:
    """The program that held its other end has died."""
    serving.close_commands()

    assert serving.ended()
    assert serving.error is None


def test_signal_is_a_reason_to_end(serving: Serving) -> None:
    os.write(serving.stop, b"\x0f")

    assert serving.ended()


def test_command_without_an_end_is_a_reason_to_end(serving: Serving) -> None:
    serving.say(b"k" * 600)

    assert serving.ended()
    assert "without an end" in str(serving.error)


def test_time_that_is_up_is_told_unasked(serving: Serving, line: RecordingLine) -> None:
    serving.say(b"key 5 0\n")
    heard = b""
    while heard.count(b"\n") < 2:
        heard += serving.hear()

    assert b"keyed 5\nexpired 5\n" == heard
    assert [True, False] == line.moves
