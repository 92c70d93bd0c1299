"""What ``make replay`` takes for a proof: what the inspected code did, and never what it only does not know."""

from __future__ import annotations

import importlib
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest

from wire.messages import Health

TOOLS = Path(__file__).resolve().parents[2] / "tools"


@pytest.fixture
def replay(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(TOOLS)
    return importlib.import_module("replay")


@pytest.fixture
def report(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The plugin, in a test that leans on nothing yet."""
    monkeypatch.syspath_prepend(TOOLS)
    plugin = importlib.import_module("replay_report")
    plugin.pytest_runtest_setup()
    return plugin


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (AssertionError("READY"), "assertion"),
        (TimeoutError("no receipt within 120 s"), "timed out"),
        (AssertionError("Locator expected to be visible\nError: element(s) not found"), "timed out"),
        (AssertionError("Actual value: None\nError: strict mode violation: 2 elements"), "timed out"),
        (AssertionError("'' == \"argument --script: invalid choice: 'liar'\""), "missing"),
        (AssertionError("'' == 'error: unrecognized arguments: --premises'"), "missing"),
        (LookupError("no such script"), "missing"),
        (SystemExit(2), "missing"),
        (ConnectionError("gone"), "error"),
    ],
)
def test_only_an_assertion_about_what_the_code_did_counts_as_one(
    report: ModuleType, error: BaseException, outcome: str
) -> None:
    assert outcome == report._outcome(error, "")


def test_name_that_a_program_only_logged_as_unknown_is_no_flaw(report: ModuleType) -> None:
    logged = "ERROR central: internal error\nAttributeError: 'Card' object has no attribute 'through'"

    assert "missing" == report._outcome(AssertionError("no card"), logged)


def test_what_a_test_leant_on_weakens_its_assertion(report: ModuleType) -> None:
    names = report.replay_names
    names._known(Health, {"state": "armed", "speaks": (), "boot_id": "n1"}, ("state",))
    assert ({"Health.boot_id"}, "dropped") == (names.dropped, report._outcome(AssertionError("READY"), ""))
    with pytest.raises(names.LackingError):
        names._lacking("node.core.proof.prove")()

    assert "missing" == report._outcome(AssertionError("READY"), "")


def test_field_that_is_only_read_as_empty_is_noted(report: ModuleType) -> None:
    class Card:
        closed_by = report.replay_names._Empty("closed_by", None)

    assert (None, {"Card.closed_by"}) == (Card().closed_by, report.replay_names.dropped)


@pytest.mark.parametrize(
    ("then", "never", "is_proof"),
    [
        ("assertion", "", True),
        ("timed out", "", False),
        ("timed out", "a receipt", True),
        ("dropped", "", False),
        ("missing", "a receipt", False),
        ("error", "a receipt", False),
        ("passed", "a receipt", False),
    ],
)
def test_waiting_in_vain_proves_only_that_something_never_comes(
    replay: ModuleType, then: str, never: str, *, is_proof: bool
) -> None:
    test = replay.Test(then=Counter({then: 1}), now=Counter(passed=2), never=never)

    assert is_proof == test.is_proof


def test_every_test_that_is_listed_must_be_green_today(replay: ModuleType) -> None:
    proof = replay.Test(then=Counter(assertion=1), now=Counter(passed=1))
    for now, wrong in (
        ("passed", []),
        ("assertion", ["NOT GREEN TODAY: b (a.py)"]),
        ("skipped", ["NOT GREEN TODAY: b (a.py)"]),
    ):
        other = replay.Test(then=Counter(missing=1), now=Counter({now: 1}))
        assert wrong == replay._wrong({5: {"tests/a.py::test_a": proof, "tests/a.py::test_b": other}})

    assert ["NOT PROVEN: 5"] == replay._wrong({5: {"tests/a.py::test_b": replay.Test(now=Counter(passed=1))}})
