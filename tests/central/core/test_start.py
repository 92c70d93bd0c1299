"""A start from a journal of which one entry brings out a bug: everything else is there, and it is told."""

from __future__ import annotations

import pytest

from central.core import cards, outbound
from central.core import effects as do
from central.core import events as ev
from central.core.incident import Incident
from central.core.journal import FrameEntry, JournalEntry, Recall
from central.core.machine import CentralCore
from central.core.nodes import NodeRecord, Nodes
from central.core.view import Card, NodeLine
from tests.support.central_town import BAKERY, CORNER, START, Town, make_directory, opened
from wire.ids import FrameId
from wire.messages import Health, IncidentState

pytestmark = pytest.mark.finding(12)


def journal() -> tuple[JournalEntry, ...]:
    town = Town()
    town.press(7)
    town.press(8, incident=7)
    town.press(9, node=BAKERY)
    return tuple(town.disk)


def start(entries: tuple[JournalEntry, ...]) -> tuple[CentralCore, list[do.Effect]]:
    core, data = CentralCore(), make_directory()
    return core, core.handle(ev.Started("boot-2", opened(data), data, Recall(journal=entries, last_entry=3)), START)


def test_start_leaves_out_an_entry_that_cannot_be_applied(monkeypatch: pytest.MonkeyPatch) -> None:
    entries, apply = journal(), Incident.take_frame

    def take_frame(self: Incident, entry: FrameEntry, *rest: object) -> None:
        apply(self, entry, *rest)  # type: ignore[arg-type]
        if entry.signed.frame.counter == 8:
            raise ZeroDivisionError

    monkeypatch.setattr(Incident, "take_frame", take_frame)
    _, orders = start(entries)

    (board,) = (order.board for order in orders if isinstance(order, do.ShowBoard))
    assert {"00000010-7": 1, "00000011-9": 1} == {card.incident: card.alert_count for card in board.cards}
    assert [("internal error", "00000010")] == [(line.reason, line.sender) for line in board.rejected]
    assert [entries[1]] == [order.what for order in orders if isinstance(order, do.SetAside)]


def test_incident_that_cannot_be_drawn_costs_its_own_card_and_is_still_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its shop was told RECEIVED, so somebody must see that it called."""
    entries = journal()

    def card_of(incident: Incident, *rest: object) -> Card:
        if incident.id == FrameId(CORNER, 7):
            raise ZeroDivisionError
        return cards.card_of(incident, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr("central.core.page.card_of", card_of)
    core, orders = start(entries)

    (board,) = (order.board for order in orders if isinstance(order, do.ShowBoard))
    assert {"00000010-7": ("00000010", cards.NOT_DRAWN), "00000011-9": ("Bakery", "High St")} == {
        card.incident: (card.premises, card.place) for card in board.cards
    }
    assert [FrameId(CORNER, 7)] == [order.what for order in orders if isinstance(order, do.SetAside)]
    assert any(isinstance(order, do.PublishStatus) for order in core.handle(ev.LinkUp(), START))


def test_what_cannot_be_drawn_claims_nothing_that_nobody_said() -> None:
    """Not that somebody has it in hand, nor that its node does anything."""
    town = Town()
    town.press(7)
    card, line = cards.bared(town.card()), cards.bare_line("00000010")

    assert ("", "", None, None, None, (), ()) == (
        *(card.assigned_to, card.outcome, card.answered_by, card.coming, card.cancelled, card.members, card.history),
    )
    assert ((), 0, 0, 0, "", False, False, None) == (
        *(line.faults, line.outbox_depth, line.rejected, line.restarts, line.version),
        *(line.is_gateway, line.is_weekly_test_overdue, line.radio),
    )


def test_premises_that_cannot_be_drawn_costs_its_own_line(monkeypatch: pytest.MonkeyPatch) -> None:
    entries, line = journal(), Nodes.line

    def failing(self: Nodes, record: NodeRecord, *rest: object) -> NodeLine:
        if record.node == CORNER:
            raise ZeroDivisionError
        return line(self, record, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Nodes, "line", failing)
    core, orders = start(entries)
    (board,) = (order.board for order in orders if isinstance(order, do.ShowBoard))
    assert {"00000010", "Bakery", "The Crown", "Arcade"} == {one.premises for one in board.nodes}

    core.handle(ev.HealthArrived(CORNER, Health(state="armed", boot_id="n1")), START)
    said = core.handle(ev.HealthArrived(BAKERY, Health(state="armed", boot_id="n1")), START)
    assert [["00000011"]] == [[one.node for one in do_.change.nodes] for do_ in said if isinstance(do_, do.ShowChange)]


def test_state_that_cannot_be_told_keeps_no_other_from_being_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A directory that strikes a node off touches many at once."""
    core, _ = start(journal())
    core.handle(ev.LinkUp(), START)
    real = cards.state_of

    def failing(incident: Incident, *rest: object) -> IncidentState:
        if incident.id == FrameId(CORNER, 7):
            raise ZeroDivisionError
        return real(incident, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(outbound, "state_of", failing)
    for incident in tuple(core._incidents.all()):
        core._incidents.changed[incident.id] = incident
    data = make_directory(2)
    said = core.handle(ev.DirectoryChanged(opened(data), data), START)

    assert ["00000011-9"] == [one.state.incident for one in said if isinstance(one, do.PublishIncident)]
    assert 2 == core.directory.serial
