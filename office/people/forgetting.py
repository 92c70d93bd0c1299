"""Leaves no copy of what was erased or corrected in SQLite's files.

``secure_delete`` (:mod:`office.database`) overwrites what is removed, in the file. Two copies stay: in the journal,
until it is emptied; and in unused parts of pages that were split, until the file is written anew. PostgreSQL has its
own ways: what stays there stands in docs/office.md.
"""

from __future__ import annotations

import logging
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from django.db import DatabaseError, connection
from django.db.backends.base.base import BaseDatabaseWrapper

from office.audit.models import AuditRow

logger = logging.getLogger(__name__)

WAIT_MS: Final = 1_000
"""For somebody who reads: the person who erases waits no longer."""
REWRITTEN_BYTES_MAX: Final = 268_435_456
"""Nobody can write meanwhile: some seconds."""
_LEAVE_COPIES: Final = (
    *("individual.erased", "individual.corrected", "case.erased", "case.person-matched", "request.deleted"),
    *("case.correct", "photograph.removed"),
)
"""Actions of the audit after which something is to be forgotten."""
_LOOKED_BACK: Final = timedelta(days=2)


def forget_deleted_rows(database: BaseDatabaseWrapper | None = None) -> None:
    """Leave no copy of a deleted row, such as a wrapped key, in SQLite's journal. After its transaction."""
    using = _usable(database)
    if using is None:
        return
    try:
        with closing(using.cursor()) as cursor:
            cursor.execute("PRAGMA busy_timeout")
            (usual_ms,) = cursor.fetchone() or (0,)
            cursor.execute(f"PRAGMA busy_timeout={WAIT_MS}")
            try:
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                (is_busy, *_) = cursor.fetchone() or (0,)
            finally:
                cursor.execute(f"PRAGMA busy_timeout={int(usual_ms)}")
    except DatabaseError as e:
        logger.warning("the journal still holds what was deleted, until tomorrow: %s", e)
    else:
        if is_busy:
            logger.warning("the journal still holds what was deleted, until tomorrow: somebody is reading")


def forget_everywhere(now: datetime, database: BaseDatabaseWrapper | None = None) -> None:
    """Once a day: write SQLite's file anew if anything was erased or corrected, and empty its journal."""
    using = _usable(database)
    if using is None:
        return
    try:
        if AuditRow.objects.filter(action__in=_LEAVE_COPIES, at__gt=now - _LOOKED_BACK).exists():
            _write_anew(using)
    except (DatabaseError, OSError) as e:
        logger.warning("the database may hold traces of what was erased, until tomorrow: %s", e)
    forget_deleted_rows(database)


def _write_anew(using: BaseDatabaseWrapper) -> None:
    file = Path(str(using.settings_dict["NAME"]))
    if file.is_file() and file.stat().st_size > REWRITTEN_BYTES_MAX:
        logger.warning("the database may hold traces of what was erased: it is too large to be written anew by itself")
        return
    with closing(using.cursor()) as cursor:
        cursor.execute("VACUUM")


def _usable(database: BaseDatabaseWrapper | None) -> BaseDatabaseWrapper | None:
    using = database or connection
    return None if using.vendor != "sqlite" or using.in_atomic_block else using
