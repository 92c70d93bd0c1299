"""Photographs as people and attackers hand them in."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

from PIL import Image, ImageCms, ImageDraw

RED, BLUE = (200, 20, 20), (20, 20, 200)


def drawn(width: int = 300, height: int = 400, mode: str = "RGB") -> Image.Image:
    """Blue, with a red corner at its upper left: so that one sees how it was turned."""
    picture = Image.new("RGB", (width, height), BLUE)
    ImageDraw.Draw(picture).rectangle((0, 0, width // 3, height // 3), RED)
    return picture.convert(mode)


def saved(picture: Image.Image, kind: str = "JPEG", **options: Any) -> bytes:  # noqa: ANN401 - Pillow’s
    """The bytes of a file."""
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def opened(data: bytes) -> Image.Image:
    """A picture that was made."""
    picture = Image.open(io.BytesIO(data))
    picture.load()
    return picture


def oriented(orientation: int) -> bytes:
    """With EXIF data: an orientation, a place and a camera."""
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = orientation, "Secret Camera"
    exif.get_ifd(0x8825)[1], exif.get_ifd(0x8825)[2] = "N", (55.0, 51.0, 30.0)
    return saved(drawn(), exif=exif, quality=95)


def srgb_profile() -> bytes:
    """As a camera puts it in."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def swapped_profile() -> bytes:
    """In which what the file calls red is blue, and the other way round."""
    profile = bytearray(srgb_profile())
    red, blue = profile.index(b"rXYZ"), profile.index(b"bXYZ")
    profile[red : red + 4], profile[blue : blue + 4] = b"bXYZ", b"rXYZ"
    return bytes(profile)


def lab_profile() -> bytes:
    """Of a colour space that no photograph is in."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()


def png(width: int, height: int, *, bits: int = 8, colour: int = 2, data: bytes = b"", extra: bytes = b"") -> bytes:
    """A PNG whose header says what it wants; ``data`` are its rows, or some of them."""
    head = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    packed = zlib.compress(data, 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + extra + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def chunk(name: bytes, data: bytes) -> bytes:
    """Of a PNG."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def claiming(jpeg: bytes, width: int, height: int) -> bytes:
    """A JPEG whose header says that it is as large as that."""
    for marker in (b"\xff\xc0", b"\xff\xc2"):
        at = jpeg.find(marker)
        if at >= 0:
            return jpeg[: at + 5] + struct.pack(">HH", height, width) + jpeg[at + 9 :]
    raise AssertionError


def of_many_scans(count: int) -> bytes:
    """A progressive JPEG that draws the same thing ``count`` times; each time costs the reader as much."""
    once = saved(Image.new("L", (2_000, 2_000), 90), progressive=True)
    last = once.rindex(b"\xff\xda")
    return once[:last] + (once[last:-2]) * count + once[-2:]


def with_segment(jpeg: bytes, number: int, data: bytes, times: int = 1) -> bytes:
    """A JPEG with APP segments after its first marker."""
    return jpeg[:2] + (b"\xff" + bytes([0xE0 + number]) + struct.pack(">H", len(data) + 2) + data) * times + jpeg[2:]


def near(colour: tuple[int, ...], other: tuple[int, ...]) -> bool:
    """The same but for what JPEG loses."""
    return all(abs(one - two) < 40 for one, two in zip(colour, other, strict=True))
