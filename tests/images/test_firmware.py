"""The stand-in for a Pi's firmware hands the kernel the board's device tree as a Pi does (F1)."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from images.errors import CardError
from images.firmware import Start, device_tree
from tests.support.card_image import card_image, put_on

pytestmark = pytest.mark.skipif(shutil.which("fdtoverlay") is None, reason="device-tree-compiler is not installed")
BOARD = "/dts-v1/; / { bus: bus { clock-frequency = <1>; }; };"
OVERLAY = "/dts-v1/; /plugin/; &bus { clock-frequency = <4>; };"


def compiled(text: str) -> bytes:
    words = ["dtc", "-q", "-@", "-O", "dtb", "-"]
    return subprocess.run(words, input=text.encode(), capture_output=True, check=True).stdout


def said(tree: Path, *place: str) -> str:
    return subprocess.run(["fdtget", tree, *place], capture_output=True, check=True, text=True).stdout.strip()


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """From the first partition, with an overlay."""
    (tmp_path / "faster.dtbo").write_bytes(compiled(OVERLAY))
    return Start(1, tmp_path / "vmlinuz", tmp_path / "initrd.img", "", (tmp_path / "faster.dtbo",))


def test_overlays_lie_over_the_tree_and_the_board_says_what_it_is(start: Start, tmp_path: Path) -> None:
    card = card_image(tmp_path / "card")
    put_on(card, "pi.dtb", compiled(BOARD))

    tree = device_tree(card, start, "pi", tmp_path)

    assert "4" == said(tree, "/bus", "clock-frequency")
    assert str(0xA02082) == said(tree, "/system", "linux,revision")
    assert "" != said(tree, "/", "serial-number")


def test_card_without_the_board_does_not_start(start: Start, tmp_path: Path) -> None:
    with pytest.raises(CardError, match=r"pi\.dtb"):
        device_tree(card_image(tmp_path / "card"), start, "pi", tmp_path)
