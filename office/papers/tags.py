"""Our own check of a tagged PDF: whether a screen reader is told what the eye sees, in the same order.

It looks at what our papers need of PDF/UA-1 (ISO 14289-1); it is no full checker. Pure: a document in, faults out.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from msgspec import Struct
from pikepdf import Array, Dictionary, NumberTree, Object, Page, Pdf

from office.papers.content import Content, Spot, content_of
from office.papers.structure import Element, PageKey, descendants, roots

LANGUAGE: Final = "en-GB"
_UA_PART: Final = "{http://www.aiim.org/pdfua/ns/id/}part"
_PARENTS: Final = {
    "TR": {"Table", "THead", "TBody"},
    "TH": {"TR"},
    "TD": {"TR"},
    "THead": {"Table"},
    "TBody": {"Table"},
}
"""Whose children they may be."""
_KINDS: Final = {"Document", "P", "Span", "H1", "H2", "H3", "Table", "Figure", "Sect", "NonStruct", *_PARENTS}
"""All that papers are made of."""
_SCOPES: Final = {"/Row", "/Column"}
_SAME_LINE_POINTS: Final = 2.0
_FAULTS_MAX: Final = 20


class _Place(Struct, frozen=True):
    """Where an element begins, and on which page it ends."""

    page: int
    spot: Spot
    last_page: int


def faults(pdf: Pdf, *, figures: int = 0) -> list[str]:
    """What is wrong, a phrase each; none = it may be handed out.

    Args:
        pdf: the document.
        figures: how many pictures it must have.
    """
    return list(_faults(pdf, figures))[:_FAULTS_MAX]


def _faults(pdf: Pdf, figures: int) -> Iterator[str]:
    yield from _document_faults(pdf)
    tops = roots(pdf)
    if not tops:
        yield "no tags"
        return
    told = [element for top in tops for element in descendants(top)]
    contents = {page.obj.objgen: content_of(page) for page in pdf.pages}
    yield from _content_faults(pdf, told, contents)
    yield from _heading_faults(told)
    yield from _element_faults(told)
    found = sum(element.kind == "Figure" and _has_picture(element, contents) for element in told)
    if found != figures:
        yield f"{found} pictures, not {figures}"
    numbers = {page.obj.objgen: index for index, page in enumerate(pdf.pages)}
    for element in told:
        yield from _order_faults(element, numbers, contents)
    yield from _order_faults_of("the document", tops, numbers, contents)


def _document_faults(pdf: Pdf) -> Iterator[str]:
    root = pdf.Root
    if not root.get("/MarkInfo", Dictionary()).get("/Marked"):
        yield "not marked as tagged"
    if str(root.get("/Lang", "")) != LANGUAGE:
        yield f"the language is not {LANGUAGE}"
    if not root.get("/ViewerPreferences", Dictionary()).get("/DisplayDocTitle"):
        yield "the title is not shown"
    metadata = pdf.open_metadata()
    if not metadata.get("dc:title") or not str(pdf.docinfo.get("/Title", "")):
        yield "no title"
    if metadata.get(_UA_PART) != "1":
        yield "not said to be PDF/UA-1"
    if int(root.get("/Outlines", Dictionary()).get("/Count", 0)) == 0:
        yield "no bookmarks"
    for number, page in enumerate(pdf.pages, 1):
        if "/Annots" in page.obj:
            yield f"page {number}: has links or notes"
        yield from (f"page {number}: {fault}" for fault in _font_faults(page))


def _font_faults(page: Page) -> Iterator[str]:
    for name, font in page.resources.get("/Font", Dictionary()).items():
        inner = font.DescendantFonts[0] if "/DescendantFonts" in font else font
        descriptor = inner.get("/FontDescriptor", Dictionary())
        if not any(key in descriptor for key in ("/FontFile", "/FontFile2", "/FontFile3")):
            yield f"font {name} is not embedded"
        if "/ToUnicode" not in font:
            yield f"font {name} does not say its letters"


def _content_faults(pdf: Pdf, told: list[Element], contents: dict[PageKey, Content]) -> Iterator[str]:
    parents = NumberTree(pdf.Root.StructTreeRoot.get("/ParentTree", Dictionary(Nums=Array())))
    seen: set[tuple[PageKey, int]] = set()
    for element in told:
        for one in element.content:
            if one in seen:
                yield f"content {one[1]} is told twice"
            seen.add(one)
    for index, page in enumerate(pdf.pages, 1):
        content, where = contents[page.obj.objgen], f"page {index}"
        holders = _holders(parents, page)
        if content.unmarked:
            yield f"{where}: {len(content.unmarked)} things drawn that are neither told nor artifacts"
        for number in sorted(content.twice):
            yield f"{where}: content {number} begins twice"
        numbers = {number for its_page, number in seen if its_page == page.obj.objgen}
        for number in sorted(content.spots.keys() ^ numbers):
            yield f"{where}: content {number} is {'not told' if number in content.spots else 'told but not there'}"
        owners = {n: element.obj.objgen for element in told for p, n in element.content if p == page.obj.objgen}
        if any(holders.get(number) != owner for number, owner in owners.items()):
            yield f"{where}: the way from content to its element is broken"


def _holders(parents: NumberTree, page: Page) -> dict[int, tuple[int, int]]:
    """Which element holds each content of a page, as its readers look it up."""
    key = int(page.obj.get("/StructParents", -1))
    listed: list[Object] = list(parents[key]) if key in parents else []
    return {number: one.objgen for number, one in enumerate(listed) if isinstance(one, Dictionary)}


def _heading_faults(told: list[Element]) -> Iterator[str]:
    levels = [int(element.kind[1:]) for element in told if element.kind in {"H1", "H2", "H3"}]
    if levels[:1] != [1] or levels.count(1) != 1:
        yield "the first heading, and no other, is of the first level"
    for before, after in pairwise(levels):
        if after > before + 1:
            yield f"a heading of level {after} follows one of level {before}"


def _element_faults(told: list[Element]) -> Iterator[str]:
    for element in told:
        parent = element.parent_kinds[-1] if element.parent_kinds else ""
        if element.kind not in _KINDS:
            yield f"an element of the unknown kind {element.kind}"
        if element.kind in _PARENTS and parent not in _PARENTS[element.kind]:
            yield f"{element.kind} within {parent or 'nothing'}"
        if element.kind == "TH" and str(element.obj.get("/A", Dictionary()).get("/Scope")) not in _SCOPES:
            yield "a header of a table does not say of what"
        if element.kind == "Figure" and not str(element.obj.get("/Alt", "")).strip():
            yield "a picture without words for it"


def _has_picture(element: Element, contents: dict[PageKey, Content]) -> bool:
    spots = [contents[page].spots.get(number) for page, number in element.content if page in contents]
    return any(spot is not None and spot.is_picture for spot in spots)


def _order_faults(element: Element, numbers: dict[PageKey, int], contents: dict[PageKey, Content]) -> Iterator[str]:
    yield from _order_faults_of(element.kind, element.children, numbers, contents)


def _order_faults_of(
    kind: str,
    children: tuple[Element, ...],
    numbers: dict[PageKey, int],
    contents: dict[PageKey, Content],
) -> Iterator[str]:
    """Whether what is told one after the other stands below, on a later page, or in a row to the right."""
    places = [place for child in children if (place := _place(child, numbers, contents))]
    for before, after in pairwise(places):
        if not _follows(before, after, is_row=kind == "TR"):
            yield f"within {kind}: told in another order than it stands on page {after.page + 1}"


def _follows(before: _Place, after: _Place, *, is_row: bool) -> bool:
    if after.page != before.page:
        return after.page >= before.last_page
    if is_row or abs(after.spot.top - before.spot.top) <= _SAME_LINE_POINTS:
        return after.spot.left > before.spot.left
    return after.spot.top < before.spot.top


def _place(element: Element, numbers: dict[PageKey, int], contents: dict[PageKey, Content]) -> _Place | None:
    spots = [
        (numbers[page], contents[page].spots[number])
        for one in descendants(element)
        for page, number in one.content
        if page in contents and number in contents[page].spots
    ]
    if not spots:
        return None
    first = min(page for page, _ in spots)
    highest = max((spot for page, spot in spots if page == first), key=lambda spot: (spot.top, -spot.left))
    return _Place(first, highest, max(page for page, _ in spots))
