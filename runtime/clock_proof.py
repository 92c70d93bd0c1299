"""Whether something vouches for the machine's clock: a Raspberry Pi has none that survives a power cut.

The kernel knows whether something disciplines its clock: ``adjtimex(2)`` says so for timesyncd, chrony and ntpd
alike, until someone sets the clock by hand. Where the unit may not ask (``ProtectClock=``), timesyncd's mark
in ``/run`` says that it has set the clock since boot.
"""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Final

TIMESYNC_MARK: Final = Path("/run/systemd/timesync/synchronized")
_STA_UNSYNC: Final = 0x0040


class _Timex(ctypes.Structure):
    """The beginning of ``struct timex`` (adjtimex(2)), and room for the rest."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 256),
    )


def is_synchronised(mark: Path = TIMESYNC_MARK) -> bool:
    """Whether NTP vouches for the machine's clock."""
    asked = _Timex()
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        state = libc.adjtimex(ctypes.byref(asked))
    except (OSError, AttributeError):
        state = -1
    if state == -1:
        return mark.exists()
    return not asked.status & _STA_UNSYNC
