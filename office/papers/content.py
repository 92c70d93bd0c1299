"""Reads the content of a PDF's pages as far as tags need it: what is marked, what is not, and where it stands.

Points are of the page's own space, from its bottom left. Source: ISO 32000-1, 8.4.4, 9.4, 14.6.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pikepdf
from msgspec import Struct
from pikepdf import Dictionary, Matrix, Object, Page

_PAINTS: Final = frozenset({"f", "F", "f*", "B", "B*", "b", "b*", "S", "s", "sh", "Do", "BI", "EI", "INLINE IMAGE"})
_SHOWS: Final = frozenset({"Tj", "TJ", "'", '"'})


class Spot(Struct, frozen=True):
    """Where marked content stands: its highest point (baseline of text), and its left edge there; whether a picture."""

    top: float
    left: float
    is_picture: bool = False


class Content(Struct):
    """Of one page.

    Attributes:
        spots: by number of the marked content.
        twice: numbers that were used twice.
        unmarked: what is drawn but neither marked nor an artifact, by operator.
    """

    spots: dict[int, Spot]
    twice: set[int]
    unmarked: list[str]


class _Reader:
    """Follows the operators of a page."""

    def __init__(self) -> None:
        self.found = Content({}, set(), [])
        self._ctm, self._text = Matrix(), Matrix()
        self._saved: list[Matrix] = []
        self._marks: list[int | None] = []
        self._begun: set[int | None] = set()

    def follow(self, operator: str, operands: Sequence[Object]) -> None:
        match operator:
            case "q":
                self._saved.append(self._ctm)
            case "Q":
                self._ctm = self._saved.pop()
            case "cm":
                self._ctm = _matrix(operands) @ self._ctm
            case "BMC" | "BDC":
                self._begin(operands)
            case "EMC":
                self._marks.pop()
            case _ if operator in _PAINTS:
                self._draw(operator, self._ctm)
            case _:
                self._follow_text(operator, operands)

    def _follow_text(self, operator: str, operands: Sequence[Object]) -> None:
        match operator:
            case "BT":
                self._text = Matrix()
            case "Tm":
                self._text = _matrix(operands)
            case "Td" | "TD":
                self._text = Matrix(1, 0, 0, 1, float(operands[0]), float(operands[1])) @ self._text
            case _ if operator in _SHOWS:
                self._draw(operator, self._text @ self._ctm)

    def _begin(self, operands: Sequence[Object]) -> None:
        number = number_of(operands)
        if number is not None and number in self._begun:
            self.found.twice.add(number)
        self._begun.add(number)
        self._marks.append(number)

    def _draw(self, operator: str, place: Matrix) -> None:
        if not self._marks:
            self.found.unmarked.append(operator)
        number = next((one for one in self._marks if one is not None), None)
        if number is not None:
            # A picture fills the unit square; text stands at the origin.
            is_picture = operator == "Do"
            spot = Spot(max(place.f, place.f + place.d) if is_picture else place.f, place.e, is_picture)
            before = self.found.spots.get(number)
            if before is None or spot.top > before.top:
                self.found.spots[number] = spot


def content_of(page: Page) -> Content:
    """What a page holds."""
    reader = _Reader()
    for one in pikepdf.parse_content_stream(page):
        reader.follow(str(one.operator), list(one.operands))
    return reader.found


def number_of(operands: Sequence[Object]) -> int | None:
    """Of the marked content that a ``BDC`` begins; ``None`` = it has none, as artifacts."""
    properties = operands[1] if len(operands) > 1 else None
    return int(properties["/MCID"]) if isinstance(properties, Dictionary) and "/MCID" in properties else None


def _matrix(operands: Sequence[Object]) -> Matrix:
    return Matrix(*(float(one) for one in operands))
