"""One shop loses its network; its alert, the receipt and the answer go over the air (N8, N9)."""

from __future__ import annotations

import asyncio
from typing import Final

from demo.cable import Way
from demo.scripts import on_air
from demo.scripts.stage import Stage

_QUIET_S: Final = 31.0


async def play(stage: Stage) -> None:
    """Play it."""
    await on_air.gather(stage)
    await _cable_goes_dead(stage)
    # This long after another's alert a radio expects more of them, and waits longer.
    await asyncio.sleep(_QUIET_S)
    await _cable_is_out(stage)


async def _cable_goes_dead(stage: Stage) -> None:
    """The cable silently carries nothing any more: only the missing receipt shows it."""
    town, shop = stage.town, stage.premises("corner-shop")
    for way in Way:
        shop.cable.hold(way)
    stage.say("network_cut", shop)
    await _by_radio(stage, "corner-shop", "attack", on_air.NETWORK_FAILS_BAR_MS)
    await shop.cable.break_connections()
    shop.cable.release()
    stage.say("network_restored", shop)
    alert = town.chronicle.all("stored", node=shop.node)[-1].alert
    await stage.close(shop, alert, "Attended")


async def _cable_is_out(stage: Stage) -> None:
    """The node knows before the press that it has no network."""
    town, shop = stage.town, stage.premises("penny-books")
    await on_air.cut(stage, shop)
    alert = await _by_radio(stage, "penny-books", "assist", on_air.KNOWN_DOWN_BAR_MS)
    town.restore_network(shop)
    await stage.close(shop, alert, "Attended")


async def _by_radio(stage: Stage, key: str, button: str, bar_ms: int) -> str:
    shop = stage.premises(key)
    alert = await stage.press(shop, button)
    started = await on_air.until_over_started(stage, shop, alert)
    ended = await on_air.until_over_ended(stage, started)
    await stage.until_fact("heard", on_air.gateway_of(stage).node, alert, within_s=on_air.AIR_PATIENCE_S)
    await on_air.until_received_by_radio(stage, shop, alert)
    await on_air.until_warned(stage, shop, alert)
    on_air.measure_first_burst(stage, shop, alert, bar_ms)
    on_air.measure_received(stage, shop, alert, ended)
    await on_air.answer_by_radio(stage, shop, alert)
    answered = await stage.until_face(shop, "answered")
    stage.check(any("J Patel" in line for line in answered.lines), "the screen named J Patel")
    return alert
