"""The tables, pair by pair, against a second writing of them; and the diagram drawn from them."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TypeVar

import pytest

from node.core.table import (
    BUTTON,
    INCIDENT,
    PATH,
    ButtonInput,
    ButtonPhase,
    Happening,
    PathInput,
    PathPhase,
    Phase,
    Table,
    after,
)
from tools import node_machine

# Rows: phases in the order of their declaration. Columns: happenings likewise. "." = nothing changes.
# Letters of a phase: the first of its name, in the key below.
_PHASES = dict(zip("DFNSPOURAWCX", Phase, strict=True))
_INCIDENT = """
             saved  refused  unsaved  broker  radio  overdue  receipt  answered  setout  takenback  again  cancel  withdraw  closed  reopened  forgotten
drafted      S      F        N        .       .      .        .        .         .       .          .      .       .         .       .         .
refused      S      .        N        .       .      .        .        .         .       .          D      C       X         .       .         .
unsaved      S      .        .        .       O      U        R        .         .       .          D      C       .         .       .         .
stored       .      .        N        P       O      U        R        .         .       .          D      C       .         .       .         .
published    .      .        .        .       O      U        R        .         .       .          D      C       .         .       .         .
on-air       .      .        .        .       .      U        R        .         .       .          D      C       .         .       .         .
undelivered  .      .        .        .       .      .        R        .         .       .          D      C       .         .       .         .
received     .      .        .        .       .      .        .        A         W       .          D      C       .         X       .         S
answered     .      .        .        .       .      .        .        .         W       R          D      C       .         X       .         S
on-the-way   .      .        .        .       .      .        .        A         .       R          D      C       .         X       .         S
cancelled    .      .        .        .       .      .        .        .         .       .          .      .       .         X       .         .
closed       .      .        .        .       .      .        .        .         .       .          .      .       .         .       R         .
"""  # noqa: E501  # a table is read across

_BUTTONS = dict(zip(("up", "cl", "dn", "op", "sp", "so", "st", "sto"), ButtonPhase, strict=True))
_BUTTON = """
               down  up   held  fired  toolong  found
up             cl    .    .     .      .        st
closing        .     up   dn    .      .        st
down           .     op   .     sp     .        .
opening        dn    .    up    so     .        dn
spent          .     so   .     .      st       .
spent-opening  sp    .    up    .      .        sp
stuck          .     sto  .     .      .        .
stuck-opening  st    .    up    .      .        st
"""

_PATHS = dict(zip("DCP", PathPhase, strict=True))
_PATH = """
           up  down  heard  silent
down       C   .     .      .
connected  .   D     P      .
proven     C   D     .      C
"""


P = TypeVar("P", bound=StrEnum)
H = TypeVar("H", bound=StrEnum)


def cells(text: str, phases: type[P], inputs: type[H], names: dict[str, P]) -> list[tuple[P, H, P]]:
    _, *rows = text.strip("\n").splitlines()
    found = []
    for phase, row in zip(phases, rows, strict=True):
        for happening, name in zip(inputs, row.split()[1:], strict=True):
            found.append((phase, happening, phase if name == "." else names[name]))
    return found


@pytest.mark.parametrize(("phase", "happening", "expected"), cells(_INCIDENT, Phase, Happening, _PHASES))
def test_incident_pair(phase: Phase, happening: Happening, expected: Phase) -> None:
    """N3: every (phase, happening) pair, also those that change nothing."""
    assert expected is after(INCIDENT, phase, happening)


@pytest.mark.parametrize(("phase", "happening", "expected"), cells(_BUTTON, ButtonPhase, ButtonInput, _BUTTONS))
def test_button_pair(phase: ButtonPhase, happening: ButtonInput, expected: ButtonPhase) -> None:
    """N1: every pair of a button."""
    assert expected is after(BUTTON, phase, happening)


@pytest.mark.parametrize(("phase", "happening", "expected"), cells(_PATH, PathPhase, PathInput, _PATHS))
def test_path_pair(phase: PathPhase, happening: PathInput, expected: PathPhase) -> None:
    """N11: every pair of the path."""
    assert expected is after(PATH, phase, happening)


@pytest.mark.parametrize(
    ("table", "initial"), [(INCIDENT, Phase.DRAFTED), (BUTTON, ButtonPhase.UP), (PATH, PathPhase.DOWN)]
)
def test_every_phase_can_be_reached(table: Table[StrEnum, StrEnum], initial: StrEnum) -> None:
    reached, waiting = {initial}, [initial]
    while waiting:
        for following in table[waiting.pop()].values():
            if following not in reached:
                reached.add(following)
                waiting.append(following)

    assert set(table) == reached
    assert set(type(initial)) == reached


def test_received_is_reached_only_by_central_or_a_person() -> None:
    """N3, N8: neither the disk nor the broker's word makes an alert received."""
    ways = {
        happening
        for row in INCIDENT.values()
        for happening, phase in row.items()
        if phase in (Phase.RECEIVED, Phase.ANSWERED, Phase.ON_THE_WAY)
    }

    assert {
        Happening.RECEIPTED,
        Happening.ANSWERED,
        Happening.SET_OUT,
        Happening.TAKEN_BACK,
        Happening.REOPENED,
    } == ways


def test_diagram_is_drawn_from_the_tables() -> None:
    """Drift: run ``python -m tools.node_machine``."""
    text = (Path(__file__).parents[3] / "docs" / "node-machine.md").read_text(encoding="utf-8")

    assert node_machine.page() in text


def test_diagram_has_an_arrow_for_every_pair_that_changes_something() -> None:
    drawn = node_machine.mermaid(INCIDENT, Phase.DRAFTED)

    for phase, row in INCIDENT.items():
        for happening, following in row.items():
            arrow = f"{phase.value.replace(' ', '_')} --> {following.value.replace(' ', '_')}"
            assert any(arrow in line and happening.value in line for line in drawn.splitlines())
