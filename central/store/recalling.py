"""Reads what the rules need to go on after a restart, and later what memory had no room for."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final, cast

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection, Row

from central.core.asking_lines import WentOffLine
from central.core.duty import HANDED_OVER_FOR, WENT_OFF_MAX
from central.core.figures import first_day_recalled
from central.core.incidents import CLOSED_EACH_MAX, EARLY_EACH_MAX, OPEN_EACH_MAX
from central.core.intake import SEEN_EACH_MAX
from central.core.journal import (
    ASKING_KINDS,
    ActionEntry,
    ActionKind,
    ActorKind,
    FrameEntry,
    JournalEntry,
    KeptAct,
    KeptFigures,
    KeptNode,
    KeptPath,
    Recall,
    SeenFrame,
)
from central.core.unit_lines import UnitFacts
from central.core.view import OnDuty, Person
from central.store.database import ENTRY_NUMBER, Database
from central.store.errors import StoreError
from central.store.rows import act_of, day_number, details_of, figures_of, microseconds, moment, numbers
from central.store.tables import ACTIONS, COUNTERS, DUTY, FRAMES, INCIDENTS, NODES, OPEN_ACTS, PATH_DAYS
from wire.errors import DecodeError
from wire.frames import decode
from wire.ids import FrameId, NodeId
from wire.kinds import PRIORITY, AlertKind, FrameKind, Path

logger = logging.getLogger(__name__)

SEEN_FOR: Final = timedelta(days=90)
"""For ids held in memory; the table's key catches older ones."""
PATHS_FOR: Final = timedelta(days=60)
"""For who was heard on the radio and who pressed *test*."""
CLOSED_FOR: Final = timedelta(days=1)
FRAMES_EACH_MAX: Final = 1_024
"""Per incident: presses repeated for hours must neither delay a start nor fill its memory."""
STEPS_EACH_MAX: Final = 256
"""Per incident, and as many messages: while one scheme is at a step of an hour, another begins 240 of the shortest."""
RECALLED_AT_ONCE: Final = OPEN_EACH_MAX // 2
"""Open incidents of one sender, once there is room for them."""
_IS_OPEN: Final = INCIDENTS.c.closed_us.is_(None)
_PRIORITY_OF: Final = sa.case(
    {bytes([kind]): int(priority) for kind, priority in PRIORITY.items()}, value=sa.func.substr(FRAMES.c.data, 14, 1)
)
"""An alert's priority, by the byte of its kind."""
_URGENT_FIRST: Final = (
    sa.select(sa.func.min(_PRIORITY_OF))
    .where(FRAMES.c.incident_node == INCIDENTS.c.node, FRAMES.c.incident_counter == INCIDENTS.c.counter)
    .where(FRAMES.c.kind == int(FrameKind.ALERT))
    .scalar_subquery(),
    INCIDENTS.c.counter.desc(),
)
EARLY_FOR: Final = timedelta(days=1)
"""For cancels and answers whose alert has not arrived yet."""


def recall(database: Database, now_at: datetime) -> Recall:
    """Read everything for a start at ``now_at``.

    Raises:
        StoreError: the database cannot be read or is damaged.
    """
    with database.reading() as connection:
        raised = connection.execute(sa.select(COUNTERS.c.value).where(COUNTERS.c.name == ENTRY_NUMBER)).scalar() or 0
        journal = sorted(_journal(connection, now_at), key=lambda entry: entry.entry)
        return Recall(
            journal=tuple(journal),
            left_open=tuple(_left_open(connection)),
            seen=tuple(_seen(connection, now_at)),
            highest_counters=tuple(_highest(connection)),
            on_duty=tuple(_on_duty(connection)),
            went_off=tuple(_went_off(connection, now_at)),
            nodes=tuple(_nodes(connection)),
            paths=tuple(_paths(connection, now_at)),
            figures=tuple(_figures(connection, now_at)),
            acts=tuple(_acts(connection)),
            last_entry=max(_last_entry(connection, FRAMES), _last_entry(connection, ACTIONS), raised),
            raised_entry=raised,
        )


def _journal(connection: Connection, now_at: datetime) -> Iterator[JournalEntry]:
    closed_since = microseconds(now_at - CLOSED_FOR)
    live = (
        *_newest(connection, _IS_OPEN, OPEN_EACH_MAX),
        *_newest(connection, INCIDENTS.c.closed_us >= closed_since, CLOSED_EACH_MAX),
    )
    for some in live:
        yield from _journal_of(connection, some)
    has_alert = (FRAMES.c.incident_node == INCIDENTS.c.node) & (FRAMES.c.incident_counter == INCIDENTS.c.counter)
    is_early = (
        (FRAMES.c.arrived_us >= microseconds(now_at - EARLY_FOR))
        & FRAMES.c.kind.in_((int(FrameKind.CANCEL), int(FrameKind.RESPONSE)))
        & ~sa.exists().where(has_alert)
    )
    place = sa.func.row_number().over(partition_by=FRAMES.c.sender, order_by=FRAMES.c.counter.desc()).label("place")
    early = sa.select(FRAMES, place).where(is_early).subquery()
    yield from map(_frame, connection.execute(sa.select(early).where(early.c.place <= EARLY_EACH_MAX)))


def recall_open(database: Database, node: NodeId, known: frozenset[int]) -> tuple[tuple[JournalEntry, ...], bool]:
    """Read the journal of some open incidents of ``node`` that are not ``known``: the most urgent and newest.

    Returns:
        Entries of at most :data:`RECALLED_AT_ONCE` incidents, rising by ``entry``; and whether no more are open.

    Raises:
        StoreError: the database cannot be read or is damaged.
    """
    with database.reading() as connection:
        is_open = (INCIDENTS.c.node == node) & _IS_OPEN
        newest = sa.select(INCIDENTS.c.counter).where(is_open).order_by(*_URGENT_FIRST)
        counters = connection.execute(newest.limit(len(known) + RECALLED_AT_ONCE)).scalars()
        unknown = [counter for counter in counters if counter not in known]
        is_found = (INCIDENTS.c.node == node) & INCIDENTS.c.counter.in_(unknown[:RECALLED_AT_ONCE])
        found = list(_journal_of(connection, sa.select(INCIDENTS).where(is_found).subquery()))
    return tuple(sorted(found, key=lambda entry: entry.entry)), len(unknown) < RECALLED_AT_ONCE


def _journal_of(connection: Connection, some: sa.Subquery) -> Iterator[JournalEntry]:
    """All entries of these incidents; of one with thousands of frames the first, the most urgent and the newest."""
    incident = (FRAMES.c.incident_node, FRAMES.c.incident_counter)
    of_frame = (FRAMES.c.incident_node == some.c.node) & (FRAMES.c.incident_counter == some.c.counter)
    of_action = (ACTIONS.c.incident_node == some.c.node) & (ACTIONS.c.incident_counter == some.c.counter)
    counts = sa.select(*incident).join(some, of_frame).group_by(*incident)
    crowded = [tuple(row) for row in connection.execute(counts.having(sa.func.count() > FRAMES_EACH_MAX))]
    frames = sa.select(FRAMES).join(some, of_frame)
    if crowded:
        frames = frames.where(sa.tuple_(*incident).not_in(crowded))
    yield from map(_frame, connection.execute(frames))
    for node, counter in crowded:
        is_its = (FRAMES.c.incident_node == node) & (FRAMES.c.incident_counter == counter)
        is_own = FRAMES.c.sender == node
        own, others = sa.select(FRAMES).where(is_its & is_own), sa.select(FRAMES).where(is_its & ~is_own)
        is_alert = FRAMES.c.kind == int(FrameKind.ALERT)
        chosen = (
            own.where(FRAMES.c.counter == counter),
            own.where(is_alert).order_by(_PRIORITY_OF, FRAMES.c.counter.desc()).limit(1),
            own.order_by(FRAMES.c.counter.desc()).limit(FRAMES_EACH_MAX),
            others.order_by(FRAMES.c.entry.desc()).limit(FRAMES_EACH_MAX),
        )
        found = {row.entry: row for query in chosen for row in connection.execute(query)}
        yield from map(_frame, found.values())
    is_asking = ACTIONS.c.kind.in_(ASKING_KINDS)
    yield from map(_action, connection.execute(sa.select(ACTIONS).join(some, of_action).where(~is_asking)))
    # An alert that nobody answered for a night has thousands: the newest say where it stands.
    is_told = ACTIONS.c.kind == "told"
    of_incident = (ACTIONS.c.incident_node, ACTIONS.c.incident_counter, is_told)
    place = sa.func.row_number().over(partition_by=of_incident, order_by=ACTIONS.c.entry.desc()).label("place")
    asking = sa.select(ACTIONS, place).join(some, of_action).where(is_asking).subquery()
    yield from map(_action, connection.execute(sa.select(asking).where(asking.c.place <= STEPS_EACH_MAX)))


def _newest(connection: Connection, is_wanted: sa.ColumnElement[bool], each_max: int) -> Iterator[sa.Subquery]:
    """The wanted incidents: of each sender the most urgent, and of those the ones with the highest counters.

    A sender with more is queried alone, along the key: numbering all that a flood left would delay a start.
    """
    counts = sa.select(INCIDENTS.c.node).where(is_wanted).group_by(INCIDENTS.c.node)
    crowded = connection.execute(counts.having(sa.func.count() > each_max)).scalars().all()
    yield sa.select(INCIDENTS).where(is_wanted & INCIDENTS.c.node.not_in(crowded)).subquery()
    for node in crowded:
        of_node = sa.select(INCIDENTS).where((INCIDENTS.c.node == node) & is_wanted)
        yield of_node.order_by(*_URGENT_FIRST).limit(each_max).subquery()


def _left_open(connection: Connection) -> Iterator[tuple[NodeId, int]]:
    count = sa.func.count().label("open")
    counts = sa.select(INCIDENTS.c.node, count).where(_IS_OPEN).group_by(INCIDENTS.c.node)
    for row in connection.execute(counts.having(count > OPEN_EACH_MAX)):
        yield NodeId(row.node), row.open - OPEN_EACH_MAX


def _seen(connection: Connection, now_at: datetime) -> Iterator[SeenFrame]:
    columns = (FRAMES.c.sender, FRAMES.c.counter, FRAMES.c.digest, FRAMES.c.is_late)
    is_recent = FRAMES.c.arrived_us >= microseconds(now_at - SEEN_FOR)
    for sender, _ in _highest(connection):
        of_sender = sa.select(*columns).where((FRAMES.c.sender == sender) & is_recent)
        # One more than is kept shows that there are more.
        newest = of_sender.order_by(FRAMES.c.counter.desc()).limit(SEEN_EACH_MAX + 1)
        for row in reversed(connection.execute(newest).all()):
            yield SeenFrame(FrameId(NodeId(row.sender), row.counter), bytes(row.digest), row.is_late)


def _highest(connection: Connection) -> Iterator[tuple[NodeId, int]]:
    highest = sa.func.max(FRAMES.c.counter).label("highest")
    for row in connection.execute(sa.select(FRAMES.c.sender, highest).group_by(FRAMES.c.sender)):
        yield NodeId(row.sender), row.highest


def _on_duty(connection: Connection) -> Iterator[OnDuty]:
    for row in connection.execute(sa.select(DUTY).where(DUTY.c.ended_us.is_(None)).order_by(DUTY.c.entry)):
        since = moment(row.started_us)
        yield OnDuty(row.role, row.name, since, row.account, numbers(row.schemes), row.proof, is_unread=row.is_unread)


def _went_off(connection: Connection, now_at: datetime) -> Iterator[WentOffLine]:
    is_recent = DUTY.c.ended_us > microseconds(now_at - HANDED_OVER_FOR)
    ended = sa.select(DUTY, ACTIONS.c.text, ACTIONS.c.actor).join(ACTIONS, ACTIONS.c.entry == DUTY.c.ended_entry)
    newest = ended.where(is_recent).order_by(DUTY.c.ended_us.desc()).limit(WENT_OFF_MAX)
    for row in reversed(connection.execute(newest).all()):
        note = row.text if row.actor == "person" else ""
        yield WentOffLine(row.role, row.name, moment(row.ended_us), row.account, numbers(row.schemes), note)


def _nodes(connection: Connection) -> Iterator[KeptNode]:
    for row in connection.execute(sa.select(NODES)):
        speaks = tuple((row.speaks or "").split())
        yield KeptNode(NodeId(row.node), moment(row.last_seen_us), row.boot_id, speaks, _facts(row.facts))


def _facts(text: str | None) -> UnitFacts | None:
    """Only for the fleet page: what another version wrote must not keep central from starting."""
    try:
        return None if text is None else msgspec.json.decode(text, type=UnitFacts)
    except (msgspec.DecodeError, ValueError):
        return None


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


def _acts(connection: Connection) -> Iterator[KeptAct]:
    for row in connection.execute(sa.select(OPEN_ACTS).order_by(OPEN_ACTS.c.number)):
        try:
            yield act_of(row)
        except msgspec.DecodeError as e:
            logger.warning("an act for many alerts was not carried out to its end and cannot be read: %s", e)


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
    by = Person(row.role, row.name, row.account) if row.role else None
    kind, actor = cast("ActionKind", row.kind), cast("ActorKind", row.actor)
    details = details_of(row.details)
    return ActionEntry(row.entry, kind, incident, by, row.text, moment(row.at_us), actor, details=details)
