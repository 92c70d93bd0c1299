"""The demo's scripts with radios, once each: real Dire Wolf, real speech, one simulated air."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.demo_script import Lines, facts, play

pytestmark = [pytest.mark.integration, pytest.mark.long]

GATEWAY = "00000014"
CORNER_SHOP, PENNY_BOOKS, RED_LION, NIGHT_STOP = "00000010", "00000011", "00000012", "00000013"


def play_on_air(name: str, folder: Path, *arguments: str) -> Lines:
    lines = play(name, folder, *arguments)
    assert lines[-1]["overs"] > 0
    assert lines[-1]["airtime_s"] > 0
    return lines


def first(lines: Lines, fact: str, **fields: str) -> int:
    """Where it is said first."""
    return lines.index(facts(lines, fact, **fields)[0])


def test_alert_and_answer_go_by_radio_when_the_network_fails(tmp_path: Path) -> None:
    """N8, N9: a cable that is dead, and one that is out; heard once, received, answered, all over the air.

    And one that is cut when central has the alert: only the answer has to go over the air.
    """
    town, folder = tmp_path / "town", tmp_path / "temporary"
    lines = play_on_air("network-cut", folder, "--keep", str(town))

    for shop in (CORNER_SHOP, PENNY_BOOKS):
        alert = facts(lines, "stored", node=shop)[0]["alert"]
        assert ["radio"] == [line["path"] for line in facts(lines, "receipt", alert=alert)]
        assert 1 == len(facts(lines, "shown", alert=alert, node=NIGHT_STOP))
        assert [] == facts(lines, "shown", alert=alert, node=RED_LION), "the pub heard it, and is in another scheme"
        order = [
            first(lines, "network_cut", node=shop),
            first(lines, "over_started", node=shop, alert=alert),
            first(lines, "heard", node=GATEWAY, alert=alert),
            first(lines, "receipt", node=shop, alert=alert),
            first(lines, "acknowledged", node=shop, alert=alert, name="J Patel"),
            first(lines, "network_restored", node=shop),
        ]
        assert sorted(order) == order
    alert = facts(lines, "stored", node=CORNER_SHOP)[1]["alert"]
    cut, mended = (lines.index(facts(lines, fact, node=CORNER_SHOP)[1]) for fact in ("network_cut", "network_restored"))
    assert ["network"] == [line["path"] for line in facts(lines, "receipt", alert=alert)]
    assert cut < first(lines, "acknowledged", node=CORNER_SHOP, alert=alert, name="J Patel") < mended
    errors = [line for log in town.rglob("*.log") for line in log.read_text().splitlines() if '"ERROR"' in line]
    assert [] == errors, "nothing went wrong on the way either"


def test_neighbours_warn_each_other_with_central_and_broker_dead(tmp_path: Path) -> None:
    """N9, N13: over the air alone; central has it once when it is back."""
    lines = play_on_air("central-gone", tmp_path)

    alert = facts(lines, "stored")[0]["alert"]
    restarted = first(lines, "restarted")
    for node in (PENNY_BOOKS, NIGHT_STOP):
        assert first(lines, "heard", node=node, alert=alert) < restarted
        assert first(lines, "shown", node=node, alert=alert) < restarted
    assert [] == facts(lines[:restarted], "receipt")
    assert 1 == len(facts(lines, "committed", alert=alert))


def test_assist_waits_for_who_talks_and_attack_breaks_in(tmp_path: Path) -> None:
    """N10: a voice is a busy channel; an attack's wait for it is bounded."""
    lines = play_on_air("busy-channel", tmp_path)

    assist, attack = (facts(lines, "over_started", node=node)[0] for node in (PENNY_BOOKS, CORNER_SHOP))
    (on_first, on_second), (off_first, off_second) = (
        [line["at_ms"] for line in facts(lines, fact, who="somebody")] for fact in ("keyed", "unkeyed")
    )
    assert on_first < off_first <= assist["at_ms"]
    assert on_second < attack["at_ms"] < off_second
