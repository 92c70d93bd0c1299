"""A clock with a battery of its own, if the machine has one."""

from __future__ import annotations

from pathlib import Path


class BatteryClock:
    """Read as Linux writes it: Unix seconds, which the driver of the clock has asked it for at this moment.

    Args:
        file: ``/sys/class/rtc/rtc0/since_epoch``.
    """

    def __init__(self, file: Path) -> None:
        self._file = file

    def read_s(self) -> int | None:
        """Unix seconds; ``None`` = there is no such clock, or it does not know."""
        try:
            return int(self._file.read_text(encoding="ascii"))
        except (OSError, ValueError):
            # A clock whose battery is flat refuses to be read.
            return None
