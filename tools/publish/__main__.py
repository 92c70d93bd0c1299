"""Write the vectors and documents made from the contract, or list those that are out of date."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tools.publish.asyncapi import asyncapi_document
from tools.publish.gallery_page import gallery_page
from tools.publish.golden import vector_files
from tools.publish.handbook import handbook

REPOSITORY = Path(__file__).resolve().parents[2]


def published_files() -> dict[str, str]:
    """Every file made from the contract: path from the repository's root → text."""
    files = {f"wire/vectors/{name}": text for name, text in vector_files().items()}
    return files | {
        "docs/wire.md": handbook(),
        "docs/gallery-protocol.md": gallery_page(),
        "docs/asyncapi.json": asyncapi_document(),
    }


def main(arguments: list[str] | None = None) -> int:
    """Returns 0 if the files are written or up to date, 1 if ``--check`` found a difference."""
    parser = argparse.ArgumentParser(prog="python -m tools.publish", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; end with 1 if a file is out of date")
    is_check = parser.parse_args(arguments).check
    stale = [
        (REPOSITORY / name, text)
        for name, text in published_files().items()
        if not (REPOSITORY / name).exists() or (REPOSITORY / name).read_text(encoding="utf-8") != text
    ]
    for path, text in stale:
        print(("out of date: " if is_check else "written: ") + str(path.relative_to(REPOSITORY)))
        if not is_check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    return 1 if is_check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
