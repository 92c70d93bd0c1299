"""A hostile broker orders radios, in central's name, to transmit: the *air* cells of the table of lies.

First no radio may key: the orders are unsigned or old. Then the control: the same orders, truly signed and current, are
all transmitted. A radio transmits anything signed within ten minutes, for any sender and again, because its hearers
judge it; then nothing that people read may change, except that a late press is shown as late.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from demo.liar import CENTRALS, Forge, Liar, Said
from demo.lies import Lie, frame_said, lie_of
from demo.matrix import IN_TOWN_WITH_RADIO, Manner, Row, rows, why_not
from demo.notice import NeverCameError
from demo.scripts import on_air
from demo.scripts.liar_past import Cast, Open, number_of, scene_of
from demo.scripts.liar_watch import changes, read_on, told_by
from demo.scripts.stage import PATIENCE_S, Stage
from demo.scripts.withholding import down
from wire.frames import decode, encode
from wire.ids import CENTRAL, FrameId
from wire.kinds import FrameKind
from wire.topics import ALL_HEARD, CentralTopic, Down, DownTopic, FrameTopic, IncidentTopic, Up, UpTopic

_NEVER_SAID: Final = (
    Manner.UNSIGNED,
    Manner.WRONG_SIGNER,
    Manner.REPLAYED,
    Manner.TO_ANOTHER,
    Manner.DELAYED_2_H,
)
_OF_NOW: Final = (Manner.REPLAYED, Manner.TO_ANOTHER, Manner.DELAYED_100_S)
"""Manners that may be transmitted, and then change nothing."""
_LONG_AGO_S: Final = 3_600
"""Signed this long ago, an order is too old for any radio."""
_SETTLE_S: Final = 0.2
"""A radio that accepts an order keys within a tenth of a second."""
_KEYS_WITHIN_S: Final = 2.0
"""The same on a busy machine."""
_QUIET_S: Final = 6.0
"""A repetition follows after four seconds at the earliest."""
_TRIES: Final = 10
_TRY_S: Final = 15.0
_NOBODYS: Final = 1_000
"""Numbers that nobody has used: a node's begin far higher, with the time."""
_NEWS: Final = (
    "receipt",
    "acknowledged",
    "closed",
    "shown",
    "upgrade_shown",
    "response",
    "undelivered",
    "committed",
    "cancelled",
    "forgotten",
    "late",
)
"""Facts that change what people read of an alert."""


async def play(stage: Stage, liar: Liar) -> None:
    """Play it; reports the number of cells by manner."""
    shop, thief, gateway = stage.premises("corner-shop"), stage.premises("night-stop"), on_air.gateway_of(stage)
    # Radios must not relay what they hear now: central would answer it, through a radio.
    liar.withhold(ALL_HEARD, *CENTRALS)
    await liar.until_obeyed()
    since = len(liar.kept)
    # The scene needs real messages: also who is on duty, and what central's radio asks when it comes back.
    wanted = {str(UpTopic(number_of(gateway), Up.SYNC)), str(CentralTopic(gateway.address.schemes[0]))}
    await gateway.cable.break_connections()
    await stage.town.watch_room.board_when(
        f"the liar had heard {wanted}, and central saw everybody well",
        lambda board: wanted <= {said.topic for said in liar.kept} and all(one.state == "ok" for one in board.nodes),
        PATIENCE_S,
    )
    alert = await stage.press(shop, "attack")
    await stage.until_fact("receipt", shop.node, alert)
    await stage.until_warned(shop, alert)
    await stage.until_face(gateway, "neighbour")
    # The scene needs the press too, of which the liar hears last on a busy machine.
    scheme, ours = shop.address.schemes[0], number_of(shop)
    wanted = {str(FrameTopic(scheme, ours)), str(IncidentTopic(scheme)), str(DownTopic(ours, Down.RECEIPT))}
    await stage.town.watch_room.board_when(
        f"the liar had heard {wanted}",
        lambda _board: wanted <= {said.topic for said in liar.kept[since:]},
        PATIENCE_S,
    )
    # One shop plays all parts: it has pressed and is unanswered.
    cast = Cast(shop, shop, shop, gateway, shop, thief, shop, shop)
    telling = _Telling(stage, liar, cast, Open(alert, alert, alert, (alert,), alert, alert))
    await telling.tell(liar.kept[since:])
    await stage.close(shop, alert, "Attended")


class _Telling:
    """One run through the cells."""

    def __init__(self, stage: Stage, liar: Liar, cast: Cast, now_open: Open) -> None:
        self._stage = stage
        self._liar = liar
        self._cast = cast
        self._forge = Forge.of_town(stage.town)
        scene = scene_of(liar.kept, stage.town, cast, now_open)
        self._scene = replace(scene, at=int(time.time()) - _LONG_AGO_S)
        self._told: dict[Manner, set[Row]] = {}
        self._said = 0
        self._late: Lie | None = None

    async def tell(self, kept: Iterable[Said]) -> None:
        """Tell all lies.

        Args:
            kept: messages about the open alert.
        """
        await asyncio.sleep(_KEYS_WITHIN_S)  # Central itself may have ordered a warning.
        await self._until_quiet()
        self._said = self._overs()
        for manner in _NEVER_SAID:
            await self._tell_unsaid(manner)
        news = self._news()
        orders = self._orders(kept)
        await self._control(orders)
        await self._tell_said(orders)
        moved = self._news() - news
        self._stage.check_truth(not moved, f"after what is truly signed was said again: {dict(moved)}")
        if self._late is not None:
            await self._tell_late(self._late)
        await self._until_quiet()  # By then everything heard has been relayed, to nobody.
        self._liar.let_through()
        for manner in dict.fromkeys((*_NEVER_SAID, *_OF_NOW)):
            count, of = len(self._told[manner]), len(_rows(manner))
            self._stage.say("lied", what=f"{manner}, to a radio", count=count, of=of)

    async def _tell_unsaid(self, manner: Manner) -> None:
        was = await self._read()
        for row in _rows(manner):
            lie = lie_of(row, manner, self._scene, self._forge)
            await self._tell(lie)
            await asyncio.sleep(_SETTLE_S)
            self._check_silence(f"after '{lie.name}'")
        await asyncio.sleep(_KEYS_WITHIN_S)
        self._check_silence(f"at the end of '{manner}'")
        for sentence in changes(was, await self._read()):
            self._stage.check_truth(False, f"at the end of '{manner}': {sentence}")  # noqa: FBT003

    def _check_silence(self, when: str) -> None:
        count, self._said = self._overs() - self._said, self._overs()
        self._stage.check_truth(not count, f"{when}: radios keyed {count} times")

    async def _read(self) -> dict[str, object]:
        town = self._stage.town
        faces = {f"panel of {one.name}": one.board.view.face for one in town.everywhere}
        return read_on(await town.watch_room.board()) | told_by(town.chronicle) | faces

    async def _control(self, orders: dict[Row, Said]) -> None:
        since = len(self._stage.town.chronicle)
        for order in orders.values():
            self._liar.say(order)

        def are_said() -> bool:
            overs = self._stage.town.chronicle.all("over_started", node=self._cast.idle.node, since=since)
            return sum(int(over.detail["bursts"]) for over in overs) >= len(orders)

        what = f"a radio said all {len(orders)} orders that were truly signed, and of now"
        await self._stage.town.notice.until(are_said, what, on_air.AIR_PATIENCE_S)

    async def _tell_said(self, orders: dict[Row, Said]) -> None:
        for manner in _OF_NOW:
            for row in _rows(manner):
                lie = lie_of(row, manner, self._scene, self._forge, (orders[row],))
                if row.what is FrameKind.ALERT and manner is Manner.DELAYED_100_S:
                    self._late = lie
                else:
                    await self._tell(lie)
        await asyncio.sleep(_KEYS_WITHIN_S)
        await self._until_quiet()

    async def _tell_late(self, lie: Lie) -> None:
        """A real press that was withheld: hearers accept it, but not as current."""
        chronicle, (said,) = self._stage.town.chronicle, lie.said
        frame = frame_said(said)
        assert frame is not None
        alert = frame.id.text
        for _ in range(_TRIES):  # An over may be lost.
            await self._tell(lie)
            with contextlib.suppress(NeverCameError):
                await self._stage.town.notice.until(lambda: chronicle.find("shown", alert=alert), alert, _TRY_S)
                break
        shown = chronicle.all("shown", alert=alert)
        is_marked = all(fact.detail.get("is_late") == "true" for fact in shown)
        self._stage.check_truth(is_marked, f"after '{lie.name}': a neighbour was shown it as live")

    async def _tell(self, lie: Lie) -> None:
        for said in lie.said:
            self._liar.say(said)
        self._told.setdefault(lie.manner, set()).add(lie.row)

    def _orders(self, kept: Iterable[Said]) -> dict[Row, Said]:
        """Real recent orders, and made with true keys where there are none; each about something else."""
        frames = {frame.KIND: said.payload for said in kept if (frame := frame_said(said)) is not None}
        topic = down(self._cast.idle, Down.AIR)
        orders = {}
        for number, row in enumerate(_rows(Manner.REPLAYED), start=_NOBODYS):
            nobodys = FrameId(number_of(self._cast.victim), number).text
            scene = replace(
                self._scene, pending_alert=nobodys, incident=nobodys, incident_latest=nobodys, at=int(time.time())
            )
            (said,) = lie_of(row, Manner.REPLAYED, scene, self._forge).said
            frame = decode(said.payload).frame
            if frame.sender == CENTRAL:
                said = replace(said, payload=encode(replace(frame, counter=number), self._forge.central))
            orders[row] = Said(topic, frames.get(frame.KIND, said.payload), None)
        return orders

    def _overs(self) -> int:
        return len(self._stage.town.chronicle.all("over_started"))

    def _news(self) -> Counter[str]:
        return Counter(fact.fact for fact in self._stage.town.chronicle if fact.fact in _NEWS)

    async def _until_quiet(self) -> None:
        """Wait until no radio keys any more."""
        town = self._stage.town
        while True:
            await town.notice.until(
                lambda: len(town.chronicle.all("unkeyed")) >= len(town.chronicle.all("keyed")),
                "everybody on the air fell silent",
                on_air.AIR_PATIENCE_S,
            )
            since_ms = max((fact.at_ms for fact in town.chronicle.all("unkeyed")), default=0.0)
            silent_s = (self._stage.now_ms() - since_ms) / 1_000
            if silent_s >= _QUIET_S:
                return
            await asyncio.sleep(_QUIET_S - silent_s)


def _rows(manner: Manner) -> list[Row]:
    return [row for row in rows() if row.channel.name == "air" and why_not(row, manner) == IN_TOWN_WITH_RADIO]
