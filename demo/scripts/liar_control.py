"""The control of the table of lies: truly signed, each row's lies change something that people read.

If a row changes nothing even then, its lies prove nothing: they would change nothing even if believed.
"""

from __future__ import annotations

import asyncio
from typing import Final

from msgspec.structs import replace

from demo.liar import Forge, Liar, Said
from demo.lies import frame_said, truth_of
from demo.matrix import COUNTERS, FLOOR, IN_TOWN_WITH_RADIO, WAITING, Manner, Row, rows, why_not
from demo.scene import HART
from demo.scripts import liar_past, liar_questions
from demo.scripts.liar_numbers import harmed
from demo.scripts.liar_past import Cast, Open
from demo.scripts.liar_watch import Watch
from demo.scripts.stage import PATIENCE_S, Stage
from wire.frames import Alert
from wire.ids import node_text
from wire.kinds import AnswerState, FrameKind, RefusalReason
from wire.topics import DownTopic, FrameTopic, parse_topic

_WITHIN_S: Final = 3.0
_REPORTED_WITHIN_S: Final = 15.0
"""A node reports its health every 10 s."""
_GONE_WITHIN_S: Final = 90.0
"""Something gone from a panel is noticed once everything else there has had its turn."""
_LOOK_EVERY_S: Final = 0.2
_QUIET_S: Final = 1.0
_NUMBERS: Final = 1_000
"""Step between one truth's numbers and the next: nodes go on from the last."""
_TELLINGS_MAX: Final = 3
_STRIKES_OFF: Final = "directory"
_SETTINGS: Final = "settings"
_ORDER: Final = (
    _STRIKES_OFF,
    _SETTINGS,
    "ack",
    "receipt",
    "incident",
    "sync",
    "syncAnswer",
    "health",
    "frame",
    "heard",
    "central",
)
"""Rows that spoil the scene for others, and so come last."""
_IN_HEALTH: Final = RefusalReason.FOREIGN_INCIDENT.slug
_LAST: Final = ("closed", "stopping", FLOOR)
_NEVER_BELIEVED: Final = (FrameKind.RECEIPT,)
"""Never believed from a central that signs, even truly signed: it does not name the bytes."""


async def play(stage: Stage) -> None:
    """Send each row once, truly signed and new."""
    stage.tell_on_purpose()
    liar = await asyncio.to_thread(Liar, stage.town)
    try:
        await stage.town.notice.until(lambda: liar.is_up, "the liar is on the broker", PATIENCE_S)
        await stage.gather()
        cast = Cast.of(stage)
        now_open = await liar_past.live(stage, liar, Forge.of_town(stage.town), cast)
        await _Control(stage, liar, cast, now_open).play()
    finally:
        liar.stop()


class _Control:
    """One run through the rows."""

    def __init__(self, stage: Stage, liar: Liar, cast: Cast, now_open: Open) -> None:
        self._stage = stage
        self._liar = liar
        self._cast = cast
        self._open = now_open
        self._forge = Forge.of_town(stage.town)
        self._watch = Watch(stage)
        self._said = 0
        self._moving = 0

    async def play(self) -> None:
        """All of them."""
        wanted = sorted(
            (
                row
                for row in rows()
                if why_not(row, Manner.UNSIGNED) != IN_TOWN_WITH_RADIO and row.what not in _NEVER_BELIEVED
            ),
            key=_order_of,
        )
        for row in (row for row in wanted if row.word in (COUNTERS, WAITING)):
            await self._say(row)
        await self._watch.begin()
        for row in (row for row in wanted if row.word not in (COUNTERS, WAITING)):
            if row.channel.name == "ack" and row.word == AnswerState.UNANSWERED.slug:
                await self._until_answered_again()
            await self._until_quiet()
            await self._say(row)
        self._stage.say("lied", what="rows whose lies would move something", count=self._moving, of=len(wanted))

    async def _say(self, row: Row) -> None:
        """Again where it moved nothing: a busy machine may have been too slow with what counts for seconds only."""
        for _ in range(_TELLINGS_MAX):
            moved = await self._tell(row)
            if moved:
                break
        self._stage.check(bool(moved), f"'{row.name}', truly signed, moved something: else its lies prove nothing")
        self._stage.say("moved", what=row.name, by=next(iter(moved), "nothing"))
        self._moving += bool(moved)
        if row.word == "closed" and row.what is not FrameKind.AUTOMATIC_ACKNOWLEDGEMENT:
            await self._press_anew()

    async def _tell(self, row: Row) -> tuple[str, ...]:
        """What the row's truth moved."""
        self._open = replace(self._open, pending=self._newest_pending())
        scene = liar_past.scene_of(self._liar.kept, self._stage.town, self._cast, self._open)
        is_of_numbers = row.word in (COUNTERS, WAITING, FLOOR)
        moved: tuple[str, ...] = ()
        async with liar_questions.open_for(row.channel.name, None, self._stage, self._liar, scene) as scene:
            truth = truth_of(row, scene, self._forge, self._said * _NUMBERS)
            if not is_of_numbers:
                await self._watch.moved()
            for sentence in await self._liar.tell(*truth):
                self._stage.check(False, f"'{row.name}' arrived: {sentence}")  # noqa: FBT003
            if not is_of_numbers:
                moved = await self._moved(row, truth[-1])
        if is_of_numbers:  # These show only at the next press.
            found = await harmed(self._stage, self._liar, scene, self._cast.idle)
            moved = (found[row.word],) if row.word in found else ()
        self._said += 1
        return moved

    async def _moved(self, row: Row, said: Said) -> tuple[str, ...]:
        """What changed soon after; only at the premises that got the message, if just one did."""
        is_gone = row.channel.name == _STRIKES_OFF
        town, topic = self._stage.town, parse_topic(said.topic)
        whose = (node_text(topic.node), town.name_of(node_text(topic.node))) if isinstance(topic, DownTopic) else ("",)
        is_in_health = row.word == _IN_HEALTH or row.channel.name == _SETTINGS
        within_s = _GONE_WITHIN_S if is_gone else _REPORTED_WITHIN_S if is_in_health else _WITHIN_S
        for _ in range(int(within_s / _LOOK_EVERY_S)):
            moved = tuple(
                sentence
                for sentence in await self._watch.moved()
                # Elsewhere something removed by an earlier truth is noticed only now.
                if (" no longer " in sentence) == is_gone and any(one in sentence for one in whose)
            )
            if moved:
                return moved
            await asyncio.sleep(_LOOK_EVERY_S)
        return ()

    async def _until_answered_again(self) -> None:
        """Wait until central has given back, as it does once a minute, the answer that an earlier row took.

        Taken back twice it moves nothing; and what central then tells must not be mistaken for what the row moved.
        """
        whose, alert = self._cast.answered, self._open.answered

        def is_answered() -> bool:
            known = self._stage.town.chronicle.all("acknowledged", node=whose.node, alert=alert)
            return known[-1].detail.get("state") == AnswerState.ANSWERED.slug

        await self._stage.town.notice.until(is_answered, f"{whose.name} knew again who had answered", PATIENCE_S)

    async def _until_quiet(self) -> None:
        """Wait until the previous truth has had its effect."""
        while await self._watch.moved():  # noqa: ASYNC110 - nothing tells that nothing happens
            await asyncio.sleep(_QUIET_S)

    async def _press_anew(self) -> None:
        """Press again, because the victim believes that its alert is closed.

        Unless central has told it better meanwhile, as it does once a minute: then this press joins that alert.
        """
        alert = await self._stage.press(self._cast.victim, "attack")
        await self._stage.until_fact("receipt", self._cast.victim.node, alert)
        stored = await self._stage.until_fact("stored", self._cast.victim.node, alert)
        self._open = replace(self._open, victim=stored.detail["incident"])

    def _newest_pending(self) -> str:
        """The pending alert's newest number; a refused alert is stored again under a new one."""
        topic = str(FrameTopic(liar_past.slug(HART), liar_past.number_of(self._cast.pending)))
        frames = [frame_said(said) for said in self._liar.kept if said.topic == topic]
        return max(frame.id for frame in frames if isinstance(frame, Alert)).text


def _order_of(row: Row) -> tuple[int, bool]:
    is_last = row.word in _LAST or row.what is FrameKind.DIGEST_RECEIPT  # A receipted frame is not refused.
    return _ORDER.index(row.channel.name), is_last
