"""A hostile broker withholds one kind of message from each premises, for longer than anything stays believed.

Meanwhile nobody may read anything untrue, and once it is let through nothing is lost.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Final

from central.core.view import UndoAcknowledge
from demo.board import Look
from demo.chronicle import CENTRAL
from demo.liar import CENTRALS, Liar
from demo.matrix import Manner, rows, why_not
from demo.scene import HART, PUB_WATCH
from demo.scripts.liar_past import HOLD_MS, Cast, number_of, slug, until_on_panel
from demo.scripts.liar_watch import PAGE_S
from demo.scripts.stage import Stage
from demo.scripts.withholding import Withholding, check_untold, count, down, frames_of
from demo.shop import Premises
from demo.watch_room import PERSON, card_of
from node.core.link.proof import PROVES_FOR_MS
from wire.topics import CentralTopic, Down, IncidentTopic, Up, UpTopic

_MARGIN_S: Final = 10.0
_LONG_S: Final = 120.0
"""A frame is repeated at least once a minute; a presser's own alert has its panel for a minute."""
_PAGES: Final = 4
"""Most alerts that take turns on a panel here."""


async def play(stage: Stage, liar: Liar, cast: Cast) -> Counter[str]:
    """Play one premises for each topic, all at once; returns the number of cells."""
    shop, neighbour, presser, owner = cast.pending, cast.thief, cast.victim, cast.answered
    withholding = _withhold(liar, cast)
    await liar.until_obeyed()
    silence = asyncio.create_task(_until_no_contact(stage, neighbour))

    kept = await stage.press(shop, "assist")
    await stage.until_fact("shown", neighbour.node, kept)
    further = await stage.press(shop, "attack")
    await until_on_panel(stage, neighbour, shop)
    await neighbour.board.press("responding")
    unreceipted = await stage.press(presser, "attack")
    await stage.until_fact("committed", CENTRAL, unreceipted)
    answered = await stage.press(owner, "assist")
    await stage.until_fact("receipt", owner.node, answered)
    await stage.until_warned(owner, answered, _LONG_S)
    await cast.dead.cable.break_connections()  # It asks again, and learns that central has it.
    await _answered(stage, owner, answered)
    await stage.town.watch_room.end_duty(PERSON)

    await asyncio.sleep(PROVES_FOR_MS / 1_000 + _MARGIN_S)
    await _check(stage, cast, kept, (further, unreceipted), answered)
    await silence
    await shop.board.press("cancel", HOLD_MS)
    await asyncio.sleep(1.0)
    card = card_of(await stage.town.watch_room.board(), kept)
    stage.check_truth(card is None, f"central had {kept} or its cancel, which was kept from it")

    kept_back = withholding.end()
    await stage.town.watch_room.start_duty()
    for presses, where in (((kept, further), shop), ((unreceipted,), presser)):
        for alert in presses:
            await stage.until_fact("receipt", where.node, alert, within_s=_LONG_S)
    await stage.until_card(
        f"central had the cancel of {kept} and {neighbour.name}'s word",
        kept,
        lambda board: (card := card_of(board, kept)) is not None and card.cancelled is not None and bool(card.members),
    )
    wanted = frozenset(row for row in rows() if not why_not(row, Manner.WITHHELD))
    return Counter({Manner.WITHHELD: count(stage, kept_back, wanted)})


def _withhold(liar: Liar, cast: Cast) -> Withholding:
    withholding = Withholding(liar)
    for topic in frames_of(cast.pending):
        withholding.keep_back(topic, *CENTRALS)
    for topic in frames_of(cast.thief):
        withholding.keep_back(topic, *CENTRALS, cast.pending.node)
    withholding.keep_back(down(cast.victim, Down.RECEIPT), cast.victim.node)
    withholding.keep_back(down(cast.answered, Down.ACK), cast.answered.node)
    withholding.keep_back(str(IncidentTopic(slug(HART))), cast.dead.node)
    withholding.keep_back(down(cast.idle, Down.SYNC), cast.idle.node)
    withholding.keep_back(str(UpTopic(number_of(cast.asking), Up.SYNC)), *CENTRALS)
    withholding.keep_back(str(UpTopic(number_of(cast.thief), Up.HEALTH)), *CENTRALS)
    withholding.keep_back(str(CentralTopic(slug(PUB_WATCH))), cast.uninformed.node)
    return withholding


async def _answered(stage: Stage, owner: Premises, alert: str) -> None:
    """A person's answers; the frames are kept from the presser, who reads central's signed state."""
    room = stage.town.watch_room
    await room.acknowledge(alert)
    await stage.until_acknowledged(owner, alert)
    await room.act(UndoAcknowledge(alert), PERSON)
    await stage.until_taken_back(owner, alert)
    await room.acknowledge(alert)
    await room.set_on_the_way(alert)
    await stage.until_acknowledged(owner, alert, "on-the-way")
    await stage.close(owner, alert, "Attended")


async def _check(stage: Stage, cast: Cast, kept: str, unreceipted: tuple[str, str], answered: str) -> None:
    """Check what is shown after everything believed has expired."""
    town = stage.town
    board = await town.watch_room.board()
    stage.check_truth(card_of(board, kept) is None, f"central's page shows {kept}, which was kept from it")
    for where, alert in zip((cast.pending, cast.victim), unreceipted, strict=True):
        check_untold(stage, where, alert)
    coming = town.chronicle.find("response", node=cast.pending.node, alert=kept)
    stage.check_truth(coming is None, f"{cast.pending.name} was told who is coming, which was kept from it")
    for unproven in (cast.idle, cast.asking):
        face = unproven.board.view.face
        stage.check_truth(face == "fault", f"{unproven.name}, whom central does not answer, shows '{face}'")
    lines = " ".join(cast.uninformed.board.view.lines)
    stage.check_truth("PCSO" not in lines, f"{cast.uninformed.name} shows who is on duty, and nobody is: {lines}")
    is_shown = any(cast.answered.is_named_on(look.view) for look in _lately(stage, cast.dead))
    stage.check_truth(not is_shown, f"{cast.dead.name} still shows {answered}, which is closed")


def _lately(stage: Stage, where: Premises) -> list[Look]:
    since_ms = stage.town.now_ms() - 1_000 * PAGE_S * _PAGES
    return [look for look in where.board.looks if look.at_ms >= since_ms]


async def _until_no_contact(stage: Stage, where: Premises) -> None:
    await stage.town.watch_room.board_when(
        f"central said that it hears nothing of {where.name}",
        lambda board: any(line.node == where.node and line.state == "no-contact" for line in board.nodes),
        2 * PROVES_FOR_MS / 1_000,
    )
