"""The one question to the office, asked for ever: what is new? It says what is held, and so it is the receipt too."""

from __future__ import annotations

from typing import Final
from zlib import crc32

from gallery.core import reporting
from gallery.core.effects import AskOffice, ForgetViews
from gallery.core.events import OfficeAnswered, OfficeFailed
from gallery.core.state import State
from gallery.core.turn import Turn

FIRST_PAUSE_MS: Final = 2_000
LONGEST_PAUSE_MS: Final = 120_000
NEWS_WAIT_MS: Final = 2_000
"""So long the next question waits for what the last answer brought: asked anew each time that more of it is here, it
would cost a TLS handshake each time. Whatever is lifted meanwhile is heard of so much later at most."""
FEW_PHOTOGRAPHS: Final = 8
"""More are not waited for."""


def answered(turn: Turn, event: OfficeAnswered) -> None:
    """Ask again as soon as what it says is here; the office answers when there is more."""
    state = turn.state
    state.asked, state.ask_ms, state.contact_failures = None, turn.now_ms, 0
    state.ask_by_ms = turn.now_ms + NEWS_WAIT_MS
    received = min(event.views_received, state.head.n)
    if received > state.delivered:
        state.delivered = received
        turn.order(ForgetViews(received))


def failed(turn: Turn, event: OfficeFailed) -> None:
    """Ask later, each node at another moment, so that an office that comes back is not overrun."""
    state = turn.state
    pause_ms = min(FIRST_PAUSE_MS << min(state.contact_failures, 16), LONGEST_PAUSE_MS)
    jitter = crc32(f"{state.boot_id} {state.contact_failures}".encode()) % 1000
    state.asked, state.ask_ms = None, turn.now_ms + pause_ms * (500 + jitter) // 1000
    state.ask_by_ms = state.ask_ms
    state.contact_failures += 1
    if state.contact_failures == 1:
        turn.fact("office_lost", reason=event.reason)


def settle(turn: Turn) -> None:
    """Ask if nothing is asked and it is time, or anew if what is held has changed since."""
    state = turn.state
    if not state.is_started:
        return
    staff = tuple(state.staff_disk[person].told for person in sorted(state.staff_disk))
    reports = reporting.sendable(state)
    question = AskOffice(state.holds, state.head, state.delivered, staff, reports, state.book.outcomes.version)
    if _is_due(state, turn.now_ms) if state.asked is None else _has_more(question, state.asked):
        state.asked = question
        turn.order(question)


def deadlines(state: State) -> tuple[int, ...]:
    """When to ask."""
    return () if state.asked is not None else (state.ask_ms, state.ask_by_ms)


def _is_due(state: State, now_ms: int) -> bool:
    is_more_to_come = bool(state.waiting) or 0 < len(state.fetching) <= FEW_PHOTOGRAPHS
    return now_ms >= (state.ask_by_ms if is_more_to_come else state.ask_ms)


def _has_more(question: AskOffice, asked: AskOffice) -> bool:
    """Whether the office must hear of it now: something else is held, or there is a new report."""
    return (asked.held, asked.staff) != (question.held, question.staff) or not set(question.reports) <= set(
        asked.reports
    )
