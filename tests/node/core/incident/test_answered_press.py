"""An acknowledgement names the newest press that was known to who answered, so that no clock decides (N3, N9)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from node.core.controls import Button
from node.core.effects import PlaySound
from node.core.events import FrameReceived, LinkDown, LinkUp
from node.core.table import Phase
from tests.support.members import OURS, directory, sender
from tests.support.node_world import World
from tests.support.said_by_radio import CLOCK_AHEAD_S, INCIDENT, head_of, says_of
from wire.answers import Refusal, frame_digest
from wire.frames import Acknowledgement
from wire.ids import CENTRAL, FrameId
from wire.kinds import AnswerState, Path, Priority, RefusalReason, Role
from wire.messages import SyncAnswer

pytestmark = pytest.mark.finding(6)


def test_answer_to_the_assist_is_none_to_the_attack_whatever_the_clocks_say(upgraded: World) -> None:
    upgraded.do(upgraded.receipt(2), says_of(upgraded, 1))

    assert (("RECEIVED",), "earlier answer by") == (upgraded.screen.headline, upgraded.screen.lines[0])


def test_answer_to_the_attack_is_told(upgraded: World) -> None:
    upgraded.do(upgraded.receipt(2), says_of(upgraded, 2))

    assert ("answered", {}) == (upgraded.face, dict(upgraded.state.rejected))


def test_answer_before_the_receipt_of_the_last_press_holds_with_that(upgraded: World) -> None:
    """By radio they may come in any order, and the acknowledgement alone proves no receipt."""
    upgraded.do(says_of(upgraded, 2))
    assert "answered" != upgraded.face
    upgraded.do(upgraded.receipt(2))

    assert "answered" == upgraded.face


def test_answer_that_was_taken_back_before_the_receipt_does_not_hold_with_that(upgraded: World) -> None:
    upgraded.do(says_of(upgraded, 2), says_of(upgraded, 2, AnswerState.UNANSWERED))
    upgraded.do(upgraded.receipt(2))

    assert "received" == upgraded.face


def test_answer_that_the_network_takes_back_before_the_receipt_does_not_hold_with_that(upgraded: World) -> None:
    """The radio brought the answer, but not that it was taken back."""
    upgraded.do(LinkDown("gone"), says_of(upgraded, 2))
    upgraded.after(10_000, LinkUp())
    state = upgraded.incident_state(OURS, 1, "unanswered", revision=9, kind="attack")
    upgraded.do(upgraded.answers(SyncAnswer(boot_id="central-1", counter_floor=2, incidents=(state,))))
    upgraded.do(upgraded.receipt(2))

    assert "received" == upgraded.face


def test_who_took_an_answer_back_is_not_named_as_an_earlier_answer(upgraded: World) -> None:
    upgraded.do(says_of(upgraded, 2), says_of(upgraded, 2, AnswerState.UNANSWERED))
    upgraded.live(5_000)
    upgraded.hold(Button.ATTACK)
    upgraded.do(upgraded.receipt(3), upgraded.receipt(2))

    assert "earlier answer by" != upgraded.screen.lines[0]


def test_answer_to_a_later_assist_is_none_to_an_attack_that_central_gets_after_it(lowered: World) -> None:
    """Central asks anew then, and nothing on the air says so."""
    lowered.do(says_of(lowered, 2, urgency=Priority.P2))
    lowered.do(lowered.receipt(1))

    assert "received" == lowered.face


def test_answer_to_a_press_that_got_another_number_is_told(upgraded: World) -> None:
    """Refused, or of before a card was put back: central's newest is above the last that we know."""
    upgraded.do(upgraded.receipt(2), says_of(upgraded, 4))

    assert "answered" == upgraded.face


def test_whoever_closed_the_assist_has_not_closed_the_attack(upgraded: World) -> None:
    upgraded.do(upgraded.receipt(2), says_of(upgraded, 1, AnswerState.CLOSED))
    assert (("RECEIVED",), []) == (upgraded.screen.headline, upgraded.facts("closed"))

    upgraded.do(says_of(upgraded, 2, AnswerState.CLOSED))
    assert 1 == len(upgraded.facts("closed"))


def test_closing_of_the_assist_holds_up_no_answer_to_the_attack(upgraded: World) -> None:
    upgraded.do(upgraded.receipt(2), says_of(upgraded, 1, AnswerState.CLOSED))
    answer = upgraded.answer(at=upgraded.wall(), press="00000010-2", after_s=1)
    upgraded.do(upgraded.says(OURS, 1, "answered", revision=4, kind="attack", answer=answer))

    assert "answered" == upgraded.face


@pytest.mark.parametrize("closed", [1, 2])
def test_press_after_a_closing_that_came_before_its_receipt_is_open(world: World, closed: int) -> None:
    for _ in range(closed):
        world.hold(Button.ATTACK)
        world.live(5_000)
    world.do(says_of(world, closed, AnswerState.CLOSED))
    world.hold(Button.ATTACK)
    world.do(*(world.receipt(press) for press in range(1, closed + 2)))

    assert (("RECEIVED",), []) == (world.screen.headline, world.facts("closed"))
    assert "earlier answer by" != world.screen.lines[0]


def test_closing_by_an_older_central_whose_clock_is_behind_counts(upgraded: World) -> None:
    """It names no press, and a clock alone must not keep on the screen what is over."""
    frame = Acknowledgement(*head_of(upgraded, -CLOCK_AHEAD_S), INCIDENT, Role.PCSO, AnswerState.CLOSED, "J Patel")
    upgraded.do(upgraded.receipt(2), FrameReceived(upgraded.signed(frame).data, None, Path.RADIO))

    assert 1 == len(upgraded.facts("closed"))


def test_who_is_on_the_way_to_the_assist_still_comes(upgraded: World) -> None:
    upgraded.do(upgraded.receipt(2), says_of(upgraded, 1, AnswerState.ON_THE_WAY))

    assert "on-the-way" == upgraded.face


def test_answer_to_the_first_press_that_comes_last_takes_nothing_back(upgraded: World) -> None:
    first = says_of(upgraded, 1)
    answer = upgraded.answer(at=upgraded.wall(), press="00000010-2", after_s=2)
    upgraded.do(upgraded.receipt(2), upgraded.says(OURS, 1, "answered", revision=4, kind="attack", answer=answer))
    upgraded.do(first)

    assert "answered" == upgraded.face


def test_state_of_the_first_answer_that_the_second_has_overtaken_takes_nothing_back(upgraded: World) -> None:
    """Within the two seconds in which the times of answers without a press do not tell them apart."""
    at = upgraded.wall() + timedelta(seconds=CLOCK_AHEAD_S)
    first = upgraded.answer(at=at, press="00000010-1", after_s=22)
    upgraded.do(upgraded.receipt(2), upgraded.says(OURS, 1, "answered", revision=2, kind="attack", answer=first))
    upgraded.do(says_of(upgraded, 2))
    assert "answered" == upgraded.face
    done = upgraded.do(upgraded.says(OURS, 1, "answered", revision=3, kind="attack", answer=first))

    assert ("answered", []) == (upgraded.face, upgraded.of(PlaySound, done))
    second = upgraded.answer(at=at, press="00000010-2", after_s=2)
    upgraded.do(upgraded.says(OURS, 1, "answered", revision=4, kind="attack", answer=second))
    upgraded.do(upgraded.says(OURS, 1, "answered", revision=5, kind="attack", answer=first))
    assert "received" == upgraded.face, "central's later word, that the second answer was taken back, counts"


@pytest.mark.parametrize("said", [AnswerState.ANSWERED, AnswerState.CLOSED])
def test_word_of_before_central_got_the_attack_is_none_about_it(lowered: World, said: AnswerState) -> None:
    """The receipt of the attack has overtaken it, on another path."""
    kept = says_of(lowered, 2, said, urgency=Priority.P2)
    lowered.do(lowered.receipt(1), kept)

    assert "received" == lowered.face


@pytest.mark.parametrize("is_receipted", [False, True])
def test_answer_after_a_closing_that_an_earlier_alert_has_opened_again_is_told(
    world: World, *, is_receipted: bool
) -> None:
    """Central had the attack alone, and closed it; then it got the assist."""
    world.tap(Button.ASSIST)
    world.live(5_000)
    world.hold(Button.ATTACK)
    closed = says_of(world, 2, AnswerState.CLOSED)
    world.do(*((world.receipt(2), closed) if is_receipted else (closed, world.receipt(2))))
    world.do(world.receipt(1), says_of(world, 2))

    assert "answered" == world.face


def test_closing_that_came_before_its_receipt_holds_up_no_state_of_a_later_press(world: World) -> None:
    world.tap(Button.ASSIST)
    world.do(says_of(world, 1, AnswerState.CLOSED))
    world.live(5_000)
    world.hold(Button.ATTACK)
    world.do(world.receipt(1), world.receipt(2))
    answer = world.answer(at=world.wall(), press="00000010-2", after_s=1)
    world.do(world.says(OURS, 1, "answered", revision=4, kind="attack", answer=answer))

    assert "answered" == world.face


def test_word_that_is_not_told_holds_up_no_state(upgraded: World) -> None:
    """Who is on the way to the assist, heard while the attack has no receipt."""
    upgraded.do(says_of(upgraded, 1, AnswerState.ON_THE_WAY), upgraded.receipt(2))
    answer = upgraded.answer(at=upgraded.wall(), press="00000010-2", after_s=1)
    upgraded.do(upgraded.says(OURS, 1, "answered", revision=4, kind="attack", answer=answer))

    assert "answered" == upgraded.face


def test_nobody_comes_any_more_once_central_says_so(upgraded: World) -> None:
    """Who was on the way has been called off; somebody has answered, but not the last press."""
    upgraded.do(upgraded.receipt(2), says_of(upgraded, 2, AnswerState.ON_THE_WAY), LinkDown("gone"))
    upgraded.live(5_000)
    upgraded.hold(Button.ATTACK)
    upgraded.do(upgraded.receipt(3))
    assert "on-the-way" == upgraded.face
    upgraded.after(10_000, LinkUp())
    earlier = upgraded.answer("Ann Jones", "cctv", at=upgraded.wall(), press="00000010-2", after_s=1)
    state = upgraded.incident_state(OURS, 1, "answered", revision=9, kind="attack", answer=earlier)
    upgraded.do(upgraded.answers(SyncAnswer(boot_id="central-1", counter_floor=3, incidents=(state,))))

    assert (("RECEIVED",), "earlier answer by") == (upgraded.screen.headline, upgraded.screen.lines[0])


def test_repeated_answer_of_before_the_attack_came_is_none_to_it_after_a_restart(lowered: World) -> None:
    said = says_of(lowered, 2, urgency=Priority.P2)
    lowered.do(said, lowered.receipt(1))
    assert "received" == lowered.face
    lowered.restart(wall=lowered.wall())
    lowered.do(said)

    assert "received" == lowered.face


@pytest.fixture
def forgetful(world: World) -> World:
    """An attack that central lacks; then an assist that it has, which the disk refused, and a restart forgot."""
    world.is_numbered_unsaved = True
    world.hold(Button.ATTACK)
    world.after(5_000)
    world.disk_full = True
    world.tap(Button.ASSIST)
    assert [2] == list(world.unsaved)
    world.after(5_000)
    world.restart(wall=world.wall())
    assert (1, "undelivered") == (world.own(1).latest, world.face)
    return world


@pytest.mark.parametrize("is_receipted", [False, True])
def test_answer_to_an_assist_that_was_forgotten_is_none_to_the_attack_before_it(
    forgetful: World, *, is_receipted: bool
) -> None:
    said = says_of(forgetful, 2, urgency=Priority.P2)
    forgetful.do(*((forgetful.receipt(1), said) if is_receipted else (said, forgetful.receipt(1))))

    assert "received" == forgetful.face


def test_repeated_closing_is_none_of_an_earlier_assist_that_central_gets_after_it(world: World) -> None:
    """The restart forgot the attack that was closed; the assist opens it again."""
    world.tap(Button.ASSIST)
    world.after(5_000)
    world.hold(Button.ATTACK)
    said = says_of(world, 2, AnswerState.CLOSED)
    world.do(world.receipt(2), said)
    world.restart(wall=world.wall())
    assert "undelivered" == world.face
    world.do(said, world.receipt(1))

    assert "received" == world.face


@pytest.mark.parametrize("state", [AnswerState.ANSWERED, AnswerState.CLOSED])
def test_word_about_a_renewed_assist_is_none_about_the_attack_that_bears_its_old_number(state: AnswerState) -> None:
    """Central has the attack in an incident of long ago, which bears that number too; the assist has one of its own."""
    world = World()
    world.start(known=directory(2, central=replace(sender(CENTRAL, "Central", ""), signs=True)))
    world.tap(Button.ASSIST)
    world.after(500)
    world.hold(Button.ATTACK)
    digest = frame_digest(world.stored[1][0].data)
    refusal = Refusal(*head_of(world, 0), INCIDENT, RefusalReason.ID_CONFLICT, digest)
    world.do(FrameReceived(world.signed(refusal).data, None, Path.RADIO))
    assert (3, 2) == (world.alert_on_disk(3).incident, world.own(3).latest)
    world.do(world.receipt(2), world.receipt(3))
    world.do(says_of(world, 3, state, urgency=Priority.P2, incident=FrameId(OURS, 3)))

    assert "received" == world.face


def test_cancelled_attack_that_central_lacks_is_not_closed_with_the_assist_after_it(world: World) -> None:
    world.hold(Button.ATTACK)
    world.after(5_000)
    world.tap(Button.ASSIST)
    world.hold(Button.CANCEL, 3_000)
    said = (says_of(world, 2, state, urgency=Priority.P2) for state in (AnswerState.CLOSED, AnswerState.ANSWERED))
    world.do(*said)

    assert Phase.CANCELLED is world.own(1).phase


@pytest.mark.parametrize(
    ("state", "face", "line"),
    [(AnswerState.ON_THE_WAY, "on-the-way", "PCSO J Patel"), (AnswerState.ANSWERED, "received", "earlier answer by")],
)
def test_answer_to_the_first_press_that_comes_before_the_second_ones_receipt_is_told_with_that(
    world: World, state: AnswerState, face: str, line: str
) -> None:
    """Frightened people press twice; and central says nothing more if the second press is covered."""
    world.hold(Button.ATTACK)
    world.do(world.receipt(1))
    world.after(5_000)
    world.hold(Button.ATTACK)
    world.do(says_of(world, 1, state))
    assert face != world.face
    world.do(world.receipt(2))

    assert (face, line) == (world.face, world.screen.lines[0])


def test_answer_of_before_a_closing_that_was_not_told_is_not_told_either(upgraded: World) -> None:
    older, newer = says_of(upgraded, 1), says_of(upgraded, 1, AnswerState.CLOSED)
    upgraded.do(upgraded.receipt(2), newer, older)

    assert "earlier answer by" != upgraded.screen.lines[0]


def test_press_that_nobody_has_answered_ends_that_somebody_comes(upgraded: World) -> None:
    """What closed the assist was lost on the air; the attack has opened it again."""
    upgraded.do(says_of(upgraded, 1, AnswerState.ON_THE_WAY), upgraded.receipt(2))
    assert "on-the-way" == upgraded.face
    upgraded.do(says_of(upgraded, 2, AnswerState.UNANSWERED))

    assert "received" == upgraded.face


def test_earlier_alert_that_opens_it_again_is_told(world: World) -> None:
    """Central closed the attack before it got the assist; the shop heard that before the assist's receipt."""
    world.tap(Button.ASSIST)
    world.live(5_000)
    world.hold(Button.ATTACK)
    world.do(world.receipt(2), says_of(world, 2, AnswerState.CLOSED))
    assert 1 == len(world.facts("closed"))
    world.do(world.receipt(1), says_of(world, 2, AnswerState.UNANSWERED))

    assert "received" == world.face


@pytest.mark.parametrize("is_state_first", [False, True])
def test_what_the_network_closed_is_open_again_when_the_radio_says_so(world: World, *, is_state_first: bool) -> None:
    """The assist came to central last, by radio; the network, which had brought the closing, is gone."""
    world.tap(Button.ASSIST)
    world.live(5_000)
    world.hold(Button.ATTACK)
    said = [says_of(world, 2, AnswerState.CLOSED), world.says(OURS, 1, "closed", revision=4, kind="attack")]
    world.do(world.receipt(2), *(reversed(said) if is_state_first else said))
    assert 1 == len(world.facts("closed"))
    world.do(LinkDown("gone"), world.receipt(1), says_of(world, 2, AnswerState.UNANSWERED))

    assert "received" == world.face


def test_closing_that_came_before_its_receipt_holds_although_the_state_says_no_more(upgraded: World) -> None:
    """The state of what is closed names no press."""
    closed = upgraded.says(OURS, 1, "closed", revision=4, kind="attack")
    upgraded.do(says_of(upgraded, 2, AnswerState.CLOSED), closed)
    upgraded.do(upgraded.receipt(2))

    assert 1 == len(upgraded.facts("closed"))
