"""What a person is given on paper of what is held of them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pikepdf
import pytest
from pytest_django import Settings

from office.accounts.models import Scheme
from office.audit.models import AuditRow
from office.papers import held as held_module
from office.papers import tags
from office.papers.drawing import draw
from office.papers.held import LEFT_OUT, held_paper
from office.papers.orders import TEXT_CHARS_MAX, HeldPaper
from office.papers.structure import elements
from office.people.intake_process import marker
from office.people.intake_terms import Box
from office.people.models import Individual
from office.people.photographs import add_photograph, keep_crop
from office.people.rights_export import HANDLING, Fact, Held, Part, held
from tests.office.conftest import SignedIn
from tests.office.exclusions.conftest import Town
from tests.office.papers.test_views import Printer
from tests.office.people.conftest import request_of, taken

pytestmark = pytest.mark.django_db
MADE_AT = datetime(2026, 11, 27, 12, tzinfo=UTC)


@pytest.fixture
def town(schemes: dict[int, Scheme]) -> Town:
    return Town(schemes)


@pytest.fixture
def printer(tmp_path: Path, settings: Settings) -> Iterator[Printer]:
    settings.PAPERS_SOCKET = tmp_path / "papers.sock"
    running = Printer(settings.PAPERS_SOCKET)
    yield running
    running.close()


def of(*parts: Part) -> Held:
    return Held("HART-0001", "HART", "HART\n1 High Street", "office@example.org", MADE_AT, ("Why.",), parts)


def test_everything_held_is_printed_readable_by_everybody_with_the_face(town: Town) -> None:
    case = town.case("served")
    photograph = add_photograph(town.cora, case.individual, taken(), source="camera 4", taken_on=None)
    keep_crop(town.cora, photograph, Box(0, 0, 300, 400), (taken().whole, taken().whole))
    add_photograph(town.cora, case.individual, taken(), source="not cropped yet", taken_on=None)
    everything = held(case.individual, MADE_AT)
    paper = held_paper(everything, case.individual)

    titles = [part.title for part in everything.parts]
    assert [part.title for part in paper.parts] == titles
    assert [len(part.facts) for part in paper.parts[:-1]] == [len(part.facts) for part in everything.parts[:-1]]
    with pikepdf.open(io.BytesIO(draw(paper))) as pdf:
        assert tags.faults(pdf, figures=1) == []
        told = list(elements(pdf))
        alts = [str(one.obj.Alt) for one in told if one.kind == "Figure"]
    assert alts == ["Photograph of you, reference HART-0001"]
    assert sum(one.kind == "H2" for one in told) == len(titles) + 4


def test_no_picture_that_is_handed_out_names_anybody_of_the_scheme(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    case, marks, mark = town.case("served"), list[str](), marker.mark
    photograph = add_photograph(town.cora, case.individual, taken(), source="camera 4", taken_on=None)
    keep_crop(town.cora, photograph, Box(0, 0, 300, 400), (taken().whole, taken().whole))

    def marking(jpeg: bytes, text: str) -> bytes:
        marks.append(text)
        return mark(jpeg, text)

    monkeypatch.setattr(marker, "mark", marking)
    held_paper(held(case.individual, MADE_AT), case.individual)

    assert marks == ["HART-0001  "]


def test_long_text_goes_on_and_nothing_of_it_is_lost() -> None:
    text = "".join(f"{number} " for number in range(1_000))
    (part,) = held_paper(of(Part("Your request 1", (Fact("Done", text), Fact("Answer", "")))), Individual(pk=0)).parts

    assert "".join(fact.text for fact in part.facts) == text
    assert [fact.label for fact in part.facts] == ["Done", "Done (continued)", "Answer"]
    assert max(len(fact.text) for fact in part.facts) == TEXT_CHARS_MAX


def test_what_was_done_again_on_a_day_is_one_line_and_of_very_much_the_newest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held_module, "HELD_FACTS_MAX", 3)
    times = [(day, minute) for day in range(1, 5) for minute in (1, 2)]
    viewed = [Fact(f"{day} May 2027, 10:{minute:02} UTC", "register.viewed") for day, minute in times]
    (part,) = held_paper(of(Part(HANDLING, tuple(viewed))), Individual(pk=0)).parts

    assert [(fact.label, fact.text) for fact in part.facts] == [
        ("Earlier", LEFT_OUT),
        *((f"{day} May 2027", "register.viewed (2 times)") for day in (2, 3, 4)),
    ]


def test_person_is_given_a_pdf(town: Town, printer: Printer, signed_in: SignedIn) -> None:
    case = town.case("served")
    request = request_of(town, case)
    answer = signed_in(town.cora).get(f"/rights/{request.pk}/export.pdf")
    (order,) = printer.orders

    assert isinstance(order, HeldPaper)
    assert (order.reference, order.responsible) == ("HART-0001", "HART, 1 High Street")
    assert "Nobody Atall" in msgspec.json.encode(order).decode()
    assert answer.headers["Content-Disposition"] == 'attachment; filename="HART-0001.pdf"'
    assert answer.headers["Cache-Control"] == "no-store"
    assert AuditRow.objects.filter(action="individual.exported", details__contains='"form":"pdf"').count() == 1
