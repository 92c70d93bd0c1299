from __future__ import annotations

import io
from collections.abc import Iterator

import pikepdf
import pytest
from pikepdf import NumberTree, Pdf

from office.papers.content import content_of
from office.papers.drawing import draw
from office.papers.structure import elements
from tests.office.papers.conftest import paper, photograph


@pytest.fixture
def pdf() -> Iterator[Pdf]:
    with pikepdf.open(io.BytesIO(draw(paper(name="", photograph=photograph())))) as opened:
        yield opened


def test_headers_say_whether_they_are_of_a_row_or_a_column(pdf: Pdf) -> None:
    scopes = [str(one.obj.A.Scope) for one in elements(pdf) if one.kind == "TH"]

    assert [*["/Row"] * 4, *["/Column"] * 2] == scopes


def test_frame_of_a_picture_is_where_the_picture_stands(pdf: Pdf) -> None:
    figure = next(one for one in elements(pdf) if one.kind == "Figure")
    spot = content_of(pdf.pages[0]).spots[figure.content[0][1]]
    left, _, _, top = (float(one) for one in figure.obj.A.BBox)

    assert (spot.left, spot.top) == pytest.approx((left, top), abs=0.1)


def test_nothing_leads_from_a_footer_into_the_tree(pdf: Pdf) -> None:
    told = {one.obj.objgen for one in elements(pdf)}
    parents = NumberTree(pdf.Root.StructTreeRoot.ParentTree)
    listed = [one for page in pdf.pages for one in list(parents[int(page.obj.StructParents)])]

    assert 2 == len([one for one in listed if one is None]) / len(pdf.pages)
    assert {one.objgen for one in listed if one is not None} <= told
