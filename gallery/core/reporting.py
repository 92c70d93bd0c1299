"""Reporting a breach or a sighting: on the disk before the page is told so, kept until the office has it.

The alert goes out by the node at once and waits for nothing here. A report that is on the disk waits a moment for the
alert's id, and is then sent to the office before the next question. What the office says has become of it is kept and
shown until the office says it no longer, or for a month.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType
from typing import Final

from msgspec.structs import replace

from gallery.core.effects import AnswerReport, KeepReports, NotShown, RedrawPages
from gallery.core.events import OfficeAnswered, ReportAlerted, ReportAsked, ReportsAnswered, Started
from gallery.core.readable import Why, why_not
from gallery.core.reports import ReportBook, ReportRow
from gallery.core.state import State
from gallery.core.turn import Turn, with_key, without
from wire.gallery_reports import REPORTS_MAX, BreachReport

ALERT_WAIT_MS: Final = 15_000
"""So long a report waits to be told the id of its alert."""
KEPT_MAX: Final = 200
"""Beyond, what the office has goes first; when all wait for it, nothing more is taken."""
SHOWN_S: Final = 30 * 86_400
"""So long a report that the office has, or its outcome, stays on the page."""


def started(turn: Turn, event: Started) -> None:
    """What is on the disk. Nobody will tell the alerts of those that wait any more."""
    turn.state.book = turn.state.book_disk = event.book


def asked(turn: Turn, event: ReportAsked) -> None:
    """Somebody has pressed the second time. The same report asked for again is answered again."""
    state = turn.state
    why = _why_not(state, event)
    if why is None and not state.book.has(event.report):
        if len(state.book.waiting) >= KEPT_MAX:
            why = NotShown.LOG_FULL
        elif not state.may_store:
            why = NotShown.NOT_LOGGED
        else:
            state.book = replace(state.book, rows=(*_room(state.book.rows), _row(state, event)))
            state.alert_wait_ms = with_key(state.alert_wait_ms, event.report, turn.now_ms + ALERT_WAIT_MS)
    if why is not None or state.book_disk.has(event.report):
        turn.order(AnswerReport(event.request, why))
        return
    state.report_requests = with_key(state.report_requests, event.request, event.report)


def alerted(turn: Turn, event: ReportAlerted) -> None:
    """The node has said the alert's id, or that there is none.

    Too late, that changes nothing: the report may have gone. Another id, because central had another alert with the
    first one, is taken as long as the office has not said that it has the report.
    """
    state = turn.state
    is_waiting = any(_is(row, event.report) for row in state.book.waiting)
    if not is_waiting or not (event.is_later or event.report in state.alert_wait_ms):
        return
    state.alert_wait_ms = without(state.alert_wait_ms, event.report)
    state.book = replace(
        state.book,
        rows=tuple(
            replace(row, report=replace(row.report, incident=event.incident)) if _is(row, event.report) else row
            for row in state.book.rows
        ),
    )


def answered(turn: Turn, event: ReportsAnswered) -> None:
    """Which reports the office has, and which it will never take."""
    state = turn.state
    state.book = replace(state.book, rows=tuple(_answered(row, event) for row in state.book.rows))


def office_answered(turn: Turn, event: OfficeAnswered) -> None:
    """What has become of reports."""
    state = turn.state
    schemes = {scheme.scheme for scheme in event.schemes}
    # Of a scheme that was left nothing stays that says who was banned there.
    kept = tuple(row for row in state.book.rows if row.state == "waiting" or row.report.scheme in schemes)
    outcomes = state.book.outcomes if event.outcomes is None else event.outcomes
    if outcomes != state.book.outcomes:
        turn.fact("outcomes_told", reports=str(len(outcomes.reports)))
    state.book = ReportBook(kept, outcomes)


def kept(turn: Turn, effect: KeepReports, *, is_done: bool) -> None:
    """It is on the disk: whoever reported is told so. Or it is not: then nobody has reported anything."""
    state = turn.state
    state.is_book_busy = False
    if is_done:
        if [row.report.id for row in effect.book.rows] != [row.report.id for row in state.book_disk.rows]:
            # Pages list what is on the disk, and the book changed before.
            turn.order(RedrawPages())
        state.book_disk = effect.book
    for request, report in state.report_requests.items():
        is_kept = state.book_disk.has(report)
        if is_done and not is_kept:
            continue  # It came since; it is in the next.
        state.report_requests = without(state.report_requests, request)
        turn.order(AnswerReport(request, None if is_kept else NotShown.NOT_LOGGED))
        if not is_kept:
            rows = tuple(row for row in state.book.rows if not _is(row, report))
            state.book = replace(state.book, rows=rows)


def settle(turn: Turn) -> None:
    """Forget what is old, and keep what has changed."""
    state = turn.state
    if not state.is_started:
        return
    state.alert_wait_ms = MappingProxyType({one: ms for one, ms in state.alert_wait_ms.items() if ms > turn.now_ms})
    state.book = _without_old(state)
    if state.book != state.book_disk and not state.is_book_busy and state.may_store:
        state.is_book_busy = True
        book = state.book
        turn.store(lambda ticket: KeepReports(ticket, book))
    if state.book != state.book_shown:
        state.book_shown = state.book
        turn.order(RedrawPages())


def deadlines(state: State) -> Iterator[int]:
    """When a report goes without its alert's id."""
    yield from state.alert_wait_ms.values()


def sendable(state: State) -> tuple[BreachReport, ...]:
    """Those that go before the next question, the oldest first: on the disk, and not waiting for an alert's id."""
    waiting = (row.report for row in state.book.waiting if state.book_disk.has(row.report.id))
    ready = (report for report in waiting if report.id not in state.alert_wait_ms)
    return tuple(ready)[:REPORTS_MAX]


def _why_not(state: State, event: ReportAsked) -> Why | NotShown | None:
    session = state.sessions.get(event.session)
    if session is None or state.now_ms >= session.ends_ms:
        return NotShown.SIGNED_OUT
    gallery = state.galleries.get(event.scheme)
    if gallery is None:
        return Why.SCHEME_LEFT
    line = gallery.lines.get(event.case)
    return Why.WITHDRAWN if line is None else why_not(state.now, gallery, line)


def _row(state: State, event: ReportAsked) -> ReportRow:
    report = BreachReport(
        id=event.report,
        kind=event.kind,
        scheme=event.scheme,
        case=event.case,
        person=int(event.reference.rpartition("-")[2]),
        staff=state.sessions[event.session].person,
        at_s=max(0, state.clock.floor_s(state.now_ms)),
        is_proven=state.clock.is_proven,
        left=event.left,
    )
    return ReportRow(report, event.reference)


def _room(rows: tuple[ReportRow, ...]) -> tuple[ReportRow, ...]:
    """All of them but for the oldest that the office has, if there are too many."""
    over = len(rows) - KEPT_MAX + 1
    gone = [row for row in rows if row.state != "waiting"][: max(0, over)]
    return tuple(row for row in rows if row not in gone)


def _answered(row: ReportRow, event: ReportsAnswered) -> ReportRow:
    if row.report.id in event.committed:
        return replace(row, state="sent")
    return replace(row, state="refused") if row.report.id in event.refused else row


def _without_old(state: State) -> ReportBook:
    book, before_s = state.book, state.clock.floor_s(state.now_ms) - SHOWN_S
    told = {one.report: one.at_s for one in book.outcomes.reports}
    rows = tuple(
        row
        for row in book.rows
        if row.state == "waiting" or max(row.report.at_s, told.get(row.report.id, 0)) > before_s
    )
    return book if len(rows) == len(book.rows) else replace(book, rows=rows)


def _is(row: ReportRow, report: str) -> bool:
    return row.report.id == report
