"""C3: a card says who is asked now, for how long and who is next, and is loud if that is nobody. Real Chromium."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace
from playwright.sync_api import expect

from central.core.asking_lines import AskingLine, ShiftLine
from tests.browser.conftest import OpenPage
from tests.central.web.scripted_board import ScriptedBoard, ScriptedServer

pytestmark = pytest.mark.integration

ASKING = "#unanswered .card-asking"


def asking(role: str, scheme: int = 1, names: tuple[str, ...] = ()) -> AskingLine:
    """A step that has just begun; no role: NOBODY."""
    now = datetime.now(UTC)
    name = "HART" if scheme == 1 else "Pub Watch"
    if not role:
        return AskingLine(scheme=scheme, scheme_name=name, since=now)
    until = now + timedelta(seconds=300)
    return AskingLine(
        scheme=scheme,
        scheme_name=name,
        role=role,
        names=names,
        step=2,
        steps=3,
        since=now,
        until=until,
        next_role="co-ordinator",
    )


def test_card_counts_down_to_the_next_role(open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard) -> None:
    page = open_page()
    card = server.call(lambda: board.press("attack", asking=(asking("pcso", names=("J Patel",)),)))

    expect(page.locator(ASKING)).to_contain_text(
        re.compile(r"Asking \(HART, step 2 of 3\): PCSO on duty J Patel – 2\d\d s, then Co-ordinator")
    )
    before = page.locator(ASKING).inner_text()
    expect(page.locator(ASKING)).not_to_have_text(before)

    server.call(lambda: board.show(replace(card, state="answered", asking=(), revision=2)))
    expect(page.locator("#in-hand .card-asking")).to_be_hidden()


def test_nobody_to_ask_is_loud_and_names_the_next_shift(
    open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard
) -> None:
    page = open_page()
    server.call(lambda: board.set_on_duty(()))
    server.call(lambda: board.press("attack", asking=(asking(""),)))
    expect(page.locator(f"{ASKING} .is-loud")).to_have_text(
        "NOBODY TO ASK (HART). No shift to come is known from the rota."
    )

    begins_at = datetime.now(UTC) + timedelta(minutes=1)
    lines = (ShiftLine(2, "duty-officer", "K Publican", begins_at), ShiftLine(1, "pcso", "J Patel", begins_at))
    server.call(lambda: board.tell(next_shifts=lines))

    expect(page.locator(f"{ASKING} .is-loud")).to_contain_text("Next by the rota: PCSO on duty J Patel, ")
    expect(page.locator("#banner-nobody")).to_contain_text("Next by the rota: Duty officer K Publican, ")


def test_who_is_missing_from_a_shift_is_loud_until_they_are_on_duty(
    open_page: OpenPage, server: ScriptedServer, board: ScriptedBoard
) -> None:
    page = open_page()
    expect(page.locator("#banner-missing")).to_be_hidden()

    begins_at = datetime.now(UTC) - timedelta(minutes=6)
    lines = tuple(ShiftLine(1, "pcso", name, begins_at) for name in ("J Patel", "A", "B", "C"))
    server.call(lambda: board.tell(missing=lines))
    expect(page.locator("#banner-missing")).to_contain_text(
        re.compile(r"NOT ON DUTY: PCSO J Patel, shift since .*\d\d:\d\d; .* and 1 more\.")
    )

    server.call(lambda: board.tell(missing=()))
    expect(page.locator("#banner-missing")).to_be_hidden()
