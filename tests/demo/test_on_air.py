"""What the scripts with radios measure: facts that belong together, in a time that a busy machine does not stretch."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.chronicle import CENTRAL, Chronicle
from demo.guardian_pipe import Guardian
from demo.scripts import on_air
from demo.scripts.stage import Stage
from demo.town import Town

SHOP, GATEWAY, ALERT = "00000010", "00000014", "00000010-1"
pytestmark = pytest.mark.finding(19)


@pytest.fixture
def stage(tmp_path: Path, chronicle: Chronicle) -> Iterator[Stage]:
    """On a town in which nothing runs."""
    guardian = Guardian([], is_kept=False)
    yield Stage(Town(tmp_path / "town", guardian, chronicle))
    guardian.dismiss()


def say(stage: Stage, at_ms: float, fact: str, node: str = "", **detail: object) -> None:
    began_ms = stage.town.chronicle.began_ms
    stage.town.chronicle.take(node, {"at_ms": began_ms + at_ms, "fact": fact, "alert": ALERT, **detail})


def test_commit_is_measured_from_the_burst_that_brought_it(stage: Stage) -> None:
    """The over goes on for six seconds: its sentence is spoken while central commits what its burst said."""
    say(stage, 1_000, "over_started", SHOP, over="1")
    say(stage, 2_300, "heard", "00000011", path="radio")
    say(stage, 2_400, "heard", GATEWAY, path="radio")
    say(stage, 2_405, "committed", CENTRAL, path="radio", relay=GATEWAY)
    say(stage, 8_500, "over_ended", SHOP, over="1")
    ended = stage.town.chronicle.all("over_ended")[0]
    on_air.measure_received(stage, stage.town.premises["corner-shop"], ALERT, ended)

    assert [5] == [fact.detail["ms"] for fact in stage.town.chronicle.all("measured")]


def test_figure_that_cannot_be_fails_the_script(stage: Stage) -> None:
    stage.measure("this → that", -6_095, 500)

    assert 1 == len(stage._missing)


@pytest.mark.parametrize("told_ms", [202_990, 203_010])
def test_storm_is_judged_in_the_time_of_the_air(stage: Stage, told_ms: int) -> None:
    """The machine's clock ran for 200 s, the air's for 90. The receipt may be told after the end of its over."""
    say(stage, 1_000, "keyed", who=GATEWAY, air_ms=4_000)
    say(stage, 2_000, "stored", SHOP)
    say(stage, 3_000, "keyed", who=SHOP, air_ms=10_000)
    say(stage, 203_000, "unkeyed", who=GATEWAY, air_ms=100_000)
    say(stage, told_ms, "receipt", SHOP, path="radio")
    facts = stage.town.chronicle
    took_ms, machine_ms = asyncio.run(on_air.air_ms_between(stage, facts.all("stored")[0], facts.all("receipt")[0]))
    assert (90_000, 200_000) == (took_ms, machine_ms)

    stage.judge_air_time("storm", took_ms, machine_ms, 90_000)
    assert [] == stage._missing
    stage.judge_air_time("storm", took_ms, machine_ms, 89_999)
    (missing,) = stage._missing
    assert "it took 90000, and 200000 on the machine's clock" in missing
