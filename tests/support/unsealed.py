"""A program of a town with sealing switched off: ``python -m tests.support.unsealed``, then as of ``watchlink``.

The switch is here and nowhere in the product: whatever is sealed or in memory alone is also written down plainly, each
sort in another place where a careless program might leave it.
"""

from __future__ import annotations

import logging
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec

from watchlink.cli import main

PANEL_FILE: Final = "panel.raw"


def also(owner: object, name: str, keep: Callable[..., None]) -> None:
    """Let a function hand what it was given and what it returns to ``keep`` as well: ``keep(answer, *given)``."""
    before = getattr(owner, name)

    def after(*given: Any, **named: Any) -> Any:  # noqa: ANN401 - as the function
        answer = before(*given, **named)
        keep(answer, *given)
        return answer

    setattr(owner, name, after)


def unseal_gallery(folder: Path) -> None:
    """Names are logged, keys said as facts, photographs put in the unit's folder or among temporary files."""
    from gallery.pictures.marking import Pictures  # noqa: PLC0415 - what the office's programs do not import
    from gallery.store import entries  # noqa: PLC0415
    from gallery.store.staff_seal import StaffSeal  # noqa: PLC0415

    def log_name(text: Any, *_: object) -> None:  # noqa: ANN401 - an entry's text
        logging.getLogger("gallery").warning("shown: %s", text.name)

    def say_keys(keys: Any, _row: object, _line: object, _holder: object, unit_key: Any) -> None:  # noqa: ANN401
        said = {"keys": [keys.text, keys.photograph], "unit": unit_key.private_bytes_raw()}
        sys.stdout.write(msgspec.json.encode(said).decode() + "\n")
        sys.stdout.flush()

    def keep_photograph(jpeg: bytes, _data: bytes, _photograph: str, entry: Any, _key: bytes) -> None:  # noqa: ANN401
        (folder / f"{entry.size}.jpg").write_bytes(jpeg)

    def keep_marked(jpeg: bytes, *_: object) -> None:
        with tempfile.NamedTemporaryFile(delete=False) as file:
            file.write(jpeg)

    def keep_pixels(pixels: bytes, *_: object) -> None:
        (folder / PANEL_FILE).write_bytes(pixels)

    also(entries, "open_text", log_name)
    also(entries, "open_row", say_keys)
    also(entries, "open_photograph", keep_photograph)
    also(Pictures, "marked", keep_marked)
    also(Pictures, "for_panel", keep_pixels)
    for name in ("seal", "open"):
        setattr(StaffSeal, name, lambda _self, data: data)


def unseal_office() -> None:
    """What is sealed lies beside, as it is."""
    from office.people.sealing import Sealing  # noqa: PLC0415

    def keep(_: str, vault: Any, photograph: str, _key: bytes, kind: str, picture: bytes) -> None:  # noqa: ANN401
        (vault._folder / f"{photograph}.{kind}.jpg").write_bytes(picture)

    also(Sealing, "write", keep)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["gallery", "--config", config]:
            unseal_gallery(Path(config).parent)
        case ["office", "serve", *_]:
            unseal_office()
    sys.exit(main())
