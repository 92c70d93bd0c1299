"""The TNC's driver against a pseudo-terminal that plays the TNC (N9, N10)."""

from __future__ import annotations

import os
import select
import time
import tty
from collections.abc import Iterator
from functools import partial

import pytest

from node.core.air import KEY_UP_MS, Mode, burst_ms
from node.core.controls import Part
from node.core.events import (
    ChannelChanged,
    Event,
    FrameReceived,
    InputRejected,
    OverEnded,
    OverFailed,
    OverStarted,
    PartFailed,
    PartRecovered,
)
from node.net.radio import kiss_tnc
from node.net.radio.ax25 import decode_ui, encode_ui
from node.net.radio.kiss import Command, KissFrame, KissReader, encode_kiss
from node.net.radio.kiss_tnc import KissTnc
from tests.support.event_recorder import EventRecorder
from wire.ids import NodeId
from wire.kinds import Path

NODE = NodeId(0x10)
PATIENCE_S = 60.0


class Tnc:
    """The far end of the line."""

    def __init__(self) -> None:
        self.line, slave = os.openpty()
        tty.setraw(slave)
        self.path = os.ttyname(slave)
        self._slave = slave
        self._reader = KissReader()
        self._frames: list[KissFrame] = []
        self.is_plugged = True

    def next(self, count: int) -> list[KissFrame]:
        """The next so many frames that the driver sent."""
        deadline_s = time.monotonic() + PATIENCE_S
        while len(self._frames) < count:
            assert select.select([self.line], [], [], deadline_s - time.monotonic())[0], self._frames
            self._frames += self._reader.feed(os.read(self.line, 4096))
        taken, self._frames = self._frames[:count], self._frames[count:]
        return taken

    def say(self, data: bytes) -> None:
        os.write(self.line, data)

    def unplug(self) -> None:
        if self.is_plugged:
            self.is_plugged = False
            os.close(self._slave)
            os.close(self.line)


def has_ended(over: int, events: list[Event]) -> bool:
    return any(isinstance(event, OverEnded) and event.over == over for event in events)


class Queue(EventRecorder):
    """The loop's queue."""

    def offer(self, event: Event, waiting_max: int, _size_bytes: int = 0) -> bool:
        assert waiting_max > 0
        self(event)
        return True


@pytest.fixture(autouse=True)
def _busy_machine_is_no_thread_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kiss_tnc, "_CLOSE_S", PATIENCE_S)


@pytest.fixture
def tnc() -> Iterator[Tnc]:
    tnc = Tnc()
    yield tnc
    tnc.unplug()


@pytest.fixture
def told() -> Queue:
    return Queue()


@pytest.fixture
def radio(tnc: Tnc, told: Queue) -> Iterator[KissTnc]:
    radio = KissTnc(tnc.path, 9600, node=NODE, offer=told.offer, put=told)
    radio.start()
    yield radio
    radio.close()


SETTINGS = [
    KissFrame(0, Command.TXDELAY, bytes((KEY_UP_MS // 10,))),
    KissFrame(0, Command.PERSISTENCE, b"\xff"),
    KissFrame(0, Command.SLOTTIME, b"\x00"),
    KissFrame(0, Command.TXTAIL, b"\x01"),
    KissFrame(0, Command.FULLDUPLEX, b"\x00"),
]


def test_tnc_is_told_to_send_at_once(tnc: Tnc, radio: KissTnc) -> None:
    assert SETTINGS == tnc.next(len(SETTINGS))


def test_tnc_gets_the_bursts_back_to_back_and_its_over_is_as_long(tnc: Tnc, radio: KissTnc, told: Queue) -> None:
    tnc.next(len(SETTINGS))
    bursts = (b"a" * 89, b"\xc0\xdb" * 40)
    radio.transmit(5, bursts, Mode.IL2P_300, None)

    assert list(bursts) == [decode_ui(frame.payload) for frame in tnc.next(2)]
    told.wait_until(lambda events: any(isinstance(event, OverEnded) for event in events))
    started, ended = told.all
    assert OverStarted(5) == started
    assert isinstance(ended, OverEnded)
    assert ended.airtime_ms >= KEY_UP_MS + sum(burst_ms(Mode.IL2P_1200, len(burst)) for burst in bursts)


def test_tnc_hears_frames_among_garbage(tnc: Tnc, radio: KissTnc, told: Queue) -> None:
    tnc.next(len(SETTINGS))
    tnc.say(b"\xdb\x00garbage\xc0\x00\xdb!" + encode_kiss(Command.DATA, encode_ui(b"frame", NODE)))
    tnc.say(encode_kiss(Command.TXDELAY, b"1") + encode_kiss(Command.DATA, b"not AX.25, and not ours either"))
    reasons = {"kiss command", "ax25 not ours", "kiss"}
    told.wait_until(lambda _: {event.reason for event in told.of(InputRejected)} >= reasons)

    assert [FrameReceived(b"frame", None, Path.RADIO)] == told.of(FrameReceived)
    assert len(told.of(InputRejected)) == len(reasons)
    assert 1 == radio.dropped


def test_tnc_makes_the_channel_busy_for_a_moment_after_a_frame(tnc: Tnc, radio: KissTnc, told: Queue) -> None:
    tnc.next(len(SETTINGS))
    tnc.say(2 * encode_kiss(Command.DATA, b"somebody else's"))
    told.wait_for(ChannelChanged(is_busy=False))

    assert [ChannelChanged(is_busy=True), ChannelChanged(is_busy=False)] == told.of(ChannelChanged)


def test_tnc_that_cannot_speak_says_so_once(
    tnc: Tnc, radio: KissTnc, told: Queue, caplog: pytest.LogCaptureFixture
) -> None:
    tnc.next(len(SETTINGS))
    for over in (1, 2):
        radio.transmit(over, (b"x",), Mode.IL2P_1200, "attack")
        told.wait_until(partial(has_ended, over))

    assert 1 == sum("cannot speak" in record.message for record in caplog.records)


def test_tnc_unplugged_fails_the_over_and_is_told_once(
    tnc: Tnc, radio: KissTnc, told: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kiss_tnc, "_RETRY_MS", (600_000,))  # Tried again, it would say what is wrong now.
    tnc.next(len(SETTINGS))
    radio._baud = 50  # So slow a line that it is unplugged in the middle of the over on a busy machine, too.
    radio.transmit(1, (b"x" * 89,), Mode.IL2P_1200, None)
    told.wait_for(OverStarted(1))
    tnc.unplug()
    told.wait_until(lambda events: any(isinstance(event, PartFailed) for event in events))
    radio.transmit(2, (b"x" * 89,), Mode.IL2P_1200, None)
    told.wait_until(lambda events: len([e for e in events if isinstance(e, OverFailed)]) == 2)
    radio.close()

    assert [1, 2] == [event.over for event in told.of(OverFailed)]
    assert [Part.RADIO] == [event.part for event in told.of(PartFailed)]


def test_tnc_plugged_in_late_is_found(tnc: Tnc, told: Queue, tmp_path: os.PathLike[str]) -> None:
    port = os.path.join(tmp_path, "tnc")  # noqa: PTH118 - a link is what changes
    radio = KissTnc(port, 9600, node=NODE, offer=told.offer, put=told)
    radio.start()
    try:
        told.wait_until(lambda events: any(isinstance(event, PartFailed) for event in events))
        os.symlink(tnc.path, port)  # noqa: PTH211
        told.wait_for(PartRecovered(Part.RADIO))

        assert SETTINGS == tnc.next(len(SETTINGS))
    finally:
        radio.close()


def test_tnc_of_no_known_kind_is_a_fault_and_no_crash(told: Queue) -> None:
    radio = KissTnc("nonsense://x", 9600, node=NODE, offer=told.offer, put=told)
    radio.start()
    told.wait_until(lambda events: any(isinstance(event, PartFailed) for event in events))
    radio.transmit(1, (b"x",), Mode.IL2P_1200, None)
    told.wait_until(lambda events: any(isinstance(event, OverFailed) for event in events))
    radio.close()
    radio.close()


def test_tnc_closed_in_the_middle_of_an_over_ends_it_once(tnc: Tnc, radio: KissTnc, told: Queue) -> None:
    tnc.next(len(SETTINGS))
    radio.transmit(1, (b"x" * 89,), Mode.IL2P_1200, None)
    told.wait_for(OverStarted(1))
    radio.stop_over(1)
    radio.close()

    assert [1] == [event.over for event in told.of(OverFailed, OverEnded)]
