"""The office from its first sign-in link to an ended account, as a person at a terminal would start it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.demo_script import facts, play

pytestmark = pytest.mark.integration

HAPPENS = (
    "initialised",
    "invited",
    "signed_in",
    "premises_added",
    "alert",
    "answered",
    "signed_in_without_office",
    "account_ended",
    "locked_out",
)


def test_office_script_happens(tmp_path: Path) -> None:
    """C2, C4, L1: office and publisher die with an alert in flight, and nothing of it is lost."""
    lines = play("office", tmp_path / "a folder with spaces")

    told = [line["fact"] for line in lines]
    assert list(HAPPENS) == sorted(set(HAPPENS) & set(told), key=told.index)
    assert {"office", "publisher"} == {line["program"] for line in facts(lines, "killed")}
    (alert,) = (line["alert"] for line in facts(lines, "stored"))
    assert facts(lines, "acknowledged", alert=alert, node="00000010", role="pcso", name="J Patel", state="answered")
    assert facts(lines, "closed", alert=alert, node="00000010")
