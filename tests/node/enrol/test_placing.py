"""What the service gives is looked at before the unit becomes a node by it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from node.enrol.asking import ask
from node.enrol.keys import UnitKeys, keys_in
from node.enrol.placing import prepare
from node.enrol.trouble import Trouble
from tests.node.enrol.conftest import Unit
from wire.enrolment import EnrolmentAnswer

Spoil = Callable[[EnrolmentAnswer, Unit, Path], EnrolmentAnswer]


def foreign_root(answer: EnrolmentAnswer, _unit: Unit, folder: Path) -> EnrolmentAnswer:
    """Whom the node would trust for years."""
    from tests.support.enrolling_town import EnrollingTown  # noqa: PLC0415 - made for this one alone

    other = EnrollingTown.found(folder / "other")
    return replace(answer, roots=answer.roots + other.fleet.layout.trusted.read_text())


SPOILT: dict[str, Spoil] = {
    "another node": lambda answer, *_: replace(answer, node="00000099"),
    "another root": foreign_root,
    "no root": lambda answer, *_: replace(answer, roots=""),
    "gallery's certificate": lambda answer, *_: replace(answer, certificate=answer.gallery_certificate),
    "no certificate": lambda answer, *_: replace(answer, gallery_certificate="-"),
    "other schemes": lambda answer, *_: replace(answer, schemes=(1, 2)),
    "no directory": lambda answer, *_: replace(answer, directory=b"{}"),
    "no name": lambda answer, *_: replace(answer, premises=""),
}


@pytest.fixture
def given(unit: Unit) -> tuple[UnitKeys, EnrolmentAnswer]:
    """Keys, and what the service gives for them."""
    unit.staging.mkdir()
    keys = keys_in(unit.staging)
    return keys, ask(unit.seed, keys)


@pytest.mark.parametrize("what", SPOILT)
def test_unit_becomes_no_node_by_a_spoilt_answer(
    unit: Unit, given: tuple[UnitKeys, EnrolmentAnswer], what: str, tmp_path: Path
) -> None:
    keys, answer = given

    with pytest.raises(Trouble):
        prepare(unit.staging, unit.seed, keys, SPOILT[what](answer, unit, tmp_path), "1.0")


def test_unit_with_other_keys_becomes_no_node(
    unit: Unit, given: tuple[UnitKeys, EnrolmentAnswer], tmp_path: Path
) -> None:
    _, answer = given
    others = keys_in(tmp_path)

    with pytest.raises(Trouble, match="for another unit"):
        prepare(tmp_path, unit.seed, others, answer, "1.0")


def test_directory_of_another_authority_is_refused(unit: Unit, given: tuple[UnitKeys, EnrolmentAnswer]) -> None:
    """The seed says whose it is: not whoever runs the service."""
    keys, answer = given
    seed = replace(unit.seed, authority="11" * 32)

    with pytest.raises(Trouble, match="not a directory signed by the authority"):
        prepare(unit.staging, seed, keys, answer, "1.0")
