"""Which incidents have a card of their own on the page, and which one stands for many (one stolen node, 40,000 alerts).

From the fourth open incident of one premises on the page has one card for all of them: the one that wants a person
most (:func:`_rank`), then the newest. The same goes for what was closed lately. Only the page is spared: each incident
is in the journal, receipted, told to its schemes, and closed, by itself.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from msgspec import Struct, field

from central.core.incident import EPOCH, Incident
from central.core.undo import Record, Table
from wire.ids import FrameId, NodeId
from wire.kinds import PRIORITY, Priority

CARDS_EACH_MAX: Final = 3
"""Of one premises, open; and as many closed ones."""

_Rank = tuple[int, int]
"""Whose turn it is; how urgent it is."""
_UNANSWERED: Final = (0, 2)
_IN_HAND: Final = 4


class Shown(Struct, frozen=True):
    """One card.

    Attributes:
        incident: what it shows.
        key: its name on the page: stays the same while ``incident`` changes under it.
        stands_for: so many incidents.
        through: the newest press among them, by its entry: what is pressed later has a higher one.
        is_again: somebody has answered others that it stands for, and nobody this one.
    """

    incident: FrameId
    key: FrameId
    stands_for: int = 1
    through: int = 0
    is_again: bool = False


class Group(Record):
    """The incidents of one premises, kept in order as they change: a flood costs each of them the same."""

    _ranks: Table[FrameId, tuple[_Rank, int]] = field(default_factory=Table)
    _by_rank: Table[_Rank, Table[FrameId, None]] = field(default_factory=Table)
    _closed: Table[FrameId, datetime] = field(default_factory=Table)
    # Closed ones that were forgotten since: how many, and when the last of them was closed.
    _closed_gone: tuple[int, datetime] = (0, EPOCH)
    _through: int = 0
    # Of the card that stands for many: its name, once the first of them had to go.
    _name: FrameId | None = None

    def take(self, incident: Incident) -> None:
        """It is new, or has changed."""
        self._through = max(self._through, incident.pressed_entry)
        before = self._ranks.get(incident.id)
        rank = _rank(incident)
        now = (rank, incident.pressed_entry) if incident.is_open else None
        if before != now:
            if before is not None:
                self._leave(incident.id, before[0])
            if now is None:
                del self._ranks[incident.id]
            else:  # In its old place: the first gives the card its name.
                self._ranks[incident.id] = now
                self._by_rank.setdefault(rank, Table())[incident.id] = None
        closed_at = incident.closed_at
        if self._closed.get(incident.id) != closed_at:
            self._closed.pop(incident.id, None)
            if closed_at is not None:
                self._closed[incident.id] = closed_at

    def drop(self, incident: FrameId) -> None:
        """It is known no longer, but counted."""
        if incident in self._ranks:
            self._name = self._name or next(iter(self._ranks))
            self._leave(incident, self._ranks.pop(incident)[0])
        closed_at = self._closed.pop(incident, None)
        if closed_at is not None:
            self._closed_gone = (self._closed_gone[0] + 1, closed_at)

    def sort(self) -> None:
        """Some came back that had been dropped: they are older than they seem."""
        for rank, of_rank in tuple(self._by_rank.items()):
            self._by_rank[rank] = Table(sorted(of_rank.items(), key=lambda item: self._ranks[item[0]][1]))

    def shown(self, closed_since_at: datetime, left_open: int = 0) -> tuple[Shown, ...]:
        """The cards, in no particular order; closed ones of no earlier than that.

        Args:
            closed_since_at: the earliest.
            left_open: how many more are open, on disk alone.
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
        return (Shown(newest, key, len(self._ranks) + left_open, self._through, is_again),)

    def _closed_cards(self) -> tuple[Shown, ...]:
        if len(self._closed) <= CARDS_EACH_MAX:
            return tuple(Shown(incident, incident) for incident in self._closed)
        newest = next(reversed(self._closed))
        return (Shown(newest, newest, len(self._closed) + self._closed_gone[0]),)

    def _leave(self, incident: FrameId, rank: _Rank) -> None:
        of_rank = self._by_rank[rank]
        del of_rank[incident]
        if not of_rank:
            del self._by_rank[rank]


def _rank(incident: Incident) -> _Rank:
    """What is urgent and unanswered first, for it sounds until somebody answers; then urgent and pressed again."""
    priority = Priority.TEST if incident.is_drill else PRIORITY[incident.kind]
    is_answered = incident.state != "unanswered"
    if is_answered and incident.pressed_again_at is None:
        return (_IN_HAND, priority)
    return ((0 if priority <= Priority.P2 else 2) + is_answered, priority)


Groups = Table[NodeId, Group]
