"""The documentation's pictures of central's page are today's."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import central_pictures
from tools.pictures import FOLDER, made_from, pixels

pytestmark = pytest.mark.integration


def test_pictures_of_the_page_are_those_in_the_documentation(tmp_path: Path) -> None:
    """Mend them with ``make pictures``.

    A picture that was made from today's page needs no look: another Chromium draws the same letters otherwise. Where
    the page has changed since, it may still look the same.
    """
    kept = {file.name: file for file in FOLDER.glob("central-*.png")}
    stale = {name for name, file in kept.items() if made_from(file) != central_pictures.made_from()}
    if stale:
        central_pictures.main([str(tmp_path)])
        stale = {name for name in stale if pixels(tmp_path / name) != pixels(kept[name])}

    assert set() == stale, "run make pictures"
    assert {"central-dark.png", "central-light.png", "central-phone.png"} == set(kept)
