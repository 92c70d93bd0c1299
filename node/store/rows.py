"""Single rows of the outbox."""

from __future__ import annotations

import sqlite3

from wire.errors import DecodeError
from wire.frames import Alert, decode
from wire.kinds import AlertKind


def is_unreceipted_test(db: sqlite3.Connection, counter: int) -> bool:
    """Whether the row is a test pressed by staff (N12), still without a receipt."""
    row = db.execute("SELECT data FROM outbox WHERE counter = ? AND is_receipted = 0", (counter,)).fetchone()
    try:
        frame = decode(row[0]).frame if row else None
    except DecodeError:
        return False
    return isinstance(frame, Alert) and frame.kind is AlertKind.TEST


def age(db: sqlite3.Connection, counter: int, otherwise: tuple[int, int, str]) -> tuple[int, int, str]:
    """When the row was stored: Unix time, monotonic clock and its boot; ``otherwise`` if there is no such row."""
    row = db.execute("SELECT stored_at_s, stored_ms, boot FROM outbox WHERE counter = ?", (counter,)).fetchone()
    return otherwise if row is None else row


def unreceipted_row(db: sqlite3.Connection, counter: int) -> tuple[bytes, int, int, str, int] | None:
    """The row as :func:`node.store.remembered.outbox_rows` gives it, without its receipt; ``None`` = no such row."""
    row: tuple[bytes, int, int, str, int] | None = db.execute(
        "SELECT data, stored_at_s, stored_ms, boot, 0 FROM outbox WHERE counter = ?", (counter,)
    ).fetchone()
    return row
