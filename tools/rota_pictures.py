"""Photographs the office's pages of rota and escalation for the documentation, with the demo's people, who are nobody.

``python -m tools.rota_pictures``. Days on the pictures are of the week in which they were made.
"""

from __future__ import annotations

import sys
from typing import Any, Final

import msgspec

from tools.exclusion_pictures import CO_ORDINATOR, DESK, filled, photograph_all
from tools.pictures import digest

SHOTS: Final[dict[str, tuple[str, str, dict[str, Any]]]] = {
    "rota-week.png": (CO_ORDINATOR, "/rota/", DESK),
    "escalation-dry-run.png": (CO_ORDINATOR, "/escalation/hart/try/?kind=attack", DESK),
}
"""Name of the file: who looks, at which page, and how large."""
_SOURCES: Final = (
    "office/rota/templates",
    "office/escalation/templates",
    "office/static/css",
    "demo/office_rota.py",
    "tools/rota_pictures.py",
)


def made_from() -> str:
    """Digest of what the pictures show."""
    return digest(*_SOURCES)


def main(arguments: list[str]) -> int:
    """Write the pictures; or, with ``fill OFFICE.TOML``, fill the office that is photographed."""
    if arguments[:1] == ["fill"]:
        sys.stdout.buffer.write(msgspec.json.encode(filled(arguments[1])))
        return 0
    photograph_all("tools.rota_pictures", SHOTS, made_from())
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
