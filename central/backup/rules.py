"""Rules of backups, pure: how files are named, which are deleted, when one is late."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

from msgspec import Struct

LATE_AFTER: Final = timedelta(hours=36)
"""Since the last good one. The timer makes one a day."""
_NAME: Final = re.compile(r"central-([0-9a-f]{8})-([0-9]{8}T[0-9]{6}Z)\.age")
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


def file_name(mark: str, at: datetime) -> str:
    """Of a backup of the town with this mark."""
    return f"central-{mark}-{stamp(at)}.age"


def shelf(names: Iterable[str], made: str, keep: int) -> Shelf:
    """Judge the files of the folder in which ``made``, the newest, now is. Those of other towns are left alone.

    A clock that was wrong for a day must not push good backups out: files of a time after ``made`` are not counted.
    """
    mark = _parts(made)[0]
    ours = sorted((name for name in names if _parts(name)[0] == mark), reverse=True)
    return Shelf(
        tuple([name for name in ours if name <= made][keep:]),
        tuple(name for name in ours if name > made),
    )


def trouble(record: Record | None, now_at: datetime) -> str:
    """What the people at central are told, as a sentence; empty = all is well. ``None`` = no backup was ever tried."""
    last = (
        "none has been made" if record is None or record.made_at is None else f"the last is of {_said(record.made_at)}"
    )
    if record is not None and record.failed_at is not None:
        return f"Central’s backup of {_said(record.failed_at)} failed, and {last}: {record.why}. Tell the engineer."
    if record is None or record.made_at is None or abs(now_at - record.made_at) > LATE_AFTER:
        return f"Central’s backup is late: {last}. Tell the engineer."
    return ""


def _said(at: datetime) -> str:
    return f"{at:%d %B %Y, %H:%M} UTC"


def _parts(name: str) -> tuple[str, str]:
    match = _NAME.fullmatch(name)
    return (match[1], match[2]) if match else ("", "")
