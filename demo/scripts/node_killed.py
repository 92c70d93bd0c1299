"""Nodes are killed with -9: the presser's before anyone has heard it, a neighbour's with the alert shown (N2)."""

from __future__ import annotations

from demo.cable import Way
from demo.scripts.stage import Stage


async def play(stage: Stage) -> None:
    """Play it."""
    await stage.gather()
    town, shop, neighbour = stage.town, stage.premises("corner-shop"), stage.premises("night-stop")

    shop.cable.hold(Way.TO_BROKER)
    alert = await stage.press(shop, "attack")
    await town.kill(shop.program)
    shop.cable.release()
    stage.check(not town.chronicle.find("published", alert=alert), f"the node died before anyone had {alert}")
    await town.restart(shop.program)
    await stage.until_fact("receipt", shop.node, alert)
    await stage.until_face(shop, "received")
    await stage.until_warned(shop, alert)

    await town.kill(neighbour.program)
    await town.restart(neighbour.program)
    await stage.acknowledge(shop, alert)
    await stage.until_face(shop, "answered")
    await stage.close(shop, alert, "Attended")
