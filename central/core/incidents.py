"""The incidents in memory: the open ones, and those closed within a day. Filled by applying the journal, only.

Of one sender :data:`OPEN_EACH_MAX` open ones, the most urgent and of those the newest, and as many closed ones: who
floods crowds out only his own, and no attack with anything less. Those that had to go are open on disk, counted here,
and come back as others of the same sender are closed.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import chain
from typing import Final

from msgspec import field

from central.core.cards import is_struck_off, premises_of
from central.core.incident import Incident
from central.core.journal import ActionEntry, FrameEntry, JournalEntry
from central.core.undo import Record, Table
from wire.directory import Directory
from wire.frames import Alert, Response
from wire.ids import FrameId, NodeId
from wire.kinds import MEMBERS_WARNED, PRIORITY, Path, Priority

OPEN_EACH_MAX: Final = 1_024
CLOSED_EACH_MAX: Final = 1_024
EARLY_EACH_MAX: Final = 32
"""Of one sender: who sends more of them crowds out only his own."""
_PLACES: Final = (*Priority, None)


class Incidents(Record):
    """``changed`` gathers what was touched, ``gone`` what was dropped, ``back`` whose came back; the page empties them.

    Attributes:
        left_open: of each sender: how many more are open on disk.
    """

    _by_id: Table[FrameId, Incident] = field(default_factory=Table)
    # Of each sender the open ones by urgency, and the closed ones (``None``); those pressed longest ago first.
    _kept: Table[tuple[NodeId, Priority | None], Table[FrameId, Incident]] = field(default_factory=Table)
    # The open ones of which members are warned, by scheme and urgency, what changed last at the end: worked out as
    # they change, and not for each of thousands of nodes that ask.
    _warned: Table[tuple[int, Priority], Table[FrameId, None]] = field(default_factory=Table)
    _warned_in: Table[FrameId, tuple[tuple[int, Priority], ...]] = field(default_factory=Table)
    # Cancels and answers that overtook their alert, by sender; they wait for it.
    _early: Table[NodeId, tuple[FrameEntry, ...]] = field(default_factory=Table)
    changed: Table[FrameId, Incident] = field(default_factory=Table)
    gone: Table[FrameId, None] = field(default_factory=Table)
    back: Table[NodeId, None] = field(default_factory=Table)
    left_open: Table[NodeId, int] = field(default_factory=Table)
    revision: int = 0
    """The highest number of an entry that is applied: what was said before, a later answer covers."""
    _raised: int = 0

    @property
    def by_id(self) -> Mapping[FrameId, Incident]:
        """To look up."""
        return self._by_id

    def all(self) -> Iterable[Incident]:
        """Every one, in the order in which they were opened."""
        return self._by_id.values()

    def of(self, node: NodeId) -> Iterable[Incident]:
        """Those a node opened."""
        return chain(*(kept.values() for kept in self._open_of(node)), self._kept.get((node, None), {}).values())

    def _open_of(self, node: NodeId) -> list[Table[FrameId, Incident]]:
        """The most urgent first."""
        return [kept for priority in Priority if (kept := self._kept.get((node, priority))) is not None]

    def warned(self, schemes: Iterable[int]) -> Iterator[Incident]:
        """Open ones of these schemes of which members are warned, the most urgent first, of those the newest change."""
        numbers = sorted(schemes)
        for priority in Priority:
            lists = [self._by_newest(self._warned.get((number, priority), Table())) for number in numbers]
            told = set()
            for incident in heapq.merge(*lists, key=lambda one: -one.revision):
                if incident.id not in told:  # It may be of several schemes.
                    told.add(incident.id)
                    yield incident

    def _by_newest(self, ids: Table[FrameId, None]) -> Iterator[Incident]:
        return (self._by_id[incident_id] for incident_id in reversed(ids))

    def apply(self, entry: JournalEntry, directory: Directory) -> None:
        """Take the next entry of the journal."""
        incident_id = entry.incident
        self.revision = max(self.revision, entry.entry)
        if incident_id is None:
            return
        incident = self._by_id.get(incident_id)
        if isinstance(entry, ActionEntry):
            if incident is not None:
                incident.take_action(entry)
                self._touch(incident, entry)
                self._keep(incident)
            return
        frame = entry.signed.frame
        if incident is None and not isinstance(frame, Alert):
            self._keep_early(entry)
            return
        if incident is None:
            incident = self._by_id[incident_id] = Incident(incident_id)
        self._take(incident, entry, directory)
        for early in self._take_early(incident_id):
            self._take(incident, early, directory)
        # An early entry is older than the alert that let it in; the revision must not fall back to it.
        self._touch(incident, entry)
        self._keep(incident, is_pressed=isinstance(frame, Alert))

    def crowded_out(self) -> Iterable[tuple[NodeId, frozenset[int]]]:
        """Senders of whom more is open on disk, and there is room for; with the counters of what is in memory."""
        for node in tuple(self.left_open):
            if sum(map(len, self._open_of(node))) <= OPEN_EACH_MAX // 2:
                yield node, frozenset(incident.id.counter for incident in self.of(node))

    def take_back(self, node: NodeId, count: int, *, is_all: bool) -> None:
        """So many of a sender's that were open on disk alone have been applied again."""
        left = self.left_open.pop(node, 0) - count
        if not is_all:
            self.left_open[node] = max(1, left)
        for priority in Priority:
            if kept := self._kept.get((node, priority)):
                self._kept[node, priority] = Table(sorted(kept.items(), key=lambda item: item[1].pressed_entry))
                self.back[node] = None
        for key, ids in tuple(self._warned.items()):
            self._warned[key] = Table(sorted(ids.items(), key=lambda item: self._by_id[item[0]].revision))

    def raise_revisions(self, revision: int) -> None:
        """Nodes have seen revisions up to this one, of a database that had more: what is said from now on is newer."""
        self.revision = max(self.revision, revision)
        self._raised = max(self._raised, revision)
        for incident in self._by_id.values():
            if incident.revision < revision:
                incident.revision = revision
                if incident.is_open:
                    self.changed[incident.id] = incident

    def note_path(self, incident_id: FrameId, path: Path) -> bool:
        """A frame that is known already came by this one too; says whether that is news. Not kept on disk."""
        incident = self._by_id.get(incident_id)
        if incident is None or path in incident.paths:
            return False
        incident.paths[path] = None
        self.changed[incident_id] = incident
        return True

    def touch_answered_by_struck_off(self, directory: Directory) -> None:
        """What a member pressed is worth nothing once a directory strikes it off: who was told of it is told anew."""
        for incident in self._by_id.values():
            if incident.is_open and any(is_struck_off(member, directory) for member in incident.members):
                self.changed[incident.id] = incident

    def forget_closed_before(self, oldest_at: datetime) -> None:
        """Drop what was closed too long ago; the disk keeps it."""
        for incident in [i for i in self._by_id.values() if i.closed_at is not None and i.closed_at < oldest_at]:
            self.forget(incident)

    def forget(self, incident: Incident) -> None:
        """Drop one; the disk keeps it."""
        del self._by_id[incident.id]
        self.changed.pop(incident.id, None)
        self._unplace(incident)
        self.gone[incident.id] = None
        for place in _PLACES:
            self._leave(incident.id, place)

    def _keep(self, incident: Incident, *, is_pressed: bool = False) -> None:
        """Among its sender's, as the newest if it was pressed; of the least urgent the oldest may have to go for it."""
        node, here = incident.id.node, PRIORITY[incident.kind] if incident.is_open else None
        for place in _PLACES:
            if place != here or is_pressed:
                self._leave(incident.id, place)
        self._kept.setdefault((node, here), Table())[incident.id] = incident
        crowd = self._open_of(node) if incident.is_open else [self._kept[node, None]]
        if sum(map(len, crowd)) > (OPEN_EACH_MAX if incident.is_open else CLOSED_EACH_MAX):
            gone = next(one for kept in reversed(crowd) for one in kept.values() if one is not incident)
            self.forget(gone)
            if gone.is_open:
                self.left_open[node] = self.left_open.get(node, 0) + 1

    def _leave(self, incident: FrameId, place: Priority | None) -> None:
        key = (incident.node, place)
        kept = self._kept.get(key)
        if kept is not None and kept.pop(incident, None) is not None and not kept:
            del self._kept[key]

    def _touch(self, incident: Incident, entry: JournalEntry) -> None:
        number = entry.entry
        if number <= self._raised:  # It was on its way to disk while the numbers were raised.
            number = self._raised = self._raised + 1
            self.revision = max(self.revision, number)
        incident.revision = number
        self.changed[incident.id] = incident
        self._place(incident)

    def _unplace(self, incident: Incident) -> None:
        for key in self._warned_in.pop(incident.id, ()):
            del self._warned[key][incident.id]

    def _place(self, incident: Incident) -> None:
        self._unplace(incident)
        if incident.is_open and incident.kind in MEMBERS_WARNED:
            places = tuple((number, PRIORITY[incident.kind]) for number in incident.schemes)
            self._warned_in[incident.id] = places
            for key in places:
                self._warned.setdefault(key, Table())[incident.id] = None

    def _keep_early(self, entry: FrameEntry) -> None:
        sender = entry.signed.frame.sender
        self._early[sender] = (*self._early.get(sender, ())[-EARLY_EACH_MAX + 1 :], entry)

    def _take_early(self, incident_id: FrameId) -> list[FrameEntry]:
        found = [entry for waiting in self._early.values() for entry in waiting if entry.incident == incident_id]
        for sender in {entry.signed.frame.sender for entry in found}:
            rest = tuple(entry for entry in self._early[sender] if entry.incident != incident_id)
            if rest:
                self._early[sender] = rest
            else:
                del self._early[sender]
        return sorted(found, key=lambda entry: entry.entry)

    def _take(self, incident: Incident, entry: FrameEntry, directory: Directory) -> None:
        frame = entry.signed.frame
        if isinstance(frame, Response) and not set(frame.schemes) & set(incident.schemes):
            return
        incident.take_frame(entry, lambda node: premises_of(node, directory))
