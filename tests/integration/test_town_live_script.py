"""A town goes live, from its installation to a restored central, as a person at a terminal would start it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.demo_script import facts, play

pytestmark = [pytest.mark.integration, pytest.mark.long]

HAPPENS = (
    "installed",
    "added",
    "claimed",
    "armed",
    "alert",
    "renewed",
    "replaced",
    "revoked",
    "backed_up",
    "restored",
    "alert",
)
FIRST, STOLEN, SUCCESSOR = "00000010", "00000012", "00000013"


def test_town_live_script_happens(tmp_path: Path) -> None:
    """F2, F3, C9: no key is carried, nothing is typed twice, and no number runs backwards."""
    lines = play("town-live", tmp_path / "a folder with spaces")

    assert [*HAPPENS] == [line["fact"] for line in lines if line["fact"] in HAPPENS]
    assert [(FIRST, SUCCESSOR)] == [(line["node"], line["successor"]) for line in facts(lines, "replaced")]
    assert [STOLEN] == [line["node"] for line in facts(lines, "revoked")]
    assert [FIRST, SUCCESSOR] == [line["node"] for line in facts(lines, "alert")]
    measured = {line["what"].partition(":")[0]: line for line in facts(lines, "measured")}
    for what in ("network up → armed, as central's page shows", "revoked → cut off"):
        assert 0 < measured[what]["ms"] <= measured[what]["bar_ms"] == 60_000
