"""The sound device between node and radio, always open: it records all the time, and plays silence or an over.

The device's own clock is the only one here: at every arriving block the player is topped up. Bytes written less bytes
still in the pipe show, to a block, what has left the device, so that nothing is unkeyed before its last sample,
whatever buffers the device has.
"""

from __future__ import annotations

import array
import fcntl
import logging
import os
import select
import termios
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from msgspec import Struct

from node.core.air import BLOCK_BYTES, BLOCK_MS, RATE_HZ
from node.hw.radio.alsa import PERIOD_MS, SoundDeviceError, SoundProgram

SILENCE_AHEAD_BYTES: Final = 2 * BLOCK_BYTES
"""In the pipe between overs: enough for a late thread, and little delay before an over."""
_PLAYER_HOLDS_BYTES: Final = 2 * RATE_HZ * PERIOD_MS // 1000
_OPEN_WITHIN_MS: Final = 5_000
_QUIET_MAX_MS: Final = 2_000
"""A device that gives or takes nothing for this long is lost."""
_STUCK_BLOCKS: Final = _QUIET_MAX_MS // BLOCK_MS
_JOIN_S: Final = 1.0
_log: Final = logging.getLogger(__name__)


class SoundFigures(Struct, frozen=True):
    """Figures of the device.

    Attributes:
        start_ms: how long the last over's first sample took to leave the device, by the device's clock; to a block.
        gaps: how often the device ran dry during an over since it was opened. A burst with a gap is not decoded.
        ring_ms: the device's buffer.
    """

    start_ms: int
    gaps: int
    ring_ms: int


class SoundDevice:
    """A full-duplex sound device, as ``AudioPort`` of :mod:`node.net.radio.ports`. Any thread may call.

    Args:
        input_name, output_name: ALSA names; ``default``, or better ``plughw:…``.

    Raises:
        SoundDeviceError: from :meth:`start` and :meth:`play`; an ``OSError``.
    """

    def __init__(self, input_name: str, output_name: str) -> None:
        self._input_name = input_name
        self._output_name = output_name
        self._lock = threading.Lock()
        self._stream: _Stream | None = None

    def start(self, on_block: Callable[[bytes], None], on_failed: Callable[[str], None]) -> None:
        """Open both directions; returns once sound flows. May be called again after ``on_failed``."""
        with self._lock:
            if self._stream is not None and not self._stream.is_over:
                raise SoundDeviceError("the sound device is open already")
            self._stream = _Stream(self._input_name, self._output_name, on_block, on_failed)

    def play(self, samples: bytes, on_end: Callable[[str], None]) -> None:
        """Play at once; ``on_end("")`` when the last sample has left the device."""
        self._running().play(samples, on_end)

    def flush(self) -> None:
        """Stop playing now. What the device has buffered, at most its ring, is still played."""
        with self._lock:
            stream = self._stream
        if stream is not None:
            stream.flush()

    def figures(self) -> SoundFigures:
        """Figures since the device was opened.

        Raises:
            SoundDeviceError: it is not open.
        """
        return self._running().figures()

    def close(self) -> None:
        """Release the device. Idempotent."""
        with self._lock:
            stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()

    def _running(self) -> _Stream:
        with self._lock:
            if self._stream is None or self._stream.is_over:
                raise SoundDeviceError("the sound device does not run")
            return self._stream


class _Over:
    """An over being played. ``start`` and ``end`` are positions in the stream of bytes written to the player."""

    def __init__(self, samples: bytes, on_end: Callable[[str], None], start: int, gaps: int) -> None:
        self.left = memoryview(samples[: len(samples) & ~1])
        self.on_end = on_end
        self.start = start
        self.end = start + len(self.left)
        self.blocks = 0
        self.gaps_before = gaps
        self.has_started = False


class _Stream:
    """One life of the device, from its opening to its loss."""

    def __init__(
        self,
        input_name: str,
        output_name: str,
        on_block: Callable[[bytes], None],
        on_failed: Callable[[str], None],
    ) -> None:
        self._on_block = on_block
        self._on_failed = on_failed
        self._lock = threading.Lock()
        self._over: _Over | None = None
        self._written = 0
        self._taken = 0
        self._blocks_stuck = 0
        self._start_ms = 0
        self._gaps = 0
        self._partial = b""
        self.is_over = False
        recorded, recorder_out = os.pipe()
        player_in, played = os.pipe()
        self._recorded, self._played = recorded, played
        # Our own access to the player's end, to withdraw what it has not read; reopened, because a duplicate would
        # share its blocking mode with the player.
        self._unplayed = os.open(f"/proc/self/fd/{player_in}", os.O_RDONLY | os.O_NONBLOCK)
        os.set_blocking(recorded, False)
        os.set_blocking(played, False)
        self._programs: list[SoundProgram] = []
        try:
            try:
                self._recorder = self._run(SoundProgram("input", input_name, recorder_out))
                self._player = self._run(SoundProgram("output", output_name, player_in))
            finally:
                os.close(recorder_out)
                os.close(player_in)
            self._await_flow()
        except BaseException:
            self._release()
            raise
        self._listener = threading.Thread(target=self._listen, name="sound", daemon=True)
        self._listener.start()

    # -- from any thread ------------------------------------------------------------------------------------------

    def play(self, samples: bytes, on_end: Callable[[str], None]) -> None:
        with self._lock:
            if self.is_over:
                raise SoundDeviceError("the sound device does not run")
            if self._over is not None:
                raise SoundDeviceError("the sound device plays another over already")
            if self._player.has_ended:
                raise SoundDeviceError(self._player.why_ended())
            self._over = _Over(samples, on_end, self._written, self._player.gaps)
            self._write()

    def flush(self) -> None:
        with self._lock:
            over, self._over = self._over, None
            if over is None or self.is_over:
                return
            with suppress(BlockingIOError):  # the pipe is empty
                while True:
                    self._written -= len(os.read(self._unplayed, 1 << 16))
        over.on_end("flushed")

    def figures(self) -> SoundFigures:
        with self._lock:
            return SoundFigures(self._start_ms, self._gaps, 1000 * self._player.ring_bytes // (2 * RATE_HZ))

    def close(self) -> None:
        self._end("the sound device was closed", is_told=False)
        if self._listener is not threading.current_thread():
            self._listener.join(_JOIN_S)

    # -- the device's thread --------------------------------------------------------------------------------------

    def _listen(self) -> None:
        reason = "the sound device's thread failed"
        try:
            reason = self._flow()
        finally:
            self._end(reason, is_told=True)
            self._release()

    def _flow(self) -> str:
        """Run block by block until the device is lost or closed; returns why."""
        while not self.is_over:
            block, reason = self._read_block(_QUIET_MAX_MS)
            reason = reason or self._tick()
            if reason:
                return reason
            if not self.is_over:
                self._on_block(block)
        return ""

    def _read_block(self, within_ms: int) -> tuple[bytes, str]:
        """The next block, or why there is none."""
        poll = select.poll()
        poll.register(self._recorded, select.POLLIN)
        while len(self._partial) < BLOCK_BYTES:
            if not poll.poll(within_ms):
                return b"", f'sound input "{self._recorder.device}" has stopped giving sound'
            more = os.read(self._recorded, BLOCK_BYTES - len(self._partial))
            if not more:
                return b"", "" if self.is_over else self._recorder.why_ended()
            self._partial += more
        block, self._partial = self._partial, b""
        return block, ""

    def _tick(self) -> str:
        """Feed the player and check its progress; returns why the device is lost, or ``""``."""
        ended: _Over | None = None
        with self._lock:
            if self.is_over:
                return ""
            if self._player.has_ended:
                return self._player.why_ended()
            self._write()
            taken = self._written - self._in_pipe()
            self._blocks_stuck = self._blocks_stuck + 1 if taken == self._taken else 0
            self._taken = taken
            if self._blocks_stuck > _STUCK_BLOCKS:
                return f'sound output "{self._player.device}" has stopped taking sound'
            ended = self._progress()
        if ended is not None:
            ended.on_end("")
        return ""

    def _progress(self) -> _Over | None:
        """Compare what has left the device with the over; returns it once its last sample has."""
        over = self._over
        if over is None:
            return None
        over.blocks += 1
        left_device = self._taken - _PLAYER_HOLDS_BYTES - self._player.ring_bytes
        if not over.has_started and left_device >= over.start:
            over.has_started = True
            self._start_ms = over.blocks * BLOCK_MS
        if over.left or left_device < over.end:
            return None
        self._over = None
        if gaps := self._player.gaps - over.gaps_before:
            self._gaps += gaps
            _log.warning("the sound device ran dry %d times during an over: a burst with a gap is not decoded", gaps)
        return over

    # -- inside ---------------------------------------------------------------------------------------------------

    def _write(self) -> None:
        """Write as much of the over as the pipe takes, then silence."""
        over = self._over
        while over is not None and over.left:
            try:
                count = os.write(self._played, over.left)
            except BlockingIOError:
                return
            self._written += count
            over.left = over.left[count:]
        missing = SILENCE_AHEAD_BYTES - self._in_pipe()
        if missing > 0:
            with suppress(BlockingIOError):
                self._written += os.write(self._played, bytes(missing))

    def _in_pipe(self) -> int:
        count = array.array("i", [0])
        fcntl.ioctl(self._played, termios.FIONREAD, count)
        return count[0]

    def _run(self, program: SoundProgram) -> SoundProgram:
        self._programs.append(program)
        return program

    def _await_flow(self) -> None:
        """Wait until both directions are open and the first block has arrived."""
        poll = select.poll()
        poll.register(self._recorded, select.POLLIN)
        for _ in range(_OPEN_WITHIN_MS // BLOCK_MS):
            for program in self._programs:
                if program.has_ended:
                    raise SoundDeviceError(program.why_ended())
            self._write()
            # It always waits for a block, so the count above measures time.
            is_open = all(program.wait_open(BLOCK_MS) for program in self._programs)
            if is_open and poll.poll(BLOCK_MS):
                return
        missing = next((program for program in self._programs if not program.has_opened), self._recorder)
        raise SoundDeviceError(f'sound {missing.direction} "{missing.device}" is there, but does not run')

    def _end(self, reason: str, *, is_told: bool) -> None:
        with self._lock:
            if self.is_over:
                return
            self.is_over = True
            over, self._over = self._over, None
        for program in self._programs:
            program.stop()
        if over is not None:
            over.on_end(reason)
        if is_told:
            self._on_failed(reason)

    def _release(self) -> None:
        for program in self._programs:
            program.stop()
        with self._lock:
            self.is_over = True
            for descriptor in (self._recorded, self._played, self._unplayed):
                with suppress(OSError):
                    os.close(descriptor)
