"""The child that reads photographs: ``python -m office.people.intake once`` or ``… serve``.

It alone imports Pillow, and it knows nothing of the pages. Jobs come by standard input, answers leave by standard
output, see :mod:`office.people.intake_terms`. Started ``once``, it does one job, which may be hostile. Started to
``serve``, it marks pictures that we have made ourselves until nobody has asked for a minute.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from office.people.intake_terms import (
    BASELINE_PIXELS_MAX,
    CPU_S_MAX,
    FILE_BYTES_MAX,
    HEAD_BYTES_MAX,
    MEMORY_BYTES_MAX,
    PNG_PIXELS_MAX,
    PORTRAIT,
    PROGRESSIVE_PIXELS_MAX,
    READ_PIXELS_MAX,
    SIDE_MIN,
    SMALL,
    WHOLE_PIXELS_MAX,
    WHOLE_SIDE_MAX,
    Answer,
    Box,
    Job,
    Part,
    RefusalCode,
    is_cut_from,
)
from runtime.cage import close_cage, limit_resources
from runtime.caged_jobs import give, is_asked, next_job

if __name__ == "__main__":  # before Pillow is there
    limit_resources(memory_bytes=MEMORY_BYTES_MAX, cpu_s=CPU_S_MAX if sys.argv[1:] == ["once"] else None)

from PIL import Image, ImageCms, ImageFile, ImageOps, MpoImagePlugin, TiffImagePlugin

from runtime.watermark import marked

_NEEDED_LATER: Final = (MpoImagePlugin, TiffImagePlugin)
"""Pillow imports these when a photograph has a second picture or EXIF data; then the cage is closed."""
_ORIENTATION: Final = 0x0112
_UPRIGHT: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What makes a picture upright, by its EXIF orientation."""
_PROFILED_MODES: Final = {"L": "GRAY", "RGB": "RGB", "CMYK": "CMYK"}

Image.MAX_IMAGE_PIXELS = None  # the size is looked at here, with a sentence for each case


class RefusedError(Exception):
    """Nothing can be made of the picture."""

    def __init__(self, code: RefusalCode) -> None:
        super().__init__(code)
        self.code: RefusalCode = code


def take(data: bytes) -> list[Image.Image]:
    """The whole picture: upright, in sRGB, without metadata, at most 4 megapixels.

    Raises:
        RefusedError: it cannot be read, or is too large or too small.
    """
    with _open(data) as picture:
        orientation, profile = _orientation(picture), picture.info.get("icc_profile")
        _load(picture)
        read = _shrunk(_in_plain_mode(picture), WHOLE_PIXELS_MAX)
    del picture  # up to 34 MB
    read = _in_srgb(read, profile)
    if orientation in _UPRIGHT:
        read = read.transpose(_UPRIGHT[orientation])
    return [_from_raw_pixels(read)]


def crop(data: bytes, box: Box | None) -> list[Image.Image]:
    """The face out of a whole picture: portrait and small.

    Raises:
        RefusedError: the box does not lie in the picture.
    """
    with _open(data) as whole:
        if box is None or not is_cut_from(box, *whole.size):
            raise RefusedError("too-small")
        _load(whole)
        face = whole.convert("RGB").crop((box.left, box.top, box.left + box.width, box.top + box.height))
    return [_from_raw_pixels(ImageOps.fit(face, size, Image.Resampling.LANCZOS)) for size in (PORTRAIT, SMALL)]


def mark(data: bytes, text: str) -> list[Image.Image]:
    """A picture of ours with its reader's words burnt in."""
    with _open(data) as picture:
        _load(picture)
        return [marked(picture.convert("RGB"), text)]


@contextmanager
def _open(data: bytes) -> Iterator[Image.Image]:
    """A picture whose size is bearable, set to be read small if it can be."""
    try:
        picture = Image.open(io.BytesIO(data), formats=("JPEG", "PNG"))
    except MemoryError:
        raise
    except Exception as e:
        raise RefusedError("unreadable") from e
    with picture:
        width, height = picture.size
        pixels = width * height
        if picture.format == "PNG":
            if pixels > PNG_PIXELS_MAX:
                raise RefusedError("too-large")
        elif picture.info.get("progressive"):
            if pixels > PROGRESSIVE_PIXELS_MAX:
                raise RefusedError("progressive")
        elif pixels > BASELINE_PIXELS_MAX:
            raise RefusedError("too-large")
        if min(_bearable(width, height, WHOLE_PIXELS_MAX)) < SIDE_MIN:
            raise RefusedError("too-small")
        divisor = next(one for one in (1, 2, 4, 8) if pixels // (one * one) <= READ_PIXELS_MAX)
        picture.draft(None, (max(width // divisor, 1), max(height // divisor, 1)))
        yield picture


def _load(picture: Image.Image) -> None:
    try:
        picture.load()
    except MemoryError:
        raise
    except Exception as e:
        raise RefusedError("damaged") from e


def _orientation(picture: Image.Image) -> int:
    try:
        return int(picture.getexif().get(_ORIENTATION, 1))
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - EXIF data can be broken in any way; the picture counts
        return 1


def _in_plain_mode(picture: Image.Image) -> Image.Image:
    """Grey, RGB or CMYK of 8 bits, without transparency."""
    if picture.mode.startswith("I"):
        return picture.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if picture.mode in {"LA", "PA", "RGBA"} or "transparency" in picture.info:
        return _on_white(picture if picture.mode == "RGBA" else picture.convert("RGBA"))
    if picture.mode == "1":
        return picture.convert("L")
    return picture if picture.mode in _PROFILED_MODES else picture.convert("RGB")


def _on_white(picture: Image.Image) -> Image.Image:
    """Shrunk, and without transparency: one channel after the other, for a copy would not fit beside it."""
    alpha = _shrunk(picture.getchannel("A"), WHOLE_PIXELS_MAX)
    white = Image.new("L", alpha.size, 255)
    channels = [
        Image.composite(_shrunk(picture.getchannel(name), WHOLE_PIXELS_MAX), white, alpha) for name in ("R", "G", "B")
    ]
    return Image.merge("RGB", channels)


def _in_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            if source.profile.xcolor_space.strip() == _PROFILED_MODES.get(picture.mode):
                target = ImageCms.createProfile("sRGB")
                converted = ImageCms.profileToProfile(picture, source, target, outputMode="RGB")
                return converted or picture.convert("RGB")
        except MemoryError:
            raise
        except Exception:  # noqa: BLE001, S110 - a profile that cannot be used is left out: the picture counts
            pass
    return picture.convert("RGB")


def _shrunk(picture: Image.Image, pixels_max: int) -> Image.Image:
    size = _bearable(*picture.size, pixels_max)
    return picture if size == picture.size else picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)


def _bearable(width: int, height: int, pixels_max: int) -> tuple[int, int]:
    factor = min(1.0, (pixels_max / (width * height)) ** 0.5, WHOLE_SIDE_MAX / max(width, height))
    return int(width * factor), int(height * factor)


def _from_raw_pixels(picture: Image.Image) -> Image.Image:
    """The same to look at; whatever else was in the file is not in it."""
    return Image.frombytes("RGB", picture.size, picture.tobytes())


def _jpeg(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=90)
    return out.getvalue()


def answer(job: Job, data: bytes) -> tuple[Answer, list[bytes]]:
    """Do a job."""
    # Other libraries set it for the whole process (WeasyPrint): what is cut short would be read, in grey.
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    do: Callable[[], list[Image.Image]]
    match job.kind:
        case "take":
            do = lambda: take(data)  # noqa: E731
        case "crop":
            do = lambda: crop(data, job.box)  # noqa: E731
        case "mark":
            do = lambda: mark(data, job.text)  # noqa: E731
    try:
        made = do()
        files = [_jpeg(picture) for picture in made]
    except RefusedError as e:
        return Answer(refused=e.code), []
    except MemoryError:
        return Answer(refused="too-large"), []
    parts = [Part(*picture.size, len(file)) for picture, file in zip(made, files, strict=True)]
    return Answer(parts=tuple(parts)), files


def _warm_up() -> None:
    """Use once what Pillow imports late."""
    Image.preinit()
    picture = Image.new("RGB", (SIDE_MIN, SIDE_MIN))
    exif = Image.Exif()
    exif[_ORIENTATION] = 6
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for kind in ("JPEG", "PNG"):
        out = io.BytesIO()
        picture.save(out, kind, exif=exif, icc_profile=profile)
        mark(_jpeg(take(out.getvalue())[0]), "-")


def main(arguments: list[str]) -> int:
    """Do one job, or jobs until nobody asks any more. Returns 0."""
    _warm_up()
    close_cage()
    serves = arguments == ["serve"]
    while not serves or is_asked():
        read = next_job(Job, head_bytes_max=HEAD_BYTES_MAX, data_bytes_max=FILE_BYTES_MAX)
        if read is None:
            break
        said, files = answer(*read)
        give(said, *files)
        if not serves:
            break
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
