"""One Dire Wolf child as a codec: frames in, samples of a burst out; samples in, frames out. It never sees a radio.

Everything goes through descriptors that the child inherits, so there is no port that others can reach, no folder to
keep private, and nothing left behind by a killed node:

- received samples: its standard input, a pipe. When this program ends, for any reason, so does the pipe, and Dire Wolf
  ends at the end of its input: within about a millisecond, even after ``kill -9``. Nothing else holds the other end.
- KISS: a pseudo-terminal, which it takes for the serial line to a host.
- samples of a burst: ALSA's ``file`` plugin over its ``null`` device, into a pipe.
- its configuration and ALSA's: anonymous files in memory.

Frames written in one go come out as one piece of audio: one preamble, then burst after burst. It is ready after
10–30 ms, but for the length of the piece Dire Wolf believes that it is transmitting, and begins no other:
:attr:`DireWolf.busy_until_ms`. With ``FULLDUP`` it still receives meanwhile. SPEECH, DIGIPEAT and the like stay off:
the first passes text from the air to a shell.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import math
import os
import select
import shutil
import subprocess
import termios
import time
import tty
from array import array
from collections import deque
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from node.core.air import Mode
from node.core.radio.levels import FULL_SCALE, SPEECH_RMS_DBFS, ratio
from node.net.radio.errors import CodecError, EncodeStopped
from node.net.radio.kiss import Command, KissReader, encode_kiss
from node.net.radio.ports import BLOCK_BYTES, RATE_HZ
from runtime.monotonic import monotonic_ms

logger = logging.getLogger(__name__)

ENCODE_MS_MAX: Final = 2_000
BURST_RATIO: Final = ratio(SPEECH_RMS_DBFS) * math.sqrt(2)
"""Peak of a burst to full scale, which is Dire Wolf's own. A burst is as loud as a sentence."""
PEAK: Final = math.ceil(BURST_RATIO * FULL_SCALE)
_PEAK_MIN: Final = PEAK // 2
STOP_LOOK_MS: Final = 50
"""How often a wait looks whether it is stopped."""
_QUIET_MS: Final = 20
"""After this long without a sample, with none missing, the audio is complete."""
_BACKLOG_PIECES_MAX: Final = 500
"""Ten seconds of received audio, in blocks."""
_STUCK_MS_MAX: Final = 5_000
"""A child that has taken no audio for this long hangs."""
_READ_BYTES: Final = 1 << 16
_KISS_READ_BYTES: Final = 4096
_SAMPLES_BYTES_MAX: Final = 2 * RATE_HZ * 30
"""No over is longer, so no piece of audio is."""
_TAIL_US: Final = 10_000
"""The closing flags, which nobody needs, absorb the rounding in :class:`Modem`'s figures."""
_SHORT_BYTES_MAX: Final = 44
"""Frames up to this, with header, checksum and flags, fit into 64 bytes."""
_START_MS_MAX: Final = 10_000
_AWAIT_START_MS_MAX: Final = 3_000
_START_POLL_S: Final = 0.005

_ALSA: Final = """\
</usr/share/alsa/alsa.conf>
pcm.burst {{
  type plug
  slave.pcm {{
    type route
    slave.pcm {{ type file slave.pcm "null" file "/proc/self/fd/{samples}" format "raw" }}
    ttable.0.0 {ratio:.4f}
  }}
}}
"""
_CONFIGURATION: Final = """\
ADEVICE stdin burst
ARATE {rate}
ACHANNELS 1
CHANNEL 0
MODEM {baud}
{correction}
TXDELAY 10
TXTAIL 1
PERSIST 255
SLOTTIME 1
FULLDUP ON
AGWPORT 0
KISSPORT 0
SERIALKISS {terminal} 38400
DNSSD 0
"""


class Modem(Struct, frozen=True):
    """The settings of one child.

    Attributes:
        mode: what it sends. It hears every mode of its baud rate.
        baud: 1200 (1200 and 2200 Hz) or 300 (1600 and 1800 Hz).
        correction: line of the configuration.
        is_receiver: it gets live audio.
        lead_us, fixed_us, per_byte_us: least length of a piece of audio's lead, of each burst, of each frame byte.
        short_us: ``fixed_us`` of a short frame; FX.25 has blocks of three sizes.
    """

    mode: Mode
    baud: int
    correction: str
    is_receiver: bool
    lead_us: int
    fixed_us: int
    short_us: int
    per_byte_us: int

    def bytes_min(self, frames: tuple[bytes, ...]) -> int:
        """Least bytes of audio for frames of ours (without AX.25's header)."""
        us = self.lead_us + sum(
            (self.fixed_us if len(frame) > _SHORT_BYTES_MAX else self.short_us) + self.per_byte_us * len(frame)
            for frame in frames
        )
        return 2 * ((us - _TAIL_US) * RATE_HZ // 1_000_000)


MODEMS: Final = (
    Modem(
        Mode.IL2P_1200,
        1200,
        "IL2PTX 1",
        is_receiver=True,
        lead_us=106_000,
        fixed_us=233_000,
        short_us=233_000,
        per_byte_us=6_666,
    ),
    Modem(
        Mode.FX25_1200,
        1200,
        "FX25TX 64",
        is_receiver=False,
        lead_us=106_000,
        fixed_us=1_333_000,
        short_us=900_000,
        per_byte_us=0,
    ),
    Modem(
        Mode.IL2P_300,
        300,
        "IL2PTX 1",
        is_receiver=True,
        lead_us=80_000,
        fixed_us=933_000,
        short_us=933_000,
        per_byte_us=26_666,
    ),
)


class DireWolf:
    """One child, running from construction to :meth:`close`. All calls come from one thread.

    Attributes:
        pid: its process id.
        kiss_descriptor: readable when a frame may have been received.
        has_begun: it has been seen to listen.
        busy_until_ms: it will not encode before this.
        dropped: pieces of received audio that it did not take within about ten seconds.
    """

    def __init__(self, modem: Modem) -> None:
        """Start it.

        Raises:
            OSError: not installed, or cannot be started.
        """
        program = shutil.which("direwolf")
        if program is None:
            raise CodecError("Dire Wolf is not installed")
        self.modem = modem
        self.busy_until_ms = 0
        self.dropped = 0
        self._stuck_since_ms: int | None = None
        # Pipes keep their default size: all of a user's share one limit, beyond which new ones hold only 8 KiB.
        self._backlog: deque[bytes] = deque()
        self._kiss = KissReader()
        with contextlib.ExitStack() as undo, contextlib.ExitStack() as childs:
            self.kiss_descriptor, terminal = os.openpty()
            # Kept open until the end: without it the line would read as broken.
            self._terminal = terminal
            undo.callback(os.close, self.kiss_descriptor)
            undo.callback(os.close, terminal)
            tty.setraw(terminal)
            self._samples, samples = os.pipe()
            undo.callback(os.close, self._samples)
            childs.callback(os.close, samples)
            configuration = _CONFIGURATION.format(
                rate=RATE_HZ, baud=modem.baud, correction=modem.correction, terminal=os.ttyname(terminal)
            )
            alsa_file = _in_memory("alsa", _ALSA.format(samples=samples, ratio=BURST_RATIO))
            childs.callback(os.close, alsa_file)
            configuration_file = _in_memory("direwolf", configuration)
            childs.callback(os.close, configuration_file)
            self._process = subprocess.Popen(  # noqa: S603 - a fixed program, and no shell
                [program, "-t", "0", "-q", "hd", "-c", f"/proc/self/fd/{configuration_file}"],
                env={"ALSA_CONFIG_PATH": f"/proc/self/fd/{alsa_file}", "PATH": os.defpath, "LC_ALL": "C"},
                cwd="/",
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(samples, alsa_file, configuration_file),
            )
            undo.pop_all()
        assert self._process.stdin is not None
        self._audio = self._process.stdin
        for descriptor in (self.kiss_descriptor, self._samples, self._audio.fileno()):
            os.set_blocking(descriptor, False)
        self.has_begun = False
        self._start_end_ms = monotonic_ms() + _START_MS_MAX
        self.feed(bytes(BLOCK_BYTES))

    def is_listening(self) -> bool:
        """Whether it reads audio, the last thing it starts; a frame before that can make it crash.

        Feed no audio before: the first block of silence is what shows this.

        Raises:
            CodecError: it ended, or has not begun in time.
        """
        if self.has_begun:
            return True
        waiting = array("i", (0,))
        fcntl.ioctl(self._audio.fileno(), termios.FIONREAD, waiting)
        self.has_begun = not waiting[0]
        detail = self.exit_detail()
        if detail is None and not self.has_begun and monotonic_ms() > self._start_end_ms:
            detail = "Dire Wolf does not begin to listen"
        if detail is not None:
            raise CodecError(detail)
        return self.has_begun

    def await_listening(self, is_stopped: Callable[[], bool]) -> None:
        """Wait for :meth:`is_listening`; about half a second after construction, three at most.

        Raises:
            CodecError: as :meth:`is_listening`.
            EncodeStopped: ``is_stopped`` said so.
        """
        end_ms = monotonic_ms() + _AWAIT_START_MS_MAX
        while not self.is_listening():
            if is_stopped():
                raise EncodeStopped
            if monotonic_ms() > end_ms:
                raise CodecError("Dire Wolf takes long to begin")
            time.sleep(_START_POLL_S)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def audio_descriptor(self) -> int:
        """Descriptor that :meth:`feed` writes to; writable while it takes more."""
        return self._audio.fileno()

    @property
    def dropped_frames(self) -> int:
        """Invalid KISS frames on its line."""
        return self._kiss.dropped

    def exit_detail(self) -> str | None:
        """How it ended; ``None`` while it runs."""
        status = self._process.poll()
        if status is None:
            return None
        return f"Dire Wolf ended with status {status}" if status >= 0 else f"Dire Wolf was ended by signal {-status}"

    @property
    def is_stuck(self) -> bool:
        """It has taken no audio for too long."""
        self._flush()  # While we transmit nothing is fed, so older waiting audio does not show that it hangs.
        return self._stuck_since_ms is not None and monotonic_ms() - self._stuck_since_ms > _STUCK_MS_MAX

    def feed(self, samples: bytes) -> None:
        """Feed received audio. Never waits: the next call continues if the pipe is full, up to ten seconds behind."""
        # A pipe takes up to 4096 bytes wholly or not at all, so that no sample is ever split.
        for start in range(0, len(samples), select.PIPE_BUF):
            if len(self._backlog) < _BACKLOG_PIECES_MAX:
                self._backlog.append(samples[start : start + select.PIPE_BUF])
            else:
                self._drop()
        self._flush()

    def feed_patiently(self, samples: bytes, timeout_ms: int, is_stopped: Callable[[], bool]) -> None:
        """As :meth:`feed`, but waits up to ``timeout_ms`` until it is taken, or ``is_stopped``."""
        end_ms = monotonic_ms() + timeout_ms
        poll = select.poll()
        poll.register(self._audio.fileno(), select.POLLOUT)
        self.feed(samples)
        while self._backlog and monotonic_ms() < end_ms and not is_stopped():
            poll.poll(STOP_LOOK_MS)
            self._flush()

    def _flush(self) -> None:
        try:
            while self._backlog:
                os.write(self._audio.fileno(), self._backlog[0])
                self._backlog.popleft()
                self._stuck_since_ms = None
        except BlockingIOError:
            self._stuck_since_ms = self._stuck_since_ms or monotonic_ms()
        except BrokenPipeError:
            self._backlog.clear()  # exit_detail notices its end

    def _drop(self) -> None:
        self.dropped += 1
        if self.dropped & (self.dropped - 1) == 0:  # at each power of two
            logger.warning("modem %s does not keep up: %d pieces of audio dropped", self.modem.mode, self.dropped)

    def received(self) -> list[bytes]:
        """AX.25 frames (without checksum) received since the last call. Never waits."""
        frames: list[bytes] = []
        while True:
            try:
                data = os.read(self.kiss_descriptor, _KISS_READ_BYTES)
            except OSError:
                return frames
            # Other KISS frames say nothing about the air.
            frames += [f.payload for f in self._kiss.feed(data) if (f.port, f.command) == (0, Command.DATA)]
            if len(data) < _KISS_READ_BYTES:
                return frames

    def encode(self, ax25: tuple[bytes, ...], least_bytes: int, is_stopped: Callable[[], bool]) -> bytes:
        """The samples of one piece of audio with all the frames, peaks at :data:`PEAK`, within ``ENCODE_MS_MAX``.

        Args:
            ax25: complete frames without checksum.
            least_bytes: least bytes of samples to expect.
            is_stopped: called now and then; true = give up.

        Raises:
            CodecError: it ended, was silent, or sent no burst. Do not use it any more.
            EncodeStopped: ``is_stopped`` returned true. It may still be encoding: do not use it any more.
        """
        self._drain()
        try:
            os.write(self.kiss_descriptor, b"".join(encode_kiss(Command.DATA, frame) for frame in ax25))
        except OSError as e:
            raise CodecError(f"Dire Wolf takes no frame: {e.strerror}") from e
        samples = self._read_piece(least_bytes, is_stopped)
        duration_ms = len(samples) * 1000 // (2 * RATE_HZ)
        self.busy_until_ms = monotonic_ms() + duration_ms
        heights = array("h", samples)
        if not (_PEAK_MIN <= max(heights) <= PEAK and -PEAK <= min(heights) <= -_PEAK_MIN):
            raise CodecError("Dire Wolf's burst is no burst")
        return samples

    def _read_piece(self, least_bytes: int, is_stopped: Callable[[], bool]) -> bytes:
        samples = bytearray()
        poll = select.poll()
        poll.register(self._samples, select.POLLIN)
        end_ms = monotonic_ms() + ENCODE_MS_MAX
        while monotonic_ms() < end_ms:
            if is_stopped():
                raise EncodeStopped
            if not poll.poll(_QUIET_MS):
                if len(samples) >= least_bytes and len(samples) % 2 == 0:
                    return bytes(samples)
                continue
            data = os.read(self._samples, _READ_BYTES)
            if not data:
                raise CodecError(self.exit_detail() or "Dire Wolf has closed its output")
            samples += data
            if len(samples) > _SAMPLES_BYTES_MAX:
                raise CodecError("Dire Wolf does not stop")
        raise CodecError(f"Dire Wolf gave {len(samples)} of {least_bytes} bytes in {ENCODE_MS_MAX} ms")

    def _drain(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while os.read(self._samples, _READ_BYTES):
                pass

    def wait_received(self, timeout_ms: int) -> list[bytes]:
        """As :meth:`received`, but waits up to ``timeout_ms`` for the first."""
        poll = select.poll()
        poll.register(self.kiss_descriptor, select.POLLIN)
        poll.poll(timeout_ms)
        return self.received()

    def close(self) -> None:
        """End it at once: it has nothing to save."""
        self._process.kill()
        self._process.wait()
        with contextlib.suppress(OSError):
            self._audio.close()
        for descriptor in (self.kiss_descriptor, self._terminal, self._samples):
            os.close(descriptor)


def _in_memory(name: str, text: str) -> int:
    """Descriptor of an anonymous file with ``text``, readable from its beginning."""
    descriptor = os.memfd_create(name)
    os.write(descriptor, text.encode())
    return descriptor
