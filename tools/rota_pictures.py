"""Photographs the office's pages of rota and escalation for the documentation, with the demo's people, who are nobody.

``python -m tools.rota_pictures``. Days on the pictures are of the week in which they were made.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any, Final

import msgspec
from playwright.sync_api import sync_playwright

from demo.premises import SCHEMES
from tests.support.exclusion_office import running
from tools.central_pictures import CHROMIUM, CHROMIUM_FLAGS
from tools.exclusion_pictures import CO_ORDINATOR, DESK, filled, photograph
from tools.pictures import FOLDER, digest, write_small

SHOTS: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "rota-week.png": ("/rota/", DESK),
    "escalation-dry-run.png": ("/escalation/hart/try/?kind=attack", DESK),
}
"""Name of the file: which page, and how large."""
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
    with tempfile.TemporaryDirectory(prefix="wl-") as folder:
        fill_by = ("tools.rota_pictures", "fill")
        with running(Path(folder), fill_by, publishes=True, schemes=SCHEMES) as office, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*CHROMIUM_FLAGS, "--lang=en-GB"])
            for name, (address, size) in SHOTS.items():
                png = photograph(browser, office, CO_ORDINATOR, address, size)
                write_small(FOLDER / name, png, made_from())
            browser.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
