"""Mosquitto is killed with -9 at the worst moments of an alert (N2, N3, N8, N13)."""

from __future__ import annotations

from demo.cable import Way
from demo.chronicle import CENTRAL
from demo.scripts.stage import Stage


async def play(stage: Stage) -> None:
    """Play it."""
    await stage.gather()
    await _taken_and_forgotten(stage)
    await _receipt_on_its_way(stage)
    await _nobody_there_for_a_minute(stage)


async def _taken_and_forgotten(stage: Stage) -> None:
    """The broker confirms the alert and dies before central has seen it."""
    town, shop = stage.town, stage.premises("corner-shop")
    town.central_cable.hold(Way.FROM_BROKER)
    alert = await stage.press(shop, "attack")
    await stage.until_fact("published", shop.node, alert)
    await town.kill(town.broker)
    await town.central_cable.break_connections()
    town.central_cable.release()
    stage.check(not stage.records.has_frame(alert), f"the broker died before central had {alert}")
    await _told_the_truth_then_delivered(stage, "corner-shop", alert)


async def _receipt_on_its_way(stage: Stage) -> None:
    """Central has committed and answered; the answer is lost with the broker."""
    town, shop = stage.town, stage.premises("penny-books")
    shop.cable.hold(Way.FROM_BROKER)
    alert = await stage.press(shop, "attack")
    await stage.until_fact("committed", CENTRAL, alert)
    await town.kill(town.broker)
    await shop.cable.break_connections()
    shop.cable.release()
    stage.check(not town.chronicle.find("receipt", alert=alert), f"the broker died before {alert}'s receipt arrived")
    await _told_the_truth_then_delivered(stage, "penny-books", alert)


async def _told_the_truth_then_delivered(stage: Stage, key: str, alert: str) -> None:
    presser = stage.premises(key)
    await stage.until_fact("undelivered", presser.node, alert)
    await stage.until_face(presser, "undelivered")
    await stage.town.restart(stage.town.broker)
    await stage.until_fact("receipt", presser.node, alert)
    await stage.until_face(presser, "received")
    await stage.until_warned(presser, alert)
    await stage.acknowledge(presser, alert)
    await stage.close(presser, alert, "Attended")


async def _nobody_there_for_a_minute(stage: Stage) -> None:
    """Pressed without a broker, delivered more than a minute later: late, and marked so."""
    town, pub = stage.town, stage.premises("red-lion")
    await town.kill(town.broker)
    alert = await stage.press(pub, "assist")
    await stage.until_face(pub, "undelivered")
    await stage.until_late(stage.stored(alert))
    await town.restart(town.broker)
    receipt = await stage.until_fact("receipt", pub.node, alert)
    stage.check(receipt.detail.get("is_late") == "true", f"the receipt of {alert} said that it is late")
    await stage.until_fact("late", CENTRAL, alert)
    for other in town.warned_by(pub):
        await stage.until_fact("late", other.node, alert)
    await stage.until_warned(pub, alert)
    await stage.acknowledge(pub, alert)
    await stage.close(pub, alert, "Attended")
