"""Reading, at start, everything the rules need to go on as if nothing had happened."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final, cast

import sqlalchemy as sa
from sqlalchemy import Connection, Row

from central.core.figures import first_day_recalled
from central.core.journal import (
    ActionEntry,
    ActionKind,
    FrameEntry,
    JournalEntry,
    KeptFigures,
    KeptNode,
    KeptPath,
    Recall,
    SeenFrame,
)
from central.core.view import Person
from central.store.database import Database
from central.store.errors import StoreError
from central.store.rows import day_number, figures_of, microseconds, moment
from central.store.tables import ACTIONS, FRAMES, INCIDENTS, NODES, PATH_DAYS, WATCH
from wire.errors import DecodeError
from wire.frames import decode
from wire.ids import FrameId, NodeId
from wire.kinds import AlertKind, FrameKind, Path

SEEN_FOR: Final = timedelta(days=90)
"""Ids held in memory; older ones are caught by the table's key."""
PATHS_FOR: Final = timedelta(days=60)
"""Who was heard on the radio, and who pressed *test*."""
CLOSED_FOR: Final = timedelta(days=1)
EARLY_FOR: Final = timedelta(days=1)
"""Cancels and answers whose alert has not come yet."""


def recall(database: Database, now_at: datetime) -> Recall:
    """All of it.

    Raises:
        StoreError: the database cannot be read, or what it holds is damaged.
    """
    with database.reading() as connection:
        journal = sorted(_journal(connection, now_at), key=lambda entry: entry.entry)
        return Recall(
            journal=tuple(journal),
            seen=tuple(_seen(connection, now_at)),
            highest_counters=tuple(_highest(connection)),
            on_watch=tuple(_on_watch(connection)),
            nodes=tuple(_nodes(connection)),
            paths=tuple(_paths(connection, now_at)),
            figures=tuple(_figures(connection, now_at)),
            last_entry=max(_last_entry(connection, FRAMES), _last_entry(connection, ACTIONS)),
        )


def _journal(connection: Connection, now_at: datetime) -> Iterator[JournalEntry]:
    closed_since = microseconds(now_at - CLOSED_FOR)
    is_live = INCIDENTS.c.closed_us.is_(None) | (INCIDENTS.c.closed_us >= closed_since)
    of_frame = (FRAMES.c.incident_node == INCIDENTS.c.node) & (FRAMES.c.incident_counter == INCIDENTS.c.counter)
    of_action = (ACTIONS.c.incident_node == INCIDENTS.c.node) & (ACTIONS.c.incident_counter == INCIDENTS.c.counter)
    yield from map(_frame, connection.execute(sa.select(FRAMES).join(INCIDENTS, of_frame).where(is_live)))
    is_early = (
        (FRAMES.c.arrived_us >= microseconds(now_at - EARLY_FOR))
        & FRAMES.c.kind.in_((int(FrameKind.CANCEL), int(FrameKind.RESPONSE)))
        & ~sa.exists().where(of_frame)
    )
    yield from map(_frame, connection.execute(sa.select(FRAMES).where(is_early)))
    yield from map(_action, connection.execute(sa.select(ACTIONS).join(INCIDENTS, of_action).where(is_live)))


def _seen(connection: Connection, now_at: datetime) -> Iterator[SeenFrame]:
    columns = (FRAMES.c.sender, FRAMES.c.counter, FRAMES.c.digest, FRAMES.c.is_late)
    since = microseconds(now_at - SEEN_FOR)
    for row in connection.execute(sa.select(*columns).where(FRAMES.c.arrived_us >= since)):
        yield SeenFrame(FrameId(NodeId(row.sender), row.counter), bytes(row.digest), row.is_late)


def _highest(connection: Connection) -> Iterator[tuple[NodeId, int]]:
    highest = sa.func.max(FRAMES.c.counter).label("highest")
    for row in connection.execute(sa.select(FRAMES.c.sender, highest).group_by(FRAMES.c.sender)):
        yield NodeId(row.sender), row.highest


def _on_watch(connection: Connection) -> Iterator[Person]:
    is_on = WATCH.c.ended_us.is_(None)
    for row in connection.execute(sa.select(WATCH.c.role, WATCH.c.name).where(is_on).order_by(WATCH.c.entry)):
        yield Person(row.role, row.name)


def _nodes(connection: Connection) -> Iterator[KeptNode]:
    for row in connection.execute(sa.select(NODES)):
        yield KeptNode(NodeId(row.node), moment(row.last_seen_us), row.boot_id)


def _paths(connection: Connection, now_at: datetime) -> Iterator[KeptPath]:
    is_recent = FRAMES.c.arrived_us >= microseconds(now_at - PATHS_FOR)
    last = sa.func.max(FRAMES.c.arrived_us).label("last_us")
    by_radio = sa.select(FRAMES.c.sender, FRAMES.c.relay, last).where(is_recent & FRAMES.c.relay.is_not(None))
    # An alert's kind is the first byte of its body.
    is_test = (FRAMES.c.kind == int(FrameKind.ALERT)) & (
        sa.func.substr(FRAMES.c.data, 14, 1) == bytes([AlertKind.TEST])
    )
    tests = sa.select(FRAMES.c.sender, last).where(is_recent & is_test).group_by(FRAMES.c.sender)
    heard: dict[int, tuple[int, int]] = {}
    for row in connection.execute(by_radio.group_by(FRAMES.c.sender, FRAMES.c.relay)):
        heard[row.sender] = max(heard.get(row.sender, (0, 0)), (row.last_us, row.relay))
    tested = {row.sender: row.last_us for row in connection.execute(tests)}
    for sender in heard.keys() | tested.keys():
        heard_us, relay = heard.get(sender, (0, 0))
        yield KeptPath(
            NodeId(sender),
            moment(heard_us) if heard_us else None,
            NodeId(relay) if heard_us else None,
            moment(tested[sender]) if sender in tested else None,
        )


def _figures(connection: Connection, now_at: datetime) -> Iterator[KeptFigures]:
    since = day_number(first_day_recalled(now_at))
    yield from map(figures_of, connection.execute(sa.select(PATH_DAYS).where(PATH_DAYS.c.day >= since)))


def _last_entry(connection: Connection, table: sa.Table) -> int:
    return connection.execute(sa.select(sa.func.max(table.c.entry))).scalar() or 0


def _frame(row: Row[Any]) -> FrameEntry:
    try:
        signed = decode(bytes(row.data))
    except DecodeError as e:
        raise StoreError(f"the database is damaged: frame {row.sender:08x}-{row.counter} cannot be read: {e}") from e
    return FrameEntry(
        row.entry,
        signed,
        bytes(row.digest),
        Path(row.path),
        moment(row.arrived_us),
        row.is_late,
        row.is_clock_ahead,
        None if row.relay is None else NodeId(row.relay),
    )


def _action(row: Row[Any]) -> ActionEntry:
    incident = None if row.incident_node is None else FrameId(NodeId(row.incident_node), row.incident_counter)
    by = Person(row.role, row.name) if row.role else None
    return ActionEntry(row.entry, cast("ActionKind", row.kind), incident, by, row.text, moment(row.at_us))
