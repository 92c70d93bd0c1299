# mypy: disable-error-code="no-untyped-def"
"""What a broker can make a panel say: it delivers, repeats, keeps and invents what it likes, and signs nothing."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from types import MappingProxyType

import pytest
from msgspec.structs import replace

from node.core.controls import Button
from node.core.effects import COUNTER_FLOOR_MAX, PublishSync, RaiseCounterFloor
from node.core.events import CentralStatusReceived, IncidentReceived, LinkDown, LinkUp, Started, SyncAnswered
from node.core.machine import initial_state
from node.core.table import PathPhase
from tests.support.members import BOOTS, NOON, OURS
from tests.support.node_world import StateWord, World
from tests.support.signing_central import Signing
from wire.ids import CENTRAL, NodeId
from wire.kinds import AnswerState
from wire.lateness import ANSWER_WITHIN_MS
from wire.messages import CentralStatus, SyncAnswer

BANK = NodeId(0x77)
"""In no directory."""

pytestmark = pytest.mark.finding(1)


@pytest.fixture
def told() -> World:
    """A node with a broker and no central; its directory says that central signs."""
    made = World()
    town = made.directory()
    central = replace(town.senders[CENTRAL], signs=True)
    made.start(known=replace(town, senders=MappingProxyType({**town.senders, CENTRAL: central})))
    made.do(LinkUp())
    return made


@pytest.fixture
def undelivered(told: World) -> World:
    """The same, with an attack that central does not have."""
    told.hold(Button.ATTACK)
    told.after(10_000)
    assert "undelivered" == told.face
    return told


@pytest.mark.parametrize("said", ["answered", "on-the-way", "closed"])
def test_unsigned_state_moves_nothing_that_the_presser_reads(undelivered: World, said: StateWord) -> None:
    """It read COMING, PCSO … on the way."""
    answer = None if said == "closed" else undelivered.answer()
    undelivered.do(IncidentReceived(undelivered.incident_state(OURS, 1, said, answer=answer)))
    undelivered.after(1_000)

    assert "undelivered" == undelivered.face
    assert [] == undelivered.facts("acknowledged") + undelivered.facts("closed")


@pytest.mark.parametrize("node", [BANK, BOOTS])
def test_unsigned_state_shows_no_attack_that_nobody_pressed(told: World, node: NodeId) -> None:
    told.do(IncidentReceived(told.incident_state(node, 5)))
    told.do(SyncAnswered(SyncAnswer(boot_id="c", counter_floor=0, incidents=(told.incident_state(node, 5),))))

    assert () == told.state.neighbours
    assert [] == told.facts("shown")


def test_unsigned_answer_burns_no_counters(told: World) -> None:
    done = told.do(SyncAnswered(SyncAnswer(boot_id="central-1", counter_floor=COUNTER_FLOOR_MAX)))

    assert [] == told.of(RaiseCounterFloor, done)
    assert 0 == told.state.last_counter


def test_unsigned_status_proves_no_path_and_puts_nobody_on_duty(told: World) -> None:
    """READY, Net✓ and the on-duty list were invented."""
    status = CentralStatus(boot_id="c", at=NOON, expires_at=NOON + timedelta(seconds=30), on_duty=("pcso",))
    told.do(CentralStatusReceived(status), SyncAnswered(SyncAnswer(boot_id="c", counter_floor=0)))
    told.after(10_000, CentralStatusReceived(status))

    assert PathPhase.PROVEN is not told.state.central.path
    assert told.state.central.on_duty is None
    assert "ready" != told.face


def is_proven(world: World) -> bool:
    return world.state.central.path is PathPhase.PROVEN


@pytest.fixture
def proven(told: World) -> tuple[World, Signing]:
    """A node that central has answered, with a PCSO on duty."""
    central = Signing(told)
    told.do(central.answer(), central.status("pcso"))
    assert "ready" == told.face
    return told, central


def test_answer_to_our_question_proves_the_path_and_status_says_who_is_on_duty(told: World) -> None:
    central = Signing(told)
    told.do(central.status("pcso"))
    assert not is_proven(told)
    assert told.state.central.on_duty is None

    told.do(central.answer(floor=40), central.status("pcso"))
    assert is_proven(told)
    assert ("pcso",) == told.state.central.on_duty
    assert 40 == told.state.last_counter


def test_answer_that_is_late_or_repeated_or_to_another_question_is_refused(told: World) -> None:
    central = Signing(told)
    late = central.answer(floor=70)
    told.after(ANSWER_WITHIN_MS + 1, late)
    for nonce in ("0" * 32, ""):
        said = central.answer(floor=70)
        told.do(replace(said, answer=replace(said.answer, nonce=nonce)))
    assert not is_proven(told)
    assert 0 == told.state.last_counter

    taken = central.answer(floor=70)
    told.do(taken)
    assert is_proven(told)
    told.do(LinkDown("cut"), LinkUp(), taken)
    assert not is_proven(told)
    assert 4 == told.state.rejected["old answer"]


def test_nonce_is_never_used_twice_not_even_by_another_run() -> None:
    made = World()
    nonces = []
    for secret in (b"one", b"two"):
        made.state = initial_state(made.settings)
        made.do(Started("boot", (), (), made.directory(), 0, secret=secret))
        for _ in range(3):
            nonces += [order.sync.nonce for order in made.of(PublishSync, made.do(LinkUp()))]

    assert 6 == len(set(nonces))
    assert {32} == {len(nonce) for nonce in nonces}


def test_status_that_was_kept_moves_nothing(proven: tuple[World, Signing]) -> None:
    """Nobody is on duty by now; the broker repeats that somebody was."""
    world, central = proven
    kept = central.status("pcso", "cctv")
    world.after(10_000, kept, central.status())
    assert () == world.state.central.on_duty

    world.after(5_000, kept)
    assert () == world.state.central.on_duty
    assert 1 == world.state.rejected["old status"]


def test_repeated_status_does_not_keep_the_path_alive(proven: tuple[World, Signing]) -> None:
    world, central = proven
    last = central.status("pcso")
    for _ in range(4):
        world.after(10_000, last)

    assert not is_proven(world)


def test_status_of_an_unknown_run_makes_us_ask_and_moves_nothing(proven: tuple[World, Signing]) -> None:
    world, _ = proven
    other = Signing(world, "central-0")
    done = world.after(8_000, other.status("police"), other.status("police"))

    assert 1 == len(world.of(PublishSync, done))
    assert ("pcso",) == world.state.central.on_duty
    assert "central-1" == world.state.central.boot_id
    world.do(other.answer())
    assert "central-0" == world.state.central.boot_id


def test_path_needs_an_answer_in_every_65_seconds(proven: tuple[World, Signing]) -> None:
    """Statuses that are kept and let out one by one look like a central that is there."""
    world, central = proven
    asked = 0
    for second in range(1, 66):
        asked += len(world.of(PublishSync, world.after(1_000, *([central.status("pcso")] if second % 10 == 0 else []))))
        assert is_proven(world) == (second < 65), second

    assert asked >= 3
    world.after(60_000, central.status("pcso"))
    world.do(LinkDown("made anew"))
    world.do(LinkUp())
    world.do(central.answer())
    assert is_proven(world)


def test_we_ask_once_a_minute_at_least_while_all_is_well(proven: tuple[World, Signing]) -> None:
    world, central = proven
    asked_ms = []
    for _ in range(30):
        if world.of(PublishSync, world.after(10_000, central.status("pcso"))):
            asked_ms.append(world.now_ms)
            world.do(central.answer())

    assert is_proven(world)
    gaps_ms = [later - earlier for earlier, later in pairwise(asked_ms)]
    assert 30_000 < min(gaps_ms) <= max(gaps_ms) <= 60_000


@pytest.mark.parametrize("said", ["on-the-way", "closed"])
def test_state_from_before_the_last_answer_moves_nothing(proven: tuple[World, Signing], said: StateWord) -> None:
    """It was true once: taken back since, or of before a restart of ours."""
    world, central = proven
    world.hold(Button.ATTACK)
    world.do(world.receipt(1))
    answer = None if said == "closed" else world.answer()
    kept = world.says(OURS, 1, said, revision=7, answer=answer)
    world.after(60_000)
    world.do(central.answer(world.incident_state(OURS, 1, "unanswered", revision=9), revision=9), kept)

    assert "received" == world.face
    world.do(world.says(OURS, 1, said, revision=10, answer=answer))
    assert "received" != world.face


def test_old_state_of_an_incident_that_is_forgotten_shows_nothing_after_a_restart(
    proven: tuple[World, Signing],
) -> None:
    world, _ = proven
    kept_own = world.says(OURS, 1, "on-the-way", revision=7, answer=world.answer())
    kept_other = world.says(BOOTS, 5, revision=8)
    town = world.state.directory
    world.state = initial_state(world.settings)
    world.start(boot="boot-2", known=town)
    central = Signing(world)
    world.do(LinkUp(), kept_own, kept_other)
    assert () == world.state.neighbours + world.state.recent

    world.do(central.answer(revision=9), central.status("pcso"), kept_own, kept_other)
    assert () == world.state.neighbours + world.state.recent
    assert "ready" == world.face


def test_acknowledgement_from_before_the_last_answer_moves_nothing(proven: tuple[World, Signing]) -> None:
    """Signed for ever, and taken back within ten seconds."""
    world, central = proven
    world.hold(Button.ATTACK)
    world.do(world.receipt(1))
    kept = world.ack(1, AnswerState.ON_THE_WAY)
    world.after(60_000)
    world.do(central.answer(world.incident_state(OURS, 1, "unanswered", revision=9), revision=9), kept)
    assert "received" == world.face

    world.do(world.ack(1, AnswerState.ON_THE_WAY))
    assert "on-the-way" == world.face


def test_unsigned_state_keeps_no_relay_from_relaying(world: World) -> None:
    """A liar could say that central has it; see the relay's own tests for the rest."""
    before = world.state
    world.do(IncidentReceived(world.incident_state(BOOTS, 5)))

    assert before.radio == world.state.radio
    assert 1 == world.state.rejected["unsigned"]


def test_central_that_does_not_sign_yet_is_believed_of_itself_and_of_no_alert(world: World) -> None:
    """Of an old version: READY as ever; what it says of an alert, its frames say too."""
    world.hold(Button.ATTACK)
    world.do(world.receipt(1))
    world.do(IncidentReceived(world.incident_state(OURS, 1, "on-the-way", answer=world.answer())))
    world.do(SyncAnswered(SyncAnswer(boot_id="central-1", counter_floor=90)))

    assert is_proven(world)
    assert "received" == world.face
    assert 1 == world.state.last_counter
    world.do(world.ack(1))
    assert "answered" == world.face


def test_closing_that_was_withheld_is_learnt_from_what_central_no_longer_names(proven: tuple[World, Signing]) -> None:
    """Else whoever holds the broker keeps a neighbour's closed attack on the panel for a quarter of an hour."""
    world, central = proven
    world.do(world.says(BOOTS, 5, revision=8))
    assert "neighbour" == world.face
    world.after(50_000)
    world.do(central.answer(revision=9))  # Closed, with revision 9, of which nothing came.

    assert "ready" == world.face


@pytest.mark.parametrize("revision", [0, 7])
def test_alert_that_central_may_not_have_had_when_it_answered_stays(
    proven: tuple[World, Signing], revision: int
) -> None:
    world, central = proven
    world.do(world.says(BOOTS, 5, revision=8))
    world.after(50_000)
    world.do(central.answer(revision=revision))

    assert "neighbour" == world.face


def test_alert_that_only_its_presser_has_told_us_of_stays(proven: tuple[World, Signing]) -> None:
    """Central may never have had it: then nobody has closed it."""
    world, central = proven
    world.do(world.alert_from(BOOTS, 5))
    world.after(50_000)
    world.do(central.answer(revision=9))

    assert "neighbour" == world.face


@pytest.mark.finding(4)
def test_closing_from_before_a_further_press_ends_nothing_that_a_restored_central_lacks(
    proven: tuple[World, Signing],
) -> None:
    """Closed, pressed again, and forgotten by central: the kept closing took an open attack off neighbours' panels."""
    world, _ = proven
    world.do(world.says(BOOTS, 5, revision=10))
    assert "neighbour" == world.face
    world.after(50_000)
    world.do(Signing(world, "central-2").answer(revision=12))

    world.do(world.says(BOOTS, 5, "closed", revision=8))
    assert "neighbour" == world.face

    world.do(world.says(BOOTS, 5, "closed", revision=13))
    assert "ready" == world.face


@pytest.mark.finding(17)
def test_alert_that_central_could_not_name_for_others_beside_it_stays(proven: tuple[World, Signing]) -> None:
    world, central = proven
    world.do(world.says(BOOTS, 5, revision=8))
    world.after(50_000)
    said = central.answer(revision=9)
    world.do(replace(said, answer=replace(said.answer, more=True)))

    assert "neighbour" == world.face


def test_status_that_was_kept_stays_old_though_an_answer_came_after_its_turn(proven: tuple[World, Signing]) -> None:
    """An answer may be slower than the statuses that central sent after it; it makes none of them new again."""
    world, central = proven
    while not world.state.central.questions:
        world.after(5_000, central.status("pcso"))
    answer, kept = central.answer(), central.status("pcso")
    world.do(central.status(), answer, kept)

    assert () == world.state.central.on_duty


def test_old_central_that_answers_without_a_signature_is_not_asked_again_until_its_next_run() -> None:
    """Or the two would talk without end."""
    world = World()
    world.start()
    world.do(LinkUp())
    assert [] == world.of(PublishSync, world.do(SyncAnswered(SyncAnswer(boot_id="old-1", counter_floor=0))))
    assert "ready" == world.face

    assert 1 == len(world.of(PublishSync, world.do(world.status("old-2"))))
