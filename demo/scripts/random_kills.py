"""One program is killed with -9 again and again, each time at a random moment with a press in flight (N2, N8)."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable
from typing import Final

from demo.notice import NeverCameError
from demo.program import Program
from demo.scripts.stage import PATIENCE_S, Stage
from demo.shop import Premises
from demo.watch_room import RefusedError, card_of

_HOLD_MS: Final = {"attack": 1_600, "assist": 500}
_WHILE_PRESSED_S: Final = 1.5
"""From the first touch, debounce, an attack's hold, storing, publishing and central's commit all fall within this."""
_AFTER_STORED_S: Final = 0.06
"""Once a press is on disk, publishing, commit, receipt and the neighbours' screens fall within this."""
_IN_FLIGHT_SHARE: Final = 0.6
"""Share of kills just after the press was stored, where most steps are."""
_DOWN_MAX_S: Final = 0.5
_STORED_WITHIN_S: Final = 3.0


def of_node(stage: Stage) -> Awaitable[None]:
    """Kill the presser's node, or a neighbour's."""

    def choose(presser: Premises, chance: random.Random) -> Program:
        return chance.choice((presser, presser, *stage.town.warned_by(presser))).program

    return _play(stage, choose)


def of_central(stage: Stage) -> Awaitable[None]:
    """Kill central."""
    return _play(stage, lambda _presser, _chance: stage.town.central)


def of_broker(stage: Stage) -> Awaitable[None]:
    """Kill Mosquitto."""
    return _play(stage, lambda _presser, _chance: stage.town.broker)


async def _play(stage: Stage, choose: Callable[[Premises, random.Random], Program]) -> None:
    chance = random.Random(stage.seed)  # noqa: S311 - moments that can be drawn again, not secrets
    stage.say("seeded", seed=stage.seed, times=stage.times)
    await stage.gather()
    for _ in range(stage.times):
        presser = chance.choice(tuple(stage.town.premises.values()))
        alert = await _press_and_kill(stage, presser, choose(presser, chance), chance)
        await stage.until_fact("receipt", presser.node, alert)
        await stage.until_warned(presser, alert)
        await _close(stage, presser, alert)


async def _press_and_kill(stage: Stage, presser: Premises, victim: Program, chance: random.Random) -> str:
    """Press, kill and restart; returns the alert's id, after a second press if the kill came before it was on disk."""
    since = len(stage.town.chronicle)
    button = chance.choice(tuple(_HOLD_MS))
    finger = asyncio.create_task(presser.board.press(button, hold_ms=_HOLD_MS[button]))
    try:
        if chance.random() < _IN_FLIGHT_SHARE:
            with contextlib.suppress(NeverCameError):
                await _until_stored(stage, presser, since, _STORED_WITHIN_S)
            await asyncio.sleep(chance.uniform(0, _AFTER_STORED_S))
        else:
            await asyncio.sleep(chance.uniform(0, _WHILE_PRESSED_S))
        await stage.town.kill(victim)
    finally:
        await finger
    await asyncio.sleep(chance.uniform(0, _DOWN_MAX_S))
    await stage.town.restart(victim)
    with contextlib.suppress(NeverCameError):
        return await _until_stored(stage, presser, since, 0.0)
    return await stage.press(presser, button)


async def _until_stored(stage: Stage, presser: Premises, since: int, within_s: float) -> str:
    chronicle = stage.town.chronicle
    stored = await stage.town.notice.until(
        lambda: chronicle.find("stored", node=presser.node, since=since), f"{presser.name} stored a press", within_s
    )
    return stored.alert


async def _close(stage: Stage, presser: Premises, alert: str) -> None:
    """Close its incident, so that the next press is a new one; central may have been killed a moment ago."""
    incident = next(
        str(fact.detail.get("incident") or alert) for fact in stage.town.chronicle.all("stored", alert=alert)
    )
    await stage.until_card(
        f"central's page shows {incident}", incident, lambda board: card_of(board, incident) is not None
    )
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                await stage.town.watch_room.close(incident, "Tried")
            except OSError:
                await asyncio.sleep(0.1)
                continue
            except RefusedError as e:
                if "closed" not in str(e):
                    raise
            break
    await stage.until_fact("closed", presser.node, incident)
