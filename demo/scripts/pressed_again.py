"""A shop presses again within a minute of an answer: that press is not shown as answered until it is (N2, N3)."""

from __future__ import annotations

import asyncio
from typing import Final

from central.core.view import Person
from demo.scripts.stage import PATIENCE_S, Stage
from demo.watch_room import RefusedError, card_of

_DESK: Final = Person(role="cctv", name="P Shah")
_LOOKS_S: Final = 2.2
"""How long a person looks before answering: long enough for a count of seconds."""


async def play(stage: Stage) -> None:
    """Play it."""
    shop = stage.premises("corner-shop")
    room = stage.town.watch_room
    await stage.gather()

    alert = await stage.press(shop, "attack")
    await stage.until_face(shop, "received")
    await asyncio.sleep(_LOOKS_S)
    await stage.acknowledge(shop, alert)
    await _same_seconds(stage, alert, "first")

    again = await stage.press(shop, "attack")
    await stage.until_fact("receipt", shop.node, again)
    received = await stage.until_face(shop, "received")
    stage.check("earlier answer by" in received.lines, "the screen said who had answered before")
    await stage.until_card(
        "central's page marked the alert as pressed again",
        alert,
        lambda board: (card := card_of(board, alert)) is not None and card.pressed_again_at is not None,
    )
    await asyncio.sleep(_LOOKS_S)
    await room.acknowledge(alert)
    await _same_seconds(stage, alert, "second")

    try:
        await room.set_on_the_way(alert, _DESK)
        stage.check(False, "nobody at the cameras is shown as coming")  # noqa: FBT003
    except RefusedError:
        stage.check(True, "nobody at the cameras is shown as coming")  # noqa: FBT003
    await stage.close(shop, alert, "Attended")


async def _same_seconds(stage: Stage, alert: str, which: str) -> None:
    shop = stage.premises("corner-shop")
    board = await stage.town.watch_room.board()
    card = card_of(board, alert)
    seconds = "no card" if card is None else f"after {card.answered_after_s} s"

    def is_counted() -> bool:
        # The acknowledgement's frame may be a second younger than the act; the following state is exact.
        view = shop.board.view
        return view.face == "answered" and any(line.endswith(seconds) for line in view.lines)

    what = f"screen and page counted the same to the answer to the {which} press: {seconds}"
    await stage.town.notice.until(is_counted, what, PATIENCE_S)
