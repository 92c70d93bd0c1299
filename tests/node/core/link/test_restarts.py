"""N3, N5: what a restart may show of others' alerts, and of central's word from before it."""

from __future__ import annotations

from typing import Unpack

import pytest
from msgspec.structs import replace

from node.core.controls import Button
from node.core.effects import KeepTold, PlaySound, PublishSync, Told
from node.core.events import FrameReceived, LinkDown, LinkUp, StopAsked, SyncAnswered
from node.core.link import told
from node.core.screens import Emphasis
from tests.support.node_world import Said, World
from wire.ids import FrameId, NodeId
from wire.kinds import AnswerState, Path
from wire.messages import MemberAnswer, SyncAnswer

OURS, BOOTS = NodeId(0x10), NodeId(0x11)
OPENED = FrameId(BOOTS, 5)


def test_alert_taken_in_but_not_shown_before_a_crash_is_shown_after_it(world: World) -> None:
    world.panel_answers = False
    world.do(world.alert_from(BOOTS, 5))
    world.panel_answers = True
    world.restart()
    world.online()
    assert [] == world.shown()

    world.do(
        world.answers(SyncAnswer(boot_id="central-1", counter_floor=0, incidents=(world.incident_state(BOOTS, 5),)))
    )
    assert [OPENED.text] == world.shown()


def known(world: World, **said: Unpack[Said]) -> SyncAnswered:
    """Central's answer after a restart: Boots' attack is open still."""
    state = world.incident_state(BOOTS, 5, **said)
    return world.answers(SyncAnswer(boot_id="central-1", counter_floor=0, incidents=(state,)))


def test_alert_that_was_shown_before_a_restart_is_on_the_panel_again_and_not_heard(world: World) -> None:
    """N5: whoever looks up must see that a neighbour needs help still; nobody is called twice."""
    event, opened_at = world.alert_from(BOOTS, 5), world.wall()
    world.do(event)
    world.after(120_000)
    world.restart(wall=world.wall())
    world.online()
    done = world.do(known(world, opened_at=opened_at), event)

    assert ("neighbour", "14:32 ▲Seen ►Coming") == (world.face, world.screen.lines[1])
    assert Emphasis.FRAMED is world.screen.emphasis
    assert [] == world.of(PlaySound, done)
    assert [OPENED.text] == world.shown(), "it is no second alert"


def test_alert_comes_back_after_a_restart_for_the_rest_of_its_time(world: World) -> None:
    opened_at = world.wall()
    world.do(world.alert_from(BOOTS, 5))
    world.after(600_000)
    world.restart(wall=world.wall())
    world.online()
    world.do(known(world, opened_at=opened_at))
    assert "neighbour" == world.face

    world.live(310_000)
    assert () == world.state.neighbours


def test_alert_of_unknown_age_comes_back_after_a_restart_once(world: World) -> None:
    """Without a clock nothing else tells that it has had its time."""
    world.do(world.alert_from(BOOTS, 5))
    world.restart(wall=None)
    world.online()
    world.do(known(world))
    assert "neighbour" == world.face

    world.live(910_000)
    world.do(known(world, revision=2))
    assert () == world.state.neighbours


def test_answer_from_here_is_known_after_a_restart_by_centrals_word(world: World) -> None:
    world.do(world.alert_from(BOOTS, 5))
    world.tap(Button.RESPONDING)
    world.restart()
    world.online()
    ours = MemberAnswer(node=f"{OURS:08x}", premises="Corner Shop", response="responding", at=world.wall())
    world.do(known(world, members=(ours,)))

    assert "14:32 You: coming" == world.screen.lines[1]


def test_closing_is_kept_at_once_and_the_incident_stays_away_after_a_restart(world: World) -> None:
    world.hold(Button.ATTACK)
    world.do(world.receipt(1), world.ack(1), world.ack(1, AnswerState.CLOSED))
    assert (1,) == world.told.closed
    world.restart()

    assert 0 == len(world.state.incidents)


@pytest.mark.finding(4)
@pytest.mark.parametrize("path", [Path.NETWORK, Path.RADIO])
def test_older_word_of_centrals_does_not_undo_a_closing_after_a_restart(world: World, path: Path) -> None:
    """Who holds the broker kept the answer, and says it again before central can be asked."""
    world.hold(Button.ATTACK)
    coming = replace(world.ack(1, AnswerState.ON_THE_WAY), path=path)
    world.do(world.receipt(1), coming, world.ack(1, AnswerState.CLOSED))
    world.restart()
    world.do(LinkUp(), coming)

    assert "on-the-way" != world.face
    assert 0 == len(world.state.incidents)


@pytest.mark.finding(4)
def test_older_answer_does_not_undo_that_it_was_taken_back_after_a_restart(world: World) -> None:
    world.hold(Button.ATTACK)
    coming = world.ack(1, AnswerState.ON_THE_WAY)
    world.do(world.receipt(1), coming, world.ack(1, AnswerState.UNANSWERED))
    world.restart()
    world.do(LinkUp(), coming)
    assert "received" == world.face

    world.do(world.ack(1))
    assert "answered" == world.face, "what central says now"


def test_repeated_answer_by_radio_reaches_a_shop_that_was_restarted(world: World) -> None:
    """Cut off, nothing else may tell; it is better late than never."""
    world.hold(Button.ATTACK)
    coming: FrameReceived = replace(world.ack(1, AnswerState.ON_THE_WAY), path=Path.RADIO)
    world.do(world.receipt(1))
    world.after(11_000)
    world.restart()
    world.do(coming)

    assert "on-the-way" == world.face


@pytest.mark.finding(4)
def test_highest_numbers_of_central_outlive_a_restart(world: World) -> None:
    """A central restored from a backup is told them, and counts on above."""
    world.do(world.says(BOOTS, 5, revision=77))
    world.after(11_000)
    world.restart()
    sync = world.of(PublishSync, world.do(LinkUp()))[0].sync

    assert 77 == sync.central_revision


def test_numbers_are_kept_every_ten_seconds_and_at_the_end(world: World) -> None:
    world.after(11_000)
    done = [effect for n in range(50) for effect in world.do(world.says(BOOTS, 5, revision=10 + n))]
    assert 1 == len(world.of(KeepTold, done))

    world.do(StopAsked())
    assert 59 == world.told.revision


def test_thousands_of_closings_cost_the_disk_one_write_a_second(world: World) -> None:
    """Central closes a flood in one act: a receipt must not wait behind a write for each."""
    world.after(11_000)
    done = [effect for n in range(50) for effect in world.do(world.says(BOOTS, 5 + n, "closed", revision=10 + n))]
    assert 1 == len(world.of(KeepTold, done))
    assert 1 == len(world.told.ended)

    world.live(1_000)
    assert 50 == len(world.told.ended)


def test_alert_that_was_withheld_until_it_was_closed_stays_off_the_panel_after_a_restart(world: World) -> None:
    withheld = world.alert_from(BOOTS, 5)
    world.do(world.says(BOOTS, 5, "closed", revision=9))
    world.restart()
    world.do(LinkUp(), withheld)

    assert () == world.state.neighbours


def test_closing_of_a_flood_pushes_no_honest_closing_out_of_memory(world: World) -> None:
    """N13: whoever holds the broker could show a closed attack that it withheld, once the flood was closed."""
    withheld = world.alert_from(BOOTS, 5)
    world.do(world.says(BOOTS, 5, "closed", revision=9))
    world.do(*(world.says(NodeId(0x12), 5 + n, "closed", revision=10 + n) for n in range(100)))
    world.live(2_000)
    world.restart()
    world.do(LinkUp(), withheld)

    assert () == world.state.neighbours
    assert 64 >= len(world.told.ended)
    assert FrameId(NodeId(0x12), 104) == world.told.ended[-1], "the newest"


def test_flood_closed_in_two_runs_pushes_no_honest_closing_out_of_memory() -> None:
    floods = [tuple(FrameId(NodeId(0x12), 50 * run + n) for n in range(40)) for run in (0, 1)]
    known = told.both(Told(ended=(OPENED, *floods[0])), Told(ended=floods[1]))

    assert (OPENED, *floods[1][-2:]) == known.ended


def test_what_was_shown_before_a_restart_is_known_on_a_machine_that_has_run_for_days() -> None:
    """N5: what the disk remembers is as young as the start, however long ago the machine came up."""
    world = World(now_ms=25 * 3_600_000)
    world.start()
    world.online()
    event = world.alert_from(BOOTS, 5)
    world.do(event)
    world.after(20_000)
    world.restart()
    world.online()
    world.log.clear()

    world.do(event)

    assert [] == world.of(PlaySound, world.log)
    assert [] == world.shown()


def test_incident_that_central_opened_again_is_on_the_panel_after_a_restart(world: World) -> None:
    world.hold(Button.ATTACK)
    world.do(world.receipt(1), world.ack(1), world.ack(1, AnswerState.CLOSED))
    world.after(1_000, LinkUp())
    world.do(world.answers(SyncAnswer("central-1", 0, incidents=(world.incident_state(OURS, 1),))))
    world.restart()
    assert "received" == world.face


def test_incident_that_ended_while_we_were_cut_off_leaves_the_panel_in_the_run_after_its_press(world: World) -> None:
    world.hold(Button.ATTACK)
    world.do(world.receipt(1))
    world.restart()
    world.online()
    world.do(world.answers(SyncAnswer("central-1", 0, incidents=(world.incident_state(OURS, 1),))))
    assert "received" == world.face

    world.after(1_000, LinkDown("cut"), LinkUp())
    world.do(world.answers(SyncAnswer("central-1", 0)))
    assert "ready" == world.face


def test_restart_is_no_excuse_any_more_once_central_has_told_of_our_alert(world: World) -> None:
    world.hold(Button.ATTACK)
    world.do(world.receipt(1))
    world.restart()
    world.online()
    assert "No news since restart" == world.screen.lines[1]

    world.do(world.answers(SyncAnswer("central-1", 0, incidents=(world.incident_state(OURS, 1),))))
    assert "No one answered yet" == world.screen.lines[1]


def test_restart_on_a_machine_that_has_run_for_days_says_starting_before_no_link() -> None:
    world = World(now_ms=10**9)
    world.start()
    assert ("STARTING",) == world.screen.headline

    world.after(10_000)
    assert ("NO LINK",) == world.screen.headline
