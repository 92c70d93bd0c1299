"""The transmit key: its settings, its error, and the seam behind which its line is (N10).

One small process holds the line (:mod:`node.hw.radio.ptt_guard`), the node asks it
(:mod:`node.hw.radio.ptt_guarded`), and systemd puts it off around the node's life (:mod:`node.hw.radio.unkey`).
"""

from __future__ import annotations

from typing import Final, NamedTuple, Protocol

from node.hw.errors import HardwareError

METHODS: Final = ("gpio", "serial-rts", "cm108")


class PttError(HardwareError, OSError):
    """The line did not move, or nothing guards it; the message is one line that says what to do."""


class PttSettings(NamedTuple):
    """``[radio.ptt]`` of ``node.toml``. No struct: the guard is to load no library.

    Attributes:
        method: one of ``METHODS``; only that one's setting below is looked at.
        gpio: BCM number; high keys, through a transistor or opto-coupler. 12 is kept free by every profile.
        serial: device whose RTS keys.
        hidraw: device of a CM108 or a chip like it.
        cm108_pin: which of its GPIO pins keys, 1 … 8; 3 by common custom.
    """

    method: str = "gpio"
    gpio: int = 12
    serial: str = "/dev/ttyUSB0"
    hidraw: str = "/dev/hidraw0"
    cm108_pin: int = 3


class PttLine(Protocol):
    """A line that keys the transmitter. To open one puts it off, whatever it was."""

    @property
    def name(self) -> str:
        """What a person calls it, such as ``GPIO 12``."""

    def set(self, *, is_on: bool) -> None:
        """Drive it.

        Raises:
            PttError: it did not move.
        """

    def close(self) -> None:
        """Put it off and let go of it; also lets go where it cannot be put off.

        Raises:
            PttError: it could not be put off.
        """
