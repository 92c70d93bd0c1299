"""The incidents in memory: the open ones, and those closed within a day. Filled only by applying the journal.

Of one sender :data:`OPEN_EACH_MAX` open ones, the most urgent and of those the newest, and as many closed ones: a flood
crowds out only its own sender's, and never an attack with anything less. Those that had to go stay open on disk, are
counted here, and come back as others of the same sender are closed.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import chain, islice
from typing import Final

from msgspec import field

from central.core.cards import is_struck_off, premises_of
from central.core.incident import Incident
from central.core.journal import ASKING_KINDS, ActionEntry, FrameEntry, JournalEntry
from central.core.undo import Record, Table
from wire.directory import Directory
from wire.frames import Alert, Response
from wire.ids import FrameId, NodeId
from wire.kinds import MEMBERS_WARNED, PRIORITY, Path, Priority

OPEN_EACH_MAX: Final = 1_024
CLOSED_EACH_MAX: Final = 1_024
EARLY_EACH_MAX: Final = 32
"""Of one sender: more of them crowd out only its own."""
_PLACES: Final = (*Priority, None)


class Incidents(Record):
    """``changed`` gathers incidents touched, ``gone`` dropped, ``back`` nodes whose came back; the page empties them.

    Attributes:
        left_open: by sender: how many more are open, only on disk.
    """

    _by_id: Table[FrameId, Incident] = field(default_factory=Table)
    # By sender, the open ones by urgency and the closed ones (``None``); those pressed longest ago first.
    _kept: Table[tuple[NodeId, Priority | None], Table[FrameId, Incident]] = field(default_factory=Table)
    # The open ones that members are warned of, by scheme and urgency, the last changed at the end: worked out as they
    # change, and not for each of thousands of nodes that ask.
    _warned: Table[tuple[int, Priority], Table[FrameId, None]] = field(default_factory=Table)
    _warned_in: Table[FrameId, tuple[tuple[int, Priority], ...]] = field(default_factory=Table)
    # Cancels and answers that overtook their alert, by sender; they wait for it.
    _early: Table[NodeId, tuple[FrameEntry, ...]] = field(default_factory=Table)
    changed: Table[FrameId, Incident] = field(default_factory=Table)
    gone: Table[FrameId, None] = field(default_factory=Table)
    back: Table[NodeId, None] = field(default_factory=Table)
    left_open: Table[NodeId, int] = field(default_factory=Table)
    revision: int = 0
    """The highest entry number applied; an answer to a sync carries it, and covers all that was said before."""
    _raised: int = 0

    @property
    def by_id(self) -> Mapping[FrameId, Incident]:
        """Every incident in memory, by id."""
        return self._by_id

    def all(self) -> Iterable[Incident]:
        """Every incident in memory, in the order in which they came into it."""
        return self._by_id.values()

    def of(self, node: NodeId) -> Iterable[Incident]:
        """A node's: the open ones, most urgent first, then the closed ones."""
        return chain(*(kept.values() for kept in self._open_of(node)), self._kept.get((node, None), {}).values())

    def _open_of(self, node: NodeId) -> list[Table[FrameId, Incident]]:
        """The most urgent first."""
        return [kept for priority in Priority if (kept := self._kept.get((node, priority))) is not None]

    def warned(self, schemes: Iterable[int]) -> Iterator[Incident]:
        """Open ones that members of these schemes are warned of: the most urgent first, of those the last changed."""
        numbers = sorted(schemes)
        for priority in Priority:
            lists = [self._by_newest(self._warned.get((number, priority), Table())) for number in numbers]
            told = set()
            for incident in heapq.merge(*lists, key=lambda one: -one.revision):
                if incident.id not in told:  # It may belong to several schemes.
                    told.add(incident.id)
                    yield incident

    def first_of_each(self, schemes: Iterable[int], count: int) -> list[Incident]:
        """Of those, ``count`` of each sender, in the same order."""
        numbers = frozenset(schemes)
        found: list[Incident] = []
        for node in dict.fromkeys(node for node, place in self._kept if place is not None):
            of_sender = (kept[incident_id] for kept in self._open_of(node) for incident_id in reversed(kept))
            found += islice((one for one in of_sender if self._is_warned_in(one.id, numbers)), count)
        return sorted(found, key=lambda one: (PRIORITY[one.kind], -one.revision))

    def _is_warned_in(self, incident: FrameId, numbers: frozenset[int]) -> bool:
        return any(number in numbers for number, _ in self._warned_in.get(incident, ()))

    def _by_newest(self, ids: Table[FrameId, None]) -> Iterator[Incident]:
        return (self._by_id[incident_id] for incident_id in reversed(ids))

    def apply(self, entry: JournalEntry, directory: Directory) -> None:
        """Apply the next entry of the journal."""
        incident_id = entry.incident
        self.revision = max(self.revision, entry.entry)
        if incident_id is None:
            return
        incident = self._by_id.get(incident_id)
        if isinstance(entry, ActionEntry):
            if incident is not None:
                if entry.kind in ASKING_KINDS:
                    incident.take_asking(entry)
                else:
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
        """Senders with more open on disk and room for it, each with the counters of those in memory."""
        for node in tuple(self.left_open):
            if sum(map(len, self._open_of(node))) <= OPEN_EACH_MAX // 2:
                yield node, frozenset(incident.id.counter for incident in self.of(node))

    def take_back(self, node: NodeId, count: int, *, is_all: bool) -> None:
        """``count`` of a sender's that were open only on disk have been applied again; ``is_all``: no more are."""
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
        """Nodes have seen revisions up to this one, of a newer database: make all that is said from now on newer."""
        self.revision = max(self.revision, revision)
        self._raised = max(self._raised, revision)
        for incident in self._by_id.values():
            if incident.revision < revision:
                incident.revision = revision
                if incident.is_open:
                    self.changed[incident.id] = incident

    def note_path(self, incident_id: FrameId, path: Path) -> bool:
        """Note that a known frame also came by ``path``; returns whether that is new. Not kept on disk."""
        incident = self._by_id.get(incident_id)
        if incident is None or path in incident.paths:
            return False
        incident.paths[path] = None
        self.changed[incident_id] = incident
        return True

    def touch_answered_by_struck_off(self, directory: Directory) -> None:
        """Once a directory strikes a member off, its press no longer counts: mark those incidents to be told anew."""
        for incident in self._by_id.values():
            if incident.is_open and any(is_struck_off(member, directory) for member in incident.members):
                self.changed[incident.id] = incident

    def touch_of(self, nodes: frozenset[NodeId]) -> None:
        """Mark what these nodes sent to be told anew: a directory has changed who sees it."""
        for node in nodes:
            self.changed.update((incident.id, incident) for incident in self.of(node))

    def forget_closed_before(self, oldest_at: datetime) -> None:
        """Drop incidents closed before ``oldest_at``; the disk keeps them."""
        for incident in [i for i in self._by_id.values() if i.closed_at is not None and i.closed_at < oldest_at]:
            self.forget(incident)

    def forget(self, incident: Incident) -> None:
        """Drop an incident from memory; the disk keeps it."""
        del self._by_id[incident.id]
        self.changed.pop(incident.id, None)
        self._unplace(incident)
        self.gone[incident.id] = None
        for place in _PLACES:
            self._leave(incident.id, place)

    def _keep(self, incident: Incident, *, is_pressed: bool = False) -> None:
        """Put it among its sender's, the newest if pressed; the oldest of the least urgent may have to go for it."""
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
