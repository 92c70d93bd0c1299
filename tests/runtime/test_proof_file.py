"""Whether the broker obeys is told by a file that anybody may have written."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from runtime.proof_file import Unproven, leave_word, read_proof

SINCE = datetime(2026, 11, 27, 22, tzinfo=UTC)


def test_word_stands_until_the_broker_is_seen_to_obey(tmp_path: Path) -> None:
    file = tmp_path / "proof.json"
    leave_word(file, None)
    assert (None, False) == (read_proof(file), file.exists()), "no file says that all is well"
    leave_word(file, SINCE, 0o640)
    assert (Unproven(SINCE), 0o640) == (read_proof(file), file.stat().st_mode & 0o777)
    leave_word(file, None)

    assert None is read_proof(file)
    assert file.exists(), "a pack must bring the good news too"


def test_file_that_says_the_same_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "proof.json"
    for since in (SINCE, None):
        leave_word(file, since)
        before = file.stat().st_ino
        leave_word(file, since)

        assert before == file.stat().st_ino


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b'{"unproven_since":5}', b'{"unproven_since":"2026-11-27T22:00:00"}', b'{"a":"' + b"x" * 5000 + b'"}'],
    ids=["empty", "list", "number", "naive", "long"],
)
def test_damaged_file_is_no_proof(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "proof.json").write_bytes(data)

    assert Unproven() == read_proof(tmp_path / "proof.json")


def test_link_or_pipe_is_no_proof_and_holds_nobody_up(tmp_path: Path) -> None:
    leave_word(tmp_path / "good.json", SINCE)
    leave_word(tmp_path / "good.json", None)
    (tmp_path / "link").symlink_to("good.json")
    os.mkfifo(tmp_path / "pipe")

    assert [Unproven()] * 2 == [read_proof(tmp_path / name) for name in ("link", "pipe")]
