"""Mends what WeasyPrint 70 leaves open in a tagged PDF (ISO 14289-1): tables, frames of pictures, running footers."""

from __future__ import annotations

from typing import Final

import pikepdf
from pikepdf import (
    Array,
    ContentStreamInlineImage,
    ContentStreamInstruction,
    Dictionary,
    Name,
    NumberTree,
    Operator,
    Page,
    Pdf,
)

from office.papers.content import number_of
from office.papers.structure import Element, elements

_POINTS_PER_PIXEL: Final = 0.75


def mend(pdf: Pdf) -> None:
    """Mend in place."""
    told: dict[tuple[int, int], set[int]] = {page.obj.objgen: set() for page in pdf.pages}
    for element in elements(pdf):
        for page, number in element.content:
            told[page].add(number)
        match element.kind:
            case "TH" | "TD":
                _mend_cell(element)
            case "Figure":
                _mend_frame(element)
    for one in pdf.pages:
        _hide_untold(pdf, one, told[one.obj.objgen])


def _mend_cell(element: Element) -> None:
    """A header says whether it is of its column or its row.

    Lists of headers by name go: the parts of a table on several pages use the same names.
    """
    element.obj.A = Dictionary(O=Name.Table)
    if "/ID" in element.obj:
        del element.obj.ID
    if element.kind == "TH":
        element.obj.A.Scope = Name.Column if "THead" in element.parent_kinds else Name.Row


def _mend_frame(element: Element) -> None:
    """A picture's frame is in points from the bottom of its page, not in pixels from the top."""
    height = float(element.obj.Pg.MediaBox[3])
    left, top, right, bottom = (_POINTS_PER_PIXEL * float(one) for one in element.obj.A.BBox)
    element.obj.A.BBox = Array([left, height - bottom, right, height - top])


def _hide_untold(pdf: Pdf, page: Page, told: set[int]) -> None:
    """What the tree does not tell, the running footer, is an artifact: no screen reader stumbles over it."""
    instructions: list[ContentStreamInstruction | ContentStreamInlineImage] = []
    parents = NumberTree(pdf.Root.StructTreeRoot.ParentTree)[int(page.obj.StructParents)]
    for one in pikepdf.parse_content_stream(page):
        number = number_of(list(one.operands)) if str(one.operator) == "BDC" else None
        if number is None or number in told:
            instructions.append(one)
        else:
            instructions.append(ContentStreamInstruction([Name.Artifact], Operator("BMC")))
            parents[number] = None
    page.obj.Contents = pdf.make_stream(pikepdf.unparse_content_stream(instructions))
