"""The check of tags passes what we draw, and no copy of it that is damaged in one place."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, Pdf

from office.papers import tags
from office.papers.drawing import draw
from office.papers.structure import Element, elements
from tests.office.papers.conftest import paper, photograph, shops


@pytest.fixture(scope="module")
def drawn() -> bytes:
    """A notice of several pages, with a photograph."""
    return draw(paper(name="", photograph=photograph(), premises=shops(40)))


@pytest.fixture
def pdf(drawn: bytes) -> Iterator[Pdf]:
    with pikepdf.open(io.BytesIO(drawn)) as opened:
        yield opened


def first(pdf: Pdf, kind: str) -> Element:
    return next(element for element in elements(pdf) if element.kind == kind)


def swap_children(element: Element, one: int = 0, other: int = 1) -> None:
    kids = element.obj.K
    kids[one], kids[other] = kids[other], kids[one]


def untagged(pdf: Pdf) -> None:
    del pdf.Root.StructTreeRoot


def not_marked(pdf: Pdf) -> None:
    pdf.Root.MarkInfo.Marked = False


def misordered_paragraphs(pdf: Pdf) -> None:
    swap_children(first(pdf, "Document"), 1, 2)


def misordered_pages(pdf: Pdf) -> None:
    kids = first(pdf, "Document").obj["/K"]
    kids.append(kids[1])
    del kids[1]


def misordered_rows(pdf: Pdf) -> None:
    swap_children(first(pdf, "TBody"))


def misordered_cells(pdf: Pdf) -> None:
    swap_children(first(pdf, "TR"))


def altless(pdf: Pdf) -> None:
    del first(pdf, "Figure").obj.Alt


def with_blank_alt(pdf: Pdf) -> None:
    first(pdf, "Figure").obj.Alt = "  "


def without_language(pdf: Pdf) -> None:
    del pdf.Root.Lang


def with_title_hidden(pdf: Pdf) -> None:
    pdf.Root.ViewerPreferences.DisplayDocTitle = False


def without_title(pdf: Pdf) -> None:
    del pdf.docinfo.Title


def without_promise(pdf: Pdf) -> None:
    del pdf.Root.Metadata


def without_bookmarks(pdf: Pdf) -> None:
    del pdf.Root.Outlines


def with_link(pdf: Pdf) -> None:
    pdf.pages[0].obj.Annots = Array([Dictionary(Type=Name.Annot, Subtype=Name.Link)])


def with_skipped_heading(pdf: Pdf) -> None:
    first(pdf, "H2").obj.S = Name.H3


def with_two_titles(pdf: Pdf) -> None:
    first(pdf, "H2").obj.S = Name.H1


def without_scope(pdf: Pdf) -> None:
    del first(pdf, "TH").obj.A.Scope


def with_stray_row(pdf: Pdf) -> None:
    first(pdf, "TBody").obj.S = Name.P


def with_unknown_kind(pdf: Pdf) -> None:
    first(pdf, "P").obj.S = Name.Nonsense


def with_untold_text(pdf: Pdf) -> None:
    del first(pdf, "Document").obj.K[2]


def with_unmarked_text(pdf: Pdf) -> None:
    page = pdf.pages[0]
    kept, depth, inside = [], 0, False
    for one in pikepdf.parse_content_stream(page):
        operator = str(one.operator)
        if operator == "BDC" and not inside and depth == 0:
            inside = True
            continue
        if inside and operator == "EMC":
            inside, depth = False, 1
            continue
        kept.append(one)
    page.obj.Contents = pdf.make_stream(pikepdf.unparse_content_stream(kept))


def with_text_told_twice(pdf: Pdf) -> None:
    first(pdf, "H1").obj.K.append(first(pdf, "H1").obj.K[0])


def with_text_that_is_not_there(pdf: Pdf) -> None:
    first(pdf, "Span").obj.K.append(999)


def with_font_elsewhere(pdf: Pdf) -> None:
    font = next(iter(pdf.pages[0].Resources.Font.values()))
    descriptor = font.DescendantFonts[0].FontDescriptor
    for key in [key for key in ("/FontFile", "/FontFile2", "/FontFile3") if key in descriptor]:
        del descriptor[key]


def with_mute_font(pdf: Pdf) -> None:
    del next(iter(pdf.pages[0].Resources.Font.values())).ToUnicode


def with_broken_way(pdf: Pdf) -> None:
    listed = pdf.Root.StructTreeRoot.ParentTree.Nums[1]
    listed[0], listed[1] = listed[1], listed[0]


DAMAGES: dict[Callable[[Pdf], None], str] = {
    untagged: "no tags",
    not_marked: "not marked as tagged",
    misordered_paragraphs: "another order",
    misordered_pages: "another order",
    misordered_rows: "another order",
    misordered_cells: "another order",
    altless: "without words",
    with_blank_alt: "without words",
    without_language: "language",
    with_title_hidden: "title is not shown",
    without_title: "no title",
    without_promise: "PDF/UA",
    without_bookmarks: "bookmarks",
    with_link: "links",
    with_skipped_heading: "follows one of level",
    with_two_titles: "first level",
    without_scope: "does not say of what",
    with_stray_row: "within P",
    with_unknown_kind: "unknown kind",
    with_untold_text: "not told",
    with_unmarked_text: "neither told nor artifacts",
    with_text_told_twice: "told twice",
    with_text_that_is_not_there: "told but not there",
    with_font_elsewhere: "not embedded",
    with_mute_font: "its letters",
    with_broken_way: "way from content",
}


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_check_notices_a_damaged_copy(pdf: Pdf, damage: Callable[[Pdf], None]) -> None:
    damage(pdf)
    found = tags.faults(pdf, figures=1)

    assert [fault for fault in found if DAMAGES[damage] in fault], found


def test_check_has_nothing_to_say_of_what_we_draw(pdf: Pdf) -> None:
    assert [] == tags.faults(pdf, figures=1)


def test_check_misses_a_picture(pdf: Pdf) -> None:
    assert ["1 pictures, not 2"] == tags.faults(pdf, figures=2)
