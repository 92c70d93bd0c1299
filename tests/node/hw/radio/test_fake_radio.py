"""The fake radio says on its socket what docs/fakes.md says, and refuses what a radio cannot do."""

from __future__ import annotations

import queue
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.core.air import BLOCK_BYTES
from node.hw.radio.fake_radio import FakeRadio, FakeRadioError

WITHIN_S = 60


class Air:
    """The other end, by hand."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listener.bind(str(path))
        self._listener.listen()
        self._listener.settimeout(WITHIN_S)
        self.connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)

    def accept(self) -> None:
        self.connection.close()
        self.connection, _ = self._listener.accept()
        self.connection.settimeout(WITHIN_S)

    def told(self) -> bytes:
        return self.connection.recv(4_096)

    def close(self) -> None:
        self.connection.close()
        self._listener.close()


class Ears:
    """What the radio has told its owner."""

    def __init__(self) -> None:
        self.blocks: queue.Queue[bytes] = queue.Queue()
        self.failures: queue.Queue[str] = queue.Queue()
        self.ends: queue.Queue[str] = queue.Queue()


@pytest.fixture
def air(tmp_path: Path) -> Iterator[Air]:
    there = Air(tmp_path / "air.sock")
    yield there
    there.close()


@pytest.fixture
def ears() -> Ears:
    return Ears()


@pytest.fixture
def radio(air: Air, ears: Ears) -> Iterator[FakeRadio]:
    """On the air, and its name was said."""
    one = FakeRadio(air.path, "00000010")
    one.start(ears.blocks.put, ears.failures.put)
    air.accept()
    assert b"N00000010" == air.told()
    yield one
    one.close()


def test_fake_radio_hands_on_what_it_hears(radio: FakeRadio, air: Air, ears: Ears) -> None:
    sound = bytes(range(256)) * (BLOCK_BYTES // 256) + bytes(BLOCK_BYTES % 256)

    air.connection.send(b"A" + sound)
    air.connection.send(b"S")
    air.connection.send(b"A too short")
    air.connection.send(b"S")

    assert [sound, bytes(BLOCK_BYTES), bytes(BLOCK_BYTES)] == [ears.blocks.get(timeout=WITHIN_S) for _ in range(3)]


def test_fake_radio_plays_in_blocks_and_ends_at_the_mark(radio: FakeRadio, air: Air, ears: Ears) -> None:
    radio.play(b"\1" * (BLOCK_BYTES + 2), ears.ends.put)

    first, second, mark = air.told(), air.told(), air.told()
    assert b"A" + b"\1" * BLOCK_BYTES == first
    assert b"A\1\1" + bytes(BLOCK_BYTES - 2) == second
    assert ears.ends.empty()
    air.connection.send(mark)
    assert "" == ears.ends.get(timeout=WITHIN_S)


def test_fake_radio_that_was_flushed_does_not_end_what_comes_next(radio: FakeRadio, air: Air, ears: Ears) -> None:
    radio.play(bytes(BLOCK_BYTES), ears.ends.put)
    _, stale = air.told(), air.told()
    radio.flush()
    assert b"F" == air.told()
    assert "flushed" == ears.ends.get(timeout=WITHIN_S)

    radio.play(bytes(BLOCK_BYTES), ears.ends.put)
    _, mark = air.told(), air.told()
    air.connection.send(stale)
    air.connection.send(b"S")
    ears.blocks.get(timeout=WITHIN_S)
    assert ears.ends.empty()
    air.connection.send(mark)

    assert "" == ears.ends.get(timeout=WITHIN_S)


def test_fake_radio_keys_for_a_bounded_time(radio: FakeRadio, air: Air) -> None:
    """N10: the air lets go by itself."""
    radio.key(30_000)
    radio.unkey()

    assert [b"K" + (30_000).to_bytes(4, "little"), b"U"] == [air.told(), air.told()]


def test_fake_radio_refuses_to_play_twice_at_once(radio: FakeRadio, ears: Ears) -> None:
    radio.play(bytes(BLOCK_BYTES), ears.ends.put)

    with pytest.raises(OSError, match="plays already"):
        radio.play(bytes(BLOCK_BYTES), ears.ends.put)


def test_fake_radio_without_an_air_refuses_to_start_key_and_play(tmp_path: Path, ears: Ears) -> None:
    radio = FakeRadio(tmp_path / "none.sock", "00000010")

    with pytest.raises(OSError, match="no air"):
        radio.start(ears.blocks.put, ears.failures.put)
    with pytest.raises(FakeRadioError):
        radio.key(1_000)
    with pytest.raises(FakeRadioError):
        radio.play(bytes(BLOCK_BYTES), ears.ends.put)
    radio.unkey()
    radio.close()


def test_fake_radio_that_loses_its_air_says_so_once_and_starts_again(radio: FakeRadio, air: Air, ears: Ears) -> None:
    radio.play(bytes(BLOCK_BYTES), ears.ends.put)

    air.connection.close()

    assert "the air is gone" in ears.ends.get(timeout=WITHIN_S)
    assert "the air is gone" in ears.failures.get(timeout=WITHIN_S)
    radio.start(ears.blocks.put, ears.failures.put)
    air.accept()
    assert b"N00000010" == air.told()
    assert ears.failures.empty()


def test_fake_radio_that_is_closed_ends_its_over_and_complains_of_nothing(
    radio: FakeRadio, air: Air, ears: Ears
) -> None:
    radio.play(bytes(BLOCK_BYTES), ears.ends.put)

    radio.close()

    assert ears.ends.get(timeout=WITHIN_S)
    assert ears.failures.empty()
