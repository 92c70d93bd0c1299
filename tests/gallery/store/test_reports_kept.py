"""Reports on the card: through a restart, sealed, and what was replaced is nowhere on it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from gallery.core.reports import ReportBook, ReportRow
from gallery.store.gallery_store import GalleryStore
from gallery.store.staff_seal import StaffSeal
from tests.support.gallery_card import KEY, NODE, TOWN, all_bytes
from wire.gallery_reports import BreachReport, Outcomes, ReportOutcome
from wire.gallery_views import no_views

ORIGIN = no_views(TOWN, NODE)
REPORT = BreachReport(id="ab" * 16, kind="breach", scheme=1, case=17, person=4_242_424, at_s=1_800_000_000)
BOOK = ReportBook(
    (ReportRow(REPORT, "HART-4242424"),),
    Outcomes(version="0" * 16, reports=(ReportOutcome(report=REPORT.id, state="closed", words="Warned.", at_s=1),)),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "gallery"


def reopened(folder: Path) -> ReportBook:
    store = GalleryStore(folder, KEY)
    try:
        return store.started("boot 2", ORIGIN).book
    finally:
        store.close()


def kept(folder: Path, *books: ReportBook) -> None:
    store = GalleryStore(folder, KEY)
    for book in books:
        store.keep_reports(book)
    store.close()


def test_reports_are_there_after_a_restart_and_sealed(folder: Path) -> None:
    kept(folder, BOOK)

    assert BOOK == reopened(folder)
    assert b"4242424" in msgspec.json.encode(BOOK)
    assert [] == [word for word in (b"4242424", REPORT.id.encode(), b"Warned") if word in all_bytes(folder)]


def test_search_finds_reports_that_are_not_sealed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test above can fail."""
    monkeypatch.setattr(StaffSeal, "seal", lambda _self, data: data)
    kept(folder, BOOK)

    assert b"4242424" in all_bytes(folder)


def test_reports_that_were_replaced_are_nowhere_on_the_card(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(StaffSeal, "seal", lambda _self, data: data)
    kept(folder, BOOK, ReportBook())

    assert b"4242424" not in all_bytes(folder)


def test_reports_of_another_unit_count_as_none(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept(folder, BOOK)
    monkeypatch.setattr(StaffSeal, "open", lambda _self, _sealed: None)

    assert ReportBook() == reopened(folder)
