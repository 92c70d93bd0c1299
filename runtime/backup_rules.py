"""Rules of backups, pure: how files are named, which are deleted, when one is late."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

from msgspec import Struct

LATE_AFTER: Final = timedelta(hours=36)
"""Since the last good one. The timer makes one a day."""
CLOCK_BEHIND_MAX: Final = timedelta(days=1)
"""Two machines differ by less."""
BEGAN_AT: Final = datetime(2026, 1, 1, tzinfo=UTC)
NUMBERS_PER_SECOND: Final = 4
"""Of one kind, that a large town's central or office gives on average, and more."""
NEWEST_KEPT: Final = 3
"""However old they are: a clock that jumps ahead by a year must not leave a single backup."""
ASIDE: Final = "before-restore-"
"""Begins the name of what a restore has set aside; its time follows."""
_ASIDE: Final = re.compile(rf"{ASIDE}([0-9]{{8}}T[0-9]{{6}}Z)(?:-[0-9]+)?")
_NAME: Final = re.compile(r"([a-z]+(?:-[a-z]+)*)-([0-9a-f]{8})-([0-9]{8}T[0-9]{6}Z)\.age")
_TIME: Final = "%Y%m%dT%H%M%SZ"


class Record(Struct, frozen=True, kw_only=True):
    """How backups went, as the page's program reads it.

    Attributes:
        made_at: of the last good one; ``None`` = there is none.
        file: where that is.
        failed_at: of the last try, if it failed.
        why: it failed, as a sentence.
    """

    made_at: datetime | None = None
    file: str = ""
    failed_at: datetime | None = None
    why: str = ""


class Shelf(Struct, frozen=True):
    """What becomes of the files beside a new one: ``outdated`` go; ``ahead`` are from a time after it, and stay."""

    outdated: tuple[str, ...]
    ahead: tuple[str, ...]


def stamp(at: datetime) -> str:
    """A time as part of a file's name."""
    return at.astimezone(UTC).strftime(_TIME)


def file_name(program: str, mark: str, at: datetime) -> str:
    """Of a backup of a program (``office``, ``office-keys``) in the town with this mark."""
    return f"{program}-{mark}-{stamp(at)}.age"


def is_aside_outdated(name: str, now_at: datetime, keep: timedelta) -> bool:
    """Whether this is the name of something that was set aside longer than ``keep`` ago.

    Who was erased since lives on in it as in a backup, so it ends as backups do.
    """
    match = _ASIDE.fullmatch(name)
    return match is not None and match[1] < stamp(now_at - keep)


def shelf(names: Iterable[str], made: str, keep: int) -> Shelf:
    """Judge the files of the folder in which ``made``, the newest, now is, by their count.

    Those of other towns and programs are left alone. A clock that was wrong for a day must not push good backups out:
    files of a time after ``made`` are not counted.
    """
    before, ahead = _ours(names, made)
    return Shelf(tuple(before[keep:]), ahead)


def aged(names: Iterable[str], made: str, keep: timedelta) -> Shelf:
    """The same, by their age: what is older than ``keep`` goes, but for the :data:`NEWEST_KEPT` newest."""
    before, ahead = _ours(names, made)
    oldest = stamp(datetime.strptime(_parts(made)[2], _TIME).replace(tzinfo=UTC) - keep)
    return Shelf(tuple(name for name in before[NEWEST_KEPT:] if _parts(name)[2] < oldest), ahead)


def passed_for_certain(names: Iterable[str], made: str, keep: int) -> datetime | None:
    """The latest time that not ``made`` alone bears out; by it may go what no newer one pushes out.

    A clock that jumps ahead by years makes one good backup, and then another: the last few must agree.

    Args:
        names: of the folder in which ``made``, the newest, now is, and from which nothing was deleted yet.
        made: its name.
        keep: how many stay; with the one before them, at least that many can be there.

    Returns:
        ``None`` = there are too few to tell.
    """
    before, _ = _ours(names, made)
    newest = before[: min(NEWEST_KEPT, keep + 1)]
    if len(newest) < min(NEWEST_KEPT, keep + 1):
        return None
    return datetime.strptime(_parts(newest[-1])[2], _TIME).replace(tzinfo=UTC)


def height_by_clock(at: datetime) -> int:
    """Where numbers go on after a restore ``at`` that time (aware), if they were lower.

    The copy knows nothing of what was restored from the same copy before: both would give the same numbers.
    """
    return max(0, int((at - BEGAN_AT).total_seconds()) * NUMBERS_PER_SECOND)


def clock_trouble(now_at: datetime, made_at: datetime) -> str:
    """Why nothing may be restored at ``now_at``, as a sentence without its full stop; empty = it may.

    Numbers go on by the clock: before the backup's own time, two restores would begin alike.
    """
    if now_at >= made_at - CLOCK_BEHIND_MAX:
        return ""
    return (
        f"this machine's clock says {now_at:%d %B %Y}, and the backup is of {made_at:%d %B %Y}. Set the clock first:"
        " numbers go on by it. If it was wrong when the backup was made, take an older one"
    )


def trouble(record: Record | None, now_at: datetime, whose: str) -> str:
    """What people are told, as a sentence; empty = all is well.

    Args:
        record: ``None`` = no backup was ever tried.
        now_at: when they are told.
        whose: ``Central’s`` or ``The office’s``.
    """
    last = (
        "none has been made" if record is None or record.made_at is None else f"the last is of {_said(record.made_at)}"
    )
    if record is not None and record.failed_at is not None:
        return f"{whose} backup of {_said(record.failed_at)} failed, and {last}: {record.why}. Tell the engineer."
    if record is None or record.made_at is None or abs(now_at - record.made_at) > LATE_AFTER:
        return f"{whose} backup is late: {last}. Tell the engineer."
    return ""


def _ours(names: Iterable[str], made: str) -> tuple[list[str], tuple[str, ...]]:
    """Those of the same program and town: up to ``made``, the newest first, and after it."""
    ours = sorted((name for name in names if _parts(name)[:2] == _parts(made)[:2]), reverse=True)
    return [name for name in ours if name <= made], tuple(name for name in ours if name > made)


def _said(at: datetime) -> str:
    return f"{at:%d %B %Y, %H:%M} UTC"


def _parts(name: str) -> tuple[str, str, str]:
    match = _NAME.fullmatch(name)
    return (match[1], match[2], match[3]) if match else ("", "", "")
