"""One scope's own board: what its people see of the town, and no sign of the rest (ADR 0023).

A view takes every change of the whole board and makes one of its own, or none if nothing in its scope has changed, so
its sequence has no gaps and counts nobody else's traffic. Entry numbers rise with everything that happens in the town:
a card's ``revision`` and ``through`` are numbers of the view instead. Those who see every scheme get the changes as
they are.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from typing import Any, Final, TypeVar

from msgspec.structs import replace

from central.core.asking_lines import ShiftLine, WentOffLine
from central.core.audience import is_seen, sees_all
from central.core.boards import SAID, BoardKeeper, concerns_only, said_in
from central.core.details import PremisesLine
from central.core.incident import HEARD_AT
from central.core.rights import Scope
from central.core.set_aside import INTERNAL_ERROR
from central.core.view import (
    Board,
    Card,
    Change,
    HistoryLine,
    NodeLine,
    OnDuty,
    RejectedLine,
    SchemeLine,
)

P = TypeVar("P", OnDuty, WentOffLine)
ELSEWHERE: Final = "another premises"
"""Instead of the name of a premises of another scheme."""
THROUGHS_KEPT_MAX: Final = 16_384
"""What was on screen, for acts that come later; whoever acts on an older screen must look again."""


class Sight:
    """What a scope sees in a town of these schemes. Pure but for the numbers of ``through`` that it has given out."""

    def __init__(self, scope: Scope, whole: BoardKeeper, schemes: Collection[SchemeLine]) -> None:
        """For ``scope``; ``whole`` says in which schemes a unit is."""
        self._scope = scope
        self._whole = whole
        self._town = frozenset(one.number for one in schemes)
        self._mine = scope.alerts | scope.units
        self._wholly = scope.alerts & scope.units
        self._slugs = frozenset(one.slug for one in schemes if one.number in self._mine)
        # A scheme that the directory lacks has people too: its alerts are on the whole board, in nobody else's sight.
        self.is_whole = scope.is_whole or (
            sees_all(scope.alerts, self._town) and sees_all(scope.units, self._town) and whole.is_all_of(self._wholly)
        )
        self._throughs: OrderedDict[int, int] = OrderedDict()
        self._given: dict[int, int] = {}
        self._highest = 0

    def through(self, number: int) -> int | None:
        """The entry number for which ``number`` was given out; ``None``: it is not known any more."""
        return number if self.is_whole else self._throughs.get(number)

    def go_on_from(self, before: Sight) -> None:
        """Know the numbers that ``before`` has given out."""
        self._throughs, self._given, self._highest = before._throughs, before._given, before._highest

    def goes_beyond(self, change: Change) -> bool:
        """Whether a change of the whole board says something that those who see every scheme may not see."""
        lines: tuple[Card | NodeLine | PremisesLine, ...] = (*change.cards, *change.nodes, *change.premises)
        people: tuple[OnDuty | WentOffLine, ...] = (*(change.on_duty or ()), *(change.went_off or ()))
        return not (self._scope.is_whole or concerns_only(self._wholly, lines, people))

    def sees_card(self, card: Card) -> bool:
        """Alerts of its schemes, and of none if it sees them all."""
        mine = self._scope.alerts
        if self.is_whole or not mine.isdisjoint(card.scheme_numbers):
            return True
        return is_seen(card.scheme_numbers, mine, self._town)

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
        through = self._give_out(card.through, at) if card.through else 0
        # The premises is in the other scheme, too: its people see the alert, but not who is excluded in this one. Nor
        # do those who look after its units. What came to be of two schemes is about nobody, and so is its history.
        is_person_known = card.person_scheme in self._scope.alerts
        is_plain = not (card.members or card.relay_node) and self._mine.issuperset(card.scheme_numbers)
        names = card.person_scheme or any(line.about for line in card.history)
        is_asking_known = self._scope.alerts.issuperset(line.scheme for line in card.asking)
        is_told_whole = not any(line.node or self._asks_others(line) for line in card.history)
        if is_plain and is_asking_known and (is_person_known or not names) and is_told_whole:
            # Most are, and each change makes them anew.
            return replace(card, revision=revision, through=through)
        is_relay_known = not card.relay_node or self._knows(card.relay_node)
        return replace(
            card,
            revision=revision,
            through=through,
            schemes=tuple(slug for slug in card.schemes if slug in self._slugs),
            scheme_numbers=self._numbers(card.scheme_numbers),
            relay=card.relay if is_relay_known else ELSEWHERE,
            relay_node=card.relay_node if is_relay_known else "",
            members=tuple(line for line in card.members if self._knows(line.node)),
            history=tuple(self._history(card.history, is_person_known=is_person_known)),
            asking=tuple(line for line in card.asking if line.scheme in self._scope.alerts),
            person=card.person if is_person_known else "",
            person_scheme=card.person_scheme if is_person_known else 0,
            left=card.left if is_person_known else "",
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
        schemes = tuple(slug for slug in line.schemes if slug in self._slugs)
        return replace(line, schemes=schemes, scheme_numbers=self._numbers(line.scheme_numbers), radio=radio)

    def premises(self, line: PremisesLine) -> PremisesLine:
        """The details, without naming other schemes."""
        return line if self.is_whole else replace(line, scheme_numbers=self._numbers(line.scheme_numbers))

    def on_duty(self, people: Iterable[P]) -> tuple[P, ...]:
        """Those on duty for its schemes, now or before."""
        if self.is_whole:
            return tuple(people)
        mine = self._scope.alerts
        return tuple(replace(one, schemes=self._numbers(one.schemes)) for one in people if any(map(one.is_for, mine)))

    def shifts(self, lines: Iterable[ShiftLine]) -> tuple[ShiftLine, ...]:
        """Of its schemes."""
        return tuple(line for line in lines if self.is_whole or line.scheme in self._scope.alerts)

    def rejected(self, lines: Iterable[RejectedLine]) -> tuple[RejectedLine, ...]:
        """Input of its own units, and central's own failures that concern no unit: they may have cost anybody's."""
        if self.is_whole:
            return tuple(lines)
        return tuple(line for line in lines if self._sees_rejected(line))

    def _sees_rejected(self, line: RejectedLine) -> bool:
        is_of_nobody = line.reason == INTERNAL_ERROR and not line.sender
        return is_of_nobody or self._sees_sender(self._whole.node(line.sender))

    def _sees_sender(self, line: NodeLine | None) -> bool:
        return is_seen(line.scheme_numbers if line is not None else (), self._scope.units, self._town)

    def schemes(self, lines: Iterable[SchemeLine]) -> tuple[SchemeLine, ...]:
        """Its own."""
        return tuple(line for line in lines if self.is_whole or line.number in self._mine)

    def _give_out(self, through: int, at: datetime) -> int:
        number = self._given.get(through)
        if number is not None:
            self._throughs.move_to_end(number)
            return number
        # Rises as time does, across restarts of central too: a page sounds where it has risen.
        self._highest = number = max(self._highest + 1, int(1_000 * at.timestamp()))
        self._throughs[number], self._given[through] = through, number
        if len(self._throughs) > THROUGHS_KEPT_MAX:
            del self._given[self._throughs.popitem(last=False)[1]]
        return number

    def _history(self, lines: Iterable[HistoryLine], *, is_person_known: bool) -> Iterable[HistoryLine]:
        for told in lines:
            if self._asks_others(told):
                continue
            line = told if is_person_known or not told.about else replace(told, about="")
            if not self._names_others(line):
                yield line
            elif line.what != "member":
                said = line.text.partition(HEARD_AT)[0]
                yield replace(line, text=f"{said}{HEARD_AT}{ELSEWHERE}", node="")

    def _asks_others(self, line: HistoryLine) -> bool:
        return bool(line.scheme) and line.scheme not in self._scope.alerts

    def _names_others(self, line: HistoryLine) -> bool:
        return bool(line.node) and not self._knows(line.node)

    def _knows(self, node: str) -> bool:
        line = self._whole.node(node)
        return line is not None and any(number in self._mine for number in line.scheme_numbers)

    def _numbers(self, numbers: Iterable[int]) -> tuple[int, ...]:
        return tuple(number for number in numbers if number in self._mine)


class View:
    """One scope's board and changes. Not thread-safe: one loop owns it."""

    def __init__(self, scope: Scope, whole: BoardKeeper, run: str, now_at: datetime) -> None:
        """``run`` names this view in ``boot_id``: with another one, a page asks for the board again."""
        board = whole.board(now_at)
        self._scope = scope
        self._whole = whole
        self._boot_id = board.boot_id + run
        self._sight = Sight(scope, whole, whole.schemes)
        self._sequence = board.sequence if self._sight.is_whole else 0
        # Those who see every scheme look at the whole board itself.
        self._own = None if self._sight.is_whole else BoardKeeper(self._seen(board))

    @property
    def sequence(self) -> int:
        """Of the newest change."""
        return self._sequence

    def board(self, now_at: datetime) -> Board:
        """The newest, as of now."""
        if self._own is not None:
            return self._own.board(now_at)
        return replace(self._whole.board(now_at), sequence=self._sequence, boot_id=self._boot_id)

    def through(self, number: int) -> int | None:
        """See :meth:`Sight.through`."""
        return self._sight.through(number)

    def take(self, change: Change) -> Change | None:
        """The scope's own change, after the whole board has taken it; ``None``: it sees none of it."""
        number = self._sequence + 1
        own = self._own
        if self._has_turned(change):
            made = self._turned(change)
        elif own is None:
            made = change if change.sequence == number else replace(change, sequence=number)
        elif change.schemes is not None or (change.nodes and self._has_moved(change, own)):
            made = self._anew(change, own)
        else:
            made = self._part_of(change, own)
        if not _says_something(made):
            return None
        self._sequence = number
        if own is not None and self._own is own:
            own.apply(made)
        return made

    def _has_turned(self, change: Change) -> bool:
        """Whether they see every scheme no longer, or now."""
        if self._sight.is_whole and self._sight.goes_beyond(change):
            return True
        if change.schemes is None:
            return False
        return self._sight.is_whole != Sight(self._scope, self._whole, self._whole.schemes).is_whole

    def _seen(self, board: Board) -> Board:
        """The part of the whole board that is in sight."""
        sight = self._sight
        return replace(
            board,
            sequence=self._sequence,
            boot_id=self._boot_id,
            cards=tuple(sight.card(card, self._sequence, board.at) for card in board.cards if sight.sees_card(card)),
            nodes=tuple(sight.node(line) for line in board.nodes if sight.sees_node(line)),
            on_duty=sight.on_duty(board.on_duty),
            went_off=sight.on_duty(board.went_off),
            rejected=sight.rejected(board.rejected),
            schemes=sight.schemes(board.schemes),
            next_shifts=sight.shifts(board.next_shifts),
            missing=sight.shifts(board.missing),
            premises=tuple(sight.premises(line) for line in board.premises if sight.sees_premises(line)),
        )

    def _part_of(self, change: Change, own: BoardKeeper) -> Change:
        sight, number = self._sight, self._sequence + 1
        cards = [card for card in change.cards if sight.sees_card(card)]
        nodes = [line for line in change.nodes if sight.sees_node(line)]
        premises = [line for line in change.premises if sight.sees_premises(line)]
        gone_cards, gone_premises = change.gone_cards, change.gone_premises
        if len(cards) < len(change.cards):
            gone_cards += tuple({card.key for card in change.cards} - {card.key for card in cards})
        if len(premises) < len(change.premises):
            gone_premises += tuple({line.node for line in change.premises} - {line.node for line in premises})
        return Change(
            sequence=number,
            at=change.at,
            cards=tuple(sight.card(card, number, change.at) for card in cards),
            gone_cards=tuple(filter(own.has_card, gone_cards)),
            nodes=tuple(map(sight.node, nodes)),
            gone_nodes=tuple(node for node in change.gone_nodes if own.node(node) is not None),
            premises=tuple(map(sight.premises, premises)),
            gone_premises=tuple(filter(own.has_premises, gone_premises)),
            **self._said(change, own),
        )

    def _said(self, change: Change, own: BoardKeeper) -> dict[str, Any]:
        """What is new of central itself, people on duty and input rejected."""
        sight, said = self._sight, said_in(change)
        if not said:
            return said
        filters: dict[str, Callable[[Any], Any]] = {
            "on_duty": sight.on_duty,
            "went_off": sight.on_duty,
            "rejected": sight.rejected,
            "schemes": sight.schemes,
            "next_shifts": sight.shifts,
            "missing": sight.shifts,
        }
        for name, seen in filters.items():
            if name in said:
                said[name] = seen(said[name])
        return {name: value for name, value in said.items() if value != own.said(name)}

    def _has_moved(self, change: Change, own: BoardKeeper) -> bool:
        """Whether a unit has come into sight or left it: its name on others' cards does too."""
        return any(self._sight.sees_node(line) != (own.node(line.node) is not None) for line in change.nodes)

    def _anew(self, change: Change, own: BoardKeeper) -> Change:
        """The schemes of the town or of a unit are others now: all is looked at again, and what differs is told."""
        before = own.board(change.at)
        throughs = self._sight
        self._sight = Sight(self._scope, self._whole, self._whole.schemes)
        self._sight.go_on_from(throughs)
        return self._difference(before, change)

    def _turned(self, change: Change) -> Change:
        """A scheme was founded or closed, or shows though the directory lacks it."""
        before = self.board(change.at)
        self._sight = Sight(self._scope, self._whole, self._whole.schemes)
        if self._sight.is_whole:
            self._own = None
            return self._difference(replace(before, cards=()), change)
        # All that stood there is taken away, but for what they may still see.
        made = self._difference(before, change)
        self._sequence += 1
        self._own = BoardKeeper(self._seen(self._whole.board(change.at)))
        self._sequence -= 1
        return made

    def _difference(self, before: Board, change: Change) -> Change:
        number = self._sequence + 1
        self._sequence = number
        now = self._seen(self._whole.board(change.at))
        self._sequence = number - 1
        old_cards = {card.key: _timeless(card) for card in before.cards}
        old_nodes, old_premises = ({line.node: line for line in lines} for lines in (before.nodes, before.premises))
        # Where they saw all, ``before`` has what this change brought.
        changed = {card.key for card in change.cards} | {line.node for line in change.nodes}
        changed |= {line.node for line in change.premises}
        said = said_in(change)
        return Change(
            sequence=number,
            at=change.at,
            cards=tuple(one for one in now.cards if one.key in changed or old_cards.get(one.key) != _timeless(one)),
            gone_cards=tuple(old_cards.keys() - {card.key for card in now.cards}),
            nodes=tuple(one for one in now.nodes if one.node in changed or old_nodes.get(one.node) != one),
            gone_nodes=tuple(old_nodes.keys() - {line.node for line in now.nodes}),
            premises=tuple(one for one in now.premises if one.node in changed or old_premises.get(one.node) != one),
            gone_premises=tuple(old_premises.keys() - {line.node for line in now.premises}),
            **{name: one for name in SAID if (one := getattr(now, name)) != getattr(before, name) or name in said},
        )


def _timeless(card: Card) -> Card:
    return replace(card, revision=0, through=0)


def _says_something(change: Change) -> bool:
    if change.cards or change.nodes or change.gone_cards or change.gone_nodes:
        return True
    return bool(change.premises or change.gone_premises or said_in(change))
