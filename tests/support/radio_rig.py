"""Two nodes' radios that hear one another, whatever drives them: what the contract of ``RadioPort`` is tested on."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from node.core.air import LADDER, Mode
from node.core.controls import Part
from node.core.events import ChannelChanged, Event, FrameReceived, OverEnded, OverFailed, OverStarted, PartRecovered
from node.net.radio.ax25 import encode_ui
from node.net.radio.direwolf import MODEMS, DireWolf
from node.net.radio.kiss_tnc import KissTnc
from node.net.radio.ports import RadioPort
from node.net.radio.sound_modem import SoundModem
from tests.support.direwolf_tnc import TncPair
from tests.support.event_recorder import EventRecorder
from tests.support.radio_air import Air
from wire.ids import NodeId

NODES = (NodeId(0x10), NodeId(0x11))
SQUELCH_DBFS = -45.0
FAST, SLOW = 4.0, 0.1

_GREETINGS = tuple(b"greeting %d" % number for number in range(30))
_GREETED_WITHIN_S = 5.0


class NoPhrases:
    """A phrase book in which none is set."""

    def start(self) -> None:
        """None is missing."""

    def prepare(self, phrase: str) -> None:
        """None is made."""

    def samples(self, phrase: str) -> bytes | None:
        del phrase
        return None


class OnePhrase:
    """The same sentence for every phrase."""

    def __init__(self, samples: bytes) -> None:
        self._samples = samples

    def start(self) -> None:
        """None is missing."""

    def prepare(self, phrase: str) -> None:
        """None is made."""

    def samples(self, phrase: str) -> bytes | None:
        del phrase
        return self._samples


class Ear(EventRecorder):
    """One node's queue, which may be full.

    Attributes:
        refused: what it had no room for.
    """

    def __init__(self) -> None:
        super().__init__()
        self.is_full = False
        self.refused = EventRecorder()

    def offer(self, event: Event, waiting_max: int, _size_bytes: int = 0) -> bool:
        assert waiting_max > 0
        if self.is_full:
            self.refused(event)
            return False
        self(event)
        return True

    def has_heard(self, frame: bytes, within_s: float) -> bool:
        """Whether the frame has come, or comes within that time."""
        with self._changed:
            return self._changed.wait_for(
                lambda: any(getattr(event, "data", b"") == frame for event in self._events), within_s
            )

    def forget(self) -> None:
        """All that came so far."""
        with self._changed:
            self._events.clear()

    @property
    def frames(self) -> list[bytes]:
        return [event.data for event in self.of(FrameReceived)]

    def wait_for_frames(self, *frames: bytes) -> None:
        self.wait_until(lambda _: len(self.frames) >= len(frames))
        assert list(frames) == self.frames

    def wait_for_end(self, over: int) -> OverEnded | OverFailed:
        self.wait_until(lambda _: self.ends(over) != [])
        (end,) = self.ends(over)
        return end

    def ends(self, over: int) -> list[OverEnded | OverFailed]:
        return [event for event in self.of(OverEnded, OverFailed) if event.over == over]

    def starts(self, over: int) -> int:
        return self.all.count(OverStarted(over))


class Rig(ABC):
    """Two radios.

    Attributes:
        radios: started.
        ears: of each.
        can_stop: an over can be taken back.
        modes: that it can choose.
        modem_part: what counts as broken when :meth:`kill_modem` has killed one.
    """

    can_stop = True
    modem_part = Part.RADIO
    modes: tuple[Mode, ...] = LADDER

    def __init__(self) -> None:
        self.radios: list[RadioPort] = []
        self.ears = [Ear(), Ear()]

    @abstractmethod
    def say(self, samples: bytes) -> None:
        """Both hear it, from somebody else."""

    @abstractmethod
    def kill_modem(self) -> None:
        """A modem of the first radio dies; of several, the one that everybody speaks first."""

    def was_cut_short(self, number: int) -> bool:
        """Whether that radio has ever been kept from playing an over to its end."""
        del number
        return False

    @abstractmethod
    def wait_ready(self) -> None:
        """Both hear."""

    @contextlib.contextmanager
    def long_overs(self) -> Iterator[None]:
        """An over that begins meanwhile lasts longer than a test may have to wait for its turn."""
        yield

    def close(self) -> None:
        for radio in self.radios:
            radio.close()


class SoundRig(Rig):
    """Sound modems on a common air."""

    modem_part = Part.MODEM  # the others carry on

    def __init__(self) -> None:
        super().__init__()
        self.air = Air(len(NODES), speed=FAST)
        for node, on_air, ear in zip(NODES, self.air.radios, self.ears, strict=True):
            self.radios.append(
                SoundModem(on_air, on_air, NoPhrases(), node=node, squelch_dbfs=SQUELCH_DBFS, offer=ear.offer, put=ear)
            )
        for radio in self.radios:
            radio.start()

    def say(self, samples: bytes) -> None:
        self.air.say(samples)

    def kill_modem(self) -> None:
        os.kill(self.pids(0)[Mode.IL2P_1200], signal.SIGKILL)

    def pids(self, number: int) -> dict[Mode, int]:
        modem = self.radios[number]
        assert isinstance(modem, SoundModem)
        return modem.modem_pids

    def was_cut_short(self, number: int) -> bool:
        return "flush" in self.air.radios[number].calls

    def wait_ready(self) -> None:
        await_so(lambda: all(radio.is_ready for radio in self.radios if isinstance(radio, SoundModem)))

    @contextlib.contextmanager
    def long_overs(self) -> Iterator[None]:
        """A minute instead of a second; blocks still come more often than a device that is lost would send them."""
        self.air.speed = SLOW
        yield
        self.air.speed = FAST

    def close(self) -> None:
        super().close()
        self.air.close()


class TncRig(Rig):
    """Drivers of two TNCs, each a Dire Wolf behind its KISS port."""

    can_stop = False
    modes = (Mode.IL2P_1200,)

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.pair = TncPair(folder)
        for node, tnc, ear in zip(NODES, self.pair.tncs, self.ears, strict=True):
            self.radios.append(KissTnc(tnc.url, 9600, node=node, offer=ear.offer, put=ear))
        for radio in self.radios:
            radio.start()

    def say(self, samples: bytes) -> None:
        self.pair.say(samples)

    def kill_modem(self) -> None:
        self.pair.tncs[0].kill()
        self.ears[0].wait_until(lambda events: any("tnc" in getattr(event, "detail", "") for event in events))
        self.pair.tncs[0].start()

    def wait_ready(self) -> None:
        """A TNC keeps nothing that it heard before its driver was connected, so a stranger is heard first."""
        for frame in _GREETINGS:
            self.say(_greeting(frame))
            if all(ear.has_heard(frame, _GREETED_WITHIN_S) for ear in self.ears):
                for ear in self.ears:
                    # Each greeting that an ear has heard is followed by one of these, and the last may be late.
                    ear.wait_until(is_clear)
                    ear.forget()
                return
        raise TimeoutError("a TNC or its driver is deaf")

    def close(self) -> None:
        super().close()
        self.pair.close()


def burst_of(frame: bytes, mode: Mode = Mode.IL2P_1200, destination: str = "WLINK1") -> bytes:
    """The samples of a stranger's burst."""
    modem = next(modem for modem in MODEMS if modem.mode == mode)
    child = DireWolf(modem)
    try:
        child.await_listening(lambda: False)
        return child.encode((encode_ui(frame, NODES[0], destination),), modem.bytes_min((frame,)), lambda: False)
    finally:
        child.close()


@cache
def _greeting(frame: bytes) -> bytes:
    return burst_of(frame)


def await_so(is_so: object, patience_s: float = 120.0) -> None:
    """Wait until it is."""
    assert callable(is_so)
    deadline_s = time.monotonic() + patience_s
    while not is_so():
        assert time.monotonic() < deadline_s
        time.sleep(0.01)


def is_clear(events: list[Event]) -> bool:
    """Every carrier that was heard is gone."""
    busy, clear = ChannelChanged(is_busy=True), ChannelChanged(is_busy=False)
    return events.count(busy) == events.count(clear)


def has_recovered(events: list[Event]) -> bool:
    """The radio works again."""
    return any(isinstance(event, PartRecovered) for event in events)
