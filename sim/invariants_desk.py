"""What the control room is told of presses, and the invariant about it.

| id | what must hold |
|---|---|
| I29 (N2, C1) | the desk sounds for each live press, as urgent as it is: a card calls, or says PRESSED AGAIN since |
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from central.core.journal import FrameEntry, JournalEntry
from sim.broken import BrokenInvariantError
from wire.frames import Alert
from wire.ids import FrameId, node_text
from wire.kinds import PRIORITY, AlertKind, Priority

if TYPE_CHECKING:
    from central.core.view import Card

_TAKEN: Final[frozenset[str]] = frozenset({"acknowledged", "on-the-way", "closed", "found-late"})
_NO_SOUND: Final = Priority.TEST + 1


def judge_desk(journal: Iterable[JournalEntry], new: Iterable[FrameEntry], cards: Iterable[Card], now_ms: int) -> None:
    """The ``new`` frames are in the ``journal``, and the page has been sent these cards."""
    called = dict.fromkeys(entry.incident for entry in new if entry.incident is not None)
    for incident in called:
        press = _untaken([entry for entry in journal if entry.incident == incident])
        if press is not None and not any(_sounds(card, press) for card in _cards_of(incident, cards)):
            raise BrokenInvariantError(f"I29: {press.signed.frame.id.text} is sounded by no card (at {now_ms} ms)")


def _untaken(entries: Iterable[JournalEntry]) -> FrameEntry | None:
    """The newest live press of an incident, if nobody has taken it since."""
    newest, press = 0, None
    for entry in entries:
        if isinstance(entry, FrameEntry):
            frame = entry.signed.frame
            is_call = isinstance(frame, Alert) and frame.kind is not AlertKind.TEST and not entry.is_late
            if is_call and frame.counter > newest:
                newest, press = frame.counter, entry
        elif entry.kind in _TAKEN:
            press = None
    return press


def _cards_of(incident: FrameId, cards: Iterable[Card]) -> list[Card]:
    """The incident's own card, or the one that stands for several at its premises."""
    of_premises = [card for card in cards if card.node == node_text(incident.node) and card.state != "closed"]
    return [card for card in of_premises if card.stands_for > 1 or card.incident == incident.text]


def _sounds(card: Card, press: FrameEntry) -> bool:
    """Whether the page does so: while a card is unanswered, and once for each new time of PRESSED AGAIN.

    A less urgent sound says nothing of the press.
    """
    frame = press.signed.frame
    assert isinstance(frame, Alert)
    is_again = card.pressed_again_at is not None and card.pressed_again_at >= press.arrived_at
    sounding: list[int] = []
    if is_again or card.state == "unanswered":
        sounding.append(Priority.TEST if card.is_drill else card.priority)
    if is_again and card.again_kind:
        sounding.append(card.again_priority)
    return min(sounding, default=_NO_SOUND) <= (Priority.TEST if frame.drill else PRIORITY[frame.kind])
