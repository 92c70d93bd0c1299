"""Which incidents have their own card on the page, and which one stands for many (one stolen node, 40,000 alerts).

From a premises' fourth open incident on, the page has one card for all of them, showing the one that needs a person
most (:func:`_rank`), then the newest. From the fourth recently closed one on, one card shows the newest. This only
spares the page: each incident is journalled, receipted, told to its schemes and closed by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

from msgspec import Struct, field

from central.core.incident import EPOCH, Incident
from central.core.undo import Record, Table
from wire.ids import FrameId, NodeId
from wire.kinds import PRIORITY, AlertKind, Priority

CARDS_EACH_MAX: Final = 3
"""Of one premises: open ones, and as many closed ones."""
ASKED_EACH_MAX: Final = CARDS_EACH_MAX
"""Of one premises: about so many alerts people are asked at a time."""

_Rank = tuple[int, int]
"""Turn, then urgency; the lowest comes first."""
_UNANSWERED: Final = (0, 2)
_AGAIN: Final = (1, 3)
_IN_HAND: Final = 4


class Shown(Struct, frozen=True):
    """One card.

    Attributes:
        incident: the one that it shows.
        key: its name on the page; stays the same while ``incident`` changes.
        stands_for: number of incidents.
        through: entry of the newest press among them; later presses have higher ones.
        is_again: others that it stands for have been answered, but not this one.
        again_at: this one has been answered; when it or another was pressed that waits for an answer; ``None`` = none.
            Or it has not, and this is when ``again_kind`` was pressed again.
        urgent: the most urgent kind among them, and how many are of it, where this one is less urgent.
        again_kind: of another that is more urgent than this one, and has been answered and pressed again.
    """

    incident: FrameId
    key: FrameId
    stands_for: int = 1
    through: int = 0
    is_again: bool = False
    again_at: datetime | None = None
    again_kind: AlertKind | None = None
    urgent: tuple[AlertKind, int] | None = None


class Group(Record):
    """The incidents of one premises, kept in order as they change: each costs the same, even in a flood."""

    _ranks: Table[FrameId, tuple[_Rank, int]] = field(default_factory=Table)
    _by_rank: Table[_Rank, Table[FrameId, AlertKind]] = field(default_factory=Table)
    # How many there are of each urgency and kind.
    _kinds: Table[tuple[int, AlertKind], int] = field(default_factory=Table)
    # Since when each waits for an answer that the desk must hear of, the newest press last.
    _waiting: Table[FrameId, datetime] = field(default_factory=Table)
    _closed: Table[FrameId, datetime] = field(default_factory=Table)
    # Closed ones forgotten since: how many, and when the last of them was closed.
    _closed_gone: tuple[int, datetime] = (0, EPOCH)
    _through: int = 0
    # Name of the card that stands for many, once the first of them had to go.
    _name: FrameId | None = None

    def take(self, incident: Incident) -> None:
        """Take an incident that is new or has changed."""
        self._through = max(self._through, incident.pressed_entry)
        before = self._ranks.get(incident.id)
        rank = _rank(incident)
        now = (rank, incident.pressed_entry) if incident.is_open else None
        if before != now:
            if before is not None:
                self._leave(incident.id, before[0])
            if now is None:
                del self._ranks[incident.id]
            else:  # Keeps its old place: the first gives the card its name.
                self._ranks[incident.id] = now
                self._by_rank.setdefault(rank, Table())[incident.id] = incident.kind
                self._count(rank, incident.kind, 1)
        _set_last(self._waiting, incident.id, _waits_since_at(incident))
        _set_last(self._closed, incident.id, incident.closed_at)

    def drop(self, incident: FrameId) -> None:
        """Drop an incident that has left memory; it still counts."""
        if incident in self._ranks:
            self._name = self._name or next(iter(self._ranks))
            self._leave(incident, self._ranks.pop(incident)[0])
        self._waiting.pop(incident, None)
        closed_at = self._closed.pop(incident, None)
        if closed_at is not None:
            self._closed_gone = (self._closed_gone[0] + 1, closed_at)

    def sort(self) -> None:
        """Sort again after dropped incidents came back: they are older than they seem."""
        for rank, of_rank in tuple(self._by_rank.items()):
            self._by_rank[rank] = Table(sorted(of_rank.items(), key=lambda item: self._ranks[item[0]][1]))
        self._waiting = Table(sorted(self._waiting.items(), key=lambda item: item[1]))

    def shown(self, closed_since_at: datetime, left_open: int = 0) -> tuple[Shown, ...]:
        """The cards, in no particular order.

        Args:
            closed_since_at: those closed before are left out.
            left_open: how many more are open, only on disk.
        """
        while self._closed and self._closed[oldest := next(iter(self._closed))] < closed_since_at:
            del self._closed[oldest]
        if self._closed_gone[1] < closed_since_at:
            self._closed_gone = (0, EPOCH)
        return (*self._open_cards(left_open), *self._closed_cards())

    def _open_cards(self, left_open: int) -> tuple[Shown, ...]:
        if not self._ranks or len(self._ranks) + left_open <= CARDS_EACH_MAX:
            self._name = None
            return tuple(Shown(incident, incident) for incident in self._ranks)
        first = min(self._by_rank)
        newest = next(reversed(self._by_rank[first]))
        is_again = first[0] in _UNANSWERED and any(turn not in _UNANSWERED for turn, _ in self._by_rank)
        key = self._name or next(iter(self._ranks))
        again = self._pressed_again(first)
        highest, kind = min(self._kinds)
        urgent = (kind, self._kinds[highest, kind]) if highest < first[1] else None
        return (Shown(newest, key, len(self._ranks) + left_open, self._through, is_again, *again, urgent),)

    def _pressed_again(self, first: _Rank) -> tuple[datetime | None, AlertKind | None]:
        """Of a card that shows ``first``: see :class:`Shown`."""
        if first[0] not in _UNANSWERED:
            return (self._waiting[next(reversed(self._waiting))] if self._waiting else None), None
        behind = min((rank for rank in self._by_rank if rank[0] in _AGAIN and rank[1] < first[1]), default=None)
        if behind is None:
            return None, None
        newest, kind = next(reversed(self._by_rank[behind].items()))
        at = self._waiting.get(newest)
        return at, None if at is None else kind

    def _closed_cards(self) -> tuple[Shown, ...]:
        if len(self._closed) <= CARDS_EACH_MAX:
            return tuple(Shown(incident, incident) for incident in self._closed)
        newest = next(reversed(self._closed))
        return (Shown(newest, newest, len(self._closed) + self._closed_gone[0]),)

    def _leave(self, incident: FrameId, rank: _Rank) -> None:
        of_rank = self._by_rank[rank]
        self._count(rank, of_rank.pop(incident), -1)
        if not of_rank:
            del self._by_rank[rank]

    def _count(self, rank: _Rank, kind: AlertKind, more: int) -> None:
        key = (rank[1], kind)
        self._kinds[key] = self._kinds.get(key, 0) + more
        if not self._kinds[key]:
            del self._kinds[key]


def _rank(incident: Incident) -> _Rank:
    """Urgent and unanswered first, for it sounds until someone answers; then urgent and pressed again; in hand last."""
    priority = urgency(incident)
    is_answered = incident.state != "unanswered"
    if is_answered and incident.pressed_again_at is None:
        return (_IN_HAND, priority)
    return ((0 if priority <= Priority.P2 else 2) + is_answered, priority)


def _waits_since_at(incident: Incident) -> datetime | None:
    """When the press came that the desk must hear of; ``None`` = there is none."""
    if not incident.is_open or incident.is_drill or incident.kind is AlertKind.TEST or incident.is_late:
        return None
    return incident.live_arrived_at if incident.state == "unanswered" else incident.pressed_again_at


def _set_last(table: Table[FrameId, datetime], incident: FrameId, at: datetime | None) -> None:
    """Put it last if its moment is another; ``None`` takes it out."""
    if table.get(incident) != at:
        table.pop(incident, None)
        if at is not None:
            table[incident] = at


def urgency(incident: Incident) -> Priority:
    """Of its kind; a drill comes after everything real."""
    return Priority.TEST if incident.is_drill else PRIORITY[incident.kind]


def asked_about(incidents: Iterable[Incident]) -> Iterator[Incident]:
    """Those about which people are asked: unanswered, of each premises the most urgent and first few.

    Others share their cards. Tests answer themselves.
    """
    of_node: dict[NodeId, list[Incident]] = {}
    for incident in incidents:
        if incident.state == "unanswered" and incident.kind is not AlertKind.TEST:
            of_node.setdefault(incident.id.node, []).append(incident)
    for some in of_node.values():
        some.sort(key=lambda one: (urgency(one), one.id.counter))
        yield from some[:ASKED_EACH_MAX]


Groups = Table[NodeId, Group]
