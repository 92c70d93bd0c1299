"""Both ways from a premises in a shape and in words, and only what is proven (N11)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import get_args, get_type_hints

import pytest
from msgspec.structs import astuple, replace

from central.core.view import NodeLine, RadioLine, Standing
from central.web import words
from central.web.page import when
from central.web.path_words import card_path, paths_of, warnings_of
from tests.central.web.scripted_board import ScriptedBoard, Way, healthy

NOW = datetime(2026, 11, 28, 23, 40, tzinfo=UTC)
AT = when(NOW)


def line(state: Standing = "ok", radio: RadioLine | None = None, *, is_weekly_test_overdue: bool = False) -> NodeLine:
    return healthy("00000010", "Corner Shop", state=state, radio=radio, is_weekly_test_overdue=is_weekly_test_overdue)


@pytest.mark.parametrize(
    ("paths", "is_late", "said"),
    [
        ((), False, "by net"),
        (("network",), False, "by net"),
        (("network", "radio"), False, "by net+radio"),
        (("radio", "network"), True, "by radio+net, late"),
    ],
)
def test_card_says_by_which_paths_it_came_the_first_one_first(
    paths: tuple[Way, ...],
    is_late: bool,  # noqa: FBT001 - a table
    said: str,
) -> None:
    card = replace(ScriptedBoard().press("attack"), paths=paths, is_late=is_late)

    assert said == card_path(card)


@pytest.mark.parametrize(
    ("shown", "network", "radio"),
    [
        (line(), ("ok", "state-ok", "Net OK"), ("none", "state-never-seen", "No radio")),
        (line("fault"), ("fault", "state-ok", "Net OK"), ("none", "state-never-seen", "No radio")),
        (
            line("no-contact", RadioLine(state="ready", tested_at=NOW, heard_at=NOW, heard_by=("Bakery", "Arcade"))),
            ("no-contact", "state-no-contact", "Net LOST"),
            ("ready", "state-ok", f"Radio was OK, tested {AT}, heard {AT} at Bakery"),
        ),
        (
            line(radio=RadioLine(state="untested")),
            ("ok", "state-ok", "Net OK"),
            ("untested", "state-never-seen", "Radio NOT PROVEN"),
        ),
        (
            line(radio=RadioLine(state="listening", tested_at=NOW)),
            ("ok", "state-ok", "Net OK"),
            ("listening", "state-stopped", "Radio LISTEN ONLY, no licence"),
        ),
        (
            line("never-seen", RadioLine(state="unknown", heard_at=NOW)),
            ("never-seen", "state-never-seen", "Net NEVER SEEN"),
            ("unknown", "state-never-seen", f"Radio heard {AT}"),
        ),
    ],
)
def test_both_ways_are_said_in_a_shape_and_in_words(
    shown: NodeLine, network: tuple[str, str, str], radio: tuple[str, str, str]
) -> None:
    assert (network, radio) == tuple(astuple(said) for said in paths_of(shown, when))


def test_every_state_has_its_words_and_its_shape() -> None:
    nodes, radios = (get_args(get_type_hints(kind)["state"]) for kind in (NodeLine, RadioLine))

    assert set(nodes) == set(words.NET_WORDS) == set(words.NET_SHAPES)
    assert set(radios) == set(words.RADIO_WORDS) == set(words.RADIO_SHAPES)


def test_warnings_say_what_somebody_must_see_to() -> None:
    shown = line(
        radio=RadioLine(state="ready", blocked_since=NOW, is_test_overdue=True, tested_at=NOW),
        is_weekly_test_overdue=True,
    )

    assert (
        f"CHANNEL BLOCKED since {AT} – an alert is waiting. Stuck transmitter or jamming",
        f"RADIO TEST OVERDUE – last came back {AT}",
        "WEEKLY TEST OVERDUE – staff should press Test",
    ) == warnings_of(shown, when)
    assert ("RADIO TEST OVERDUE – none has come back",) == warnings_of(
        line(radio=RadioLine(state="untested", is_test_overdue=True)), when
    )
    assert () == warnings_of(line(), when)


def test_channel_of_a_premises_that_fell_silent_is_not_said_to_be_blocked() -> None:
    """What it said last may be so no longer."""
    assert () == warnings_of(line("no-contact", RadioLine(state="ready", blocked_since=NOW)), when)


@pytest.mark.finding(11)
def test_word_for_a_silent_attack_is_no_word_for_a_unit() -> None:
    """N4, N11: SILENT on one screen means one thing, an attack whose shop must not be called."""
    states = get_args(Standing)

    assert sorted(states) == sorted(words.HEALTH_WORDS) == sorted(words.NET_WORDS)
    assert [] == [word for word in (*states, *words.HEALTH_WORDS.values()) if "silent" in word.lower()]
