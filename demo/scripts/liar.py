"""A liar controls the broker but has no signing key: nothing that it says may change anything (ADR 0016).

The table is in :mod:`demo.matrix`: each kind of content on each topic, in each manner. A cell's lie goes through
Mosquitto; then everything that people read must be unchanged.
"""

from __future__ import annotations

import asyncio
import shutil
from collections import Counter
from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from central.core.view import Board, Card, NodeLine
from demo.liar import CENTRALS, Forge, Liar, Said
from demo.lies import Lie, frame_said, lie_of, row_said
from demo.matrix import DELAYS_S, IN_TOWN_WITH_RADIO, WAITING, Manner, Row, rows, why_not
from demo.scene import HART, PUB_WATCH, Scene
from demo.scripts import liar_numbers, liar_past, liar_questions, liar_withholds
from demo.scripts.liar_past import Cast, scene_of
from demo.scripts.liar_watch import LAGS_S, Watch
from demo.scripts.stage import PATIENCE_S, Stage
from demo.watch_room import PERSON, card_of
from node.core.settings import Timing
from wire.frames import DigestReceipt, decode
from wire.topics import FrameTopic

_SETTLE_S: Final = 0.1
"""A message arrives within milliseconds, and is on the panel within forty. Later changes show in the next cell, or at
the end, when every panel has had its turns again."""
_RESTS_AFTER_S: Final = Timing().outcome_shown_ms / 1_000 + LAGS_S
"""After a restart a waiting own alert has its panel to itself for a minute. By then panels know who is on duty, and
central shows NO CONTACT for a dead unit that it knew."""
_SHOWN_S: Final = Timing().neighbour_shown_ms / 1_000
"""After this an alert leaves neighbours' panels anyway."""
_LONG_S: Final = 120.0
"""A frame is repeated at least once a minute."""
_TELLINGS_MAX: Final = 10
_KEPT_EACH: Final = 3
_QUICK: Final = (Manner.UNSIGNED, Manner.WRONG_SIGNER, Manner.RETARGETED, Manner.REPLAYED, Manner.TO_ANOTHER)
_IN_ONE_RUN: Final = (*_QUICK, Manner.REORDERED, *DELAYS_S)


async def play(stage: Stage) -> None:
    """Play all of it."""
    await _play(stage, is_quick=False)


async def play_quick(stage: Stage) -> None:
    """Play the cells that need no restart and no waiting."""
    await _play(stage, is_quick=True)


async def _play(stage: Stage, *, is_quick: bool) -> None:
    liar = await asyncio.to_thread(Liar, stage.town)
    try:
        await stage.town.notice.until(lambda: liar.is_up, "the liar is on the broker", PATIENCE_S)
        telling = _Telling(stage, liar)
        await telling.prepare(is_restored_later=not is_quick)
        await (telling.tell_quick() if is_quick else telling.tell_all())
        await telling.end(is_quick=is_quick)
    finally:
        liar.stop()


class _Telling:
    """One run through the table."""

    def __init__(self, stage: Stage, liar: Liar) -> None:
        self._stage = stage
        self._town = stage.town
        self._liar = liar
        self._forge = Forge.of_town(stage.town)
        self._cast = Cast.of(stage)
        self._watch = Watch(stage)
        self._cells: Counter[str] = Counter()
        self._kept: dict[Row, tuple[Said, ...]] = {}
        self._wills: dict[Row, tuple[Said, ...]] = {}

    async def prepare(self, *, is_restored_later: bool) -> None:
        """Let the town make a past, so that there is something to keep, and something open to lie about."""
        stage, town = self._stage, self._town
        await stage.gather()
        self._backup = town.folder / "backup of central"
        if is_restored_later:
            await town.kill(town.central)
            shutil.copytree(town.folder / "central" / "state", self._backup)
            await town.restart(town.central)
            await stage.gather()
        self._open = await liar_past.live(stage, self._liar, self._forge, self._cast)
        await self._until_all_have_asked()
        self._scene = scene_of(self._liar.kept, town, self._cast, self._open)
        for said in self._liar.kept:
            row = row_said(said)
            if row is None:
                continue
            # The last will of a continuing run is a hint that may be replayed: the next health refutes it.
            kept = self._wills if _is_will(said) and self._cast.dead.node not in said.topic else self._kept
            if said not in kept.get(row, ()):
                known = (*kept.get(row, ()), said)
                kept[row] = known if row.channel.name == "receipt" else known[-_KEPT_EACH:]
        receipted = [frame for said in self._liar.kept if isinstance(frame := frame_said(said), DigestReceipt)]
        stage.check(
            self._scene.incident_latest in {frame.target.text for frame in receipted},
            "the liar has kept the receipt of what a restored central will lack",
        )

    async def tell_quick(self) -> None:
        """Tell the lies that need no waiting."""
        await self._watch.begin()
        for manner in _QUICK:
            await self._tell(manner)
        await self._end_duty()

    async def tell_all(self) -> None:
        """Tell the lies in every manner."""
        town, cast = self._town, self._cast
        await self._watch.begin()
        news = []
        for manner in _IN_ONE_RUN:
            news += await self._tell(manner)
        await self._end_duty()
        for row, manner in news:
            await self._tell_late(self._lie(row, manner, self._scene))
        # Late messages in the idle premises' name have used up its node's numbers: it asks before it presses.
        await self._until_all_have_asked()
        await self._overtaken()

        nodes = [one for one in town.everywhere if one is not cast.dead]
        for one in nodes:
            await town.kill(one.program)
        await asyncio.gather(*(town.restart(one.program) for one in nodes))
        await self._until_at_rest()
        self._kept |= {row: (*self._kept.get(row, ()), *wills) for row, wills in self._wills.items()}
        await self._watch.begin()
        await self._tell(Manner.AFTER_NODE)
        await self._end_duty()

        await town.kill(town.central)
        await town.restart(town.central)
        await self._until_at_rest()
        await self._watch.begin()
        await self._tell(Manner.AFTER_CENTRAL)
        await self._end_duty()

        # What the restored central lacks is withheld from it: the victim knows, so an old receipt is no longer true.
        self._liar.withhold(self._frames_of_victim, *CENTRALS)
        await self._liar.until_obeyed()
        await town.kill(town.central)
        shutil.rmtree(town.folder / "central" / "state")
        shutil.copytree(self._backup, town.folder / "central" / "state")
        self._stage.say("restored")
        await town.restart(town.central)
        await self._until_all_have_asked()
        # It has answered the tests again, by itself, and would close them during the lies.
        for where, test in ((cast.answered, self._open.proof), *((cast.asking, one) for one in self._open.tests)):
            await self._stage.until_card(f"the restored central had {test}", test, lambda _board: True)
            await self._stage.close(where, test, "Test")
        tests = await liar_past.open_test(self._stage, cast.asking)
        self._scene = replace(self._scene, test_incident=tests[-1])
        await self._until_at_rest()
        await self._stage.until_face(cast.victim, "undelivered", "nearby")
        await self._watch.begin()
        await self._tell(Manner.AFTER_RESTORE)
        await self._end_duty()
        pressed = self._town.chronicle.find("stored")
        told_s = 0.0 if pressed is None else (self._stage.now_ms() - pressed.at_ms) / 1_000
        self._stage.check(
            told_s < _SHOWN_S,
            f"all was told before alerts leave panels by themselves; the first was {told_s:.0f} s old",
        )
        self._liar.let_through(self._frames_of_victim)

    async def end(self, *, is_quick: bool) -> None:
        """Let everything through, and check that nothing was lost and no number was used up."""
        stage, cast = self._stage, self._cast
        self._liar.let_through()
        await self._town.restart(cast.dead.program)
        await stage.until_fact("shown", cast.dead.node, self._open.pending)
        await stage.until_fact("receipt", cast.pending.node, self._open.pending, within_s=_LONG_S)
        for alert in self._open.alerts:
            await stage.until_card(f"central's page showed {alert}", alert, lambda _board: True)
        await stage.until_card(
            f"central had heard that {cast.pending.name} is coming", self._open.victim, self._is_pending_coming
        )
        await self._close_everything()
        if not is_quick:
            self._cells.update(await liar_withholds.play(stage, self._liar, cast))
            await self._close_everything()

        await self._until_all_have_asked()
        await self._tell_of_next_press()
        found = await liar_numbers.harmed(stage, self._liar, self._scene, cast.idle)
        self._accuse("at the end", found.values())
        self._report()

    async def _tell_of_next_press(self) -> None:
        """Repeat lies that harm a press only until its node next asks."""
        scene = scene_of(self._liar.kept, self._town, self._cast, self._open)
        for row in (row for row in rows() if row.word == WAITING):
            for manner in _QUICK:
                await self._liar.tell(*self._lie(row, manner, scene).said)

    def _is_pending_coming(self, board: Board) -> bool:
        card = card_of(board, self._open.victim)
        pressed = {} if card is None else {member.node: member.response for member in card.members}
        return pressed.get(self._cast.pending.node) == "responding"

    # -- one manner -------------------------------------------------------------------------------------------------

    async def _tell(self, manner: Manner) -> list[tuple[Row, Manner]]:
        """Tell each cell of the manner; returns those that are news to be accepted, left for later."""
        news = []
        told = (row for row in rows() if not why_not(row, manner))
        for group in liar_questions.groups(told):
            news += await self._tell_in_time(group, manner)
        return news

    async def _tell_in_time(self, group: tuple[Row, ...], manner: Manner) -> list[tuple[Row, Manner]]:
        """Tell a group of cells, anew where it took too long for them to count."""
        cells = self._cells.copy()
        for _ in range(_TELLINGS_MAX - 1):
            try:
                return await self._tell_group(group, manner)
            except liar_questions.TooLateError:
                self._cells = cells.copy()
        return await self._tell_group(group, manner)

    async def _tell_group(self, group: tuple[Row, ...], manner: Manner) -> list[tuple[Row, Manner]]:
        news = []
        async with liar_questions.open_for(
            group[0].channel.name, manner, self._stage, self._liar, self._scene
        ) as scene:
            for row in group:
                if manner is Manner.REORDERED and row.channel.name == "frame":
                    continue  # Its own scene.
                lie = self._lie(row, manner, scene)
                self._stage.check(bool(lie.said), f"there was something to say for {lie.name}")
                if lie.is_news:
                    news.append((row, manner))
                    continue
                await self._hand_over(lie)
                await asyncio.sleep(_SETTLE_S)
                self._accuse(f"after '{lie.name}'", await self._watch.moved())
        return news

    def _lie(self, row: Row, manner: Manner, scene: Scene) -> Lie:
        return lie_of(row, manner, scene, self._forge, self._kept.get(row, ()))

    async def _hand_over(self, lie: Lie) -> None:
        """Tell a lie; the cell counts if all its receivers have it."""
        missed = await self._liar.tell(*lie.said)
        for sentence in missed:
            self._stage.check(False, f"the lie '{lie.name}' arrived: {sentence}")  # noqa: FBT003
        self._cells[lie.manner] += not missed

    async def _end_duty(self) -> None:
        self._accuse("when every panel had had its turns again", await self._watch.end())

    def _accuse(self, when: str, moved: Iterable[str]) -> None:
        for sentence in moved:
            self._stage.check_truth(False, f"{when}: {sentence}")  # noqa: FBT003

    async def _tell_late(self, lie: Lie) -> None:
        """A real press that was withheld: it is accepted, but by nobody as current."""
        stage, room = self._stage, self._town.watch_room
        await self._hand_over(lie)
        alert = decode(lie.said[0].payload).frame.id.text
        await stage.until_card(f"central had {alert}, which was kept from it", alert, lambda _board: True)
        await stage.until_fact("shown", self._cast.thief.node, alert)
        card = card_of(await room.board(), alert)
        stage.check_truth(card is not None and card.is_late, f"after '{lie.name}': central's page shows it as live")
        shown = stage.town.chronicle.all("shown", alert=alert)
        is_marked = all(fact.detail.get("is_late") == "true" for fact in shown)
        stage.check_truth(is_marked, f"after '{lie.name}': a neighbour was shown it as live")
        await room.close(alert, "Attended")
        await self._until_gone(alert)
        await stage.town.notice.until(
            lambda: not any(self._cast.idle.is_named_on(look.board.view) for look in self._town.premises.values()),
            f"no neighbour's panel showed {alert} any more",
            _LONG_S,
        )

    async def _overtaken(self) -> None:
        """A press, a second one and a cancel arrive in the wrong order: all of them count."""
        stage, idle = self._stage, self._cast.idle
        topic = str(FrameTopic(self._scene.schemes[PUB_WATCH], liar_past.number_of(idle)))
        self._liar.withhold(topic, *CENTRALS, self._cast.thief.node)
        await self._liar.until_obeyed()
        since = len(self._liar.kept)
        alert = await stage.press(idle, "assist")
        further = await stage.press(idle, "attack")
        await idle.board.press("cancel", liar_past.HOLD_MS)

        def heard() -> list[Said] | None:
            found = {said.payload: said for said in self._liar.kept[since:] if said.topic == topic}
            return list(found.values()) if len(found) >= 3 else None  # noqa: PLR2004

        said = await stage.town.notice.until(heard, "the liar has kept two presses and a cancel", PATIENCE_S)
        await stage.town.cut_network(idle)
        self._liar.let_through(topic)
        await self._liar.until_obeyed()
        for frame in sorted(said, key=lambda one: -decode(one.payload).frame.counter):
            self._liar.say(frame)

        def is_whole(card: Card | None) -> bool:
            if card is None:
                return False
            return (card.kind, card.alert_count, card.state, card.cancelled) == ("attack", 2, "unanswered", "mistake")

        await stage.until_card(
            f"central had all of {alert}, whatever came first", alert, lambda board: is_whole(card_of(board, alert))
        )
        await stage.until_fact("shown", self._cast.thief.node, further)
        stage.town.restore_network(idle)
        for press in (alert, further):
            await stage.until_fact("receipt", idle.node, press, within_s=_LONG_S)
        await stage.close(idle, alert, "Mistake")
        self._cells[Manner.REORDERED] += sum(
            row.channel.name == "frame" and not why_not(row, Manner.REORDERED) for row in rows()
        )

    # -- the town ---------------------------------------------------------------------------------------------------

    @property
    def _frames_of_victim(self) -> str:
        return str(FrameTopic(self._scene.schemes[HART], liar_past.number_of(self._cast.victim)))

    async def _until_all_have_asked(self) -> None:
        """Wait until every node has asked again, which makes older messages stale."""
        alive = [one for one in self._town.everywhere if one is not self._cast.dead]
        since = len(self._liar.kept)
        await asyncio.gather(*(one.cable.break_connections() for one in alive))

        def is_answered() -> bool:
            return {one.node for one in alive} <= set(_answered(self._liar.kept[since:]))

        await self._town.notice.until(is_answered, "every node has asked central, and was answered", 2 * PATIENCE_S)
        nodes = {one.node for one in alive}
        await self._town.watch_room.board_when(
            "central saw every premises well",
            # A version is known once its health, not only its question, has arrived.
            lambda board: nodes <= {line.node for line in board.nodes if _is_well(line) and line.version},
            2 * PATIENCE_S,
        )
        if not (await self._town.watch_room.board()).on_duty:
            await self._town.watch_room.start_duty()

    async def _until_at_rest(self) -> None:
        """Wait after a restart until nothing changes by itself any more."""
        await self._until_all_have_asked()
        await asyncio.sleep(_RESTS_AFTER_S)

    async def _close_everything(self) -> None:
        room = self._town.watch_room
        for card in (await room.board()).cards:
            if card.state != "closed":
                await room.close(card.incident, "Attended", PERSON)
                await self._until_gone(card.incident)

    async def _until_gone(self, alert: str) -> None:
        await self._stage.until_card(
            f"{alert} is closed", alert, lambda board: (card := card_of(board, alert)) is None or card.state == "closed"
        )

    def _report(self) -> None:
        for manner in Manner:
            wanted = sum(not why_not(row, manner) for row in rows())
            self._stage.say("lied", what=str(manner), count=self._cells[manner], of=wanted)
        reasons = Counter(why_not(row, manner) for row in rows() for manner in Manner)
        elsewhere, played = reasons.pop(IN_TOWN_WITH_RADIO, 0), reasons.pop("", 0)
        self._stage.say("lied", what=f"all of them, of {played} in {len(rows())} rows", count=self._cells.total())
        self._stage.say("unplayed", count=reasons.total(), elsewhere=elsewhere)


def _is_will(said: Said) -> bool:
    return said.topic.endswith("/up/health") and b'"lost"' in said.payload


def _answered(kept: Iterable[Said]) -> list[str]:
    """Nodes whose syncs central has answered."""
    return [said.topic.split("/")[3] for said in kept if said.topic.endswith("/down/sync")]


def _is_well(line: NodeLine) -> bool:
    """But for the settings of the past, which one premises refuses (:mod:`demo.scripts.liar_past`)."""
    return line.state in ("ok", "fault") and all(fault.startswith("settings: refused") for fault in line.faults)
