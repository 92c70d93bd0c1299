"""No premises has a network; central's own radio is the only way in and out (N8, N9)."""

from __future__ import annotations

from demo.scripts import on_air
from demo.scripts.stage import Stage


async def play(stage: Stage) -> None:
    """Play it."""
    await on_air.gather(stage)
    town, shop, pub = stage.town, stage.premises("corner-shop"), stage.premises("red-lion")
    everybody = tuple(town.premises.values())
    await on_air.cut(stage, *everybody)

    attack = await stage.press(shop, "attack")
    started = await on_air.until_over_started(stage, shop, attack)
    ended = await on_air.until_over_ended(stage, started)
    await on_air.until_received_by_radio(stage, shop, attack)
    await on_air.until_warned(stage, shop, attack)
    on_air.measure_first_burst(stage, shop, attack, on_air.KNOWN_DOWN_BAR_MS)
    on_air.measure_received(stage, shop, attack, ended)
    await on_air.answer_by_radio(stage, shop, attack)
    await stage.until_face(shop, "answered")

    # Every radio hears the pub's alert; only its own scheme shows it.
    assist = await stage.press(pub, "assist")
    await on_air.until_received_by_radio(stage, pub, assist)
    await on_air.until_warned(stage, pub, assist)
    await on_air.answer_by_radio(stage, pub, assist)

    town.restore_network(*everybody)
    await stage.close(shop, attack, "Attended")
    await stage.close(pub, assist, "Attended")
