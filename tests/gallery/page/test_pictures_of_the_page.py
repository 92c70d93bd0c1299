from __future__ import annotations

from tools import shop_page_pictures
from tools.pictures import FOLDER, ROOT, made_from


def test_pictures_of_the_page_are_in_the_documentation() -> None:
    page = (ROOT / "docs" / "gallery.md").read_text()

    assert set() == {name for name in shop_page_pictures.SHOTS if f"pictures/{name}" not in page}
    assert set(shop_page_pictures.SHOTS) == {file.name for file in FOLDER.glob("shop-page-*.png")}
    stale = {name for name in shop_page_pictures.SHOTS if made_from(FOLDER / name) != shop_page_pictures.made_from()}
    assert stale == set(), "run python -m tools.shop_page_pictures"
