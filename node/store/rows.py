"""The kind of press in a row of the outbox."""

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
