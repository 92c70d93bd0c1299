"""What is compiled for a Pi: overlays that its firmware lays over Debian's device trees (F1)."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from images.errors import BuildError
from images.recipe import LAYERS, read_recipe
from images.workshop import OVERLAYS, check_overlays, compile_overlays, compile_sources

pytestmark = pytest.mark.skipif(shutil.which("fdtoverlay") is None, reason="device-tree-compiler is not installed")
OWN = sorted((LAYERS / "hardware/overlays").glob("*.dts"))
BOARD = """/dts-v1/;
/ {
	soc {
		gpio: gpio@7e200000 { #gpio-cells = <2>; };
		spi: spi@7e204000 { status = "disabled"; };
		i2c1: i2c@7e804000 { clock-frequency = <100000>; };
	};
};
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """With the compiled overlays, and one board that has what Debian's boards have."""
    case = tmp_path / "root"
    compile_overlays(read_recipe("arm64", "1.0"), case)
    assert [source.stem for source in OWN] == sorted(file.stem for file in (case / OVERLAYS).iterdir())
    board(case, BOARD)
    return case


def board(root: Path, text: str) -> None:
    file = root / "board.dts"
    file.write_text(text)
    compiled = (root / OVERLAYS).parent / "board.dtb"
    subprocess.run(["dtc", "-q", "-@", "-O", "dtb", "-o", compiled, file], check=True)


def test_overlays_fit_a_board(root: Path) -> None:
    check_overlays(root)


def test_board_that_an_overlay_does_not_fit_stops_the_build(root: Path) -> None:
    board(root, BOARD.replace("spi: ", ""))

    with pytest.raises(BuildError, match="panel-spi"):
        check_overlays(root)


def test_firmware_is_told_of_overlays_that_there_are() -> None:
    """A name without a file is passed over in silence: the panel stays dark."""
    recipe = read_recipe("arm64", "1.0", {"battery_clock": "battery-clock-ds3231"})
    files = {file.path: file.data.decode() for layer in recipe.layers for file in layer.files}
    named = {line.partition("=")[2] for line in files["/boot/firmware/config.txt"].splitlines() if "dtoverlay" in line}

    assert {source.stem for source in OWN} == named


def test_image_without_sources_needs_no_workshop(tmp_path: Path) -> None:
    compile_sources(read_recipe("amd64", "1.0"), tmp_path, "6.12", tmp_path / "workshop", {})

    assert [] == list(tmp_path.iterdir())
