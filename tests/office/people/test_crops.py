from __future__ import annotations

import pytest

from office.people import crops
from office.people.intake_terms import FACE_WIDTH_MIN, SIDE_MIN, Box, is_cut_from

SIZES = [
    (480, 640),
    (2_000, 1_500),
    (1_500, 2_000),
    (SIDE_MIN, SIDE_MIN),
    (2_560, SIDE_MIN),
    (SIDE_MIN, 2_560),
    (65, 87),
]


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_every_proposal_lies_in_the_picture_and_is_3_to_4(size: tuple[int, int]) -> None:
    found = crops.proposals(*size)

    assert 3 <= len(found) <= 9
    for _, box in found.values():
        assert is_cut_from(box, *size)
        assert abs(box.height * 3 - box.width * 4) <= 4


def test_a_wide_picture_has_nine_different_proposals() -> None:
    found = crops.proposals(2_000, 1_500)

    assert len({box for _, box in found.values()}) == 9
    assert "Large frame, middle" == found["large-middle"][0]
    assert Box(438, 0, 1_125, 1_500) == found["large-middle"][1]


def test_two_proposals_are_never_the_same() -> None:
    found = crops.proposals(480, 640)

    assert "Large frame, left" == found["large-left"][0]
    assert {"large-middle", "large-right"}.isdisjoint(found)


@pytest.mark.parametrize(
    ("left", "top", "width", "wrong"),
    [
        (0, 0, 480, {}),
        (0, 0, FACE_WIDTH_MIN, {}),
        (432, 576, FACE_WIDTH_MIN, {}),
        (0, 0, FACE_WIDTH_MIN - 1, {"width": "Between 48 and 480."}),
        (0, 0, 481, {"width": "Between 48 and 480."}),
        (-1, 0, 240, {"left": "Between 0 and 240, with this width."}),
        (241, 321, 240, {"left": "Between 0 and 240, with this width.", "top": "Between 0 and 320, with this width."}),
    ],
)
def test_numbers_that_lie_outside_are_told_apart(left: int, top: int, width: int, wrong: dict[str, str]) -> None:
    assert wrong == crops.problems(left, top, width, (480, 640))


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_what_is_no_problem_is_cut(size: tuple[int, int]) -> None:
    width, height = size
    most = crops.width_max(width, height)
    for box_width in {FACE_WIDTH_MIN, most}:
        box_height = crops.height_of(box_width, height)
        box = Box(width - box_width, height - box_height, box_width, box_height)
        assert {} == crops.problems(box.left, box.top, box_width, size)
        assert is_cut_from(box, width, height)
