"""A hostile broker withholds each kind of message that a radio can carry instead: it gets through (N8, N9).

If it also withholds what the radios relay, nobody is told that the alert got through. Its own orders to radios are
not obeyed.
"""

from __future__ import annotations

import asyncio
from typing import Final

from demo.chronicle import CENTRAL
from demo.liar import CENTRALS, Liar
from demo.matrix import IN_TOWN_WITH_RADIO, Manner, Row, rows, why_not
from demo.scripts import air_orders, on_air
from demo.scripts.stage import PATIENCE_S, Stage
from demo.scripts.withholding import Withholding, check_untold, count, down, frames_of
from demo.shop import Premises
from demo.watch_room import card_of
from wire.topics import ALL_HEARD, Down

_UNTOLD_S: Final = 20.0
"""Time for several overs and their answers."""


async def play(stage: Stage) -> None:
    """Play it."""
    liar = await asyncio.to_thread(Liar, stage.town)
    try:
        await stage.town.notice.until(lambda: liar.is_up, "the liar is on the broker", PATIENCE_S)
        await on_air.gather(stage)
        await air_orders.play(stage, liar)  # First, while no radio has transmitted yet.
        kept_back = await _air(stage, liar) | await _relays(stage, liar)
        await _frames(stage, liar)
        await _receipts(stage, liar)
        wanted = frozenset(row for row in rows() if why_not(row, Manner.WITHHELD) == IN_TOWN_WITH_RADIO)
        what = f"{Manner.WITHHELD}, in a town with radios"
        stage.say("lied", what=what, count=count(stage, kept_back, wanted), of=len(wanted))
    finally:
        liar.stop()


async def _air(stage: Stage, liar: Liar) -> frozenset[Row]:
    """Central has it, but its orders to its radio are withheld as well."""
    shop, withholding = stage.premises("red-lion"), Withholding(liar)
    withholding.keep_back(down(shop, Down.RECEIPT), shop.node)
    for one in stage.town.everywhere:
        withholding.keep_back(down(one, Down.AIR), one.node)
    await liar.until_obeyed()
    alert = await stage.press(shop, "attack")
    await stage.until_fact("committed", CENTRAL, alert, within_s=on_air.AIR_PATIENCE_S)
    await _stays_untold(stage, shop, alert)
    kept_back = withholding.end()
    await stage.until_fact("receipt", shop.node, alert, within_s=on_air.AIR_PATIENCE_S)
    await stage.close(shop, alert, "Attended")
    return kept_back


async def _relays(stage: Stage, liar: Liar) -> frozenset[Row]:
    """Neither a shop's frames nor the relays of radios that heard them reach central."""
    shop, withholding = stage.premises("night-stop"), Withholding(liar)
    for topic in (ALL_HEARD, *frames_of(shop)):
        withholding.keep_back(topic, *CENTRALS)
    await liar.until_obeyed()
    alert = await stage.press(shop, "attack")
    await on_air.until_over_started(stage, shop, alert)
    await stage.until_fact("heard", on_air.gateway_of(stage).node, alert, within_s=on_air.AIR_PATIENCE_S)
    await on_air.until_warned(stage, shop, alert)
    await _stays_untold(stage, shop, alert)
    card = card_of(await stage.town.watch_room.board(), alert)
    stage.check_truth(card is None, f"central's page shows {alert}, which was kept from it")
    kept_back = withholding.end()
    await stage.until_fact("receipt", shop.node, alert, within_s=on_air.AIR_PATIENCE_S)
    await _answer(stage, shop, alert)
    return kept_back


async def _frames(stage: Stage, liar: Liar) -> None:
    """A shop's frames reach neither central nor neighbours by the network."""
    shop, withholding = stage.premises("corner-shop"), Withholding(liar)
    for topic in frames_of(shop):
        withholding.keep_back(topic, *CENTRALS, *(one.node for one in stage.town.everywhere))
    await liar.until_obeyed()
    alert = await stage.press(shop, "attack")
    await on_air.until_over_started(stage, shop, alert)
    await stage.until_fact("heard", on_air.gateway_of(stage).node, alert, within_s=on_air.AIR_PATIENCE_S)
    await stage.until_fact("receipt", shop.node, alert, within_s=on_air.AIR_PATIENCE_S)
    await on_air.until_warned(stage, shop, alert)
    withholding.end()
    await _answer(stage, shop, alert)


async def _receipts(stage: Stage, liar: Liar) -> None:
    """Central has it, but its receipt does not come back by the network."""
    shop, withholding = stage.premises("penny-books"), Withholding(liar)
    withholding.keep_back(down(shop, Down.RECEIPT), shop.node)
    await liar.until_obeyed()
    alert = await stage.press(shop, "attack")
    await on_air.until_over_started(stage, shop, alert)
    receipt = await stage.until_fact("receipt", shop.node, alert, within_s=on_air.AIR_PATIENCE_S)
    stage.check(receipt.detail.get("path") == "radio", f"the receipt of {alert} came by radio")
    withholding.end()
    await _answer(stage, shop, alert)


async def _answer(stage: Stage, shop: Premises, alert: str) -> None:
    await stage.acknowledge(shop, alert)
    await stage.close(shop, alert, "Attended")


async def _stays_untold(stage: Stage, shop: Premises, alert: str) -> None:
    """Its panel never says that the alert got through."""
    await asyncio.sleep(_UNTOLD_S)
    check_untold(stage, shop, alert)
