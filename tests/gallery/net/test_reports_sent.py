"""Reports go before the question; whatever the office says to them, the question is asked all the same."""

from __future__ import annotations

import queue
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from gallery.arrivals import Arrivals
from gallery.core import effects as do
from gallery.core import events as ev
from gallery.net.changes import Own
from gallery.net.contact import Contact, Sources
from runtime.monotonic import monotonic_ms
from tests.support.asking_town import HART, OFFICE, SHOP, TOWN, AskingTown, sealing_key
from tests.support.fleet_broker import DEADLINE_S
from tests.support.gallery_online import office_of
from tests.support.scripted_office import Asked, Said, scripted_office
from wire.gallery_contact import GalleryAnswer, decode_question, encode_answer
from wire.gallery_lines import NO_LINES
from wire.gallery_paths import CONTACT_PATH, REPORTS_PATH
from wire.gallery_reports import (
    BreachReport,
    Outcomes,
    ReportOutcome,
    ReportsTaken,
    decode_reports,
    encode_taken,
)
from wire.gallery_views import ViewHead

REPORT: Final = BreachReport(id="ab" * 16, kind="breach", scheme=HART, case=17, person=42, at_s=1_800_000_000)
QUESTION: Final = do.AskOffice((), ViewHead(n=0, digest="0" * 64), 0, reports=(REPORT,), outcomes="0" * 16)
OUTCOMES: Final = Outcomes(
    version="1" * 16, reports=(ReportOutcome(report=REPORT.id, state="closed", words="Warned.", at_s=1),)
)


@pytest.fixture
def town(tmp_path: Path) -> AskingTown:
    folder = tmp_path / "town"
    folder.mkdir()
    return AskingTown(folder)


def answered(
    town: AskingTown, say: Callable[[], Said], outcomes: Outcomes | None = None
) -> tuple[list[ev.Event], list[Asked]]:
    """The events that come of the question, and what was asked, by an office that says this to reports."""

    def office(asked: Asked) -> Said:
        if asked.path == REPORTS_PATH:
            return say()
        return Said(encode_answer(GalleryAnswer(now_s=1, lease_until_s=2, schemes=(HART,), outcomes=outcomes)))

    events: queue.SimpleQueue[ev.Event] = queue.SimpleQueue()
    with scripted_office(town, office) as scripted:
        sources = Sources(lambda _scheme: NO_LINES, lambda _number: b"", lambda: (OFFICE.public,), monotonic_ms)
        own = Own(TOWN, SHOP, sealing_key(SHOP))
        contact = Contact(office_of(town, scripted.port), own, sources, Arrivals(), events.put)
        contact.start()
        contact.ask(QUESTION)
        said = [events.get(timeout=DEADLINE_S)]
        while not isinstance(said[-1], ev.OfficeAnswered):
            said.append(events.get(timeout=DEADLINE_S))
        assert contact.stop(DEADLINE_S)
        return said, scripted.asked


def test_reports_go_first_and_the_event_says_which_the_office_has(town: AskingTown) -> None:
    taken = ReportsTaken(committed=(REPORT.id, "cd" * 16), refused=("ef" * 16,))
    (told, event), asked = answered(town, lambda: Said(encode_taken(taken)), OUTCOMES)

    assert [REPORTS_PATH, CONTACT_PATH] == [one.path for one in asked]
    assert (REPORT,) == decode_reports(asked[0].body)
    assert QUESTION.outcomes == decode_question(asked[1].body).outcomes
    assert isinstance(event, ev.OfficeAnswered)
    assert ev.ReportsAnswered(frozenset({REPORT.id})) == told, "others were not sent"
    assert OUTCOMES == event.outcomes


@pytest.mark.parametrize(
    "said",
    [Said(b"{}", 404), Said(b'{"problem":"closed","retry_s":60}', 503), Said(b"none"), Said(b'{"committed":["x"]}')],
    ids=["an older office", "its disk is full", "no JSON", "no answer to reports"],
)
def test_report_that_is_not_taken_keeps_no_news_away(town: AskingTown, said: Said) -> None:
    (event,), _ = answered(town, lambda: said)

    assert isinstance(event, ev.OfficeAnswered)
    assert None is event.outcomes
