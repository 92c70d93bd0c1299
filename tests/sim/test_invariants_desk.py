"""What the desk must sound for is judged of what central's real rules have shown it (N2, C1)."""

from __future__ import annotations

from msgspec.structs import replace

from central.core.journal import FrameEntry
from central.core.view import Acknowledge, Card
from sim.broken import BrokenInvariantError
from sim.invariants_desk import judge_desk
from tests.support.central_town import Town
from wire.kinds import AlertKind


def press_behind_an_assist(town: Town, kind: AlertKind) -> Card:
    """One card stands for all, and shows the assist."""
    for counter, first in ((10, kind), (20, AlertKind.THEFT), (30, AlertKind.THEFT), (40, AlertKind.THEFT)):
        town.press(counter, first)
    town.act(Acknowledge("00000010-10"))
    town.later(10)
    town.press(50, AlertKind.ASSIST)
    town.later(10)
    town.press(11, kind, incident=10)
    (card,) = town.board().cards
    assert ("00000010-50", "unanswered") == (card.incident, card.state)
    return card


def broken(town: Town, card: Card) -> str:
    """What the last press breaks."""
    new = town.disk[-1]
    assert isinstance(new, FrameEntry)
    try:
        judge_desk(town.disk, [new], [card], 0)
    except BrokenInvariantError as e:
        return str(e)
    return ""


def test_attack_that_is_pressed_again_behind_an_unanswered_assist_must_sound_as_an_attack() -> None:
    town = Town()
    card = press_behind_an_assist(town, AlertKind.ATTACK)

    assert "" == broken(town, card)
    assert broken(town, replace(card, again_kind="", again_priority=0)).startswith("I29: 00000010-11")


def test_sound_of_an_assist_covers_what_is_no_more_urgent() -> None:
    town = Town()
    card = press_behind_an_assist(town, AlertKind.DISORDER)
    assert "" == card.again_kind

    assert "" == broken(town, card)
