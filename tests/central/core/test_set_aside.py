"""Whose alert the rules failed on, so that somebody can ring them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from central.core import acts, outbound, premises
from central.core import effects as do
from central.core import events as ev
from central.core.details import PremisesLine
from central.core.incident import Incident
from central.core.journal import ActionEntry, SeenFrame
from central.core.page import Page
from central.core.set_aside import NOT_DONE, parts_of, sender_of
from central.core.steps import UNSHOWN_TICKS_MAX
from central.core.view import AddNote, Refused
from tests.support.central_town import ALL_RIGHTS, BAKERY, CORNER, CROWN, PATEL, START, Town, make_directory, only
from wire.ids import FrameId, NodeId
from wire.kinds import Path
from wire.messages import Health, IncidentState, Sync
from wire.snapshots import PremisesEntry

SEVEN, EIGHT = FrameId(CORNER, 7), FrameId(BAKERY, 8)
SEEN = tuple(SeenFrame(frame_id, b"digest", is_late=False) for frame_id in (SEVEN, EIGHT))


@pytest.mark.parametrize(
    ("what", "sender"),
    [
        (ev.FramesCommitted((SEVEN, EIGHT)), CORNER),
        (ev.FramesKnown(SEEN), CORNER),
        (ev.HealthArrived(CROWN, Health(state="armed", boot_id="n1")), CROWN),
        (ev.SyncArrived(CROWN, Sync(boot_id="n1")), CROWN),
        (ActionEntry(1, "note", EIGHT, None, "words", START), BAKERY),
        (ev.FrameArrived(b"", None, Path.RADIO), None),
        (ev.FramesCommitted(()), None),
        (ev.Ticked(), None),
    ],
)
def test_sender_is_who_sent_it_as_far_as_that_is_known(what: object, sender: NodeId | None) -> None:
    assert sender == sender_of(what)


def test_event_about_several_frames_has_one_part_for_each() -> None:
    assert [ev.FramesCommitted((SEVEN,)), ev.FramesCommitted((EIGHT,))] == list(
        parts_of(ev.FramesCommitted((SEVEN, EIGHT)))
    )
    assert [ev.FramesKnown((seen,)) for seen in SEEN] == list(parts_of(ev.FramesKnown(SEEN)))
    assert () == parts_of(ev.FramesCommitted((SEVEN,))) == parts_of(ev.Ticked())


def test_who_asked_for_what_fails_is_told_that_nothing_was_done(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    town.press(7)
    monkeypatch.setattr(acts, "entry_for", failing)
    said = town.core.handle(ev.ActionRequested(9, AddNote("00000010-7", "words"), PATEL, ALL_RIGHTS), town.now_at)

    assert [do.AnswerAction(9, Refused(NOT_DONE))] == only(said, do.AnswerAction)


def test_what_is_set_aside_has_no_names_and_addresses_of_the_town(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes into a file for engineers."""

    def failing(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(premises, "Table", failing)
    said = town.core.handle(ev.PremisesChanged((PremisesEntry(premises=70, name="Shop", schemes=(1,)),)), town.now_at)

    assert ["PremisesChanged"] == [order.what for order in only(said, do.SetAside)]


def test_alert_that_cannot_be_told_takes_no_receipt_and_no_other_alert_with_it(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(incident: Incident, *rest: object) -> list[IncidentState]:
        if incident.id == EIGHT:
            raise ZeroDivisionError
        return outbound.states_of(incident, *rest)  # type: ignore[arg-type]

    town.is_disk_slow = True
    town.press(7)
    town.press(8, node=BAKERY)
    monkeypatch.setattr(acts, "states_of", failing)
    said = town.core.handle(ev.FramesCommitted((SEVEN, EIGHT)), town.now_at)

    assert [SEVEN, EIGHT] == [order.target for order in only(said, do.SendReceipt)]
    assert [SEVEN.text] == [order.state.incident for order in only(said, do.PublishIncident)]


SHOPS = tuple(PremisesEntry(premises=number, name=f"Shop {number}", schemes=(1,)) for number in (70, 71, 72))
JOINED = {CORNER: 70, BAKERY: 71, CROWN: 72}


@pytest.mark.finding(12)
@pytest.mark.parametrize("told_at_once", [1, 100])
def test_premises_that_cannot_be_drawn_is_taken_away_and_keeps_no_other_from_the_page(
    monkeypatch: pytest.MonkeyPatch, told_at_once: int
) -> None:
    """Only so many are told at once: one that is told by a later tick ended central."""
    town, line_of = Town(directory=make_directory(office_premises=JOINED)), premises.line_of
    town.handle(ev.PremisesChanged(SHOPS))

    def failing(node: NodeId, entry: PremisesEntry) -> PremisesLine:
        if node == BAKERY:
            raise ZeroDivisionError
        return line_of(node, entry)

    monkeypatch.setattr(premises, "TOLD_AT_ONCE", told_at_once)
    monkeypatch.setattr(premises, "line_of", failing)
    said = town.core.handle(ev.PremisesChanged(tuple(replace(one, address="2 High St") for one in SHOPS)), town.now_at)
    for _ in SHOPS:
        town.now_at += timedelta(seconds=1)
        said += town.core.handle(ev.Ticked(), town.now_at)
    for order in only(said, do.ShowChange):
        town.keeper.apply(order.change)

    assert {"Shop 70": "2 High St", "Shop 72": "2 High St"} == {one.name: one.address for one in town.board().premises}
    assert ["premises of 00000011"] == [order.what for order in only(said, do.SetAside)]


def nothing_can_be_shown(*_: object, **__: object) -> None:
    raise ZeroDivisionError


@pytest.mark.finding(12)
def test_step_of_which_nothing_can_be_shown_ends_nothing(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """Here in the step itself, in what is tried instead, and where an act is judged."""
    with monkeypatch.context() as failing:
        failing.setattr(Page, "change", nothing_can_be_shown)
        failing.setattr(acts, "entry_for", lambda *_, **__: 1 / 0)
        town.core.handle(ev.LinkUp(), town.now_at)
        town.core._pending = (ev.ActionRequested(9, AddNote("00000010-7", "words"), PATEL, ALL_RIGHTS),)
        said = town.core.handle(ev.Ticked(), town.now_at)
    assert [do.AnswerAction(9, Refused(NOT_DONE))] == only(said, do.AnswerAction)

    assert [SEVEN] == [order.target for order in only(town.press(7), do.SendReceipt)]
    assert "unanswered" == town.card().state


@pytest.mark.finding(12)
def test_page_that_stands_still_for_good_ends_central(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """It looks live, and no alert gets a receipt: a new start leaves out what the rules fail on."""
    with monkeypatch.context() as failing:
        failing.setattr(Page, "change", nothing_can_be_shown)
        for _ in range(UNSHOWN_TICKS_MAX - 1):
            town.core.handle(ev.Ticked(), town.now_at)
    town.core.handle(ev.Ticked(), town.now_at)

    monkeypatch.setattr(Page, "change", nothing_can_be_shown)
    for _ in range(UNSHOWN_TICKS_MAX - 1):
        town.core.handle(ev.Ticked(), town.now_at)
    with pytest.raises(ZeroDivisionError):
        town.core.handle(ev.Ticked(), town.now_at)
