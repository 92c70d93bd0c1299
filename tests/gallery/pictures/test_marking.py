"""A photograph leaves the unit as pixels with the look burnt in; whatever it is, the page goes on."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageChops

from gallery.pictures import marking
from gallery.pictures.child import marked_jpeg
from gallery.pictures.marking import NotShownError, Pictures, words_of_view
from gallery.pictures.terms import CARD_WIDTH, FILE_BYTES_MAX, PORTRAIT_WIDTH, Job
from tests.office.people.pictures import claiming, drawn, of_many_scans, opened, saved, with_segment

FACES = Path(__file__).parents[3] / "demo" / "faces"
FACE = (FACES / "nobody-01.jpg").read_bytes()
WORDS = words_of_view("Corner Shop, High Street", "Zoë Patel", 7, 1_800_000_000, 1042)


@pytest.fixture(scope="module")
def pictures() -> Iterator[Pictures]:
    made = Pictures()
    yield made
    made.close()


def test_words_say_shop_person_time_in_london_and_the_records_number() -> None:
    assert "Corner Shop, High Street   Zoë Patel   15 Jan 2027 08:00   view 1042" == WORDS.strip()
    assert "15 Jul 2027 09:00" in words_of_view("", "", 7, 1_815_638_400, 1)


@pytest.mark.parametrize("name", ["李娜", "Дмитрий", "Łukasz", "-", ""])
def test_person_whose_letters_cannot_be_drawn_is_named_by_their_number(pictures: Pictures, name: str) -> None:
    one, other = (words_of_view("Corner Shop", name, staff, 1_800_000_000, 5) for staff in (123_456_789, 987_654_321))

    assert "staff 123456789 " in one
    assert pictures.marked(FACE, one, PORTRAIT_WIDTH) != pictures.marked(FACE, other, PORTRAIT_WIDTH)


@pytest.mark.parametrize("width", [CARD_WIDTH, PORTRAIT_WIDTH], ids=["card", "portrait"])
def test_every_part_of_a_picture_bears_the_watermark(width: int) -> None:
    plain = saved(Image.new("RGB", (480, 640), (128, 128, 128)), quality=95)
    made = opened(marked_jpeg(plain, Job(0, WORDS, width))).convert("L")

    assert width == made.width
    for left in range(0, width, width // 3):
        for top in range(0, made.height, width // 3):
            part = made.crop((left, top, min(left + width // 3, width), top + width // 3))
            touched = sum(part.histogram()[:100]) + sum(part.histogram()[160:])
            assert 0.01 < touched / (part.width * part.height) < 0.35


@pytest.mark.parametrize("width", [CARD_WIDTH, PORTRAIT_WIDTH], ids=["card", "portrait"])
@pytest.mark.parametrize("face", sorted(FACES.glob("nobody-*.jpg"))[:6], ids=lambda face: face.stem)
def test_face_is_still_known_and_the_watermark_crosses_it(pictures: Pictures, face: Path, width: int) -> None:
    """Of many skins: what a glance sees (48 × 64 greys) is the same, and the letters stand out."""
    whole = face.read_bytes()
    marked = opened(pictures.marked(whole, WORDS, width)).convert("L")
    plain = opened(whole).convert("L").resize(marked.size)
    glances = [list(one.resize((48, 64), Image.Resampling.BOX).tobytes()) for one in (plain, marked)]
    changed = ImageChops.difference(plain, marked).crop((width // 4, width // 3, width * 3 // 4, width))

    assert statistics.correlation(*glances) > 0.94
    assert sum(changed.histogram()[40:]) > 0.015 * changed.width * changed.height


def test_two_looks_are_two_pictures(pictures: Pictures) -> None:
    other = words_of_view("Corner Shop, High Street", "Zoë Patel", 7, 1_800_000_000, 1043)

    assert pictures.marked(FACE, WORDS, CARD_WIDTH) != pictures.marked(FACE, other, CARD_WIDTH)


def test_nothing_but_pixels_is_taken_over() -> None:
    made = marked_jpeg(with_segment(FACE, 1, b"Secret Camera"), Job(0, WORDS, PORTRAIT_WIDTH))

    assert b"Secret Camera" not in made
    assert FACE[600:664] not in made


HOSTILE = {
    "empty": b"",
    "no picture": b"<svg onload='alert(1)'/>",
    "another kind": saved(drawn(), "PNG"),
    "cut short": FACE[: len(FACE) // 2],
    "claims to be enormous": claiming(FACE, 60_000, 60_000),
    "tiny": saved(drawn(16, 16)),
    "a strip": saved(drawn(40, 4_000)),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_photograph_is_not_shown(name: str) -> None:
    assert b"" == marked_jpeg(HOSTILE[name], Job(0, WORDS, PORTRAIT_WIDTH))


def test_after_hostile_photographs_the_next_is_shown(pictures: Pictures) -> None:
    bomb = of_many_scans(20)
    for data in (*HOSTILE.values(), bomb, bytes(FILE_BYTES_MAX + 1)):
        with pytest.raises(NotShownError):
            pictures.marked(data, WORDS, PORTRAIT_WIDTH)

    assert PORTRAIT_WIDTH == opened(pictures.marked(FACE, WORDS, PORTRAIT_WIDTH)).width


def test_child_is_caged(pictures: Pictures) -> None:
    pictures.marked(FACE, WORDS, CARD_WIDTH)
    assert pictures._child is not None
    said = Path(f"/proc/{pictures._child._process.pid}/status").read_text()

    assert "Seccomp:\t2" in said
    assert "NoNewPrivs:\t1" in said


def test_child_that_has_gone_is_started_again(pictures: Pictures) -> None:
    first = pictures.marked(FACE, WORDS, CARD_WIDTH)
    assert pictures._child is not None
    pictures._child._process.kill()
    pictures._child._process.wait()

    assert first == pictures.marked(FACE, WORDS, CARD_WIDTH)


def test_child_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Pictures()
    try:
        with monkeypatch.context() as hanging:
            hanging.setattr(marking, "DEADLINE_S", 0.0)
            with pytest.raises(NotShownError):
                made.marked(FACE, WORDS, CARD_WIDTH)
        assert made._child is None
        assert made.marked(FACE, WORDS, CARD_WIDTH)
    finally:
        made.close()
