"""What a unit has said of itself beside its standing, as the fleet page and the month's figures show it. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal

from msgspec import Struct
from msgspec.structs import replace

from wire.limits import NAME_CHARS_MAX
from wire.messages import Health, MachineReport, SettingsReport, UpdateReport
from wire.text import display_text

_DEGREES_STEP: Final = 5
"""Smaller differences are not told, or each heartbeat would change the page."""
_ROOM_STEP: Final = 0.1
"""The same, as a share of the room that was free."""
FIRST_MOMENTS_MS: Final = 60_000
"""A run has not read its machine yet: what the run before said of it still holds."""


class UnitFacts(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a unit's newest health said, as it was last told; ``None`` and empty = it did not say."""

    version: str = ""
    certificate_ends_at: datetime | None = None
    profile: str = ""
    system: str = ""
    support_ends_at: datetime | None = None
    temperature_c: int | None = None
    free_bytes: int | None = None
    has_battery_clock: bool | None = None
    clock: str | None = None
    """``ntp``, ``central``, ``machine``, ``none``, or the word of a newer version."""
    is_speech_ready: bool | None = None
    settings: SettingsReport | None = None
    """Of those from the fleet; ``None`` = none ever came."""
    image: str = ""
    """Version of the system image that it has booted, signed; empty = it runs none."""
    slot: str | None = None
    """That it was booted from."""
    update: UpdateReport | None = None
    """What became of the newest release there, which may be another version; ``None`` = none has come."""


class PathFigures(Struct, frozen=True, kw_only=True):
    """How one path of one premises did in a month (N11). Up to an hour old."""

    month: str
    """``2026-11``, by UTC."""
    path: Literal["network", "radio"]
    watched_minutes: int
    """Minutes in which central looked."""
    available_percent: float | None
    """Network: it gave signs of life. Radio: its last test had come back, or it was heard within 26 h where the node
    could not say."""
    frames: int
    """That came this way, first copies and others."""
    late: int
    deliveries: int
    """Alerts with a proven time; of these:"""
    median_s: int | None
    """Half were committed within this many seconds of the press. ``None``: there are none, or over 300 s."""
    most_s: int | None
    """The same of 95 %."""


def facts_after(before: UnitFacts | None, health: Health, *, is_signed: bool) -> UnitFacts:
    """What is told of a unit after this report: ``before`` where the difference is too small to be told.

    Which system runs is believed only if the unit has signed it: an update is judged by it. What nobody has signed
    neither tells that nor takes it away. The machine may have started again from the other slot: what the run before
    said of its system does not hold for this one.
    """
    told = health.machine
    if told is None and before is not None and health.uptime_ms < FIRST_MOMENTS_MS:
        before = replace(before, version=display_text(health.version, NAME_CHARS_MAX), settings=health.settings)
        return replace(before, image="", slot=None, update=None) if is_signed else before
    told = told or MachineReport()
    signed = told if is_signed else before or UnitFacts()
    now = UnitFacts(
        version=display_text(health.version, NAME_CHARS_MAX),
        certificate_ends_at=health.certificate_ends_at,
        profile=display_text(told.profile, NAME_CHARS_MAX),
        system=display_text(told.system, NAME_CHARS_MAX),
        support_ends_at=told.support_ends_at,
        temperature_c=told.temperature_c,
        free_bytes=told.free_bytes,
        has_battery_clock=told.has_battery_clock,
        clock=told.clock,
        is_speech_ready=told.is_speech_ready,
        settings=health.settings,
        image=display_text(signed.image, NAME_CHARS_MAX),
        slot=signed.slot,
        update=signed.update,
    )
    if before is None:
        return now
    return replace(
        now,
        temperature_c=before.temperature_c if _is_near(before.temperature_c, now.temperature_c) else now.temperature_c,
        free_bytes=before.free_bytes if _is_like(before.free_bytes, now.free_bytes) else now.free_bytes,
    )


def _is_near(before: int | None, now: int | None) -> bool:
    return before is not None and now is not None and abs(now - before) < _DEGREES_STEP


def _is_like(before: int | None, now: int | None) -> bool:
    return before is not None and now is not None and abs(now - before) < _ROOM_STEP * before
