"""All modes at once: one Dire Wolf per mode of sending, kept alive, proven and restarted.

The one that sends 1200 baud IL2P also hears every 1200 baud mode; the one that sends 300 baud hears that. A child is
proven when it starts and every few minutes while nobody speaks: it encodes a probe, gets the samples back and must
decode them, much faster than real time.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Final

from msgspec import Struct, field

from node.core.air import LADDER, Mode
from node.net.radio.ax25 import PROBE_DESTINATION, decode_ui, encode_ui
from node.net.radio.direwolf import MODEMS, STOP_LOOK_MS, DireWolf, Modem
from node.net.radio.errors import Ax25DecodeError, CodecError, EncodeStopped
from node.net.radio.health import words
from node.net.radio.ports import BLOCK_BYTES
from runtime.monotonic import monotonic_ms
from wire.ids import NodeId

logger = logging.getLogger(__name__)

PROBE_EVERY_MS: Final = 300_000
_PROBE_AFTER_OVER_MS: Final = 60_000
_PROBE_BYTES: Final = 8
_PROBE_MS_MAX: Final = 2_000
_AFTER_PROBE: Final = bytes(5 * BLOCK_BYTES)
"""Silence that lets the decoder finish."""
_BACKOFF_MS: Final = (0, 1_000, 2_000, 5_000, 10_000, 30_000)
_STEP_MS: Final = 50
_STEADY_MS: Final = 60_000
"""After a life this long a death counts as the first again."""
_ENCODER_BUSY_MS_MAX: Final = 50
"""A longer wait would take longer than starting a new child."""
_ECHO_MS: Final = 2_000
"""The same frame heard again within this is the same burst, decoded twice."""
_ECHOES_MAX: Final = 32


class _Slot(Struct):
    """A mode and its child.

    Attributes:
        child: ``None`` while there is none.
        problem: of the last child, until one is proven.
        is_proven: this child has decoded its own probe.
        deaths: in a row.
        started_ms: when it was started.
        due_ms: when to start it or, while it runs, to prove it.
    """

    modem: Modem
    child: DireWolf | None = None
    problem: str | None = None
    is_proven: bool = False
    deaths: int = 0
    started_ms: int = 0
    due_ms: int = 0


class _Echoes(Struct):
    """Frames heard just now."""

    heard: OrderedDict[bytes, int] = field(default_factory=OrderedDict)

    def is_new(self, frame: bytes, now_ms: int) -> bool:
        digest = hashlib.blake2b(frame, digest_size=16).digest()
        last_ms = self.heard.pop(digest, None)
        self.heard[digest] = now_ms
        if len(self.heard) > _ECHOES_MAX:
            self.heard.popitem(last=False)
        return last_ms is None or now_ms - last_ms > _ECHO_MS


class Codec:
    """Encodes and decodes. Used by one thread, which also keeps it alive by :meth:`step`."""

    def __init__(
        self,
        node: NodeId,
        on_frame: Callable[[bytes], None],
        on_rejected: Callable[[str], None],
        is_closing: Callable[[], bool] = lambda: False,
    ) -> None:
        """Nothing runs before the first :meth:`step`.

        Args:
            node: ours; its callsign is in our bursts.
            on_frame: takes each frame heard, once, during :meth:`collect`.
            on_rejected: takes the reason why something heard is not a frame.
            is_closing: called now and then; true = start and prove no child any more.
        """
        self._node = node
        self._on_frame = on_frame
        self._on_rejected = on_rejected
        self._is_closing = is_closing
        self._slots = {modem.mode: _Slot(modem) for modem in MODEMS}
        self._echoes = _Echoes()

    @property
    def problem(self) -> str | None:
        """Why no mode works; ``None`` = at least one does.

        A mode that does not work only costs its rung of the ladder: see :meth:`encode` and :attr:`problems`.
        """
        problem = self._slots[LADDER[0]].problem
        return f"{LADDER[0]}: {problem}" if problem and all(slot.problem for slot in self._slots.values()) else None

    @property
    def problems(self) -> tuple[str, ...]:
        """Everything that does not work."""
        return tuple(f"{mode}: {slot.problem}" for mode, slot in self._slots.items() if slot.problem)

    @property
    def is_proven(self) -> bool:
        """Every child has decoded its own probe."""
        return all(slot.is_proven for slot in self._slots.values())

    @property
    def pids(self) -> dict[Mode, int]:
        """Process ids of the running children."""
        return {mode: slot.child.pid for mode, slot in self._slots.items() if slot.child is not None}

    def descriptors(self) -> list[int]:
        """Readable when :meth:`collect` may have something."""
        return [child.kiss_descriptor for child in self._receivers()]

    def step(self, now_ms: int, *, is_quiet: bool) -> int:
        """Look after the children; returns when to call again at the latest.

        Args:
            now_ms: the monotonic clock.
            is_quiet: nobody is on the air, so a probe cannot spoil a frame being received.
        """
        for slot in self._slots.values():
            self._look_after(slot, now_ms, is_quiet=is_quiet)
        return min(max(slot.due_ms, now_ms + _STEP_MS) for slot in self._slots.values())

    def feed(self, block: bytes) -> None:
        """Pass received audio to the children; never waits."""
        for slot in self._slots.values():
            if slot.child is not None and slot.child.has_begun and self._listens(slot):
                slot.child.feed(block)

    def collect(self) -> None:
        """Pass on decoded frames; never waits."""
        for child in self._receivers():
            for ax25 in child.received():
                self._take(ax25)

    def encode(self, mode: Mode, frames: tuple[bytes, ...], is_stopped: Callable[[], bool]) -> bytes:
        """The samples of one piece of audio with all bursts, in order; within twice ``ENCODE_MS_MAX`` per mode.

        A child that fails is replaced once and asked again: a press must not wait for the next over. A mode that does
        not work is replaced by the next rung that does, or else by a lower one.

        Raises:
            CodecError: it could not be done.
            EncodeStopped: ``is_stopped`` returned true.
        """
        at = LADDER.index(mode)
        rungs = (mode, *LADDER[at + 1 :], *reversed(LADDER[:at]))
        first: CodecError | None = None
        for rung in sorted(rungs, key=lambda rung: self._slots[rung].problem is not None):
            try:
                return self._encode(rung, frames, is_stopped)
            except EncodeStopped:
                raise
            except CodecError as e:
                first = first or e
        assert first is not None
        raise first

    def _encode(self, mode: Mode, frames: tuple[bytes, ...], is_stopped: Callable[[], bool]) -> bytes:
        slot = self._slots[mode]
        ax25 = tuple(encode_ui(frame, self._node) for frame in frames)
        least_bytes = slot.modem.bytes_min(frames)
        for is_last in (False, True):
            try:
                child = self._ready_to_encode(slot)
                child.await_listening(is_stopped)
                samples = child.encode(ax25, least_bytes, is_stopped)
            except EncodeStopped:
                self._replace(slot)
                raise
            except OSError as e:
                self._lost(slot, words(e), monotonic_ms())
                if is_last:
                    raise CodecError(slot.problem) from e
            else:
                if slot.problem is None:
                    # Proof enough for now: a probe would keep it busy just before the next over.
                    slot.is_proven = True
                    slot.due_ms = monotonic_ms() + _PROBE_AFTER_OVER_MS
                return samples
        raise AssertionError

    def close(self) -> None:
        """End all children."""
        for slot in self._slots.values():
            self._end(slot)

    def _receivers(self) -> Iterator[DireWolf]:
        return (slot.child for slot in self._slots.values() if slot.child is not None and self._listens(slot))

    def _listens(self, slot: _Slot) -> bool:
        """Whether this child receives for its baud rate: its receiver, or another if that is gone."""
        if slot.modem.is_receiver:
            return True
        return not any(
            other.child is not None and other.modem.is_receiver and other.modem.baud == slot.modem.baud
            for other in self._slots.values()
        )

    def _look_after(self, slot: _Slot, now_ms: int, *, is_quiet: bool) -> None:
        if self._is_closing():
            return
        if slot.child is not None:
            ended = slot.child.exit_detail()
            if ended is None and slot.child.is_stuck:
                ended = "Dire Wolf has stopped to listen"
            if ended is not None:
                self._lost(slot, ended, now_ms)
            elif now_ms >= slot.due_ms and (is_quiet or not slot.is_proven) and now_ms >= slot.child.busy_until_ms:
                self._prove_if_listening(slot)
        if slot.child is None and now_ms >= slot.due_ms:
            try:
                self._start(slot)
            except OSError as e:
                self._lost(slot, words(e), monotonic_ms())

    def _start(self, slot: _Slot) -> DireWolf:
        slot.child = DireWolf(slot.modem)
        slot.is_proven = False
        slot.started_ms = monotonic_ms()
        slot.due_ms = slot.started_ms
        return slot.child

    def _prove_if_listening(self, slot: _Slot) -> None:
        assert slot.child is not None
        try:
            is_listening = slot.child.is_listening()
        except CodecError as e:
            self._lost(slot, str(e), monotonic_ms())
            return
        if is_listening:
            self._prove(slot)

    def _prove(self, slot: _Slot) -> None:
        """Encode a probe and decode it: only then does the child count as working."""
        assert slot.child is not None
        nonce = os.urandom(_PROBE_BYTES)
        ax25 = encode_ui(nonce, self._node, PROBE_DESTINATION)
        try:
            samples = slot.child.encode((ax25,), slot.modem.bytes_min((nonce,)), self._is_closing)
            slot.child.feed_patiently(samples + _AFTER_PROBE, _PROBE_MS_MAX, self._is_closing)
            self._await_probe(slot.child, nonce)
        except EncodeStopped:
            return
        except OSError as e:
            self._lost(slot, words(e), monotonic_ms())
            return
        slot.due_ms = monotonic_ms() + PROBE_EVERY_MS
        slot.problem = None
        if not slot.is_proven:
            slot.is_proven = True
            logger.info("modem %s works", slot.modem.mode, extra={"pid": slot.child.pid})

    def _await_probe(self, child: DireWolf, nonce: bytes) -> None:
        end_ms = monotonic_ms() + _PROBE_MS_MAX
        while (left_ms := end_ms - monotonic_ms()) > 0:
            if self._is_closing():
                raise EncodeStopped
            for ax25 in child.wait_received(min(left_ms, STOP_LOOK_MS)):
                if _is_probe(ax25, nonce):
                    return
                self._take(ax25)
        raise CodecError("Dire Wolf does not hear its own probe")

    def _ready_to_encode(self, slot: _Slot) -> DireWolf:
        if slot.child is not None and slot.child.exit_detail() is not None:
            self._end(slot)
        if slot.child is not None and slot.child.busy_until_ms - monotonic_ms() > _ENCODER_BUSY_MS_MAX:
            self._end(slot)
        return slot.child or self._start(slot)

    def _replace(self, slot: _Slot) -> None:
        self._end(slot)
        slot.due_ms = 0

    def _lost(self, slot: _Slot, detail: str, now_ms: int) -> None:
        self._end(slot)
        slot.deaths = 1 if now_ms - slot.started_ms > _STEADY_MS else slot.deaths + 1
        slot.due_ms = now_ms + _BACKOFF_MS[min(slot.deaths, len(_BACKOFF_MS)) - 1]
        if detail != slot.problem:  # a missing program is not reported every half minute for ever
            logger.warning("modem %s: %s", slot.modem.mode, detail)
        slot.problem = detail

    @staticmethod
    def _end(slot: _Slot) -> None:
        child, slot.child = slot.child, None
        if child is not None:
            child.close()

    def _take(self, ax25: bytes) -> None:
        try:
            frame = decode_ui(ax25)
        except Ax25DecodeError as e:
            self._on_rejected(str(e))
            return
        if self._echoes.is_new(frame, monotonic_ms()):
            self._on_frame(frame)


def _is_probe(ax25: bytes, nonce: bytes) -> bool:
    try:
        return decode_ui(ax25, PROBE_DESTINATION) == nonce
    except Ax25DecodeError:
        return False
