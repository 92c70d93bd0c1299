"""The disk's contents at start, read as :class:`node.core.events.Started` needs them."""

from __future__ import annotations

import sqlite3
from typing import Final

from msgspec import Struct

from node.core.effects import NOTHING_TOLD, Scale, Told
from node.core.events import SeenFrame, StoredFrame
from node.store.database import read_number
from node.store.kept import kept_airtime, kept_scales, kept_told
from runtime.sqlite_file import read_value
from wire.ids import FrameId, NodeId
from wire.kinds import Priority

_PRIORITIES: Final = frozenset(Priority)
TESTED: Final = "tested_at_s"
TEST_SINCE: Final = "test_since_at_s"


class Remembered(Struct, frozen=True):
    """The disk's contents.

    Attributes:
        directory: the sealed document, or ``None``.
        tested_at_s: Unix time at which a test pressed by staff last reached central (N12); 0 = never, or unknown.
        test_since_at_s: Unix time from which a first one is asked for; 0 = not known.
        highest: the highest counter ever seen of each sender.
        scales: central's time, if stored in this boot of the machine.
        told: what central had said.
        airtime: how much of the last ten minutes our overs took, in slices of this boot's monotonic clock.
    """

    outbox: tuple[StoredFrame, ...] = ()
    inbox: tuple[SeenFrame, ...] = ()
    last_counter: int = 0
    directory: bytes | None = None
    tested_at_s: int = 0
    test_since_at_s: int = 0
    highest: tuple[FrameId, ...] = ()
    scales: tuple[Scale, ...] = ()
    airtime: tuple[tuple[int, int], ...] = ()
    told: Told = NOTHING_TOLD


def outbox_rows(db: sqlite3.Connection, wall_at_s: int, receipted_s: int) -> list[tuple[bytes, int, int, str, int]]:
    """Rows to be sent, and those receipted within ``receipted_s``, oldest first."""
    # Without a proven clock, the newest receipt gives the earliest time that it can be.
    (newest_s,) = db.execute("SELECT coalesce(max(receipted_at_s), 0) FROM outbox").fetchone()
    return db.execute(
        "SELECT data, stored_at_s, stored_ms, boot, is_receipted FROM outbox"
        " WHERE is_receipted = 0 OR receipted_at_s = 0 OR receipted_at_s >= ? ORDER BY counter",
        ((wall_at_s or newest_s) - receipted_s,),
    ).fetchall()


def remembered(db: sqlite3.Connection, boot: str, now_ms: int, wall_at_s: int) -> Remembered:
    """Everything but the outbox and the last counter."""
    inbox = db.execute("SELECT node, counter, digest, is_shown, shown_priority FROM inbox")
    return Remembered(
        inbox=tuple(
            SeenFrame(FrameId(NodeId(node), counter), digest, _shown(is_shown, priority))
            for node, counter, digest, is_shown, priority in inbox
        ),
        directory=read_value(db, "directory"),
        tested_at_s=read_number(db, TESTED),
        test_since_at_s=read_number(db, TEST_SINCE),
        highest=tuple(
            FrameId(NodeId(node), counter) for node, counter in db.execute("SELECT node, highest FROM senders")
        ),
        scales=kept_scales(db, boot),
        airtime=kept_airtime(db, boot, now_ms, wall_at_s),
        told=kept_told(db),
    )


def _shown(is_shown: int, priority: int | None) -> Priority | None:
    if not is_shown:
        return None
    # An older program did not record the urgency: better show an open attack once more than never.
    return Priority(priority) if priority in _PRIORITIES else Priority.P2
