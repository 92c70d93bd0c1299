"""Pictures of pages in the documentation: small files that record what they were made from."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Final

from PIL import Image
from PIL.PngImagePlugin import PngInfo

ROOT: Final = Path(__file__).parents[1]
FOLDER: Final = ROOT / "docs" / "pictures"
_KEY: Final = "Made from"


def digest(*sources: str, data: bytes = b"") -> str:
    """SHA-256 in hex of all that determines a picture.

    Args:
        sources: files, and folders with all their files, from the root of the project.
        data: other content that is shown.
    """
    hashed = hashlib.sha256(data)
    for source in sources:
        found = [ROOT / source, *sorted((ROOT / source).rglob("*"))]
        for file in (path for path in found if "__pycache__" not in path.parts and path.is_file()):
            hashed.update(f"\0{file.relative_to(ROOT)}\0".encode() + file.read_bytes())
    return hashed.hexdigest()


def write_small(file: Path, png: bytes, made_from: str) -> None:
    """Write a PNG with a palette: pages have few colours, so it takes a fraction of the size."""
    info = PngInfo()
    info.add_text(_KEY, made_from)
    with Image.open(io.BytesIO(png)) as image:
        small = image.convert("RGB").quantize(256, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        small.save(file, optimize=True, pnginfo=info)


def made_from(file: Path) -> str:
    """The digest in the file; empty if there is none."""
    with Image.open(file) as image:
        return str(image.info.get(_KEY, ""))


def pixels(file: Path) -> tuple[tuple[int, int], bytes]:
    """Size and colours, which do not depend on how zlib packs them."""
    with Image.open(file) as image:
        return image.size, image.convert("RGB").tobytes()
