from __future__ import annotations

from tools import paper_pictures
from tools.pictures import FOLDER, made_from


def test_pictures_of_the_notice_are_made_from_the_sheets_of_today() -> None:
    stale = {name for name in paper_pictures.PICTURES if made_from(FOLDER / name) != paper_pictures.made_from()}

    assert set() == stale, "run python -m tools.paper_pictures"
