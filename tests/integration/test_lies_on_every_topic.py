"""Whoever holds the broker, against real programs: the quick part of the table of lies."""

from __future__ import annotations

from pathlib import Path

import pytest

from demo.matrix import Manner, rows, why_not
from tests.support.demo_script import facts, play

pytestmark = [pytest.mark.integration, pytest.mark.long, pytest.mark.finding(1)]

QUICK = (Manner.UNSIGNED, Manner.WRONG_SIGNER, Manner.RETARGETED, Manner.REPLAYED, Manner.TO_ANOTHER)


def test_lies_on_every_topic_move_nothing_that_anybody_reads(tmp_path: Path) -> None:
    counts = {line["what"]: line["count"] for line in facts(play("liar-quick", tmp_path), "lied")}

    for manner in QUICK:
        assert sum(not why_not(row, manner) for row in rows()) == counts[manner], manner
