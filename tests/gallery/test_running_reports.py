"""A report through the one thread: answered when it is on the card, listed, and what becomes of it is shown."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gallery.core import events as ev
from gallery.core.effects import NotShown
from gallery.page.ports import GalleryPort
from tests.support.gallery_card import HART, NODE, NOW_S, TOWN, Published
from tests.support.gallery_running import RunningGallery, answer
from wire.gallery_reports import Outcomes, ReportOutcome
from wire.gallery_views import no_views

ID = "ab" * 16


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[RunningGallery]:
    """It lists Nora."""
    found = RunningGallery(tmp_path / "card").start()
    found.told(Published().issue(17, "Nora Nobody"))
    found.until(found.shows(17))
    yield found
    found.end()


def asked(session: str) -> ev.ReportAsked:
    return ev.ReportAsked(f"request of {session}", session, HART, 17, "HART-0017", "breach", "no", ID)


def listed(shop: RunningGallery) -> list[tuple[str, str, str, str]]:
    port: GalleryPort = shop.running
    return [(one.report, one.reference, one.state, one.words) for one in port.snapshot().reports]


def test_report_is_answered_from_the_card_goes_to_the_office_and_its_outcome_is_listed(shop: RunningGallery) -> None:
    port: GalleryPort = shop.running
    refused = answer(port.report(asked("nobody's")))
    session = shop.sign_in()
    kept = answer(port.report(asked(session)))
    waiting = listed(shop)
    port.alerted(ev.ReportAlerted(ID, "00000010-7"))
    shop.until(lambda: bool(shop.office.asked[-1].reports))
    sent = shop.office.asked[-1].reports
    told = ReportOutcome(report=ID, state="closed", words="Police informed.\u202e", at_s=NOW_S)
    outcomes = Outcomes(version="0" * 16, reports=(told,))
    shop.running.put(ev.ReportsAnswered(frozenset({ID})))
    shop.running.put(
        ev.OfficeAnswered(
            shop.now_ms,
            NOW_S,
            NOW_S + 60,
            (ev.SchemeTold(HART),),
            outcomes=outcomes,
        )
    )
    shop.until(lambda: "closed" in {state for _, _, state, _ in listed(shop)})

    assert (NotShown.SIGNED_OUT, None) == (refused.why, kept.why)
    assert [(ID, "HART-0017", "waiting", "")] == waiting
    assert [(ID, "00000010-7")] == [(one.id, one.incident) for one in sent]
    assert [(ID, "HART-0017", "closed", "Police informed.")] == listed(shop)
    shop.until(lambda: ["sent"] == [row.state for row in shop.running.state.book_disk.rows])
    shop.until(lambda: outcomes == shop.store.started("boot 2", no_views(TOWN, NODE)).book.outcomes)


def test_core_that_fails_tells_whoever_reports(shop: RunningGallery) -> None:
    session = shop.sign_in()
    broken = ev.ReportAsked("broken", session, HART, 17, "no number", "breach", "no", ID)

    with pytest.raises(ValueError, match="invalid literal"):
        answer(shop.running.report(broken))
    assert [] == listed(shop)
