"""Central and broker are dead: neighbours warn each other over the air, and central catches up (N9, N13)."""

from __future__ import annotations

from demo.chronicle import CENTRAL
from demo.scripts import on_air
from demo.scripts.stage import LATE_AFTER_S, Stage
from demo.watch_room import card_of


async def play(stage: Stage) -> None:
    """Play it."""
    await on_air.gather(stage)
    town, shop = stage.town, stage.premises("corner-shop")
    await town.kill(town.broker)
    await town.kill(town.central)

    alert = await stage.press(shop, "attack")
    started = await on_air.until_over_started(stage, shop, alert)
    await on_air.until_over_ended(stage, started)
    await on_air.until_warned(stage, shop, alert)
    on_air.measure_first_burst(stage, shop, alert, on_air.KNOWN_DOWN_BAR_MS)
    for other in town.warned_by(shop):
        stage.check(
            bool(town.chronicle.find("heard", node=other.node, alert=alert)), f"{other.name} heard {alert} on the air"
        )
    stage.check(not town.chronicle.find("receipt", alert=alert), "nobody was told of a receipt while central was dead")

    await town.restart(town.broker)
    await town.restart(town.central)
    committed = await stage.until_fact("committed", CENTRAL, alert, within_s=on_air.AIR_PATIENCE_S)
    await stage.until_fact("receipt", shop.node, alert, within_s=on_air.AIR_PATIENCE_S)
    waited_s = (committed.at_ms - stage.stored(alert).at_ms) / 1000
    await stage.until_card(f"central's page showed {alert}", alert, lambda board: card_of(board, alert) is not None)
    card = card_of(await town.watch_room.board(), alert)
    # Frames carry whole seconds: close to the edge either is true.
    if card is not None and abs(waited_s - LATE_AFTER_S) > 2:  # noqa: PLR2004
        stage.check(
            card.is_late == (waited_s > LATE_AFTER_S),
            f"central said truly whether {alert} was late, after {waited_s:.0f} s",
        )
    stage.check(card is not None and card.alert_count == 1, f"central counted {alert} once, whichever ways it came")
    await stage.town.watch_room.start_duty()
    await stage.acknowledge(shop, alert)
    await stage.close(shop, alert, "Attended")
