"""Open questions of nodes during a lie: the liar has the nonce, and central has not heard it.

An answer counts only with such a nonce. A hostile broker can get one: a kept status of an earlier run of central, truly
signed, makes a node ask (ADR 0016), and the question is withheld from central.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar

from msgspec.structs import replace

from demo.liar import CENTRALS, Forge, Liar, Said
from demo.matrix import DELAYS_S, Manner, Row
from demo.notice import NeverCameError
from demo.scene import Scene
from demo.scripts.stage import PATIENCE_S, Stage
from wire.ids import parse_node
from wire.lateness import ANSWER_WITHIN_MS
from wire.messages import CentralStatus, Sync, SyncAnswer, decode_message, encode_message
from wire.signing import sign_message
from wire.topics import CentralTopic, Down, DownTopic, Up, UpTopic

T = TypeVar("T")

_LOOK_EVERY_S: Final = 0.02
_LOOKS_EACH_HINT: Final = 50
"""A hint is in vain while a node waits for an answer, up to five seconds: so it is repeated."""
_WITHIN_S: Final = ANSWER_WITHIN_MS / 1_000
_ASKING: Final = "sync"
_ANSWERING: Final = "syncAnswer"
_OF_NOW: Final = (Manner.UNSIGNED, Manner.WRONG_SIGNER, Manner.RETARGETED)
_OPEN: Final = {_ASKING: _OF_NOW, _ANSWERING: (*_OF_NOW, *DELAYS_S)}
"""Otherwise the lie is that the nonce is old, or never heard by central."""


class TooLateError(NeverCameError):
    """The machine was busy: by the last lie the questions were open no more, so nothing is known."""


def groups(rows: Iterable[Row]) -> tuple[tuple[Row, ...], ...]:
    """The rows, grouped by the questions they concern."""
    found: dict[str, tuple[Row, ...]] = {}
    for row in rows:
        key = row.channel.name if row.channel.name in _OPEN else ""
        found[key] = (*found.get(key, ()), row)
    return tuple(found.values())


@asynccontextmanager
async def open_for(channel: str, manner: Manner | None, stage: Stage, liar: Liar, scene: Scene) -> AsyncIterator[Scene]:
    """The scene for a channel: if its nonce counts, the nodes concerned have just asked.

    Args:
        channel: by name.
        manner: *delayed* = they asked too long ago for any answer to count; ``None`` = not a lie.
        stage: with the town.
        liar: withholds the questions from central.
        scene: to be changed.

    Raises:
        TooLateError: at the end, after lies that count only while the questions are open.
    """
    if manner not in _OPEN.get(channel, ()) and (manner is not None or channel not in _OPEN):
        yield scene
        return
    askers = (scene.victim,) if channel == _ASKING else (scene.victim, scene.idle)
    topics = {str(UpTopic(parse_node(one), Up.SYNC)): one for one in askers}
    await _answered(stage, liar, scene, topics)
    for topic in topics:
        liar.withhold(topic, *CENTRALS)
    try:
        await liar.until_obeyed()
        since, loop = len(liar.kept), asyncio.get_running_loop()
        asked_s = loop.time()  # At the earliest: the two need not ask at once.
        nonces = await _asked(stage, liar, scene, topics)
        if manner in DELAYS_S:
            await asyncio.sleep(_WITHIN_S)
        elif channel == _ASKING:  # Central must hear what is said in their names, and they ask again only later.
            liar.let_through(*topics)
            await liar.until_obeyed()
        yield replace(scene, nonces={**scene.nonces, **nonces})
        if channel == _ANSWERING and manner in _OF_NOW and loop.time() - asked_s >= _WITHIN_S:
            raise TooLateError(f"'{manner}' was told while the questions were open")
    finally:
        liar.let_through(*topics)
    answers = {str(DownTopic(parse_node(one), Down.SYNC)) for one in topics.values()}
    heard = {decode_message(one.payload, SyncAnswer).nonce for one in liar.kept[since:] if one.topic in answers}
    if manner is not None:
        stage.check(
            heard.isdisjoint(nonces.values()), f"central answered no question that was kept from it, '{manner}'"
        )


async def _answered(stage: Stage, liar: Liar, scene: Scene, topics: dict[str, str]) -> None:
    """Make them ask, and let central answer: soon after a minute without, a panel says NO LINK, which is no lie."""
    answers = {str(DownTopic(parse_node(one), Down.SYNC)) for one in topics.values()}

    def heard(said: Sequence[Said]) -> bool | None:
        nonces = {decode_message(one.payload, Sync).nonce for one in said if one.topic in topics}
        told = [one for one in said if one.topic in answers]
        return answers == {one.topic for one in told if decode_message(one.payload, SyncAnswer).nonce in nonces} or None

    await _hint_until(heard, f"central answered {_names(stage, topics)}", stage, liar, scene)


async def _asked(stage: Stage, liar: Liar, scene: Scene, topics: dict[str, str]) -> dict[str, str]:
    """Make them ask; returns each one's nonce."""

    def nonces(said: Sequence[Said]) -> dict[str, str] | None:
        found = {topics[one.topic]: decode_message(one.payload, Sync).nonce for one in said if one.topic in topics}
        return found if len(found) == len(topics) else None

    return await _hint_until(nonces, f"{_names(stage, topics)} asked central", stage, liar, scene)


def _names(stage: Stage, topics: dict[str, str]) -> str:
    return " and ".join(map(stage.town.name_of, topics.values()))


async def _hint_until(
    look: Callable[[Sequence[Said]], T | None], what: str, stage: Stage, liar: Liar, scene: Scene
) -> T:
    """Make every node ask, again and again; returns what ``look`` finds in all that is said meanwhile."""
    since, forge = len(liar.kept), Forge.of_town(stage.town)
    for number in range(int(PATIENCE_S / _LOOK_EVERY_S)):
        if number % _LOOKS_EACH_HINT == 0:
            for scheme in scene.schemes.values():
                liar.say(_hint(scheme, forge))
        await asyncio.sleep(_LOOK_EVERY_S)
        found = look(liar.kept[since:])
        if found is not None:
            return found
    raise NeverCameError(what)


def _hint(scheme: str, forge: Forge) -> Said:
    at = datetime.now(UTC).replace(microsecond=0)
    status = CentralStatus(boot_id="an earlier run", at=at, expires_at=at + timedelta(seconds=35))
    topic, payload = str(CentralTopic(scheme)), encode_message(status)
    return Said(topic, payload, sign_message(forge.central, topic, payload))
