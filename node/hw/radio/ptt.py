"""The transmit key: its settings, its error, and the protocol of its line (N10).

A small process holds the line (:mod:`node.hw.radio.ptt_guard`), the node asks it (:mod:`node.hw.radio.ptt_guarded`),
and systemd releases it before the node starts and after it ends (:mod:`node.hw.radio.unkey`).
"""

from __future__ import annotations

from typing import Final, NamedTuple, Protocol

from node.hw.errors import HardwareError

METHODS: Final = ("gpio", "serial-rts", "cm108")


class PttError(HardwareError, OSError):
    """The line did not move, or has no guard; the message is one line that says what to do."""


class PttSettings(NamedTuple):
    """``[radio.ptt]`` of ``node.toml``. No struct: the guard is to load no library.

    Attributes:
        method: one of ``METHODS``; only its own setting below is used.
        gpio: BCM number; high keys, through a transistor or opto-coupler. 12 is kept free by every profile.
        serial: device whose RTS keys.
        hidraw: device of a CM108 or similar.
        cm108_pin: its GPIO pin that keys, 1 … 8; usually 3.
    """

    method: str = "gpio"
    gpio: int = 12
    serial: str = "/dev/ttyUSB0"
    hidraw: str = "/dev/hidraw0"
    cm108_pin: int = 3


class PttLine(Protocol):
    """A line that keys the transmitter. Opening one switches it off."""

    @property
    def name(self) -> str:
        """Its name for people, such as ``GPIO 12``."""

    def set(self, *, is_on: bool) -> None:
        """Drive it.

        Raises:
            PttError: it did not move.
        """

    def close(self) -> None:
        """Switch it off and release it, even if it cannot be switched off.

        Raises:
            PttError: it could not be switched off.
        """
