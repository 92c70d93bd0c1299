"""Someone talks for eight seconds: an assist waits for the end, an attack breaks in after a limited wait (N10)."""

from __future__ import annotations

from typing import Final

from demo.chronicle import Fact
from demo.scripts import on_air
from demo.scripts.stage import Stage
from demo.shop import Premises

_TALK_S: Final = 8.0


async def play(stage: Stage) -> None:
    """Play it."""
    await on_air.gather(stage)
    town = stage.town
    shop, books = stage.premises("corner-shop"), stage.premises("penny-books")
    await on_air.cut(stage, shop, books)

    # First the assist, then the attack, each against a voice of its own.
    talked = await on_air.talk(stage, _TALK_S)
    assist = await stage.press(books, "assist")
    talked_until = await on_air.until_silent(stage, talked)
    assist_started = await on_air.until_over_started(stage, books, assist)
    stage.check(assist_started.at_ms >= talked_until.at_ms, "the assist waited until the talk had ended")
    stage.measure("assist: press → over, after someone's talk", _since_press(stage, books, assist_started), None, books)
    await on_air.until_received_by_radio(stage, books, assist)
    await on_air.until_warned(stage, books, assist)
    await on_air.answer_by_radio(stage, books, assist)

    talked = await on_air.talk(stage, _TALK_S)
    attack = await stage.press(shop, "attack")
    attack_started = await on_air.until_over_started(stage, shop, attack)
    talked_until = await on_air.until_silent(stage, talked)
    stage.check(attack_started.at_ms < talked_until.at_ms, "the attack broke in while someone was still talking")
    stage.measure("attack: press → over, into someone's talk", _since_press(stage, shop, attack_started), None, shop)
    await on_air.until_received_by_radio(stage, shop, attack)
    await on_air.until_warned(stage, shop, attack)
    await on_air.answer_by_radio(stage, shop, attack)

    town.restore_network(shop, books)
    await stage.close(books, assist, "Attended")
    await stage.close(shop, attack, "Attended")


def _since_press(stage: Stage, presser: Premises, started: Fact) -> float:
    pressed = [fact for fact in stage.town.chronicle.all("pressed", node=presser.node) if fact.at_ms <= started.at_ms]
    return started.at_ms - pressed[-1].at_ms if pressed else 0.0
