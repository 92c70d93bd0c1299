"""Harm that a lie may have done to numbers and times, which shows only at the next press."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from demo.chronicle import CENTRAL
from demo.liar import Liar, Said
from demo.lies import frame_said
from demo.matrix import COUNTERS, FLOOR, WAITING
from demo.scene import FLOOR_COUNTER, Scene
from demo.scripts.stage import Stage
from demo.shop import Premises
from demo.watch_room import card_of
from wire.ids import FrameId

_COUNTERS_A_RUN: Final = 1_000_000
"""Central's own numbers advance by a few blocks at each start, never this far."""


async def harmed(stage: Stage, liar: Liar, scene: Scene, idle: Premises) -> Mapping[str, str]:
    """Press at the idle premises; returns what is wrong, a sentence each, by the word of the row that causes it."""
    last = await stage.press(idle, "attack")
    await stage.until_fact("receipt", idle.node, last)
    await stage.until_card(f"central's page showed {last}", last, lambda _board: True)
    await stage.until_warned(idle, last)
    card = card_of(await stage.town.watch_room.board(), last)
    await stage.close(idle, last, "Attended")
    counter = max(_counters_of_central(liar.kept))
    found = {}
    if FrameId.parse(last).counter >= FLOOR_COUNTER:
        found[FLOOR] = f"a lie has burnt the numbers of {idle.name}: it is at {last}"
    if counter > scene.central_counter + _COUNTERS_A_RUN:
        found[COUNTERS] = f"a lie has led central's own numbers to {counter}"
    if card is None or card.is_late:
        found[WAITING] = f"a lie has made {last} late"
    return found


def _counters_of_central(kept: Iterable[Said]) -> list[int]:
    frames = [frame_said(said) for said in kept if said.topic.endswith(("/down/receipt", "/down/ack"))]
    return [frame.counter for frame in frames if frame is not None and f"{frame.sender:08x}" == CENTRAL]
