"""docs/hardware.md and the pictures say what the code does."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import msgspec
import pytest
from PIL import Image

from node.core.screens import Emphasis, Face
from node.hw.typeface import Typeface
from node.radio_config import RadioTable
from tools import node_pictures
from tools.profile_table import DOCUMENT, with_table
from tools.specimens import SPECIMENS

ROOT = Path(__file__).parents[3]


def test_hardware_page_has_the_pins_of_the_profiles() -> None:
    """Mend it with ``python -m tools.profile_table``."""
    written = (ROOT / DOCUMENT).read_text(encoding="utf-8")

    assert with_table(written) == written


def test_hardware_page_configures_radios_that_there_are() -> None:
    """Where an engineer starts: what is copied from the page is taken by the node, key by key."""
    blocks = re.findall(r"```toml\n(.*?)```", (ROOT / DOCUMENT).read_text(encoding="utf-8"), re.DOTALL)
    written = [tomllib.loads(block)["radio"] for block in blocks]
    radios = [msgspec.convert(table, RadioTable) for table in written]

    assert ["sound", "kiss-tnc"] == [radio.driver for radio in radios]
    assert all(radio.licence for radio in radios)
    for table, radio in zip(written, radios, strict=True):
        assert set(table) <= set(RadioTable.__struct_fields__), "a misspelt key"
        for name, part in table.items():
            if isinstance(part, dict):
                assert part == {key: getattr(getattr(radio, name), key, None) for key in part}


@pytest.mark.one_python
def test_pictures_are_those_in_the_documentation(tmp_path: Path) -> None:
    """Pixels, not bytes: another zlib packs the same pixels otherwise. Mend them with ``make pictures``."""
    assert 0 == node_pictures.main(["--out", str(tmp_path)])
    kept = ROOT / "docs" / "pictures"
    names = {path.name for folder in (tmp_path, kept) for path in folder.glob("oled-*.png")}
    stale = {name for name in names if _pixels(tmp_path / name) != _pixels(kept / name)}

    assert set() == stale


def _pixels(path: Path) -> bytes | None:
    return Image.open(path).tobytes() if path.exists() else None


def test_pictures_show_every_face_there_is() -> None:
    assert set(Face) == {screen.face for screen in SPECIMENS.values()}
    assert set(Emphasis) == {screen.emphasis for screen in SPECIMENS.values()}


def test_pictures_are_not_drawn_in_the_wrong_letters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(node_pictures, "Typeface", lambda: Typeface(tmp_path))

    assert 1 == node_pictures.main(["--out", str(tmp_path / "out")])
    assert "install xfonts-terminus" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
