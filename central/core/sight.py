"""One scope's own board: what its people see of the town, and no sign of the rest (ADR 0023).

A view takes every change of the whole board and makes one of its own, or none if nothing in its scope has changed, so
its sequence has no gaps and counts nobody else's traffic. Entry numbers rise with everything that happens in the town:
a card's ``revision`` and ``through`` are numbers of the view instead. Those who see every scheme get the changes as
they are.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from msgspec.structs import replace

from central.core.audience import is_seen, sees_all
from central.core.boards import BoardKeeper
from central.core.incident import EPOCH, HEARD_AT
from central.core.rights import Scope
from central.core.view import (
    OF_CENTRAL,
    Board,
    Card,
    Change,
    HistoryLine,
    NodeLine,
    OnDuty,
    PremisesLine,
    RejectedLine,
    SchemeLine,
)

ELSEWHERE: Final = "another premises"
"""Instead of the name of a premises of another scheme."""
THROUGHS_KEPT_MAX: Final = 16_384
"""What was on screen, for acts that come later; whoever acts on an older screen must look again."""
_SAID: Final = (*OF_CENTRAL, "on_duty", "rejected", "schemes")


class Sight:
    """What a scope sees in a town of these schemes. Pure but for the numbers of ``through`` that it has given out."""

    def __init__(self, scope: Scope, whole: BoardKeeper, schemes: Collection[SchemeLine]) -> None:
        """For ``scope``; ``whole`` says in which schemes a unit is."""
        self._scope = scope
        self._whole = whole
        self._town = frozenset(one.number for one in schemes)
        self._mine = scope.alerts | scope.units
        self.is_whole = scope.is_whole or (sees_all(scope.alerts, self._town) and sees_all(scope.units, self._town))
        self._throughs: OrderedDict[int, int] = OrderedDict()
        self._given: dict[int, int] = {}
        self._highest = 0

    def through(self, number: int) -> int | None:
        """The entry number for which ``number`` was given out; ``None``: it is not known any more."""
        return number if self.is_whole else self._throughs.get(number)

    def sees_card(self, card: Card) -> bool:
        """Alerts of its schemes, and of none if it sees them all."""
        return self.is_whole or is_seen(card.scheme_numbers, self._scope.alerts, self._town)

    def sees_node(self, line: NodeLine | None) -> bool:
        """Units of its schemes, and of none if it sees them all."""
        return self.is_whole or (line is not None and is_seen(line.scheme_numbers, self._scope.units, self._town))

    def sees_premises(self, line: PremisesLine) -> bool:
        """Premises that are in one of its schemes, by the office."""
        return self.is_whole or any(number in self._scope.alerts for number in line.scheme_numbers)

    def card(self, card: Card, revision: int, at: datetime) -> Card:
        """The card with what concerns the scope."""
        if self.is_whole:
            return card
        return replace(
            card,
            revision=revision,
            through=self._give_out(card.through, at) if card.through else 0,
            schemes=self._slugs(card.schemes),
            scheme_numbers=self._numbers(card.scheme_numbers),
            relay=card.relay if not card.relay_node or self._knows(card.relay_node) else ELSEWHERE,
            relay_node=card.relay_node if self._knows(card.relay_node) else "",
            members=tuple(line for line in card.members if self._knows(line.node)),
            history=tuple(self._history(card.history)),
        )

    def node(self, line: NodeLine) -> NodeLine:
        """The line with what concerns the scope."""
        if self.is_whole:
            return line
        radio = line.radio
        if radio is not None and radio.heard_by_nodes:
            heard = [
                (node, name)
                for node, name in zip(radio.heard_by_nodes, radio.heard_by, strict=False)
                if self._knows(node)
            ]
            radio = replace(
                radio,
                heard_by_nodes=tuple(node for node, _ in heard),
                heard_by=tuple(name for _, name in heard) or (ELSEWHERE,),
            )
        schemes, numbers = self._slugs(line.schemes), self._numbers(line.scheme_numbers)
        return replace(line, schemes=schemes, scheme_numbers=numbers, radio=radio)

    def premises(self, line: PremisesLine) -> PremisesLine:
        """The details, without naming other schemes."""
        return line if self.is_whole else replace(line, scheme_numbers=self._numbers(line.scheme_numbers))

    def on_duty(self, people: Iterable[OnDuty]) -> tuple[OnDuty, ...]:
        """Those on duty for its schemes."""
        if self.is_whole:
            return tuple(people)
        mine = self._scope.alerts
        return tuple(replace(one, schemes=self._numbers(one.schemes)) for one in people if any(map(one.is_for, mine)))

    def rejected(self, lines: Iterable[RejectedLine]) -> tuple[RejectedLine, ...]:
        """Input of its own units."""
        if self.is_whole:
            return tuple(lines)
        return tuple(line for line in lines if self.sees_node(self._whole.node(line.sender)))

    def schemes(self, lines: Iterable[SchemeLine]) -> tuple[SchemeLine, ...]:
        """Its own."""
        return tuple(line for line in lines if self.is_whole or line.number in self._mine)

    def _give_out(self, through: int, at: datetime) -> int:
        number = self._given.get(through)
        if number is not None:
            self._throughs.move_to_end(number)
            return number
        # Rises as time does, across restarts of central too: a page sounds where it has risen.
        self._highest = number = max(self._highest + 1, (at - EPOCH) // timedelta(milliseconds=1))
        self._throughs[number], self._given[through] = through, number
        if len(self._throughs) > THROUGHS_KEPT_MAX:
            del self._given[self._throughs.popitem(last=False)[1]]
        return number

    def _history(self, lines: Iterable[HistoryLine]) -> Iterable[HistoryLine]:
        for line in lines:
            if not line.node or self._knows(line.node):
                yield line
            elif line.what != "member":
                said = line.text.partition(HEARD_AT)[0]
                yield replace(line, text=f"{said}{HEARD_AT}{ELSEWHERE}", node="")

    def _knows(self, node: str) -> bool:
        line = self._whole.node(node)
        return line is not None and any(number in self._mine for number in line.scheme_numbers)

    def _numbers(self, numbers: Iterable[int]) -> tuple[int, ...]:
        return tuple(number for number in numbers if number in self._mine)

    def _slugs(self, slugs: tuple[str, ...]) -> tuple[str, ...]:
        mine = {one.slug for one in self.schemes(self._whole.schemes)}
        return tuple(slug for slug in slugs if slug in mine)


class View:
    """One scope's board and changes. Not thread-safe: one loop owns it."""

    def __init__(self, scope: Scope, whole: BoardKeeper, run: str, now_at: datetime) -> None:
        """``run`` names this view in ``boot_id``: with another one, a page asks for the board again."""
        self._scope = scope
        self._whole = whole
        self._sight = Sight(scope, whole, whole.schemes)
        board = whole.board(now_at)
        self._sequence = board.sequence if self._sight.is_whole else 0
        self._boot_id = board.boot_id + run
        self._keeper = BoardKeeper(self._seen(board))

    @property
    def sequence(self) -> int:
        """Of the newest change."""
        return self._sequence

    def board(self, now_at: datetime) -> Board:
        """The newest, as of now."""
        return self._keeper.board(now_at)

    def through(self, number: int) -> int | None:
        """See :meth:`Sight.through`."""
        return self._sight.through(number)

    def take(self, change: Change) -> Change | None:
        """The scope's own change, after the whole board has taken it; ``None``: it sees none of it."""
        if change.schemes is not None or (change.nodes and not self._sight.is_whole and self._has_moved(change)):
            made = self._anew(change)
        elif self._sight.is_whole:
            made = replace(change, sequence=self._sequence + 1)
        else:
            made = self._part_of(change)
        if made is None:
            return None
        self._sequence += 1
        self._keeper.apply(made)
        return made

    def _seen(self, board: Board) -> Board:
        sight, revision = self._sight, self._sequence
        if sight.is_whole:
            return replace(board, boot_id=self._boot_id)
        return replace(
            board,
            sequence=revision,
            boot_id=self._boot_id,
            cards=tuple(sight.card(card, revision, board.at) for card in board.cards if sight.sees_card(card)),
            nodes=tuple(sight.node(line) for line in board.nodes if sight.sees_node(line)),
            on_duty=sight.on_duty(board.on_duty),
            rejected=sight.rejected(board.rejected),
            schemes=sight.schemes(board.schemes),
            premises=tuple(sight.premises(line) for line in board.premises if sight.sees_premises(line)),
        )

    def _part_of(self, change: Change) -> Change | None:
        sight, keeper, number = self._sight, self._keeper, self._sequence + 1
        seen = [card for card in change.cards if sight.sees_card(card)]
        lines = [line for line in change.nodes if sight.sees_node(line)]
        premises = [line for line in change.premises if sight.sees_premises(line)]
        gone_cards = {*change.gone_cards, *(one.key for one in change.cards)} - {one.key for one in seen}
        gone_nodes = {*change.gone_nodes, *(one.node for one in change.nodes)} - {one.node for one in lines}
        gone_premises = {*change.gone_premises, *(one.node for one in change.premises)} - {one.node for one in premises}
        made = Change(
            sequence=number,
            at=change.at,
            cards=tuple(sight.card(card, number, change.at) for card in seen),
            gone_cards=tuple(key for key in sorted(gone_cards) if keeper.has_card(key)),
            nodes=tuple(map(sight.node, lines)),
            gone_nodes=tuple(node for node in sorted(gone_nodes) if keeper.node(node) is not None),
            premises=tuple(map(sight.premises, premises)),
            gone_premises=tuple(node for node in sorted(gone_premises) if keeper.has_premises(node)),
            **self._said(change),
        )
        return made if _says_something(made) else None

    def _said(self, change: Change) -> dict[str, Any]:
        """What is new of central itself, people on duty and input rejected."""
        sight = self._sight
        said = {name: value for name in _SAID if (value := getattr(change, name)) is not None}
        for name, seen in (("on_duty", sight.on_duty), ("rejected", sight.rejected), ("schemes", sight.schemes)):
            if name in said:
                said[name] = seen(said[name])
        return {name: value for name, value in said.items() if value != self._keeper.said(name)}

    def _has_moved(self, change: Change) -> bool:
        """Whether a unit has come into sight or left it: its name on others' cards does too."""
        return any(self._sight.sees_node(line) != (self._keeper.node(line.node) is not None) for line in change.nodes)

    def _anew(self, change: Change) -> Change | None:
        """The schemes of the town or of a unit are others now: all is looked at again, and what differs is told."""
        was_whole = self._sight.is_whole
        self._sight = Sight(self._scope, self._whole, self._whole.schemes)
        before, whole = self._keeper.board(change.at), self._whole.board(change.at)
        self._sequence += 1
        now = self._seen(whole)
        self._sequence -= 1
        is_other = was_whole != self._sight.is_whole
        old_cards = {card.key: replace(card, revision=0, through=0) for card in before.cards}
        old_lines = {line.node: line for line in before.nodes}
        old_premises = {line.node: line for line in before.premises}
        changed = {card.key for card in change.cards}
        cards = tuple(
            card
            for card in now.cards
            if is_other or card.key in changed or old_cards.get(card.key) != replace(card, revision=0, through=0)
        )
        said = {name: value for name in _SAID if (value := getattr(now, name)) != self._keeper.said(name)}
        made = Change(
            sequence=self._sequence + 1,
            at=change.at,
            cards=cards,
            gone_cards=tuple(old_cards.keys() - {card.key for card in now.cards}),
            nodes=tuple(line for line in now.nodes if old_lines.get(line.node) != line),
            gone_nodes=tuple(old_lines.keys() - {line.node for line in now.nodes}),
            premises=tuple(line for line in now.premises if old_premises.get(line.node) != line),
            gone_premises=tuple(old_premises.keys() - {line.node for line in now.premises}),
            **said,
        )
        return made if _says_something(made) else None


def _says_something(change: Change) -> bool:
    parts = (change.cards, change.gone_cards, change.nodes, change.gone_nodes, change.premises, change.gone_premises)
    return any(parts) or any(getattr(change, name) is not None for name in _SAID)
