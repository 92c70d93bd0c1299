"""Steps that scripts with radios share: who was on the air and when, and how long things took, beside their bars."""

from __future__ import annotations

from typing import Final

from central.core.view import Board
from demo.air.orders import SPEAKER, Talk
from demo.air_link import AirLink
from demo.chronicle import CENTRAL, Fact
from demo.scripts.stage import PATIENCE_S, Stage
from demo.shop import Premises
from demo.watch_room import card_of
from node.core.air import KEY_UP_MS

AIR_PATIENCE_S: Final = 300.0
"""How long to wait for the air: others may transmit, an over may be lost, and the next try is seconds away."""
NETWORK_FAILS_BAR_MS: Final = 5_000
KNOWN_DOWN_BAR_MS: Final = 3_000
RECEIVED_BAR_MS: Final = 500
ANSWER_BAR_MS: Final = 6_000


def air_of(stage: Stage) -> AirLink:
    """The connection to the air; the town must have one."""
    link = stage.town.air_link
    assert link is not None
    return link


def gateway_of(stage: Stage) -> Premises:
    """Central's own radio; the town must have one."""
    gateway = stage.town.gateway
    assert gateway is not None
    return gateway


async def gather(stage: Stage) -> None:
    """Wait until central sees all premises well and knows that every radio can transmit, then start duty."""
    nodes = {one.node for one in stage.town.everywhere}

    def can_all_transmit(board: Board) -> bool:
        return nodes <= {line.node for line in board.nodes if line.radio and line.radio.state in ("untested", "ready")}

    await stage.town.watch_room.board_when("central knew every radio", can_all_transmit, PATIENCE_S)
    await stage.gather()


async def cut(stage: Stage, *where: Premises) -> None:
    """Unplug the network cables there; return when the broker has told central, so that the nodes know as well."""
    await stage.town.cut_network(*where)
    nodes = {premises.node for premises in where}

    def are_gone(board: Board) -> bool:
        return nodes <= {line.node for line in board.nodes if line.state in ("no-contact", "stopped")}

    await stage.town.watch_room.board_when("central missed who had lost its network", are_gone, PATIENCE_S)


async def until_over_started(stage: Stage, presser: Premises, alert: str) -> Fact:
    """Wait until the presser's radio begins an over with the alert."""
    return await stage.until_fact("over_started", presser.node, alert, within_s=AIR_PATIENCE_S)


async def until_over_ended(stage: Stage, started: Fact) -> Fact:
    """Wait until that over has ended."""
    return await stage.town.notice.until(
        lambda: next(
            (
                fact
                for fact in stage.town.chronicle.all("over_ended", node=started.node)
                if fact.detail.get("over") == started.detail.get("over") and fact.at_ms >= started.at_ms
            ),
            None,
        ),
        f"the over of {stage.town.name_of(started.node)} ended",
        AIR_PATIENCE_S,
    )


async def until_received_by_radio(stage: Stage, presser: Premises, alert: str) -> None:
    """Central commits the alert from the air, its receipt returns by air, and all of it is shown truly."""
    receipt = await stage.until_fact("receipt", presser.node, alert, within_s=AIR_PATIENCE_S)
    stage.check(receipt.detail.get("path") == "radio", f"the receipt of {alert} came by radio")
    await stage.until_fact("committed", CENTRAL, alert)
    await stage.until_card(
        f"central's page showed {alert} with path radio",
        alert,
        lambda board: (card := card_of(board, alert)) is not None and card.path == "radio",
    )


async def answer_by_radio(stage: Stage, presser: Premises, alert: str) -> None:
    """A person answers, and the presser learns by air who."""
    asked_ms = stage.now_ms()
    await stage.town.watch_room.acknowledge(alert)
    await stage.until_acknowledged(presser, alert, within_s=AIR_PATIENCE_S)
    known = stage.town.chronicle.find("acknowledged", node=presser.node, alert=alert)
    assert known is not None
    stage.measure("answer → known at the shop, over the air", known.at_ms - asked_ms, ANSWER_BAR_MS, presser, alert)


async def until_warned(stage: Stage, presser: Premises, alert: str) -> None:
    """Wait until every other premises of its schemes shows it, by either path."""
    await stage.until_warned(presser, alert, within_s=AIR_PATIENCE_S)


def measure_first_burst(stage: Stage, presser: Premises, alert: str, bar_ms: int) -> None:
    """Measure from the press to the first tone on the air."""
    stored = stage.stored(alert)
    pressed = [fact for fact in stage.town.chronicle.all("pressed", node=presser.node) if fact.at_ms <= stored.at_ms]
    started = stage.town.chronicle.find("over_started", node=presser.node, alert=alert)
    if pressed and started:
        took_ms = started.at_ms + KEY_UP_MS - pressed[-1].at_ms
        stage.measure("press → burst on the air", took_ms, bar_ms, presser, alert)


def measure_received(stage: Stage, presser: Premises, alert: str, ended: Fact) -> None:
    """Measure from the burst at the relaying radio to central's commit, while the sentence is still spoken."""
    committed = stage.town.chronicle.find("committed", node=CENTRAL, alert=alert)
    relay = str(committed.detail.get("relay", "")) if committed else ""
    heard = stage.town.chronicle.find("heard", node=relay, alert=alert) if relay else None
    if committed and heard:
        took_ms = committed.at_ms - heard.at_ms
        stage.measure("burst decoded → committed", took_ms, RECEIVED_BAR_MS, presser, alert)
    receipt = stage.town.chronicle.find("receipt", node=presser.node, alert=alert)
    if receipt:
        stage.measure("over's end → receipt at the shop", receipt.at_ms - ended.at_ms, None, presser, alert)


async def air_ms_between(stage: Stage, first: Fact, last: Fact) -> tuple[int, int]:
    """Time from the first over after ``first`` to the end of the over that brought ``last``.

    Returns:
        In the air's time, and on the machine's clock.
    """

    def after(fact: str, since_ms: float, who: str = "") -> Fact | None:
        facts = (known for known in stage.town.chronicle.all(fact) if known.at_ms >= since_ms)
        return next((known for known in facts if not who or known.detail["who"] == who), None)

    began = await stage.town.notice.until(lambda: after("keyed", first.at_ms), "somebody keyed", PATIENCE_S)
    # It may have ended just before its result was reported, and nobody may transmit after it.
    keyed = [known for known in stage.town.chronicle.all("keyed") if known.at_ms <= last.at_ms]
    brought = [known for known in keyed if known.detail["who"] != last.node][-1]
    who, since_ms = str(brought.detail["who"]), brought.at_ms
    ended = await stage.town.notice.until(lambda: after("unkeyed", since_ms, who), "that over ended", PATIENCE_S)
    return int(ended.detail["air_ms"]) - int(began.detail["air_ms"]), round(ended.at_ms - began.at_ms)


async def talk(stage: Stage, seconds: float) -> Fact:
    """Someone begins to talk; returns that fact."""
    asked_ms = stage.now_ms()
    await air_of(stage).order(Talk(seconds))
    return await _until_air_says(stage, "keyed", asked_ms, "somebody talked")


async def until_silent(stage: Stage, talked: Fact) -> Fact:
    """Wait until that talk has ended."""
    return await _until_air_says(stage, "unkeyed", talked.at_ms, "the talk ended")


async def _until_air_says(stage: Stage, fact: str, since_ms: float, what: str) -> Fact:
    def look() -> Fact | None:
        said = (known for known in stage.town.chronicle.all(fact) if known.at_ms >= since_ms)
        return next((known for known in said if known.detail.get("who") == SPEAKER), None)

    return await stage.town.notice.until(look, what, PATIENCE_S)
