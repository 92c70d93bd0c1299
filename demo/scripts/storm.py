"""Twelve premises without a network press attack at once: the air carries them all (N8, N9, N10)."""

from __future__ import annotations

import asyncio
from typing import Final

from demo.chronicle import CENTRAL
from demo.scripts import on_air
from demo.scripts.stage import Stage

STORM_BAR_MS: Final = 150_000
"""Before the slow tries begin, as in the simulation."""
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
    first = min((stage.stored(alert) for alert in alerts), key=lambda fact: fact.at_ms)
    receipts = [found for alert in alerts if (found := town.chronicle.find("receipt", alert=alert))]
    took_ms, machine_ms = await on_air.air_ms_between(stage, first, max(receipts, key=lambda fact: fact.at_ms))
    stage.judge_air_time("first over → last receipt, on the air", took_ms, machine_ms, STORM_BAR_MS)

    # A radio that transmitted at the same time has missed it; the network brings the rest.
    town.restore_network(*everybody)
    for premises, alert in zip(everybody, alerts, strict=True):
        await on_air.until_warned(stage, premises, alert)
