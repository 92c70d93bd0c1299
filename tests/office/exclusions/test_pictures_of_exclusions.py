from __future__ import annotations

from tools import exclusion_pictures
from tools.pictures import FOLDER, ROOT, made_from


def test_pictures_of_exclusions_are_in_the_documentation() -> None:
    page = (ROOT / "docs" / "exclusions.md").read_text()

    assert set() == {name for name in exclusion_pictures.SHOTS if f"pictures/{name}" not in page}
    assert set(exclusion_pictures.SHOTS) == {file.name for file in FOLDER.glob("exclusion-*.png")}
    stale = {name for name in exclusion_pictures.SHOTS if made_from(FOLDER / name) != exclusion_pictures.made_from()}
    assert stale == set(), "run python -m tools.exclusion_pictures"
