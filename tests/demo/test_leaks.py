"""The search for leaks finds what is there, wherever it stands, and nothing else."""

from __future__ import annotations

import base64
import random
from pathlib import Path

import pytest

from demo.leaks import Leak, Needles, search

FACE = (Path(__file__).parents[2] / "demo/faces/nobody-13.jpg").read_bytes()
OTHER = (Path(__file__).parents[2] / "demo/faces/nobody-01.jpg").read_bytes()
KEY = bytes(range(100, 132))


@pytest.fixture
def needles() -> Needles:
    needles = Needles()
    needles.name("Larkin Thorne")
    needles.key("text key", KEY)
    needles.picture("photograph", FACE)
    return needles


@pytest.mark.parametrize("at", [2_000, 2_001, 7_777, len(FACE) - 200])
def test_any_64_bytes_of_a_picture_are_found(needles: Needles, tmp_path: Path, at: int) -> None:
    file = tmp_path / "x.db-wal"
    file.write_bytes(random.Random(at).randbytes(5_001) + FACE[at : at + 64] + bytes(77))

    assert [Leak("photograph", file)] == search(needles, [tmp_path])


@pytest.mark.parametrize(
    "written",
    ["raw", "hex", "base64", "part of a name", "name in bytes that JSON carries", "name as Windows writes it"],
)
def test_names_and_keys_are_found_however_they_are_written(needles: Needles, tmp_path: Path, written: str) -> None:
    ways = {
        "raw": KEY,
        "hex": KEY.hex().encode(),
        "base64": base64.b64encode(KEY),
        "part of a name": b"'Thorne'",
        "name in bytes that JSON carries": base64.b64encode(b'xy{"name":"Larkin"}'),
        "name as Windows writes it": "larkin".encode("utf-16-le"),
    }
    (tmp_path / "log").write_bytes(b"before " + ways[written] + b" after")

    assert 1 == len(search(needles, [tmp_path]))


def test_another_picture_and_noise_are_no_leak(needles: Needles, tmp_path: Path) -> None:
    (tmp_path / "other.jpg").write_bytes(OTHER)
    (tmp_path / "noise").write_bytes(random.Random(1).randbytes(1_000_000))

    assert [] == search(needles, [tmp_path])


def test_what_may_hold_it_is_left_out(needles: Needles, tmp_path: Path) -> None:
    (tmp_path / "office/data").mkdir(parents=True)
    (tmp_path / "office/data/office.sqlite3").write_bytes(b"Larkin Thorne")

    assert [] == search(needles, [tmp_path], [tmp_path / "office/data"])
    assert 1 == len(search(needles, [tmp_path]))
