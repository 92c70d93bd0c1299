"""A card that is first used: its data partition takes the rest of it, whenever the power is cut meanwhile (F1, F5)."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from images.card import make_data
from images.recipe import CARD_ID, LAYERS

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(
        os.geteuid() != 0 or "devtmpfs /dev " not in Path("/proc/mounts").read_text(),
        reason="makes a disk of a file, which needs root's rights and the kernel's own /dev",
    ),
]
GROW = LAYERS / "card/files/usr/lib/watchlink/grow"
MIB = 1024 * 1024
DATA_AT_MIB, DATA_MIB, CARD_MIB = 24, 64, 300
TABLE = f"""
label: dos
label-id: 0x{CARD_ID}
1 : start=1MiB, size=2MiB, type=c
2 : start=3MiB, size=2MiB, type=c
3 : start=5MiB, size=2MiB, type=c
4 : start=7MiB, size={DATA_AT_MIB + DATA_MIB - 7}MiB, type=5
5 : start=8MiB, size=6MiB, type=83
6 : start=15MiB, size=6MiB, type=83
7 : start={DATA_AT_MIB}MiB, size={DATA_MIB}MiB, type=83
"""
"""As genimage makes it of :mod:`images.card`."""
STEPS = ("sfdisk", "sfdisk", "partx", "e2fsck", "resize2fs")
STEP = """#!/bin/sh
echo {name} >> "$STEPS_DONE"
[ "$(wc -l < "$STEPS_DONE")" != "$CUT_BEFORE" ] || {{ kill -9 $PPID; exit; }}
exec {program} "$@"
"""
KEPT = "the node's own\n"


def run(*command: str | Path, **options: object) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, **options).stdout  # type: ignore[call-overload,no-any-return]


@contextlib.contextmanager
def in_reader(card: Path) -> Iterator[Path]:
    """The card, as the kernel finds it at a start: its data partition."""
    disk = Path(run("losetup", "--find", "--show", card).strip())
    try:
        # Not every kernel on which tests run can read an MBR.
        run("partx", "--add", disk)
        yield disk.with_name(f"{disk.name}p7")
    finally:
        subprocess.run(["partx", "--delete", disk], check=False)
        run("losetup", "--detach", disk)


@pytest.fixture
def card(tmp_path: Path) -> Path:
    """An image that was written to a larger card, and holds something already."""
    card, data = tmp_path / "card", tmp_path / "data"
    make_data(data, DATA_MIB, 1_700_000_000)
    (tmp_path / "kept").write_text(KEPT)
    run("debugfs", "-w", "-R", f"write {tmp_path / 'kept'} kept", data)
    with card.open("wb") as file:
        file.truncate((DATA_AT_MIB + DATA_MIB) * MIB)
    run("sfdisk", card, input=TABLE)
    with card.open("r+b") as file:
        file.seek(DATA_AT_MIB * MIB)
        file.write(data.read_bytes())
        file.truncate(CARD_MIB * MIB)
    return card


def grow(card: Path, data: Path, *, cut_before: int = 0) -> int:
    """The image's script, on this card. There is no udev here to wait for."""
    folder = card.parent
    script, conf, programs = folder / "grow", folder / "image.conf", folder / "bin"
    conf.write_text(f"DATA_PARTITION={data}\n")
    script.write_text(GROW.read_text().replace("/usr/lib/watchlink/image.conf", str(conf)))
    programs.mkdir(exist_ok=True)
    shutil.copy("/usr/bin/true", programs / "udevadm")
    for name in {*STEPS}:
        (programs / name).write_text(STEP.format(name=name, program=shutil.which(name)))
        (programs / name).chmod(0o755)
    done = folder / "done"
    done.unlink(missing_ok=True)
    env = {"PATH": f"{programs}:{os.environ['PATH']}", "STEPS_DONE": str(done), "CUT_BEFORE": str(cut_before)}
    return subprocess.run(["sh", script], env=env, check=False).returncode


def steps_of(card: Path) -> list[str]:
    done = card.with_name("done")
    return done.read_text().split() if done.exists() else []


def table_of(card: Path) -> list[str]:
    return [line.partition(":")[2].strip() for line in run("sfdisk", "--dump", card).splitlines() if " : " in line]


def assert_whole(card: Path, before: list[str]) -> None:
    """It ends where the card does, holds what it held, and all else of the table is as it was."""
    after = table_of(card)
    assert before[:3] + before[4:6] == after[:3] + after[4:6]
    sizes = [int(part.split("size=")[1].split(",")[0]) * 512 for part in after]
    assert CARD_MIB * MIB - DATA_AT_MIB * MIB - sizes[6] < MIB
    assert f"label-id: 0x{CARD_ID}" in run("sfdisk", "--dump", card)
    with in_reader(card) as data:
        said = run("dumpe2fs", "-h", data)
        (blocks,) = (int(line.split()[2]) for line in said.splitlines() if line.startswith("Block count:"))
        assert sizes[6] - blocks * 4_096 < MIB
        assert KEPT == run("debugfs", "-R", "cat kept", data)
        run("e2fsck", "-fn", data)


def test_data_partition_takes_the_whole_card_and_keeps_what_it_held(card: Path) -> None:
    before = table_of(card)

    with in_reader(card) as data:
        assert 0 == grow(card, data)

    assert_whole(card, before)
    with in_reader(card) as data:
        assert 0 == grow(card, data)
        assert [] == steps_of(card), "the next start has nothing to do"


@pytest.mark.parametrize("step", range(1, len(STEPS) + 1))
def test_power_cut_before_any_step_is_made_good_at_the_next_start(card: Path, step: int) -> None:
    before = table_of(card)
    with in_reader(card) as data:
        assert 0 != grow(card, data, cut_before=step)
        assert [*STEPS[:step]] == steps_of(card)

    with in_reader(card) as data:
        assert 0 == grow(card, data)

    assert_whole(card, before)


def test_card_without_room_is_left_as_it_is(card: Path) -> None:
    os.truncate(card, (DATA_AT_MIB + DATA_MIB + 8) * MIB)
    before = table_of(card)

    with in_reader(card) as data:
        assert 0 == grow(card, data)

    assert ([], before) == (steps_of(card), table_of(card))
