"""Central's page says that a broker was not seen to obey, wherever the fleet folder is."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from central.proofs import proof_trouble
from runtime.proof_file import leave_word
from tests.support.central_town import START


def test_broker_that_was_not_seen_to_obey_is_told_until_it_is(tmp_path: Path) -> None:
    """The first of both proofs counts: each list may let somebody else in."""
    fleets, services = files = [tmp_path / "fleets.json", tmp_path / "services.json"]
    assert "" == proof_trouble(files)
    leave_word(fleets, START)
    leave_word(services, START - timedelta(days=1))
    told = proof_trouble(files)
    leave_word(services, None)

    assert f"NOT PROVEN since {START - timedelta(days=1):%d %B %Y} that the broker obeys" in told
    assert told.endswith("a stolen unit may still be let in. Tell the fleet’s engineer: watchlink central check.")
    assert f"since {START:%d %B %Y}" in proof_trouble(files)
    leave_word(fleets, None)
    assert "" == proof_trouble(files)


def test_damaged_word_of_a_proof_is_told_too(tmp_path: Path) -> None:
    (tmp_path / "proof.json").write_bytes(b"spoilt")

    assert proof_trouble([tmp_path / "proof.json"]).startswith("NOT PROVEN that the broker obeys")
