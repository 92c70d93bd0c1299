"""The picture of the air strip in docs/demo.md is today's."""

from __future__ import annotations

from tools import air_pictures
from tools.pictures import FOLDER, made_from


def test_picture_of_the_air_is_made_from_the_page_of_today() -> None:
    """Mend it with ``python -m tools.air_pictures``. Not its pixels: what is on the air is never twice the same."""
    assert air_pictures.made_from() == made_from(FOLDER / air_pictures.PICTURE), "run python -m tools.air_pictures"
