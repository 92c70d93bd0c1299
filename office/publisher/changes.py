"""Whether anything in the database may have changed, at the price of one small question."""

from __future__ import annotations

from pathlib import Path

from django.db import connection

Mark = tuple[object, ...]


def mark() -> Mark:
    """Differs from the one before whenever another connection has changed anything in between.

    On SQLite also when the file was put in the place of another: then the old one is let go. On PostgreSQL it may
    differ without a change of ours.

    Raises:
        DatabaseError: the database does not answer.
    """
    if connection.vendor != "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_current_snapshot()::text")
            return tuple(cursor.fetchone() or ())
    file = _file()
    if file != getattr(connection, "watchlink_file", file) and not connection.in_atomic_block:
        connection.close()
    setattr(connection, "watchlink_file", file)  # noqa: B010 - it is the connection's, and the connection's type is Django's
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA data_version")
        return *file, *(cursor.fetchone() or ())


def _file() -> tuple[int, int]:
    try:
        status = Path(str(connection.settings_dict["NAME"])).stat()
    except OSError:
        return 0, 0
    return status.st_dev, status.st_ino
