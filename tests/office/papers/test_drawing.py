from __future__ import annotations

import io
import re
from datetime import date
from typing import Any

import msgspec
import pikepdf
import pytest

from office.papers.drawing import draw, html_of
from office.papers.orders import (
    PREMISES_ON_FRONT_MAX,
    UNKNOWN_NAME,
    MeetingCase,
    MeetingPaper,
    NamedPremises,
    Order,
    UnreadablePaperError,
    why_not_print,
)
from office.papers.structure import elements
from office.people.rules import ACKNOWLEDGED_WITHIN, ENDED_KEPT, PHOTOGRAPH_KEPT
from tests.office.papers.conftest import paper, photograph, shops

pytestmark = pytest.mark.one_python


def text_of(order: Order) -> str:
    """What a person reads, as one line."""
    body = html_of(order).partition("<body>")[2]
    return " ".join(re.sub(r"<[^>]*>", " ", body).split())


def pages_of(data: bytes) -> int:
    with pikepdf.open(io.BytesIO(data)) as pdf:
        return len(pdf.pages)


@pytest.mark.parametrize("is_pocket_size", [False, True])
def test_notice_says_what_a_person_must_know(*, is_pocket_size: bool) -> None:
    text = text_of(paper(is_pocket_size=is_pocket_size))

    for said in (
        *("HART", "Exclusion notice", "HART-0042, case 17, version 1", "Nobody Atall", "Theft", "27 November 2026"),
        *("From 28 November 2026 to the end of 27 May 2027", "Echo Club", "Corner Shop", "1 Castle Street"),
        *("office@example.org", "not a court order", "the co-ordinator of HART", "30 days", "ico.org.uk"),
        *("the CCTV control room", "6(1)(f)", "12 months"),
    ):
        assert said in text


def test_notice_promises_what_the_rules_keep() -> None:
    text = text_of(paper())

    assert f"until {PHOTOGRAPH_KEPT.days} days after" in text
    assert 0 == ENDED_KEPT.years * 12 + ENDED_KEPT.months - 12
    assert "until 12 months after" in text
    assert f"within {ACKNOWLEDGED_WITHIN.days} days" in text


def test_same_order_gives_the_same_bytes() -> None:
    assert draw(paper()) == draw(paper())


def test_title_in_the_file_names_nobody() -> None:
    with pikepdf.open(io.BytesIO(draw(paper()))) as pdf:
        assert "Exclusion notice HART-0042, version 1" == str(pdf.docinfo.Title)
        assert b"Nobody" not in pdf.Root.Metadata.read_bytes()


@pytest.mark.parametrize(
    ("premises", "pages", "heads"), [(PREMISES_ON_FRONT_MAX, 2, 1), (PREMISES_ON_FRONT_MAX + 1, 3, 1), (200, 8, 6)]
)
def test_list_of_premises_stands_on_the_front_or_on_pages_with_a_head_each(
    premises: int, pages: int, heads: int
) -> None:
    data = draw(paper(premises=shops(premises)))

    with pikepdf.open(io.BytesIO(data)) as pdf:
        assert (pages, heads) == (len(pdf.pages), sum(one.kind == "THead" for one in elements(pdf)))


@pytest.mark.parametrize("is_short", [False, True])
def test_pocket_size_has_two_sides(*, is_short: bool) -> None:
    order = paper(
        is_pocket_size=True,
        premises=shops(PREMISES_ON_FRONT_MAX if is_short else 200),
        responsible=" words" * 80,
        contact=" words" * 50,
        name="N" * 120,
    )

    with pikepdf.open(io.BytesIO(draw(order))) as pdf:
        assert 2 == len(pdf.pages)
        assert [298, 210] == [round(float(one)) for one in pdf.pages[0].MediaBox[2:]]


NAMES = (
    *(
        "X",
        "N" * 300,
        "Ad" * 10 + " " + "Lovelace-" * 20,
        "محمد عبد الله",
        "אברהם כהן and more",
        "a\u202eb\u200bc\u2066d",
    ),
    *("<b>&amp;'\"", "王小明", "e\u0301" * 40),
)


@pytest.mark.parametrize("is_pocket_size", [False, True])
def test_any_name_is_printed(*, is_pocket_size: bool) -> None:
    """Of a person and of premises: one letter, 300, from right to left, with marks, tags and characters of no width."""
    premises = tuple(NamedPremises(name, name) for name in NAMES)
    for name in NAMES[::3]:
        assert draw(paper(name=name, premises=premises[:6], is_pocket_size=is_pocket_size)).startswith(b"%PDF-1.7")
    assert draw(paper(premises=premises))


@pytest.mark.parametrize("is_pocket_size", [False, True])
def test_notice_says_where_what_is_held_came_from(*, is_pocket_size: bool) -> None:
    """UK GDPR Art. 14(2)(f)."""
    local, regional = (
        text_of(paper(is_pocket_size=is_pocket_size, is_regional=is_regional)) for is_regional in (False, True)
    )

    assert "another scheme" not in local
    assert "another scheme" in regional
    assert "cameras" not in regional


@pytest.mark.parametrize("name", ["", "\u200b\u202e\u2800"])
def test_person_without_a_name_is_told_by_the_photograph(name: str) -> None:
    order = paper(name=name, photograph=photograph("PNG"))

    assert UNKNOWN_NAME in text_of(order)
    with pikepdf.open(io.BytesIO(draw(order))) as pdf:
        alts = [str(one.obj.Alt) for one in elements(pdf) if one.kind == "Figure"]
    assert ["Photograph of the person this paper is for, reference HART-0042"] == alts


@pytest.mark.parametrize(
    "data",
    [b"GIF89a", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n" + b"x" * 99],
)
def test_no_paper_without_its_photograph(data: bytes) -> None:
    with pytest.raises(UnreadablePaperError):
        draw(paper(name="", photograph=data))


def test_text_is_shown_as_it_is_and_nothing_is_fetched() -> None:
    """What somebody types is no HTML: it reads no file of the machine."""
    order = paper(conduct='<img src="file:///etc/passwd" alt="x"><style>*{display:none}</style>\u202eevil')

    assert "&lt;img src=" in html_of(order)
    assert "\u202e" not in html_of(order)
    assert draw(order)


def test_longest_texts_flow_on() -> None:
    words = " ".join(["wordwordword"] * 153)
    order = paper(conduct=words, responsible=words[:500], contact=words[:300], happened_at="P" * 120, title="T" * 60)

    assert 3 == pages_of(draw(order))


def test_copy_says_what_it_is() -> None:
    assert "Copy. Version 2 has replaced it." in text_of(paper(standing="Copy. Version 2 has replaced it."))


def test_days_are_printed_as_they_are() -> None:
    text = text_of(paper(first_on=date(2028, 2, 29), last_on=date(2029, 2, 28), version=2))

    assert "From 29 February 2028 to the end of 28 February 2029" in text
    assert "It replaces every earlier version." in text


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"premises": ()}, "names no premises"),
        ({"premises": shops(1_001)}, "more than 1,000 premises"),
        ({"responsible": " \u200b"}, "who is responsible"),
        ({"contact": ""}, "how to appeal"),
    ],
)
def test_notice_that_lacks_what_a_person_must_know_is_not_printed(changes: dict[str, Any], why: str) -> None:
    assert why in (why_not_print(paper(**changes)) or "")
    assert why_not_print(paper()) is None


def test_list_for_a_meeting_says_what_was_done_and_what_is_proposed() -> None:
    case = MeetingCase(
        number=17,
        category="Theft",
        conduct="Took three <bottles>.\nLeft.",
        evidence="Film of camera 4",
        happened_on=date(2026, 10, 30),
        happened_at="High Street",
        months=9,
        months_reason="Third time",
        where="Shop 1, Shop 2",
        necessity="Both are next door.",
        until=date(2027, 1, 9),
        tariff_first=6,
        tariff_again=12,
        is_repeat=True,
        is_minor=True,
    )
    order = MeetingPaper(
        scheme="HART",
        printed_on=date(2026, 11, 27),
        cases=tuple(msgspec.structs.replace(case, number=number) for number in range(1, 7)),
    )
    text = text_of(order)

    for said in (
        *("6 cases, printed on 27 November 2026", "Case 6: Theft", "Took three &lt;bottles&gt;.", "Film of camera 4"),
        *("9 months: Third time", "6 months; 12 if excluded before. Excluded before: yes", "Under 18"),
        *("30 October 2026, High Street", "For ______"),
        *("Shop 1, Shop 2: Both are next door.", "but until 9 January 2027 at most"),
    ):
        assert said in text
    assert draw(order) == draw(order)
