"""Each script of the demo, once, as a person at a terminal would start it: all of it happens, and is proven."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.demo_script import WITHIN_S, Lines, check_summary, demo_command, facts, play, read_lines

pytestmark = [pytest.mark.integration, pytest.mark.long]

CENTRAL = "00000001"
SCRIPTS = ("first-alert", "broker-killed", "central-killed", "node-killed")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, subprocess.Popen[str]]]:
    """All scripts at once: two of them wait for a minute to pass, and several towns must live side by side."""
    folder = tmp_path_factory.mktemp("a folder with spaces")
    running = {
        name: subprocess.Popen(
            demo_command("--script", name, "--json"),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "TMPDIR": str(folder)},
        )
        for name in SCRIPTS
    }
    yield running
    for process in running.values():
        if process.poll() is None:
            process.kill()
            process.communicate()
    assert [] == list(folder.iterdir())


def played(runs: dict[str, subprocess.Popen[str]], name: str) -> Lines:
    out, err = runs[name].communicate(timeout=WITHIN_S)
    lines = read_lines(runs[name].returncode, out, err)
    assert [line["at_ms"] for line in lines] == sorted(line["at_ms"] for line in lines)
    return lines


def test_first_alert_happens(runs: dict[str, subprocess.Popen[str]]) -> None:
    """N1, N2, N3, N5: pressed to closed; both schemes' members and nobody else's are warned."""
    lines = played(runs, "first-alert")

    check_summary(lines)
    assert ["00000010", "00000012"] == [line["node"] for line in facts(lines, "pressed")]
    # A press that is told before it has a number is told without one.
    alert, pub_alert = (line["alert"] for line in facts(lines, "stored"))
    assert [1, 1, 1, 1] == [len(facts(lines, f, alert=alert)) for f in ("stored", "published", "receipt", "closed")]
    assert {"00000011", "00000013"} == {line["node"] for line in facts(lines, "shown", alert=alert)}
    assert {"00000013"} == {line["node"] for line in facts(lines, "shown", alert=pub_alert)}
    assert facts(lines, "acknowledged", alert=alert, node="00000010", role="pcso", name="J Patel", state="answered")


def test_broker_killed_loses_nothing(runs: dict[str, subprocess.Popen[str]]) -> None:
    """N8, N13: the broker dies after its PUBACK, with a receipt in it, and for a whole minute."""
    lines = played(runs, "broker-killed")

    check_summary(lines)
    assert 3 == len(facts(lines, "killed", program="broker")) == len(facts(lines, "restarted", program="broker"))
    assert facts(lines, "late", node=CENTRAL)
    assert facts(lines, "late", node="00000013")
    assert 3 == len(facts(lines, "undelivered"))


def test_central_killed_loses_nothing(runs: dict[str, subprocess.Popen[str]]) -> None:
    """N3, N8, N13: central dies before its commit, after it, with an answer half-way, and for a whole minute."""
    lines = played(runs, "central-killed")

    check_summary(lines)
    assert 4 == len(facts(lines, "killed", node=CENTRAL)) == len(facts(lines, "restarted", node=CENTRAL))
    assert facts(lines, "late", node=CENTRAL)


def test_node_killed_loses_nothing(runs: dict[str, subprocess.Popen[str]]) -> None:
    """N2: a stored press survives its node; a neighbour that was warned is not warned again."""
    lines = played(runs, "node-killed")

    check_summary(lines)
    assert ["00000010", "00000013"] == [line["node"] for line in facts(lines, "killed")]


def test_kills_at_random_moments_lose_nothing() -> None:
    """N2, N8: a few of each; ``make kills`` does hundreds."""
    played = subprocess.run(
        [sys.executable, "-m", "demo.kills", "--times", "3"],
        capture_output=True,
        text=True,
        check=False,
        timeout=WITHIN_S,
    )

    assert 0 == played.returncode, played.stdout
    assert 3 == played.stdout.count("passed: 3 kills, 0 lost, 0 duplicates, 0 untrue")
    assert "" == played.stderr


@pytest.mark.parametrize("arguments", [["--script", "no-such"], ["--json"], ["--keep", str(Path(__file__).parent)]])
def test_demo_refuses_what_it_cannot_do_in_a_sentence(arguments: list[str]) -> None:
    refused = subprocess.run(demo_command(*arguments), capture_output=True, text=True, check=False, timeout=WITHIN_S)

    assert refused.returncode in {1, 2}
    assert "watchlink demo: " in refused.stderr
    assert "Traceback" not in refused.stderr


def test_script_that_does_not_exist_is_no_script_that_fails(tmp_path: Path) -> None:
    """A replay on a version that has no such script must not take it for a proof."""
    with pytest.raises(LookupError, match="no-such"):
        play("no-such", tmp_path)


@pytest.mark.finding(5)
@pytest.mark.finding(6)
def test_second_press_is_not_called_answered_before_it_is(tmp_path: Path) -> None:
    """N3: also the seconds to each answer are those of central's page, and nobody at the cameras comes.

    It plays by itself, for a replay that wants no other script.
    """
    lines = play("pressed-again", tmp_path / "temporary")

    assert 2 == len(facts(lines, "pressed"))
    assert 2 == len(facts(lines, "acknowledged", state="answered"))
