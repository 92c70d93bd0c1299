"""The liar keeps things back, and tells radios what to say: radios go around it, or nobody is told anything untrue."""

from __future__ import annotations

from pathlib import Path

import pytest

from demo.matrix import IN_TOWN_WITH_RADIO, Manner, rows, why_not
from tests.support.demo_script import facts, play

pytestmark = [pytest.mark.integration, pytest.mark.long, pytest.mark.finding(1)]


def test_what_is_withheld_goes_by_radio_and_what_nobody_signed_does_not(tmp_path: Path) -> None:
    lied = facts(play("withheld", tmp_path), "lied")
    cells = [row for row in rows() for manner in Manner if why_not(row, manner) == IN_TOWN_WITH_RADIO]

    assert cells
    assert len(cells) == sum(line["count"] for line in lied)
