"""Under a real systemd the node says how it is, for root alone, and reads what the card's own program says (F4)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.booted_system import Proof
from wire.unit_files import VITALS_FILE, Vitals, read_unit_file

pytestmark = pytest.mark.integration


def test_locked_in_node_says_how_it_is_for_root_alone(proof: Proof) -> None:
    said = read_unit_file(proof.text("vitals").encode(), Vitals)
    folder = Path(VITALS_FILE).parent

    assert [f"watchlink-node 700 {folder}", f"watchlink-node 600 {VITALS_FILE}"] == proof.text(
        "vitals-files"
    ).splitlines()
    assert ("00000010", True, True) == (said.node, said.is_armed, said.is_linked)
    assert said.written_at_ms


def test_locked_in_node_reads_what_the_cards_own_program_says(proof: Proof) -> None:
    told = proof.text("card-told")

    assert told.startswith("armed, faults: "), proof.text("node-log")
    assert "card" in told.partition(";")[0].split()
