"""Shops lose their network, before the press or just after it: what is left to say goes over the air (N8, N9)."""

from __future__ import annotations

import asyncio
from typing import Final

from demo.cable import Way
from demo.scripts import on_air
from demo.scripts.stage import Stage
from demo.shop import Premises

_QUIET_S: Final = 31.0


async def play(stage: Stage) -> None:
    """Play it."""
    await on_air.gather(stage)
    await _cable_goes_dead(stage)
    # This long after another's alert a radio expects more of them, and waits longer.
    await asyncio.sleep(_QUIET_S)
    await _cable_is_out(stage)
    await _cable_is_cut_after_the_press(stage)


async def _cable_goes_dead(stage: Stage) -> None:
    """The cable silently carries nothing any more: only the missing receipt shows it."""
    shop = stage.premises("corner-shop")
    _hold(stage, shop)
    alert = await _by_radio(stage, "corner-shop", "attack", on_air.NETWORK_FAILS_BAR_MS)
    await _mend(stage, shop)
    await stage.close(shop, alert, "Attended")


async def _cable_is_out(stage: Stage) -> None:
    """The node knows before the press that it has no network."""
    town, shop = stage.town, stage.premises("penny-books")
    await on_air.cut(stage, shop)
    alert = await _by_radio(stage, "penny-books", "assist", on_air.KNOWN_DOWN_BAR_MS)
    town.restore_network(shop)
    await stage.close(shop, alert, "Attended")


async def _cable_is_cut_after_the_press(stage: Stage) -> None:
    """Central takes the shop for connected for half a minute more, and answers by network alone."""
    shop = stage.premises("corner-shop")
    alert = await stage.press(shop, "attack")
    await stage.until_fact("receipt", shop.node, alert)
    _hold(stage, shop)
    await stage.town.watch_room.acknowledge(alert)
    await stage.until_acknowledged(shop, alert, within_s=on_air.AIR_PATIENCE_S)
    await _mend(stage, shop)
    await stage.close(shop, alert, "Attended")


def _hold(stage: Stage, shop: Premises) -> None:
    for way in Way:
        shop.cable.hold(way)
    stage.say("network_cut", shop)


async def _mend(stage: Stage, shop: Premises) -> None:
    await shop.cable.break_connections()
    shop.cable.release()
    stage.say("network_restored", shop)


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
