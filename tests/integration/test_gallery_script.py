"""A face in every shop of the scheme and gone again, as a person at a terminal would start it."""

from __future__ import annotations

from pathlib import Path

import pytest

from demo.scripts.gallery import GONE_WITHIN_MS
from tests.support.demo_script import facts, play

pytestmark = pytest.mark.integration


def test_lease_script_happens(short_folder: Path) -> None:
    """G6: a clock set back shows nobody for longer; days without contact and a boot without proof turn it off."""
    lines = play("lease", short_folder)
    happens = {"clock_set_back", "ended", "unreadable", "contact", "rebooted"}

    assert ["clock_set_back", "ended", "unreadable", "contact", "rebooted", "unreadable"] == [
        line["fact"] for line in lines if line["fact"] in happens
    ]
    assert 0 == lines[-1]["leaks"]


def test_gallery_script_happens(short_folder: Path) -> None:
    """G4–G7: in every shop of the scheme, without a network too, gone from all, and nothing of it left anywhere."""
    lines = play("gallery", short_folder)
    shops = {line["node"] for line in facts(lines, "cached")}
    told = [line["fact"] for line in lines if line["fact"] in {"viewed", "network_cut", "revoked", "network_restored"}]

    assert ["viewed", "network_cut", "viewed", "revoked", "network_restored"] == told
    assert 3 == len(shops)
    assert shops == {line["node"] for line in facts(lines, "unreadable")}
    gone = {what: f"revoked → off a connected shop's {what}" for what in ("screen", "panel", "disk")}
    took_ms = {what: [line["ms"] for line in facts(lines, "measured", what=words)] for what, words in gone.items()}
    assert dict.fromkeys(gone, 2) == {what: len(taken) for what, taken in took_ms.items()}
    assert max(ms for taken in took_ms.values() for ms in taken) <= GONE_WITHIN_MS
    assert 1 == len(facts(lines, "deletion_receipt"))
    assert 0 == lines[-1]["leaks"]
