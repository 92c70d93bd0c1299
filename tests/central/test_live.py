"""The board between the intake thread and the web's loop: it never stands still without a word (C1)."""

from __future__ import annotations

import asyncio

import pytest

from central.core.view import Board, Change
from central.live import LiveBoard
from tests.support.central_town import START


def board() -> Board:
    return Board(
        sequence=0,
        at=START,
        boot_id="boot-1",
        is_broker_linked=True,
        is_disk_ok=True,
        on_duty=(),
        cards=(),
        nodes=(),
        rejected=(),
    )


@pytest.mark.finding(12)
def test_live_board_knows_that_its_loop_hangs() -> None:
    now_s = 0.0

    async def look() -> list[bool]:
        nonlocal now_s
        live = LiveBoard(board(), lambda _asked: None, lambda: now_s)
        found = [live.is_moving]
        live.attach(asyncio.get_running_loop())
        now_s = 9.0
        await asyncio.sleep(0)
        now_s = 18.0
        found.append(live.is_moving)
        now_s = 19.0
        found.append(live.is_moving)
        return found

    assert [True, True, False] == asyncio.run(look())


@pytest.mark.parametrize(("sequences", "is_broken"), [((1, 2), False), ((1, 3, 4), True)])
def test_live_board_says_so_when_a_change_was_lost(sequences: tuple[int, ...], is_broken: bool) -> None:  # noqa: FBT001
    """Beats would go on, and every page would call a board live that no alert reaches any more."""

    async def show() -> LiveBoard:
        live = LiveBoard(board(), lambda _asked: None)
        live.attach(asyncio.get_running_loop())
        for sequence in sequences:
            live.show(Change(sequence=sequence, at=START))
        await asyncio.sleep(0)
        return live

    assert is_broken is asyncio.run(show()).is_broken
