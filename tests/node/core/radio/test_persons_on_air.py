"""An alert about a person on the air: the same bytes, and a sentence with the reference alone (N8, N9, G10)."""

from __future__ import annotations

from typing import Final

import pytest

from node.core.air import Phrase
from node.core.effects import PrepareSentence
from node.core.events import AlertAsked
from tests.support.members import BOOTS, HART
from tests.support.node_world import World
from tests.support.radio_set import Set, radio_set
from wire.frames import Alert, decode
from wire.kinds import AlertKind, LeftWhenAsked
from wire.messages import SyncAnswer

UNDERSTANDS: Final = SyncAnswer(boot_id="central-1", counter_floor=0, speaks=("person",))


@pytest.fixture
def radio() -> Set:
    """A node with a radio that may transmit; central, which understands, has gone."""
    made = radio_set()
    made.world.do(made.world.answers(UNDERSTANDS))
    made.world.after(120_000)
    return made


def asked(world: World, kind: AlertKind = AlertKind.BREACH) -> None:
    left = LeftWhenAsked.NO if kind is AlertKind.BREACH else LeftWhenAsked.NOT_ASKED
    world.do(AlertAsked("5" * 32, kind, HART, 42, left))


@pytest.mark.parametrize(("kind", "phrase"), [(AlertKind.BREACH, Phrase.BREACH), (AlertKind.SIGHTING, Phrase.SIGHTING)])
def test_burst_bears_the_person_and_the_sentence_the_reference(radio: Set, kind: AlertKind, phrase: Phrase) -> None:
    asked(radio.world, kind)
    assert [PrepareSentence(phrase, "HART 42")] == radio.world.of(PrepareSentence, radio.world.log)
    over = radio.next_over()

    frame = decode(over.bursts[0]).frame
    assert isinstance(frame, Alert)
    assert (kind, (HART,), 42) == (frame.kind, frame.schemes, frame.about)
    assert radio.world.stored[1][0].data == over.bursts[0], "the same bytes by every path"
    assert (phrase, "HART 42") == (over.phrase, over.reference)


def test_sentence_about_a_person_is_said_once(radio: Set) -> None:
    asked(radio.world)
    radio.next_over()

    assert (None, "") == (radio.next_over().phrase, radio.overs()[-1].reference)


def test_press_about_nobody_has_no_reference() -> None:
    radio = radio_set()
    radio.world.do(AlertAsked("5" * 32, AlertKind.BREACH, HART, 42, LeftWhenAsked.NO))

    assert [] == radio.world.of(PrepareSentence, radio.world.log), "central is not known to understand"
    assert (Phrase.BREACH, "") == (radio.next_over().phrase, radio.overs()[-1].reference)


def test_sighting_heard_on_the_air_is_shown_with_its_reference(radio: Set) -> None:
    at_s = int(radio.world.wall().timestamp())
    radio.hears(Alert(BOOTS, 5, at_s, AlertKind.SIGHTING, 5, (HART,), about=42))

    assert ("SIGHTING", "HART-0042") == radio.world.screen.headline
