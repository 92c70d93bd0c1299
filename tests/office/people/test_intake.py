"""What is made of photographs. The functions of the caged child, here without the cage."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Final

import pytest
from PIL import Image, ImageChops

from office.people import intake
from office.people.intake_terms import PORTRAIT, SMALL, WHOLE_PIXELS_MAX, Answer, Box, Job
from tests.office.people.pictures import (
    BLUE,
    RED,
    chunk,
    drawn,
    lab_profile,
    near,
    opened,
    oriented,
    png,
    saved,
    srgb_profile,
    swapped_profile,
    with_segment,
)

FACES: Final = Path(__file__).parents[3] / "demo" / "faces"


def made(data: bytes) -> Image.Image:
    """The whole picture, as it leaves the child."""
    said, files = intake.answer(Job("take", len(data)), data)
    assert said.refused is None, said.refused
    return opened(files[0])


def refusal(data: bytes) -> str | None:
    return intake.answer(Job("take", len(data)), data)[0].refused


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photograph_stands_upright_whichever_way_the_camera_was_held(orientation: int) -> None:
    found = made(oriented(orientation))
    corner = {1: (0, 0), 2: (1, 0), 3: (1, 1), 4: (0, 1), 5: (0, 0), 6: (1, 0), 7: (1, 1), 8: (0, 1)}[orientation]
    is_turned = orientation >= 5

    assert ((400, 300) if is_turned else (300, 400)) == found.size
    width, height = found.size
    across, down = (10 + one * (side - 20) for one, side in zip(corner, (width, height), strict=True))
    assert near(found.getpixel((across, down)), RED)  # type: ignore[arg-type]
    assert near(found.getpixel((width - across, height - down)), BLUE)  # type: ignore[arg-type]


def test_nothing_but_pixels_is_left_of_a_file() -> None:
    commented = saved(opened(oriented(1)), exif=opened(oriented(1)).getexif(), comment=b"secret comment")
    data = with_segment(commented, 13, b"Photoshop secret") + b"<script>secret</script>"
    _, files = intake.answer(Job("take", len(data)), data)

    assert not opened(files[0]).getexif()
    assert not {"exif", "icc_profile", "comment", "photoshop"} & opened(files[0]).info.keys()
    for secret in (b"Secret", b"secret", b"GPS"):
        assert secret not in files[0]


@pytest.mark.parametrize(
    "data",
    [
        saved(drawn(mode="L")),
        saved(drawn(mode="CMYK")),
        saved(drawn(), progressive=True),
        saved(drawn(), icc_profile=srgb_profile()),
        saved(drawn(), icc_profile=lab_profile()),
        saved(drawn(), icc_profile=b"no profile"),
        saved(drawn(mode="CMYK"), icc_profile=srgb_profile()),
        with_segment(saved(drawn()), 1, b"Exif\0\0" + b"\xff" * 60_000, times=20),
        with_segment(saved(drawn()), 2, b"ICC_PROFILE\0\x01\x01" + b"\xff" * 60_000),
        saved(drawn(), "PNG"),
        saved(drawn(mode="RGBA"), "PNG"),
        saved(drawn(mode="LA"), "PNG"),
        saved(drawn(mode="P"), "PNG"),
        saved(drawn(mode="1"), "PNG"),
        saved(drawn(mode="P"), "PNG", transparency=0),
        saved(drawn(mode="I;16"), "PNG"),
        saved(drawn(), "PNG", save_all=True, append_images=[Image.new("RGB", (300, 400))] * 3),
        saved(drawn(), "MPO", save_all=True, append_images=[drawn()]),
        png(300, 400, bits=16, data=(b"\0" + b"\x10\x80" * 900) * 400),
    ],
    ids=[
        "grey",
        "cmyk",
        "progressive",
        "srgb",
        "lab-profile",
        "broken-profile",
        "profile-of-other-mode",
        "huge-exif",
        "huge-profile",
        "png",
        "transparent",
        "grey-transparent",
        "palette",
        "black-and-white",
        "palette-transparent",
        "16-bit-grey",
        "animated",
        "two-pictures",
        "16-bit",
    ],
)
def test_every_ordinary_kind_of_file_becomes_a_plain_picture(data: bytes) -> None:
    found = made(data)

    assert ("RGB", (300, 400)) == (found.mode, found.size)


def test_colours_are_what_the_profile_says() -> None:
    same = made(saved(drawn(), icc_profile=srgb_profile())).getpixel((250, 350))
    red, _, blue = made(saved(drawn(), icc_profile=swapped_profile())).getpixel((250, 350))  # type: ignore[misc]

    assert near(same, BLUE)  # type: ignore[arg-type]
    assert red > blue
    assert near(made(saved(drawn(mode="CMYK"))).getpixel((20, 20)), RED)  # type: ignore[arg-type]


def test_a_grey_picture_of_16_bits_is_not_all_white() -> None:
    data = png(300, 400, bits=16, colour=0, data=(b"\0" + b"\x80\x00" * 300) * 400)

    assert near(made(data).getpixel((100, 100)), (128, 128, 128))  # type: ignore[arg-type]


def test_what_is_transparent_becomes_white() -> None:
    assert near(made(saved(Image.new("RGBA", (100, 100)), "PNG")).getpixel((50, 50)), (255, 255, 255))  # type: ignore[arg-type]


def test_a_phones_photograph_is_read_small() -> None:
    found = made(saved(drawn(4_000, 3_000), quality=30))

    assert (2_000, 1_500) == found.size
    assert found.width * found.height <= WHOLE_PIXELS_MAX


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\0", "unreadable"),
        (b"\xff\xd8\xff", "unreadable"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "unreadable"),
        (saved(drawn(), "GIF"), "unreadable"),
        (saved(drawn(), "WEBP"), "unreadable"),
        (saved(drawn(), "TIFF"), "unreadable"),
        (saved(drawn(), "BMP"), "unreadable"),
        (png(300, 400, data=b"\0" * 400, extra=chunk(b"iCCP", b"x\0\0no profile")), "damaged"),
        (saved(drawn())[:2_000], "damaged"),
        (png(17_000, 17_000, data=b"\0" * 20_000), "too-large"),
        (saved(drawn(20, 2_000)), "too-small"),
        (saved(drawn(40, 40), "PNG"), "too-small"),
    ],
    ids=["zero", "start", "svg", "gif", "webp", "tiff", "bmp", "short-png", "half", "bomb", "strip", "tiny"],
)
def test_what_cannot_be_used_is_refused_with_its_reason(data: bytes, code: str) -> None:
    assert code == refusal(data)


def test_too_little_data_with_a_proper_end_decodes_grey_which_the_operator_sees() -> None:
    whole = saved(drawn(600, 800), quality=95)
    found = made(whole[: len(whole) // 2] + b"\xff\xd9")

    assert near(found.getpixel((590, 790)), (128, 128, 128))  # type: ignore[arg-type]


def test_a_face_is_cut_out_in_both_sizes() -> None:
    whole = saved(drawn(600, 800), quality=95)
    said, files = intake.answer(Job("crop", len(whole), box=Box(0, 0, 150, 200)), whole)

    assert [PORTRAIT, SMALL] == [(part.width, part.height) for part in said.parts]
    assert all(near(opened(file).getpixel((40, 60)), RED) for file in files)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "box", [None, Box(-1, 0, 150, 200), Box(500, 0, 150, 200), Box(0, 700, 150, 200), Box(0, 0, 9, 12)]
)
def test_a_box_outside_the_picture_is_refused(box: Box | None) -> None:
    whole = saved(drawn(600, 800))

    assert Answer(refused="too-small") == intake.answer(Job("crop", len(whole), box=box), whole)[0]


def test_a_watermark_is_all_over_the_picture_and_leaves_it_known() -> None:
    plain = Image.new("RGB", (480, 640), (128, 128, 128))
    whole = saved(plain, quality=95)
    _, files = intake.answer(Job("mark", len(whole), text="Zoë Hart  PCSO  27 Nov 2026 14:32"), whole)
    found = opened(files[0])

    for left in range(0, 480, 160):
        for top in range(0, 640, 160):
            part = found.crop((left, top, left + 160, top + 160)).convert("L")
            darkest, lightest = part.getextrema()
            assert (darkest, lightest) != (128, 128)
            touched = sum(part.histogram()[:100]) + sum(part.histogram()[160:])
            assert 0.01 < touched / (160 * 160) < 0.35


@pytest.mark.parametrize("face", sorted(FACES.glob("nobody-*.jpg"))[:6], ids=lambda face: face.stem)
def test_a_face_is_still_known_under_its_watermark(face: Path) -> None:
    """Of many skins: what a glance sees (48 × 64 greys) is the same, and the letters stand out."""
    whole = face.read_bytes()
    _, files = intake.answer(Job("mark", len(whole), text="Cora Hart  Co-ordinator  27 Nov 2026 14:32"), whole)
    plain, marked = opened(whole).convert("L"), opened(files[0]).convert("L")
    inner = [one.crop((100, 100, 380, 560)) for one in (plain, marked)]
    glances = [list(one.resize((48, 64), Image.Resampling.BOX).tobytes()) for one in inner]
    changed = ImageChops.difference(plain, marked).crop((140, 200, 340, 480))

    assert statistics.correlation(*glances) > 0.975
    assert sum(changed.histogram()[40:]) > 0.02 * changed.width * changed.height
