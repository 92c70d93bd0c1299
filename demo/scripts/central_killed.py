"""Central is killed with -9 before its commit, after it, and with an answer half-way to the shop (N2, N3, N8, N13)."""

from __future__ import annotations

from demo.cable import Way
from demo.chronicle import CENTRAL
from demo.scripts.stage import Stage
from demo.shop import Premises
from demo.watch_room import card_of


async def play(stage: Stage) -> None:
    """Play it."""
    await stage.gather()
    await _before_the_commit(stage)
    await _after_the_commit(stage)
    await _nobody_there_for_a_minute(stage)


async def _before_the_commit(stage: Stage) -> None:
    """Central gets the alert from the broker and dies before it has processed it."""
    town, shop = stage.town, stage.premises("corner-shop")
    await town.central.freeze()
    alert = await stage.press(shop, "attack")
    await stage.until_fact("published", shop.node, alert)
    await town.kill(town.central)
    stage.check(not stage.records.has_frame(alert), f"central died before it had {alert}")
    await _told_the_truth_then_received(stage, shop, alert)
    await stage.acknowledge(shop, alert)
    await stage.close(shop, alert, "Attended")


async def _after_the_commit(stage: Stage) -> None:
    """Central has the alert on disk and dies before anyone knows; then the same with a person's answer."""
    town, shop = stage.town, stage.premises("penny-books")
    town.central_cable.hold(Way.TO_BROKER)
    alert = await stage.press(shop, "attack")
    await stage.until_fact("committed", CENTRAL, alert)
    await town.kill(town.central)
    town.central_cable.release()
    stage.check(stage.records.has_frame(alert), f"central died after it had {alert}")
    stage.check(not town.chronicle.find("receipt", alert=alert), f"central died before it had answered {alert}")
    await _told_the_truth_then_received(stage, shop, alert)

    town.central_cable.hold(Way.TO_BROKER)
    await town.watch_room.acknowledge(alert)
    await town.kill(town.central)
    town.central_cable.release()
    stage.check(not town.chronicle.find("acknowledged", alert=alert), "central died before the shop knew of the answer")
    await town.restart(town.central)
    await stage.until_acknowledged(shop, alert)
    await stage.close(shop, alert, "Attended")


async def _told_the_truth_then_received(stage: Stage, presser: Premises, alert: str) -> None:
    # The neighbours do not need central: the broker warns them (N9).
    await stage.until_warned(presser, alert)
    await stage.until_fact("undelivered", presser.node, alert)
    await stage.until_face(presser, "undelivered")
    await stage.town.restart(stage.town.central)
    await stage.until_fact("receipt", presser.node, alert)
    await stage.until_face(presser, "received")
    await stage.until_card(
        f"central's page showed {alert} once, with one alert in it",
        alert,
        lambda board: (card := card_of(board, alert)) is not None and card.alert_count == 1,
    )


async def _nobody_there_for_a_minute(stage: Stage) -> None:
    """Pressed without central, received a minute later: late, and marked so. Neighbours saw it live."""
    town, pub = stage.town, stage.premises("red-lion")
    await town.kill(town.central)
    alert = await stage.press(pub, "assist")
    await stage.until_warned(pub, alert)
    await stage.until_face(pub, "undelivered")
    await stage.until_late(stage.stored(alert))
    await town.restart(town.central)
    receipt = await stage.until_fact("receipt", pub.node, alert)
    stage.check(receipt.detail.get("is_late") == "true", f"the receipt of {alert} said that it is late")
    await stage.until_fact("late", CENTRAL, alert)
    await stage.until_card(
        f"central's page marked {alert} as late",
        alert,
        lambda board: (card := card_of(board, alert)) is not None and card.is_late,
    )
    await stage.acknowledge(pub, alert)
    await stage.close(pub, alert, "Attended")
