from __future__ import annotations

from tools.pictures import FOLDER, ROOT, made_from
from tools.shop_page_pictures import SHOTS


def test_pictures_of_the_page_are_in_the_documentation() -> None:
    page = (ROOT / "docs" / "gallery.md").read_text()

    assert set() == {name for name in SHOTS if f"pictures/{name}" not in page}
    assert set(SHOTS) == {file.name for file in FOLDER.glob("shop-page-*.png")}
    assert all(made_from(FOLDER / name) for name in SHOTS), "by python -m tools.shop_page_pictures"
