"""Somebody banned comes in, as a person at a terminal would start it (G9, G10)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.demo_script import facts, play

pytestmark = pytest.mark.integration

TOLD = ("breached", "received", "opened", "outcome_shown", "sighted", "neighbour_opened")


def test_breach_script_happens(short_folder: Path) -> None:
    """G9, G10: two taps, central by reference alone, the outcome on the shop's page, and the next shop's page opens."""
    lines = play("breach", short_folder)

    assert 3 == len(facts(lines, "cached"))
    assert list(TOLD) == [line["fact"] for line in lines if line["fact"] in TOLD]
    assert 0 == lines[-1]["leaks"]
