"""Nobody answers until a phone does, as a person at a terminal would start it (C3, C8)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.demo_script import facts, play

pytestmark = pytest.mark.integration

TOLD = ("on_duty", "alert", "step_skipped", "asked", "push_delivered", "asked", "answered")


def test_escalation_script_happens(tmp_path: Path) -> None:
    """An empty step is skipped, an unanswered one passes, and the third is answered by a phone, each once."""
    lines = play("escalation", tmp_path / "a folder with spaces")

    assert list(TOLD) == [line["fact"] for line in lines if line["fact"] in TOLD]
    assert ["duty-sergeant"] == [line["role"] for line in facts(lines, "step_skipped")]
    assert [("pcso", "page push sms"), ("cctv", "push")] == [
        (line["role"], line["ways"]) for line in facts(lines, "asked")
    ]
    (alert,) = (line["alert"] for line in facts(lines, "stored"))
    assert facts(lines, "acknowledged", alert=alert, node="00000010", role="cctv", state="answered")
