from __future__ import annotations

from tools.exclusion_pictures import SHOTS
from tools.pictures import FOLDER, ROOT, made_from


def test_pictures_of_exclusions_are_in_the_documentation() -> None:
    page = (ROOT / "docs" / "exclusions.md").read_text()

    assert set() == {name for name in SHOTS if f"pictures/{name}" not in page}
    assert set(SHOTS) == {file.name for file in FOLDER.glob("exclusion-*.png")}
    assert all(made_from(FOLDER / name) for name in SHOTS), "by python -m tools.exclusion_pictures"
