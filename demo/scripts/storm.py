"""Twelve premises without a network press attack at once: the air carries them all (N8, N9, N10)."""

from __future__ import annotations

import asyncio
from typing import Final

from demo.chronicle import CENTRAL
from demo.scripts import on_air
from demo.scripts.stage import Stage

_PATIENCE_S: Final = 600.0


async def play(stage: Stage) -> None:
    """Play it."""
    await on_air.gather(stage)
    town = stage.town
    everybody = tuple(town.premises.values())
    await on_air.cut(stage, *everybody)

    alerts = await asyncio.gather(*(stage.press(premises, "attack") for premises in everybody))
    for premises, alert in zip(everybody, alerts, strict=True):
        await stage.until_fact("committed", CENTRAL, alert, within_s=_PATIENCE_S)
        receipt = await stage.until_fact("receipt", premises.node, alert, within_s=_PATIENCE_S)
        stage.check(receipt.detail.get("path") == "radio", f"the receipt of {alert} came by radio")
    first_ms = min(stage.stored(alert).at_ms for alert in alerts)
    for fact, what in (("committed", "first press → last alert at central"), ("receipt", "first press → last receipt")):
        last_ms = max(found.at_ms for alert in alerts if (found := town.chronicle.find(fact, alert=alert)))
        stage.measure(what, last_ms - first_ms, None)

    # Who spoke while another did has missed it; the network brings the rest.
    town.restore_network(*everybody)
    for premises, alert in zip(everybody, alerts, strict=True):
        await on_air.until_warned(stage, premises, alert)
