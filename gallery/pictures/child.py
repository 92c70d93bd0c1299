"""The child that reads photographs: ``python -m gallery.pictures.child serve``.

It alone imports Pillow. Jobs come by standard input, answers leave by standard output, see
:mod:`gallery.pictures.terms`, until nobody has asked for a minute. The office has made each photograph anew from
raw pixels, and this unit does not rely on that.
"""

from __future__ import annotations

import io
import sys
from typing import Final

from gallery.pictures.terms import (
    FILE_BYTES_MAX,
    HEAD_BYTES_MAX,
    MEMORY_BYTES_MAX,
    PIXELS_MAX,
    PROGRESSIVE_PIXELS_MAX,
    SIDE_MIN,
    Answer,
    Job,
    PanelPlace,
)
from runtime.cage import close_cage, limit_resources
from runtime.caged_jobs import give, is_asked, next_job

if __name__ == "__main__":  # before Pillow is there
    limit_resources(memory_bytes=MEMORY_BYTES_MAX, cpu_s=None)

from PIL import Image, ImageFile, MpoImagePlugin

from gallery.pictures.panel_pixels import panel_pixels
from runtime.watermark import marked

_NEEDED_LATER: Final = (MpoImagePlugin,)
"""Pillow imports it when a photograph has a second picture; then the cage is closed."""

Image.MAX_IMAGE_PIXELS = None  # the size is looked at here


def marked_jpeg(data: bytes, job: Job) -> bytes:
    """The photograph as a JPEG of its pixels alone, with the words in them; empty = nothing can be made of it."""
    read = _read(data, job)
    if read is None:
        return b""
    out = io.BytesIO()
    marked(read, job.text).save(out, "JPEG", quality=85)
    return out.getvalue()


def _made(data: bytes, job: Job) -> bytes:
    if job.panel is None:
        return marked_jpeg(data, job)
    read = _read(data, job)
    return b"" if read is None else panel_pixels(read, job.panel)


def _read(data: bytes, job: Job) -> Image.Image | None:
    """Its pixels alone, no wider than they may be; ``None`` = nothing can be made of it."""
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG",)) as picture:
            if not _is_bearable(picture):
                return None
            # An eighth, a quarter or a half is read as such, row by row.
            picture.draft("RGB", (job.width_max, job.width_max))
            picture.load()
            read = picture.convert("RGB")
    except Exception:  # noqa: BLE001 - whatever is wrong with it, it is not shown; no memory left is no other matter
        return None
    if read.width > job.width_max:
        height = max(1, round(read.height * job.width_max / read.width))
        read = read.resize((job.width_max, height), Image.Resampling.LANCZOS, reducing_gap=2.0)
    # From raw pixels: whatever else was in the file is not in it.
    return Image.frombytes("RGB", read.size, read.tobytes())


def _is_bearable(picture: Image.Image) -> bool:
    width, height = picture.size
    most = PROGRESSIVE_PIXELS_MAX if picture.info.get("progressive") else PIXELS_MAX
    return width * height <= most and min(width, height) >= SIDE_MIN and height <= 4 * width


def _warm_up() -> None:
    """Use once what Pillow imports late."""
    Image.preinit()
    out = io.BytesIO()
    Image.new("RGB", (SIDE_MIN, SIDE_MIN)).save(out, "JPEG")
    marked_jpeg(out.getvalue(), Job(0, "-"))
    _made(out.getvalue(), Job(0, panel=PanelPlace(SIDE_MIN, SIDE_MIN, "1")))


def main() -> int:
    """Do jobs until nobody asks any more. Returns 0."""
    _warm_up()
    close_cage()
    while is_asked():
        read = next_job(Job, head_bytes_max=HEAD_BYTES_MAX, data_bytes_max=FILE_BYTES_MAX)
        if read is None:
            break
        job, data = read
        made = _made(data, job)
        give(Answer(len(made)), made)
    return 0


if __name__ == "__main__":
    sys.exit(main())
