"""What the rules failed on is kept for an engineer, within bounds, and never in the way."""

from __future__ import annotations

from pathlib import Path

import pytest

from central.core.effects import SetAside
from central.core.events import FrameArrived
from central.quarantine import FILES_MAX, Quarantine
from tests.support.central_town import START
from wire.kinds import Path as FramePath

pytestmark = pytest.mark.finding(12)


def failed(what: object, error: Exception) -> SetAside:
    try:
        raise error
    except type(error) as e:
        return SetAside(what, e)


def test_quarantine_keeps_what_failed_and_how(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path / "quarantine", lambda: START)

    quarantine.keep(failed(FrameArrived(b"\x11\xff", None, FramePath.RADIO), KeyError("no such thing")))

    (file,) = (tmp_path / "quarantine").iterdir()
    assert file.name.startswith("20261128T234000Z-FrameArrived-")
    assert "KeyError: 'no such thing'" in file.read_text()
    assert r"FrameArrived(data=b'\x11\xff'" in file.read_text()
    assert "test_quarantine.py" in file.read_text()


def test_quarantine_keeps_one_of_each_kind_and_the_first_of_them(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path, lambda: START)
    for number in range(2 * FILES_MAX):
        for _ in range(2):
            quarantine.keep(failed(f"event {number}", ValueError(f"kind {number}")))

    kept = [file.read_text() for file in tmp_path.iterdir()]
    assert FILES_MAX == len(kept)
    assert {f"ValueError: kind {number}" for number in range(FILES_MAX)} == {
        line for text in kept for line in text.splitlines() if line.startswith("ValueError")
    }


def test_quarantine_is_bounded_in_bytes(tmp_path: Path) -> None:
    Quarantine(tmp_path, lambda: START).keep(failed(b"x" * 1_000_000, ValueError("y" * 1_000_000)))

    (file,) = tmp_path.iterdir()
    assert 200_000 > file.stat().st_size > 100_000


def test_quarantine_that_cannot_be_written_harms_nobody(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    Quarantine(tmp_path / "file", lambda: START).keep(failed("event", ValueError("kind")))
