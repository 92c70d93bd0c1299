"""What one sender can make central remember is bounded, however long it goes on; the disk remembers the rest (N3)."""

from __future__ import annotations

import msgspec
import pytest

from central.core import bulk, incidents, intake
from central.core import effects as do
from central.core import events as ev
from central.core.journal import ActionKind, FrameEntry, Recall
from central.core.view import Acknowledge, Assign, Card, Close, CloseRevoked, Done, SetOnTheWay, UndoAcknowledge
from tests.support.central_steps import StepRig, state_of
from tests.support.central_town import (
    BAKERY,
    CORNER,
    JONES,
    PATEL,
    START,
    Town,
    make_directory,
    only,
    open_besides,
    opened,
)
from wire.frames import Alert, Cancel, PathTest
from wire.ids import FrameId
from wire.kinds import AlertKind, CancelReason, Path
from wire.messages import Sync

pytestmark = pytest.mark.finding(17)

AT_S = int(START.timestamp())


def size_of(thing: object) -> int:
    return len(repr(state_of(thing)))


def test_frames_that_were_seen_are_kept_of_each_sender_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "SEEN_EACH_MAX", 50)
    rig = StepRig()
    for counter in range(100, 200):
        rig.send(PathTest(CORNER, counter, AT_S, Path.NETWORK))
    some = size_of(rig.core.core._intake)
    for counter in range(200, 500):
        rig.send(PathTest(CORNER, counter, AT_S, Path.NETWORK))

    assert size_of(rig.core.core._intake) < 1.1 * some


def test_frame_that_was_forgotten_is_known_to_the_disk_and_answered_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "SEEN_EACH_MAX", 50)
    rig = StepRig()
    quiet = rig.send(PathTest(BAKERY, 1, AT_S, Path.NETWORK))
    for counter in range(100, 200):
        rig.send(PathTest(CORNER, counter, AT_S, Path.NETWORK))
    entries = len(rig.journal)
    rig.receipts.clear()
    for frame in (PathTest(CORNER, 100, AT_S, Path.NETWORK), PathTest(BAKERY, 1, AT_S, Path.NETWORK)):
        rig.send(frame)

    assert [FrameId(CORNER, 100), quiet] == rig.receipts
    assert entries == len(rig.journal)


def test_cancels_without_their_alert_are_kept_up_to_a_bound() -> None:
    """A thousand times sixty-four of them were 40 MB."""
    rig = StepRig()
    for counter in range(100, 600):
        rig.send(Cancel(CORNER, counter, AT_S, counter % 50 + 1, CancelReason.MISTAKE, (1,)))

    assert incidents.EARLY_EACH_MAX >= sum(len(waiting) for waiting in rig.core.core._incidents._early.values())


def test_cancel_without_its_alert_is_not_crowded_out_by_somebody_elses() -> None:
    rig = StepRig()
    rig.send(Cancel(BAKERY, 8, AT_S, 7, CancelReason.MISTAKE, (1,)))
    for counter in range(100, 1_300):
        rig.send(Cancel(CORNER, counter, AT_S, counter - 1, CancelReason.MISTAKE, (1,)))
    rig.send(Alert(BAKERY, 7, AT_S, AlertKind.ASSIST, 7, (1,)))

    card = rig.card(FrameId(BAKERY, 7))
    assert card is not None
    assert "mistake" == card.cancelled


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Town:
    """A town whose central remembers ten open and ten closed alerts of each sender."""
    for bound in ("OPEN_EACH_MAX", "CLOSED_EACH_MAX"):
        monkeypatch.setattr(incidents, bound, 10, raising=False)
    return Town()


def flood(town: Town, count: int = 40, first: int = 100) -> None:
    """So many attacks of one shop's, each an incident of its own."""
    for counter in range(first, first + count):
        town.press(counter, AlertKind.ATTACK)


def card_of(town: Town, *, closed: bool = False) -> Card:
    """The one card that stands for all of the shop's."""
    (card,) = [card for card in town.board().cards if card.node == "00000010" and (card.state == "closed") is closed]
    return card


def test_alerts_of_one_sender_are_kept_up_to_a_bound_and_all_are_taken(small: Town) -> None:
    flood(small)
    some = size_of(small.core._incidents) + size_of(small.core._page)
    flood(small, count=160, first=200)

    assert 1.1 * some > size_of(small.core._incidents) + size_of(small.core._page)
    assert 200 == len({order.target for order in only(small.said, do.SendReceipt)})
    assert 200 == len([entry for entry in small.disk if isinstance(entry, FrameEntry)])
    assert 200 == card_of(small).stands_for
    assert "00000010-359" == card_of(small).incident


def test_closed_alerts_of_one_sender_are_kept_up_to_a_bound_and_all_are_counted(small: Town) -> None:
    sizes = []
    for first in range(100, 300, 20):
        flood(small, count=20, first=first)
        card = card_of(small)
        small.act(Close(card.incident, "Button stuck", seen_through=card.through), JONES)
        for _ in range(20):
            small.handle(ev.Resumed())
        sizes.append(size_of(small.core._page))

    assert 200 == card_of(small, closed=True).stands_for
    assert 1.1 * sizes[1] > sizes[-1]


def test_card_that_stands_for_more_than_is_kept_keeps_its_name(small: Town) -> None:
    flood(small)
    key = card_of(small).key
    flood(small, first=200)

    assert key == card_of(small).key


def test_alert_is_not_crowded_out_by_somebody_elses(small: Town) -> None:
    small.press(7, AlertKind.ASSIST, node=BAKERY)
    flood(small)

    assert ["00000011-7"] == [card.incident for card in small.board().cards if card.node == "00000011"]
    assert isinstance(small.act(Acknowledge("00000011-7", "assist")), Done)


def test_what_was_pressed_longest_ago_goes_first(small: Town) -> None:
    flood(small, count=10)
    small.press(300, AlertKind.ATTACK, incident=100)
    flood(small, count=5, first=400)

    assert [100, *range(106, 110), *range(400, 405)] == sorted(one.id.counter for one in small.core._incidents.all())


@pytest.mark.finding(13)
def test_attack_is_not_crowded_out_by_anything_less(small: Town) -> None:
    """Whoever takes the unit away must not bury the attack that its shop pressed."""
    small.press(7, AlertKind.ATTACK)
    for counter in range(100, 120):
        small.press(counter, AlertKind.CALL_REQUEST)
    assert ("00000010-7", "attack", 21) == (card_of(small).incident, card_of(small).kind, card_of(small).stands_for)

    flood(small, first=200)
    assert {"attack"} == {one.kind.slug for one in small.core._incidents.of(CORNER)}


def test_one_act_closes_also_those_that_are_open_on_disk_alone(small: Town) -> None:
    flood(small)
    card = card_of(small)
    answer = small.act(Close(card.incident, "Button stuck", seen_through=card.through), JONES)
    assert isinstance(answer, Done)
    assert 30 == answer.left
    for _ in range(20):
        small.later(1)

    closed = [entry.incident for entry in small.disk if not isinstance(entry, FrameEntry) and entry.kind == "closed"]
    assert 40 == len(closed) == len(set(closed))
    assert 40 == card_of(small, closed=True).stands_for
    assert {"closed"} == {card.state for card in small.board().cards}


def written(town: Town, kind: str) -> list[FrameId | None]:
    return [entry.incident for entry in town.disk if not isinstance(entry, FrameEntry) and entry.kind == kind]


ANSWERS = (
    (Acknowledge("", "attack"), "acknowledged"),
    (Assign("", "Jones"), "assigned"),
    (SetOnTheWay("", "attack", PATEL), "on-the-way"),
)


@pytest.mark.finding(13)
@pytest.mark.parametrize(("action", "kind"), ANSWERS)
def test_one_act_answers_also_those_that_are_open_on_disk_alone(small: Town, action: Acknowledge, kind: str) -> None:
    """Its card says that all of them are answered; those that it left sounded when they came back."""
    flood(small)
    card = card_of(small)
    act = msgspec.structs.replace(action, incident=card.incident, seen_through=card.through)
    answer = small.act(act, JONES)
    assert isinstance(answer, Done)
    assert 30 == answer.left
    small.press(500, AlertKind.ATTACK)
    for _ in range(20):
        small.handle(ev.Resumed())

    assert {FrameId(CORNER, counter) for counter in range(100, 140)} == set(written(small, kind))
    assert 40 == len(written(small, kind))
    assert 41 == card_of(small).stands_for
    assert () == only(small.said, do.KeepActs)[-1].acts, "and it is at its end"


@pytest.mark.finding(13)
@pytest.mark.parametrize(("action", "kind"), ANSWERS)
def test_restart_goes_on_with_an_answer_for_what_is_on_disk_alone(
    small: Town, action: Acknowledge, kind: ActionKind
) -> None:
    flood(small)
    card = card_of(small)
    small.is_disk_slow = True
    small.act(msgspec.structs.replace(action, incident=card.incident, seen_through=card.through), JONES)
    small.commit()
    acts = only(small.said, do.KeepActs)[-1].acts
    in_memory = tuple(entry for entry in small.disk if entry.incident in small.core._incidents.by_id)
    recall = Recall(journal=in_memory, left_open=((CORNER, 30),), last_entry=small.disk[-1].entry, acts=acts)
    again = Town(recall, now_at=small.now_at)
    again.disk += small.disk
    again.press(500, AlertKind.ATTACK)
    for _ in range(20):
        again.handle(ev.Resumed())

    assert 10 == len(written(small, kind))
    assert {FrameId(CORNER, counter) for counter in range(100, 140)} == set(written(again, kind))
    assert 40 == len(written(again, kind))
    assert () == only(again.said, do.KeepActs)[-1].acts, "and it is at its end"


@pytest.mark.finding(13)
def test_answer_that_is_taken_back_does_not_go_on_to_what_is_on_disk_alone(small: Town) -> None:
    flood(small)
    card = card_of(small)
    small.is_disk_slow = True
    small.act(Acknowledge(card.incident, card.kind, seen_through=card.through), JONES)
    small.commit()
    small.act(UndoAcknowledge(card.incident, seen_through=card.through), JONES)
    small.commit()
    small.is_disk_slow = False
    for _ in range(20):
        small.handle(ev.Resumed())

    assert 10 == len(written(small, "acknowledged")) == len(written(small, "unacknowledged"))
    assert () == only(small.said, do.KeepActs)[-1].acts, "and both are at their end"


@pytest.mark.finding(13)
def test_answer_that_is_taken_back_while_its_rest_waits_for_its_turn_does_not_go_on(small: Town) -> None:
    flood(small)
    card = card_of(small)
    small.is_disk_slow = True
    small.act(Acknowledge(card.incident, card.kind, seen_through=card.through), JONES)
    small.commit()
    small.act(UndoAcknowledge(card.incident, seen_through=card.through), JONES)
    small.handle(ev.Ticked())
    small.commit()
    small.is_disk_slow = False
    for _ in range(20):
        small.handle(ev.Resumed())

    assert 10 == len(written(small, "acknowledged")) == len(written(small, "unacknowledged"))


def test_what_is_read_from_disk_for_an_act_is_gone_on_with_at_once(small: Town) -> None:
    """A tick for each part of forty thousand would be minutes."""
    flood(small)
    card = card_of(small)
    small.is_disk_slow = True
    small.act(Acknowledge(card.incident, card.kind, seen_through=card.through), JONES)
    small.commit()
    small.handle(ev.Resumed())
    order = next(order for order in only(small.said, do.RecallOpen) if order.act)

    assert [do.Yield()] == small.handle(open_besides(order, small.disk))


@pytest.mark.parametrize("count", range(12, 24))
def test_act_for_many_does_not_wait_for_seconds_to_get_back_what_is_on_disk_alone(
    small: Town, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    """Forty thousand would take over a minute. What comes back while a part is written belongs to the act, too."""
    monkeypatch.setattr(bulk, "EACH_TIME_MAX", 3)
    flood(small, count)
    card = card_of(small)
    small.act(Close(card.incident, "Button stuck", seen_through=card.through), JONES)
    for _ in range(20):
        small.handle(ev.Resumed())

    assert count == len([one for one in small.disk if not isinstance(one, FrameEntry) and one.kind == "closed"])


def test_answers_for_two_premises_go_on_side_by_side(small: Town) -> None:
    """What comes from disk for one must not end the other."""
    for node in (CORNER, BAKERY):
        for counter in range(100, 120):
            small.press(counter, AlertKind.ATTACK, node=node)
    for card in small.board().cards:
        small.act(Acknowledge(card.incident, card.kind, seen_through=card.through), JONES)
    for _ in range(20):
        small.handle(ev.Resumed())

    acknowledged = written(small, "acknowledged")
    assert {FrameId(node, counter) for node in (CORNER, BAKERY) for counter in range(100, 120)} == set(acknowledged)


def test_act_for_many_reads_nothing_from_a_disk_that_has_just_refused(small: Town) -> None:
    """It goes on once the disk is well."""
    for node in (CORNER, BAKERY):
        for counter in range(100, 120):
            small.press(counter, AlertKind.ATTACK, node=node)
    first, second = small.board().cards
    small.act(Acknowledge(first.incident, first.kind, seen_through=first.through), JONES)
    small.is_disk_slow = True
    small.act(Acknowledge(second.incident, second.kind, seen_through=second.through), JONES)
    small.handle(ev.Resumed())

    assert [] == only(small.refuse(), do.RecallOpen)

    small.is_disk_slow = False
    small.handle(ev.StoreRecovered())
    for _ in range(20):
        small.handle(ev.Resumed())
    assert 20 == sum(one is not None and one.node == CORNER for one in written(small, "acknowledged"))


def test_one_act_closes_all_of_a_revoked_sender_on_disk_too(small: Town) -> None:
    flood(small)
    data = make_directory(serial=2, revoked=(CORNER,))
    small.handle(ev.DirectoryChanged(opened(data), data))
    small.act(CloseRevoked("00000010", "Node stolen"), JONES)
    for _ in range(20):
        small.later(1)

    assert 40 == len([one for one in small.disk if not isinstance(one, FrameEntry) and one.kind == "closed"])


def test_press_after_the_act_stays_open_while_those_from_disk_are_closed(small: Town) -> None:
    flood(small)
    card = card_of(small)
    small.act(Close(card.incident, "Button stuck", seen_through=card.through), JONES)
    small.press(500, AlertKind.ATTACK)
    for _ in range(20):
        small.later(1)

    assert ("00000010-500", 1) == (card_of(small).incident, card_of(small).stands_for)


def test_those_open_on_disk_alone_come_back_as_there_is_room(small: Town) -> None:
    flood(small, count=14)
    for counter in range(104, 112):
        small.act(Close(f"00000010-{counter}", "False alarm"))
    small.later(1)

    assert [100, 101, 102, 103, 112, 113] == [one.id.counter for one in small.core._incidents.of(CORNER) if one.is_open]
    assert ("00000010-113", 6) == (card_of(small).incident, card_of(small).stands_for)


def test_alerts_that_come_back_twice_from_disk_count_once(small: Town) -> None:
    """On a busy machine they are asked for again before the first answer is here: nobody pressed a second time."""
    flood(small, count=14)
    small.is_disk_slow = True
    for counter in range(104, 112):
        small.act(Close(f"00000010-{counter}", "False alarm"))
        small.commit()
    small.later(2)
    assert 2 == len(small.wanted)
    for order in small.wanted:
        small.handle(open_besides(order, small.disk))

    assert {1} == {one.alert_count for one in small.core._incidents.all()}
    assert 6 == card_of(small).stands_for


def test_answer_to_a_sync_says_that_more_is_open_than_is_kept(small: Town) -> None:
    """Else a neighbour would take what is not named for closed."""
    for count, is_more in ((10, False), (1, True)):
        flood(small, count, first=100 * count)
        small.later(60)
        small.handle(ev.SyncArrived(BAKERY, Sync(boot_id="n1")))

        assert is_more is only(small.said, do.SendSyncAnswer)[-1].answer.more


@pytest.mark.finding(13)
def test_answer_for_many_gets_by_the_loop_what_is_on_disk_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(incidents, "OPEN_EACH_MAX", 10)
    rig = StepRig()
    for counter in range(100, 140):
        rig.send(Alert(CORNER, counter, AT_S, AlertKind.ATTACK, counter, (1,)))
    (card,) = rig.board().cards
    rig.act(Acknowledge(card.incident, card.kind, seen_through=card.through), JONES)
    for _ in range(20):
        rig.tick()

    answered = [one.incident for one in rig.journal if not isinstance(one, FrameEntry) and one.kind == "acknowledged"]
    assert 40 == len(answered) == len(set(answered))
    assert set(range(130, 140)) == {one.id.counter for one in rig.core.core._incidents.of(CORNER)}, "the newest, still"
