"""The search for leaks finds what is there, wherever it stands, and nothing else."""

from __future__ import annotations

import base64
import random
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import demo.leaks
from demo.leaks import BLOCK_BYTES, Leak, Needles, search
from demo.unit_panel import FACE_PX
from gallery.pictures.panel_pixels import panel_pixels
from gallery.pictures.terms import PanelMode, PanelPlace
from node.core.screens import Face, Picture, PictureMode, Place, Screen
from node.hw.drawing import draw_screen
from node.hw.profiles import profile_named
from node.hw.typeface import Typeface

FACES = Path(__file__).parents[2] / "demo/faces"
FACE = (FACES / "nobody-13.jpg").read_bytes()
OTHER = (FACES / "nobody-01.jpg").read_bytes()
KEY = bytes(range(100, 132))
ON_PANEL = "photograph, on the panel"


@pytest.fixture
def needles() -> Needles:
    needles = Needles()
    needles.name("Larkin Thorne")
    needles.key("text key", KEY)
    needles.picture("photograph", FACE)
    return needles


def pixels(face: str, mode: PanelMode = "1", side_px: int = FACE_PX) -> bytes:
    return panel_pixels(Image.open(FACES / face).convert("RGB"), PanelPlace(side_px, side_px, mode))


def drawn(screen: Screen) -> Image.Image:
    return draw_screen(screen, profile_named("fake").panel, Typeface())


def panel_with(face: str, view: int) -> Image.Image:
    """As the unit draws it."""
    lines = ("HART-0001", "Banned to", "27 Nov 27", f"View {view}")
    place = Place(FACE_PX, FACE_PX, PictureMode.MONO)
    screen = Screen(Face.GALLERY, (), picture=Picture(place, pixels(face), lines))
    return drawn(screen)


@pytest.mark.parametrize("at", [2_000, 2_001, 7_777, len(FACE) - 200])
def test_any_64_bytes_of_a_picture_are_found(needles: Needles, tmp_path: Path, at: int) -> None:
    file = tmp_path / "x.db-wal"
    file.write_bytes(random.Random(at).randbytes(5_001) + FACE[at : at + 64] + bytes(77))

    assert [Leak("photograph", file)] == search(needles, tmp_path)


def panel_forms(panel: Image.Image) -> dict[str, bytes]:
    """A face on a panel, as it may lie in memory."""
    lit = np.asarray(panel.crop((0, 0, FACE_PX, FACE_PX)))
    pages = (lit[top : top + 8, column] for top in range(0, FACE_PX, 8) for column in range(FACE_PX))
    return {
        "as the gallery made it": pixels("nobody-13.jpg"),
        "the whole panel": panel.tobytes(),
        "as the controller takes it": b"".join(np.packbits(one, bitorder="little").tobytes() for one in pages),
        "a byte a pixel": lit.astype(np.uint8).tobytes(),
        "a grey a pixel": panel.crop((0, 0, FACE_PX, FACE_PX)).convert("L").tobytes(),
    }


@pytest.mark.parametrize(
    ("form", "share"),
    [
        ("as the gallery made it", 1.0),
        ("the whole panel", 0.85),
        ("as the controller takes it", 1.0),
        # 64 pixels are one row: where it crosses a wall it looks like any other.
        ("a byte a pixel", 0.8),
        ("a grey a pixel", 0.8),
    ],
)
def test_64_bytes_of_a_face_on_a_panel_are_found(form: str, share: float) -> None:
    needles = Needles()
    needles.panel(ON_PANEL, panel_with("nobody-13.jpg", 7), FACE_PX)
    data = panel_forms(panel_with("nobody-13.jpg", 7))[form]
    starts = range(0, len(data) - 2 * BLOCK_BYTES + 1, 13)

    found = [at for at in starts if needles.found_in(data[at : at + 2 * BLOCK_BYTES]) == {ON_PANEL}]

    assert len(found) / len(starts) >= share


def test_other_faces_and_words_on_a_panel_are_no_leak() -> None:
    needles = Needles()
    needles.panel(ON_PANEL, panel_with("nobody-13.jpg", 7), FACE_PX)
    words = drawn(Screen(Face.READY, ("READY",), ("Corner Shop", "")))
    empty = (Image.new("1", (128, 64), level) for level in (0, 1))
    others = (panel_with(face.name, 7) for face in sorted(FACES.glob("nobody-*.jpg")) if face.name != "nobody-13.jpg")

    assert [] == [
        form
        for panel in (words, *empty, *others)
        for form, data in panel_forms(panel).items()
        if form != "as the gallery made it" and needles.found_in(data)
    ]


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_greys_and_colours_of_a_panel_are_found(tmp_path: Path, mode: PanelMode) -> None:
    needles = Needles()
    needles.pieces(ON_PANEL, pixels("nobody-13.jpg", mode, 98))
    (tmp_path / "other").write_bytes(pixels("nobody-01.jpg", mode, 98))
    (tmp_path / "same").write_bytes(pixels("nobody-13.jpg", mode, 98)[9_001:])

    assert [Leak(ON_PANEL, tmp_path / "same")] == search(needles, tmp_path)


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

    assert 1 == len(search(needles, tmp_path))


def test_name_of_a_file_is_read_as_well(needles: Needles, tmp_path: Path) -> None:
    file = tmp_path / "thorne.jpg"
    file.touch()

    assert [Leak("name Larkin Thorne", file)] == search(needles, tmp_path)


def test_another_picture_and_noise_are_no_leak(needles: Needles, tmp_path: Path) -> None:
    (tmp_path / "other.jpg").write_bytes(OTHER)
    (tmp_path / "noise").write_bytes(random.Random(1).randbytes(1_000_000))

    assert [] == search(needles, tmp_path)


def test_file_that_may_hold_names_may_hold_nothing_else(needles: Needles, tmp_path: Path) -> None:
    register = tmp_path / "office.sqlite3"
    register.write_bytes(b"Larkin Thorne" + FACE)

    assert [Leak("photograph", register)] == search(needles, tmp_path, {register: "name"})
    assert 2 == len(search(needles, tmp_path))


def test_file_that_cannot_be_read_is_not_called_clean(
    needles: Needles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "closed").touch()

    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(PermissionError):
        search(needles, tmp_path)


def test_file_too_long_to_be_searched_is_not_called_clean(
    needles: Needles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo.leaks, "_FILE_BYTES_MAX", 100)
    (tmp_path / "long").write_bytes(bytes(100))
    assert [] == search(needles, tmp_path)

    (tmp_path / "long").write_bytes(bytes(101))
    with pytest.raises(OSError, match="too long"):
        search(needles, tmp_path)
