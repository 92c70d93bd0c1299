"""The sound device through ALSA's own programs, ``arecord`` and ``aplay``, as child processes.

A library inside the node could take it down: Debian's PortAudio may loop for ever when a USB device is unplugged, may
stop calling back after hours on a Pi, and costs ten megabytes (ADR 0011). A child can be killed and restarted, and
costs less than one.
"""

from __future__ import annotations

import os
import re
import subprocess
import threading
from contextlib import suppress
from typing import IO, Final, Literal

from node.core.air import RATE_HZ
from node.hw.errors import HardwareError, one_line

Direction = Literal["input", "output"]
PROGRAMS: Final[dict[Direction, str]] = {"input": "arecord", "output": "aplay"}
RING_MS: Final = 80
"""Requested of the device; the granted size is read from the program's output."""
PERIOD_MS: Final = 20
_LIST_WITHIN_S: Final = 5
_END_WITHIN_S: Final = 0.4
_NAMES_SAID_MAX: Final = 6
_SETUP: Final = re.compile(r"^ +(buffer_size|rate) +: (\d+)$")
_ENVIRONMENT: Final = {"LC_ALL": "C"}  # their output is parsed below


class SoundDeviceError(HardwareError, OSError):
    """The sound device cannot be opened, or does not run; the message is one line for an engineer."""

    def __init__(self, text: str) -> None:
        super().__init__(one_line(text))


def device_names(direction: Direction) -> tuple[str, ...]:
    """Device names for ``[radio.sound]`` on this machine: cards first, then ``default`` and the like.

    Raises:
        SoundDeviceError: ALSA's programs are not installed.
    """
    try:
        done = subprocess.run(  # noqa: S603 - a fixed argument list
            [PROGRAMS[direction], "-L"],
            capture_output=True,
            check=False,
            stdin=subprocess.DEVNULL,
            timeout=_LIST_WITHIN_S,
            env=os.environ | _ENVIRONMENT,
        )
    except (OSError, subprocess.TimeoutExpired) as e:
        raise _no_program(direction, e) from e
    lines = done.stdout.decode(errors="replace").splitlines()
    names = [line.strip() for line in lines if line and not line[0].isspace()]
    cards = [name for name in names if name.startswith("plughw:")]
    others = [name for name in names if ":" not in name and name != "null"]
    return (*cards, *others)


class SoundProgram:
    """One child that records to, or plays from, its standard stream. Running once constructed.

    Args:
        direction: ``input`` records, ``output`` plays.
        device: ALSA's name.
        stream: where the child writes recorded samples, or reads samples to play; owned by this object.

    Raises:
        SoundDeviceError: the program is not installed.
    """

    def __init__(self, direction: Direction, device: str, stream: int) -> None:
        self.direction = direction
        self.device = device
        self.gaps = 0
        self.ring_bytes = 0
        self._complaint = ""
        self._is_open = threading.Event()
        try:
            self._process = subprocess.Popen(  # noqa: S603 - one list, no shell; the device's name is one argument of it
                [
                    PROGRAMS[direction],
                    f"--device={device}",
                    "--verbose",
                    "--file-type=raw",
                    "--format=S16_LE",
                    f"--rate={RATE_HZ}",
                    "--channels=1",
                    f"--buffer-time={1000 * RING_MS}",
                    f"--period-time={1000 * PERIOD_MS}",
                ],
                stdin=stream if direction == "output" else subprocess.DEVNULL,
                stdout=stream if direction == "input" else subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                env=os.environ | _ENVIRONMENT,
            )
        except OSError as e:
            raise _no_program(direction, e) from e
        assert self._process.stderr is not None
        self._listener = threading.Thread(
            target=self._listen, args=(self._process.stderr,), name=PROGRAMS[direction], daemon=True
        )
        self._listener.start()

    @property
    def has_opened(self) -> bool:
        """Whether the device is open and its buffers are known."""
        return self._is_open.is_set()

    def wait_open(self, within_ms: int) -> bool:
        """Wait until :attr:`has_opened`, at most ``within_ms``; returns whether it has."""
        return self._is_open.wait(within_ms / 1000)

    @property
    def has_ended(self) -> bool:
        """Whether the child has ended."""
        return self._process.poll() is not None

    def why_ended(self) -> str:
        """Why it ended, for an engineer."""
        self._listener.join(_END_WITHIN_S)
        said = self._complaint
        if "No such file" in said or ("No such device" in said and not self.has_opened):
            return f'no sound {self.direction} named "{self.device}"; {_present(self.direction)}'
        if "busy" in said:
            return f'sound {self.direction} "{self.device}" is in use by another program'
        if "No such device" in said:
            return f'sound {self.direction} "{self.device}" is gone: is its USB plug in?'
        reason = said.rsplit(": ", 1)[-1] if said else f"{PROGRAMS[self.direction]} ended by itself"
        return f'sound {self.direction} "{self.device}": {reason}'

    def stop(self) -> None:
        """End it now; it has nothing to save."""
        with suppress(OSError):
            self._process.kill()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_END_WITHIN_S)
        if self._listener is not threading.current_thread():
            self._listener.join(_END_WITHIN_S)

    def _listen(self, errors: IO[bytes]) -> None:
        """Parse its output: the device's buffers, gaps and errors."""
        frames = 0
        with errors:
            for raw in errors:
                line = raw.decode(errors="replace").rstrip()
                if found := _SETUP.match(line):
                    # One for each layer down to the hardware (plug, dmix, …), in its own rate: the longest counts.
                    if found[1] == "rate" and (rate_hz := int(found[2])):
                        frames = rate_hz
                    elif frames:
                        self.ring_bytes = max(self.ring_bytes, 2 * (RATE_HZ * int(found[2]) // frames))
                elif line.lstrip().startswith("boundary"):
                    self._is_open.set()
                elif "run!!!" in line:
                    self.gaps += 1
                elif line.startswith((PROGRAMS[self.direction] + ":", "ALSA lib")) and (
                    not self._complaint or line.startswith(PROGRAMS[self.direction])
                ):
                    self._complaint = line


def _present(direction: Direction) -> str:
    try:
        names = device_names(direction)
    except SoundDeviceError:
        return "none can be listed"
    if not names:
        return "there are none here: is the USB sound device plugged in?"
    return "these are here: " + ", ".join(names[:_NAMES_SAID_MAX])


def _no_program(direction: Direction, error: Exception) -> SoundDeviceError:
    program = PROGRAMS[direction]
    if isinstance(error, FileNotFoundError):
        return SoundDeviceError(f"{program} is not installed: apt-get install alsa-utils")
    return SoundDeviceError(f"{program} cannot be run: {error}")
