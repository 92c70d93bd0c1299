"""A sound modem on the bench: joined to an air of its own, with a codec that only pretends."""

from __future__ import annotations

import threading
from array import array
from collections.abc import Callable

from node.core.air import BLOCK_BYTES, Mode
from node.core.events import OverStarted
from node.net.radio.direwolf import PEAK
from node.net.radio.errors import EncodeStopped
from node.net.radio.over import silence
from node.net.radio.sound_modem import SoundModem
from tests.support.radio_air import Air, AirRadio
from tests.support.radio_rig import Ear, NoPhrases, OnePhrase, await_so
from wire.ids import NodeId

BURST = array("h", [PEAK, -PEAK] * (5 * BLOCK_BYTES // 4)).tobytes()
"""A tenth of a second."""


class PretendedCodec:
    """A codec whose bursts say nothing and who hears what it is told to."""

    def __init__(
        self,
        node: NodeId,
        on_frame: Callable[[bytes], None],
        on_rejected: Callable[[str], None],
        is_closing: Callable[[], bool],
    ) -> None:
        self.burst = BURST
        self.problem: str | None = None
        self.problems: tuple[str, ...] = ()
        self.is_proven = True
        self.pids: dict[Mode, int] = {}
        self.encode_problem: Exception | None = None
        self.is_slow = False
        self.has_begun = threading.Event()
        self.fed = 0
        self.is_closed = False

    def descriptors(self) -> list[int]:
        return []

    def step(self, now_ms: int, *, is_quiet: bool) -> int:
        return now_ms + 1_000

    def feed(self, block: bytes) -> None:
        self.fed += 1

    def collect(self) -> None:
        """It hears nothing."""

    def encode(self, mode: Mode, frames: tuple[bytes, ...], is_stopped: Callable[[], bool]) -> bytes:
        self.has_begun.set()
        while self.is_slow:
            if is_stopped():
                raise EncodeStopped
            threading.Event().wait(0.005)
        if self.encode_problem is not None:
            raise self.encode_problem
        return len(frames) * self.burst

    def close(self) -> None:
        self.is_closed = True


class Bench:
    """One modem and what it is joined to."""

    def __init__(self, air: Air, phrases: NoPhrases | OnePhrase | None = None) -> None:
        self.air = air
        self.radio: AirRadio = air.radios[0]
        self.ear = Ear()
        self.modem = SoundModem(
            self.radio,
            self.radio,
            phrases or NoPhrases(),
            node=NodeId(0x10),
            squelch_dbfs=-45,
            offer=self.ear.offer,
            put=self.ear,
        )
        codec = self.modem._codec
        assert isinstance(codec, PretendedCodec)
        self.codec = codec

    def start(self) -> None:
        self.modem.start()
        await_so(lambda: self.codec.fed > 2)

    def transmit(self, over: int = 1, bursts: tuple[bytes, ...] = (b"x",), phrase: str | None = None) -> None:
        self.modem.transmit(over, bursts, Mode.IL2P_1200, phrase)

    def keep_the_air(self) -> None:
        """By an over that lasts longer than a test may have to wait for its turn."""
        self.codec.burst = silence(20_000)
        self.air.speed = 0.5
        self.transmit()
        self.ear.wait_until(lambda _: self.ear.of(OverStarted) != [])
