"""A town goes live: installed, its premises claimed, kept, a unit replaced, one revoked, central lost and restored.

Everything is done by the commands that people use. What came of each is looked up where it counts (files, the broker,
central's page and disk, the enrolment service's log) before its fact is told.
"""

from __future__ import annotations

import asyncio
from typing import Final

from central.core.view import Board
from demo.fitting import TownError
from demo.live.keeping import back_up, lose_and_restore, renewed, replaced
from demo.live.opening import added, armed_shop, claimed_twice, installed
from demo.live.revoking import revoked
from demo.live.site import Site
from demo.live.unit import armed_unit
from demo.premises import ADDRESSES
from demo.scripts.stage import Stage
from demo.watch_room import card_of

CORNER, PENNY, NIGHT = (one for one in ADDRESSES if "hart" in one.schemes)
SUCCESSOR: Final = "corner-shop-again"


async def play(stage: Stage) -> None:
    """Play it.

    Raises:
        TownError: a command failed.
        NeverCameError: something did not happen.
    """
    site = Site(stage.town)
    await installed(stage, site)
    await site.start()
    units = await added(stage, site, (CORNER, PENNY, NIGHT))
    corner, *others = units
    await armed_shop(stage, site, corner)
    await asyncio.gather(
        claimed_twice(stage, corner), *(armed_unit(site, one.unit.address.key, one.unit, one.code) for one in others)
    )
    await stage.gather()
    await alert(stage, CORNER.key)

    await site.collect()
    await renewed(stage, site, PENNY.key)
    await replaced(stage, site, CORNER.key, SUCCESSOR)
    await site.collect()
    await revoked(stage, site, NIGHT.key, SUCCESSOR)
    kept = await back_up(stage, site)
    await lose_and_restore(stage, site, kept, SUCCESSOR)
    await alert(stage, SUCCESSOR)
    kept.check_numbers(stage, "after a press")


async def alert(stage: Stage, key: str) -> None:
    """A press that central has, its page shows, and the neighbours see."""
    shop = stage.premises(key)
    pressed = await stage.press(shop, "attack")
    incident = str(stage.stored(pressed).detail.get("incident", pressed))
    await stage.until_fact("receipt", shop.node, pressed)
    await stage.until_warned(shop, pressed)
    if not stage.town.warned_by(shop):
        raise TownError("nobody is there to be warned")

    def is_shown(board: Board) -> bool:
        card = card_of(board, incident)
        return card is not None and (card.node, card.kind) == (shop.node, "attack")

    await stage.until_card(f"central's page showed the attack of {shop.name}", incident, is_shown)
    stage.say("alert", shop, incident=incident)
