from __future__ import annotations

from tools import shop_gallery_pictures
from tools.pictures import FOLDER, ROOT, made_from


def test_pictures_of_galleries_in_shops_are_in_the_documentation() -> None:
    page = (ROOT / "docs" / "office.md").read_text()

    assert set() == {name for name in shop_gallery_pictures.SHOTS if f"pictures/{name}" not in page}
    assert set(shop_gallery_pictures.SHOTS) == {file.name for file in FOLDER.glob("office-*.png")}
    stale = {
        name for name in shop_gallery_pictures.SHOTS if made_from(FOLDER / name) != shop_gallery_pictures.made_from()
    }
    assert stale == set(), "run python -m tools.shop_gallery_pictures"
