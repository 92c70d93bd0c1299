"""Small things kept through restarts: central's time, our airtime, and what central has said."""

from __future__ import annotations

import logging
import sqlite3
from typing import Final

import msgspec

from node.core.effects import Scale, Told
from node.core.radio.duty_cycle import rebased
from runtime.sqlite_file import read_value, write_value

logger = logging.getLogger(__name__)

_SCALES: Final = "scales"
_AIRTIME: Final = "airtime"
_TOLD: Final = "told"
Slices = tuple[tuple[int, int], ...]
Airtime = tuple[str, int, int, Slices]
"""The machine's boot, its monotonic clock, proven Unix time or 0, and the slices by that clock."""


def write_scales(db: sqlite3.Connection, boot: str, scales: tuple[Scale, ...]) -> None:
    """Store central's time, relative to this boot's monotonic clock."""
    write_value(db, _SCALES, msgspec.json.encode((boot, scales)))


def kept_scales(db: sqlite3.Connection, boot: str) -> tuple[Scale, ...]:
    """The scales stored in this boot of the machine."""
    kept = read_value(db, _SCALES)
    try:
        kept_boot, scales = msgspec.json.decode(kept, type=tuple[str, tuple[Scale, ...]]) if kept else ("", ())
    except msgspec.MsgspecError:
        logger.warning("central's time as it was kept cannot be read")
        return ()
    return scales if kept_boot == boot else ()


def write_airtime(db: sqlite3.Connection, airtime: Airtime) -> None:
    """Store our airtime of the last ten minutes (N10)."""
    write_value(db, _AIRTIME, msgspec.json.encode(airtime))


def kept_airtime(db: sqlite3.Connection, boot: str, now_ms: int, wall_at_s: int) -> Slices:
    """The stored slices, by this boot's clock.

    Args:
        db: open.
        boot: the machine's present boot.
        now_ms: its monotonic clock.
        wall_at_s: proven Unix time, or 0.
    """
    kept = read_value(db, _AIRTIME)
    try:
        kept_boot, kept_ms, at_s, slices = msgspec.json.decode(kept, type=Airtime) if kept else ("", 0, 0, ())
    except msgspec.MsgspecError:
        logger.warning("the airtime as it was kept cannot be read")
        return ()
    if kept_boot == boot:
        return slices
    age_ms = max(0, wall_at_s - at_s) * 1000 if wall_at_s and at_s else None
    return rebased(slices, kept_ms, now_ms, age_ms)


def write_told(db: sqlite3.Connection, told: Told) -> None:
    """Store what central has said."""
    write_value(db, _TOLD, msgspec.json.encode(told))


def kept_told(db: sqlite3.Connection) -> Told:
    """What central had said."""
    kept = read_value(db, _TOLD)
    try:
        return msgspec.json.decode(kept, type=Told) if kept else Told()
    except msgspec.MsgspecError:
        logger.warning("what central had told cannot be read")
        return Told()
