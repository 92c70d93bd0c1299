"""One act for many incidents: for all that a card stood for, or all of a sender that was struck off.

Each incident gets its own journal entry, by that person, with those words. A few hundred at a time are judged and
written, so that no alert waits behind forty thousand closings. The rest is kept on disk meanwhile, and a restart goes
on with it.

Incidents that are open only on disk belong to it too. Closings make room for them in memory. For any other act they
stay on disk: each is read, judged and written aside.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import count
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from central.core.audience import Reach
from central.core.desk import Allowed, judge
from central.core.incident import Incident
from central.core.incidents import Incidents
from central.core.journal import ActionEntry, KeptAct
from central.core.timing import Timing
from central.core.view import (
    Acknowledge,
    Action,
    ActionForMany,
    Assign,
    Close,
    CloseRevoked,
    Person,
    Refused,
    SetOnTheWay,
    UndoAcknowledge,
)
from wire.errors import DecodeError
from wire.ids import FrameId, NodeId, parse_node

EACH_TIME_MAX: Final = 250
"""An alert waits no longer than these take: a few hundredths of a second."""


class Bulk(Struct, frozen=True):
    """What is left to do of one act.

    Attributes:
        action: as for one incident.
        ids: the incidents to do now; more may be on disk.
        through: those pressed since this entry are left out, even while the others are being written.
        number: its key on disk; 0 = not kept there.
        untouched: how many had been pressed since ``through`` when it began.
        aside: those of ``ids`` that were read from disk for it only.
        visited: counters of all done or in ``ids``; empty for closings, which leave nothing open.
        schemes: whose alerts the person could answer; ``None``: all, as before there were accounts.
    """

    action: ActionForMany
    by: Person
    ids: tuple[FrameId, ...]
    through: int
    number: int = 0
    untouched: int = 0
    aside: Incidents | None = None
    visited: frozenset[int] = frozenset()
    schemes: frozenset[int] | None = None

    @property
    def kept(self) -> KeptAct:
        """As kept on disk."""
        schemes = None if self.schemes is None else tuple(sorted(self.schemes))
        return KeptAct(self.number, self.action, self.by, self.through, schemes)

    def left_on_disk(self, incidents: Incidents) -> int:
        """How many more there was no room for in memory."""
        return incidents.left_open.get(self.node, 0)

    def has_more(self, incidents: Incidents, written: tuple[ActionEntry, ...]) -> bool:
        """Whether others have come back from disk while ``written`` was being written, or will."""
        if not self.is_closing:
            return bool(self.number or written) and self.left_on_disk(incidents) > 0
        ids = {entry.incident for entry in written}
        is_back = bool(ids) and not ids.issuperset(open_of(self.node, incidents, self.through))
        return is_back or self.left_on_disk(incidents) > 0

    @property
    def is_closing(self) -> bool:
        """Whether it closes, and so makes room for incidents on disk."""
        return isinstance(self.action, Close)

    def of(self, ids: Iterable[FrameId], aside: Incidents | None = None) -> Bulk:
        """The same act for ``ids``, except those already visited."""
        new = tuple(one for one in ids if one.counter not in self.visited)
        visited = self.visited if self.is_closing else self.visited.union(one.counter for one in new)
        return replace(self, ids=new, aside=aside, visited=visited)

    def known(self, incidents: Incidents) -> Mapping[FrameId, Incident]:
        """Those in memory, which may have been pressed again, before those from disk."""
        if self.aside is None:
            return incidents.by_id
        return {**self.aside.by_id, **{one.id: one for one in incidents.of(self.node)}}

    def replaces(self, other: object) -> bool:
        """Whether ``other`` is an unfinished act that must not go on over what this one says."""
        if not isinstance(other, Bulk) or other.node != self.node:
            return False
        if isinstance(self.action, UndoAcknowledge):
            return isinstance(other.action, Acknowledge) and self.by.is_same(other.by)
        return isinstance(self.action, Assign | SetOnTheWay) and type(other.action) is type(self.action)

    @property
    def node(self) -> NodeId:
        """Whose incidents they are."""
        return FrameId.parse(self.action.incident).node


def bulk_for(action: Action, by: Person, incidents: Incidents, reach: Reach) -> Bulk | Refused | None:
    """The act for many asked for; ``None``: for one incident at most."""
    match action:
        case CloseRevoked():
            return _all_of_revoked(action, by, incidents, reach)
        case Acknowledge() | UndoAcknowledge() | SetOnTheWay() | Assign() | Close() if action.seen_through:
            try:
                node = FrameId.parse(action.incident).node
            except DecodeError:
                return Refused("There is no such incident.")
            # Nobody saw those pressed since then, so nobody answers them.
            seen = _in_reach(open_of(node, incidents, action.seen_through), incidents, reach)
            single = msgspec.structs.replace(action, seen_through=0)
            if isinstance(single, Close):
                single = msgspec.structs.replace(single, seen_alerts=0)
            if not seen:
                return Refused("They are already closed, or were pressed again.")
            others = [one for one in incidents.of(node) if one.is_open and one.pressed_entry > action.seen_through]
            later = sum(map(reach.has, others))
            return Bulk(single, by, (), action.seen_through, untouched=later, schemes=reach.mine).of(seen)
        case _:
            return None


def next_entries(
    bulk: Bulk,
    first_number: int,
    *,
    incidents: Mapping[FrameId, Incident],
    reach: Reach,
    now_at: datetime,
    timing: Timing,
) -> tuple[tuple[ActionEntry, ...], Bulk | None, Refused | None]:
    """The entries to write now, what is left, and the last refusal; refused incidents are left out."""
    entries: list[ActionEntry] = []
    refused: Refused | None = None
    numbers = count(first_number)
    for at, incident_id in enumerate(bulk.ids):
        if len(entries) == EACH_TIME_MAX:
            return tuple(entries), replace(bulk, ids=bulk.ids[at:]), refused
        incident = incidents.get(incident_id)
        if incident is not None and incident.pressed_entry > bulk.through:
            continue
        action = msgspec.structs.replace(bulk.action, incident=incident_id.text)
        verdict = judge(action, bulk.by, incidents=incidents, on_duty={}, reach=reach, now_at=now_at, timing=timing)
        if isinstance(verdict, Allowed):
            entries.append(ActionEntry(next(numbers), verdict.kind, incident_id, verdict.by, verdict.text, now_at))
        elif isinstance(verdict, Refused):
            refused = verdict
    return tuple(entries), None, refused


def recalled(act: KeptAct, incidents: Incidents) -> Bulk:
    """What is left of an act that a restart interrupted: incidents already done are refused one by one."""
    schemes = None if act.schemes is None else frozenset(act.schemes)
    bulk = Bulk(act.action, act.by, (), act.through, act.number, schemes=schemes)
    return bulk.of(open_of(bulk.node, incidents, act.through))


def open_of(node: NodeId, incidents: Incidents, through: int) -> tuple[FrameId, ...]:
    """Its open incidents in memory, except those pressed since the entry ``through``."""
    return tuple(one.id for one in incidents.of(node) if one.is_open and one.pressed_entry <= through)


def _in_reach(ids: Iterable[FrameId], incidents: Incidents, reach: Reach) -> tuple[FrameId, ...]:
    return tuple(one for one in ids if reach.has(incidents.by_id[one]))


def _all_of_revoked(action: CloseRevoked, by: Person, incidents: Incidents, reach: Reach) -> Bulk | Refused:
    try:
        node = parse_node(action.node)
    except DecodeError:
        return Refused("There is no such unit.")
    sender = reach.directory.senders.get(node)
    # One of another scheme is as one that does not exist.
    if sender is not None and not sender.is_revoked and reach.knows(node):
        return Refused("This unit is not revoked. Close its alerts one card at a time.")
    is_listed = sender is not None and not sender.is_revoked
    ids = () if is_listed else _in_reach(open_of(node, incidents, incidents.revision), incidents, reach)
    if not ids:
        return Refused("It has no open alerts.")
    return Bulk(Close(ids[0].text, action.outcome), by, ids, incidents.revision, schemes=reach.mine)
