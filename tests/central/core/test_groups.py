"""One card that stands for many hides nothing that must be seen, and an act for many is for what was seen (C1)."""

from __future__ import annotations

from datetime import datetime, timedelta

from central.core.bulk import EACH_TIME_MAX
from central.core.journal import Recall
from central.core.view import Acknowledge, Card, Close, Done
from tests.support.central_town import CORNER, Town
from wire.ids import FrameId
from wire.kinds import AlertKind


def test_press_again_of_something_less_urgent_is_shown_by_the_card_for_all(town: Town) -> None:
    """An answered attack must not hide it: the page sounds for what its card says."""
    for counter, kind in ((10, AlertKind.ATTACK), (20, AlertKind.ASSIST), (30, AlertKind.THEFT), (40, AlertKind.THEFT)):
        town.press(counter, kind)
    (card,) = town.board().cards
    assert Done is type(town.act(Acknowledge(card.incident, seen_kind=card.kind, seen_through=card.through)))
    town.later(20)

    town.press(21, AlertKind.ASSIST, incident=20)

    (card,) = town.board().cards
    assert ("00000010-20", town.now_at) == (card.incident, card.pressed_again_at)
    town.act(Acknowledge(card.incident, seen_kind=card.kind, seen_through=card.through))
    (card,) = town.board().cards
    assert ("00000010-10", None) == (card.incident, card.pressed_again_at)


def test_card_for_all_shows_what_sounds_before_what_was_pressed_again(town: Town) -> None:
    """An urgent one that nobody has answered sounds until somebody does; a theft sounds once."""
    for counter, kind in ((10, AlertKind.ATTACK), (20, AlertKind.THEFT), (30, AlertKind.THEFT), (40, AlertKind.THEFT)):
        town.press(counter, kind)
    (card,) = town.board().cards
    town.act(Acknowledge(card.incident, seen_kind=card.kind, seen_through=card.through))
    town.press(50, AlertKind.THEFT)
    assert "00000010-50" == only_card(town).incident

    town.press(11, AlertKind.ATTACK, incident=10)
    assert ("00000010-10", "answered", town.now_at) == seen(only_card(town))
    town.press(60, AlertKind.ASSIST)
    assert ("00000010-60", "unanswered", town.now_at) == seen(only_card(town))


def test_less_urgent_press_is_heard_beside_an_attack_that_was_pressed_again(town: Town) -> None:
    """N2: the attack still leads, and the page sounds once for the sighting, which nobody has answered."""
    press_attack_again(town)
    attack_at = town.now_at
    town.later(20)
    town.press(50, AlertKind.SIGHTING)
    sighting_at = town.now_at
    assert attack_at < sighting_at
    assert ("00000010-10", "answered", sighting_at) == seen(only_card(town))

    town.later(20)
    town.press(60, AlertKind.TEST)
    assert ("00000010-10", "answered", sighting_at) == seen(only_card(town)), "a test calls nobody"
    town.act(Close("00000010-50", "Gone"))
    assert ("00000010-10", "answered", attack_at) == seen(only_card(town)), "what is closed waits no longer"


def test_attack_that_is_pressed_again_behind_an_unanswered_assist_is_told_beside_it(town: Town) -> None:
    """N2: the assist sounds until somebody answers, and must not hide that an attack was pressed again."""
    for counter, kind in ((10, AlertKind.ATTACK), (20, AlertKind.THEFT), (30, AlertKind.THEFT), (40, AlertKind.THEFT)):
        town.press(counter, kind)
    card = only_card(town)
    town.act(Acknowledge(card.incident, seen_kind=card.kind, seen_through=card.through))
    town.later(10)
    town.press(50, AlertKind.ASSIST)
    assert ("", 0) == (only_card(town).again_kind, only_card(town).again_priority)
    town.later(10)

    town.press(11, AlertKind.ATTACK, incident=10)

    card = only_card(town)
    assert ("00000010-50", "unanswered", town.now_at) == seen(card)
    assert ("attack", 1) == (card.again_kind, card.again_priority)
    town.act(Acknowledge(card.incident, seen_kind=card.kind, seen_through=card.through))
    assert ("00000010-10", "answered", town.now_at) == seen(only_card(town)), "nobody has answered it as an assist"


def test_card_for_all_counts_those_that_are_more_urgent_than_the_one_it_shows(town: Town) -> None:
    """Closing applies to all of them."""
    for counter, kind in ((10, AlertKind.ATTACK), (20, AlertKind.THEFT), (30, AlertKind.THEFT), (11, AlertKind.ATTACK)):
        town.press(counter, kind)
    card = only_card(town)
    assert ("attack", "", 0) == (card.kind, card.urgent_kind, card.urgent_count), "it shows one of them"
    town.act(Acknowledge(card.incident, seen_kind=card.kind, seen_through=card.through))

    town.press(40, AlertKind.SIGHTING)
    assert ("sighting", "attack", 2) == counted(only_card(town))
    town.act(Close("00000010-10", "False alarm"))
    assert ("sighting", "attack", 1) == counted(only_card(town))
    town.press(50, AlertKind.SIGHTING)
    town.act(Close("00000010-11", "False alarm"))
    assert ("sighting", "", 0) == counted(only_card(town))


def test_sighting_is_heard_though_one_that_waited_for_the_network_came_after_it(town: Town) -> None:
    """What is late calls nobody, and hides nobody who does."""
    press_attack_again(town)
    town.later(20)
    town.press(60, AlertKind.SIGHTING)
    sighting_at = town.now_at
    town.later(1)
    long_ago_s = int(town.now_at.timestamp()) - 600
    town.press(50, AlertKind.SIGHTING, at_s=long_ago_s)
    assert ("00000010-10", "answered", sighting_at) == seen(only_card(town))

    town.press(61, AlertKind.SIGHTING, incident=60, at_s=long_ago_s)
    assert ("00000010-10", "answered", sighting_at) == seen(only_card(town)), "a late repeat is no press of now"


def test_press_after_an_act_for_hundreds_is_not_closed_with_the_rest(town: Town) -> None:
    """They are written some hundred at a time, and nobody has seen what comes in between."""
    town.is_disk_slow = True
    counters = range(1_000, 1_000 + EACH_TIME_MAX + 100)
    for counter in counters:
        town.press(counter, AlertKind.ATTACK)
    commit_all(town)
    (card,) = town.board().cards
    assert town.act(Close(card.incident, "Misuse", seen_through=card.through)) is None
    commit_all(town)

    town.press(5_000, AlertKind.ATTACK, incident=counters[-1])
    commit_all(town)
    town.later(1)
    commit_all(town)

    states = {town.core._incidents.by_id[FrameId(CORNER, counter)].state for counter in counters[:-1]}
    assert {"closed"} == states
    assert "unanswered" == town.card(f"00000010-{counters[-1]}").state


def test_press_is_taken_where_what_was_closed_long_ago_is_forgotten(town: Town) -> None:
    """After a restart in between: the journal's order is that of opening, not of closing."""
    for counter in (8, 9, 20, 30, 40, 50):
        town.press(counter)
    for counter in (20, 30, 40, 50):
        town.act(Close(f"00000010-{counter}", "Done"))
    town.now_at += timedelta(hours=23, minutes=30)
    for counter in (8, 9):
        town.act(Close(f"00000010-{counter}", "Done"))
    recall = Recall(journal=tuple(town.disk), last_entry=town.disk[-1].entry)
    restarted = Town(recall, now_at=town.now_at + timedelta(minutes=1))
    restarted.now_at += timedelta(minutes=35)
    restarted.later(1)

    restarted.press(60, AlertKind.ATTACK, incident=8)

    assert "unanswered" == restarted.card("00000010-8").state


def press_attack_again(town: Town) -> None:
    """Beside three thefts, after all four were answered."""
    for counter, kind in ((10, AlertKind.ATTACK), (20, AlertKind.THEFT), (30, AlertKind.THEFT), (40, AlertKind.THEFT)):
        town.press(counter, kind)
    card = only_card(town)
    town.act(Acknowledge(card.incident, seen_kind=card.kind, seen_through=card.through))
    town.press(11, AlertKind.ATTACK, incident=10)


def only_card(town: Town) -> Card:
    (card,) = (card for card in town.board().cards if card.state != "closed")
    return card


def seen(card: Card) -> tuple[str, str, datetime | None]:
    return card.incident, card.state, card.pressed_again_at


def counted(card: Card) -> tuple[str, str, int]:
    return card.kind, card.urgent_kind, card.urgent_count


def commit_all(town: Town) -> None:
    while town.waiting:
        town.commit()
