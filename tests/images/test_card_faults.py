"""A card for tests refuses some of its sectors, or has no room: shown by the programs that judge real ones."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

from images.card import Parts, make_card, make_data
from images.card_faults import BadSectors, faults, fill, in_root, make_room, of_file, of_superblock
from images.errors import CardError
from images.firmware import SECTOR_BYTES, partitions_of
from images.recipe import Partitions

pytestmark = [
    pytest.mark.skipif(None in map(shutil.which, ("genimage", "qemu-io")), reason="genimage or qemu-utils are missing"),
    pytest.mark.skipif(os.geteuid() != 0 or not Path("/dev/loop-control").exists(), reason="loop devices are root's"),
]
MIB: Final = 1024 * 1024
SBIN: Final = {"PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"}


@pytest.fixture
def card(tmp_path: Path) -> Path:
    """With a file ``kept`` on its data partition."""
    for name in ("first", "boot", "root"):
        (tmp_path / name).write_bytes(bytes(MIB))
    parts = Parts(*(tmp_path / name for name in ("first", "boot", "root", "data")))
    make_data(parts.data, 16, 1)
    (tmp_path / "source").write_bytes(b"kept" * 5_000)
    debugfs(parts.data, f"write {tmp_path}/source kept", "-w")
    card = tmp_path / "card.img"
    make_card(card, Partitions(first=1, boot=1, root=1, data=16), parts, tmp_path / "work")
    return card


def debugfs(place: object, request: str, *options: str) -> str:
    words = ["debugfs", *options, "-R", request, str(place)]
    return subprocess.run(words, env=SBIN, capture_output=True, text=True, check=True).stdout


def data_of(card: Path) -> str:
    return f"{card}?offset={partitions_of(card)[7].begins_bytes}"


def access(card: Path, bad: BadSectors, *requests: tuple[str, int]) -> list[bool]:
    """Which reads and writes of a sector succeed."""
    rules = card.with_suffix(".conf")
    rules.write_text(faults((bad,)))
    words = [word for verb, sector in requests for word in ("-c", f"{verb} {sector * SECTOR_BYTES} {SECTOR_BYTES}")]
    said = subprocess.run(
        ["qemu-io", "-f", "raw", *words, f"blkdebug:{rules}:{card}"], capture_output=True, text=True, check=False
    )
    lines = [line for line in (said.stdout + said.stderr).splitlines() if "bytes at" in line or "failed" in line]
    assert len(requests) == len(lines), said
    return ["bytes at" in line for line in lines]


def test_bad_sector_refuses_what_it_is_told_to_and_no_other_does(card: Path) -> None:
    sector = in_root(card, "b", MIB // 2)
    bad = BadSectors("write", (sector, sector + 1))

    asked = [("write", sector), ("write", sector + 1), ("write", sector + 2), ("read", sector), ("write", sector - 1)]
    assert [False, False, True, True, True] == access(card, bad, *asked)


def test_card_refuses_whole(card: Path) -> None:
    assert [False, False, True] == access(card, BadSectors("write"), ("write", 0), ("write", 5_000), ("read", 0))


def test_sectors_are_those_of_what_they_are_named_for(card: Path) -> None:
    data = card.read_bytes()

    kept = of_file(card, "kept")
    assert [b"kept" * 2] * 5 == [data[sector * SECTOR_BYTES :][:8] for sector in kept]
    assert b"\x53\xef" == data[of_superblock(card)[0] * SECTOR_BYTES :][56:58]
    assert partitions_of(card)[6].begins + 2 == in_root(card, "b", 1_024)


def test_file_that_is_not_there_has_no_sectors(card: Path) -> None:
    with pytest.raises(CardError, match="there is no other"):
        of_file(card, "other")


def test_filled_card_has_no_room_and_keeps_what_it_had(card: Path, tmp_path: Path) -> None:
    fill(card)
    (tmp_path / "more").write_bytes(b"more" * (MIB // 4))
    debugfs(data_of(card), f"write {tmp_path}/more more", "-w")

    assert "kept" * 5_000 == debugfs(data_of(card), "cat kept")
    assert "more" not in debugfs(data_of(card), "cat more")

    make_room(card)
    debugfs(data_of(card), f"write {tmp_path}/more again", "-w")
    assert "more" * (MIB // 4) == debugfs(data_of(card), "cat again")
