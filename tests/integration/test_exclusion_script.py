"""An exclusion from its nomination to an erasure, as a person at a terminal would start it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.demo_script import facts, play

pytestmark = pytest.mark.integration

HAPPENS = (
    "nominated",
    "checked",
    "voted",
    "police_refused",
    "decided",
    "issued",
    "served",
    "appealed",
    "revoked",
    "erased",
)


def test_exclusion_script_happens(short_folder: Path) -> None:
    """G2, G11, G13: three members vote from their own browsers, police and co-ordinator are refused."""
    lines = play("exclusion", short_folder)

    assert [*HAPPENS] == [line["fact"] for line in lines if line["fact"] in HAPPENS]
    (voted,) = facts(lines, "voted")
    assert ["Nell Ward", "Lee Tanner", "Bo Quill"] == voted["who"].split(", ")
    (refused,) = facts(lines, "police_refused")
    assert ["Kit Lowe", "First co-ordinator"] == refused["who"].split(", ")
