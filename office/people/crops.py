"""Which part of a photograph is the face: proposals, and what a person may choose. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from office.people.intake_terms import FACE_WIDTH_MIN, PORTRAIT, Box

_FRAMES: Final = {
    "large": ("Large frame", 1.0, 0.5),
    "medium": ("Medium frame", 0.55, 0.2),
    "small": ("Small frame", 0.3, 0.1),
}
"""How much of the largest box that fits, and how far down, of the room there is."""
_SIDEWAYS: Final = {"left": 0.1, "middle": 0.5, "right": 0.9}


def proposals(width: int, height: int) -> dict[str, tuple[str, Box]]:
    """Nine boxes (fewer where two would be the same) by name, each with words for it: the face is in one, mostly.

    Args:
        width: of the whole picture, at least ``SIDE_MIN``.
        height: the same.
    """
    found: dict[str, tuple[str, Box]] = {}
    for frame, (words, share, down) in _FRAMES.items():
        box_width = max(round(width_max(width, height) * share), FACE_WIDTH_MIN)
        box_height = height_of(box_width, height)
        for side, across in _SIDEWAYS.items():
            box = Box(round((width - box_width) * across), round((height - box_height) * down), box_width, box_height)
            if all(box != other for _, other in found.values()):
                found[f"{frame}-{side}"] = f"{words}, {side}", box
    return found


def width_max(width: int, height: int) -> int:
    """Width of the largest box of 3 : 4 in a picture."""
    across, down = PORTRAIT
    return min(width, height * across // down)


def height_of(box_width: int, height: int) -> int:
    """Height of a box of 3 : 4, in a picture of this height."""
    across, down = PORTRAIT
    return min(round(box_width * down / across), height)


def problems(left: int, top: int, box_width: int, picture: tuple[int, int]) -> Mapping[str, str]:
    """What is wrong with a box that somebody has typed, by field: ``left``, ``top``, ``width``."""
    width, height = picture
    found: dict[str, str] = {}
    most = width_max(width, height)
    if not FACE_WIDTH_MIN <= box_width <= most:
        found["width"] = f"Between {FACE_WIDTH_MIN} and {most}."
        return found
    for field, typed, room in (
        ("left", left, width - box_width),
        ("top", top, height - height_of(box_width, height)),
    ):
        if not 0 <= typed <= room:
            found[field] = f"Between 0 and {room}, with this width."
    return found
