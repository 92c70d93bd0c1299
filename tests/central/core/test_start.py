"""A start from a journal of which one entry brings out a bug: everything else is there, and it is told."""

from __future__ import annotations

import pytest

from central.core import cards, outbound
from central.core import effects as do
from central.core import events as ev
from central.core.incident import Incident
from central.core.intake import SEEN_EACH_MAX
from central.core.journal import FrameEntry, JournalEntry, Recall, SeenFrame
from central.core.machine import CentralCore
from central.core.nodes import NodeRecord, Nodes
from central.core.view import Acknowledge, Card, NodeLine
from tests.support.central_town import BAKERY, CORNER, START, Town, frame_entry, make_directory, only, opened
from wire.ids import FrameId
from wire.kinds import AlertKind, Path
from wire.messages import Health, IncidentState, ReceiptedFrame, Sync
from wire.topics import FrameTopic

pytestmark = pytest.mark.finding(12)


def journal() -> tuple[JournalEntry, ...]:
    town = Town()
    town.press(7)
    town.press(8, incident=7)
    town.press(9, node=BAKERY)
    return tuple(town.disk)


def start(entries: tuple[JournalEntry, ...], *later: SeenFrame) -> tuple[CentralCore, list[do.Effect]]:
    core, data = CentralCore(), make_directory()
    frames = (entry for entry in entries if isinstance(entry, FrameEntry))
    seen = (*(SeenFrame(entry.signed.frame.id, entry.digest, is_late=False) for entry in frames), *later)
    recall = Recall(journal=entries, seen=seen, last_entry=3)
    return core, core.handle(ev.Started("boot-2", opened(data), data, recall), START)


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


def again(entry: FrameEntry) -> ev.FrameArrived:
    return ev.FrameArrived(entry.signed.data, FrameTopic("hart", CORNER), Path.NETWORK)


def test_alert_that_could_not_be_applied_has_no_receipt_before_it_has_a_card(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its shop would read RECEIVED and send no more, and no page shows that it called."""
    entries = journal()
    seven = frame_entry(entries[0])
    known = SeenFrame(seven.signed.frame.id, seven.digest, is_late=False)
    with monkeypatch.context() as failing:
        failing.setattr(Incident, "take_frame", lambda *_: 1 / 0)
        core, _ = start(entries)
        core.handle(again(seven), START)
        said = core.handle(ev.FramesKnown((known,)), START)
        assert [] == only(said, do.SendReceipt)

    said = core.handle(again(seven), START)
    assert [] == only(said, do.SendReceipt)
    said = core.handle(ev.FramesKnown((known,)), START)
    assert [FrameId(CORNER, 7)] == [order.target for order in only(said, do.SendReceipt)]
    assert ["00000010-7"] == [card.incident for order in only(said, do.ShowChange) for card in order.change.cards]


def test_receipted_alert_that_could_not_be_applied_is_asked_for_however_old_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The others of that sender are too many to be remembered, and on disk."""
    entries = journal()
    seven = frame_entry(entries[0])
    later = (SeenFrame(FrameId(CORNER, 7 + number), b"d" * 32, is_late=False) for number in range(1, SEEN_EACH_MAX + 2))
    monkeypatch.setattr(Incident, "take_frame", lambda *_: 1 / 0)
    core, _ = start(entries[:1], *later)
    receipted = (ReceiptedFrame(counter=7, digest=seven.digest[:8].hex()), ReceiptedFrame(counter=8, digest="64" * 8))
    sync = Sync(boot_id="n1", nonce="a" * 32, receipted=receipted)
    said = core.handle(ev.SyncArrived(CORNER, sync, is_signed=True), START)

    assert [(7,)] == [order.answer.missing for order in only(said, do.SendSyncAnswer)]


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


def test_attack_behind_a_card_that_cannot_be_shown_is_still_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """N2: one card stands for both. Either it cannot be drawn, or it is and cannot be sent."""
    town = Town()
    for counter, kind in ((10, AlertKind.ATTACK), (20, AlertKind.THEFT), (30, AlertKind.THEFT), (40, AlertKind.THEFT)):
        town.press(counter, kind)
    town.act(Acknowledge("00000010-10"))
    town.press(50, AlertKind.ASSIST)
    town.press(11, AlertKind.ATTACK, incident=10)
    (drawn,) = town.board().cards
    monkeypatch.setattr("central.core.page.card_of", lambda *_: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        town.press(12, AlertKind.ATTACK, incident=10)

    for card in (*town.board().cards, cards.bared(drawn)):
        assert ("assist", "unanswered", cards.NOT_DRAWN) == (card.kind, card.state, card.place)
        assert ("attack", 1) == (card.urgent_kind, card.urgent_count)
        assert ("attack", 1, town.now_at) == (card.again_kind, card.again_priority, card.pressed_again_at)


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
