from __future__ import annotations

from tools import rota_pictures
from tools.pictures import FOLDER, ROOT, made_from


def test_pictures_of_the_rota_are_in_the_documentation_and_of_today() -> None:
    pages = "".join((ROOT / "docs" / name).read_text() for name in ("rota.md", "escalation.md"))

    assert set() == {name for name in rota_pictures.SHOTS if f"pictures/{name}" not in pages}
    stale = {name for name in rota_pictures.SHOTS if made_from(FOLDER / name) != rota_pictures.made_from()}
    assert stale == set(), "run python -m tools.rota_pictures"
