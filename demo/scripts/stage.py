"""Steps that all scripts share: gather the town, press, wait, answer, and note what is missing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

from msgspec.structs import replace

from central.core.view import Board, Person
from demo.board import words_of
from demo.central_records import CentralRecords
from demo.chronicle import CENTRAL, Fact
from demo.notice import NeverCameError
from demo.scripts.judgement import Judgement, Referee
from demo.shop import Premises
from demo.town import Town
from demo.watch_room import PERSON, card_of
from node.hw.fake_board_client import BoardView

PATIENCE_S: Final = 120.0
"""How long to wait for one thing. The machine may be busy; nothing here measures speed."""
LATE_AFTER_S: Final = 60.0
"""An alert that waited longer is late (N13), at the node and at central."""
_BOUNCES: Final = 3
_DOUBT_S: Final = 8.0
_TAP_S: Final = 0.5
_LOOK_EVERY_S: Final = 0.1


class Stage:
    """A town with a script on it.

    Attributes:
        town: the town.
        times: repetitions, for a script that repeats.
        seed: of random moments.
        counted: numbers of the script's own for the last line.
    """

    def __init__(self, town: Town, times: int = 20, seed: int = 0) -> None:
        self.town = town
        self.times = times
        self.seed = seed
        self._referee = Referee(town)
        self.counted: dict[str, int] = {}
        self._missing: list[str] = []
        self._is_told_on_purpose = False

    @property
    def records(self) -> CentralRecords:
        """Central's disk."""
        return self._referee.records

    def premises(self, key: str) -> Premises:
        """The premises with that key in :mod:`demo.premises`."""
        return self.town.premises[key]

    def judge(self) -> Judgement:
        """The judgement of the play."""
        judgement = self._referee.judge(tuple(self._missing))
        if self._is_told_on_purpose:
            return replace(judgement, lost=(), duplicates=(), untrue=())
        return judgement

    def tell_on_purpose(self) -> None:
        """The script itself says untrue things, truly signed: from now on only what is missing counts."""
        self._is_told_on_purpose = True

    def check(self, is_so: bool, what: str) -> None:  # noqa: FBT001 - reads as a sentence
        """Note ``what`` as missing unless it is so."""
        if not is_so:
            self._missing.append(what)

    @property
    def is_complete(self) -> bool:
        """Whether nothing is missing until now."""
        return not self._missing

    def check_truth(self, is_so: bool, what: str) -> None:  # noqa: FBT001 - reads as a sentence
        """Note ``what`` as told untruly unless it is so."""
        if not is_so:
            self._referee.accuse(what)

    def now_ms(self) -> float:
        """Since the chronicle began."""
        return self.town.now_ms() - self.town.chronicle.began_ms

    def say(self, fact: str, premises: Premises | None = None, **detail: object) -> None:
        """A fact of the script's own."""
        self.town.chronicle.say(self.town.now_ms(), fact, premises.node if premises else "", **detail)

    def measure(
        self, what: str, took_ms: float, bar_ms: int | None, presser: Premises | None = None, about: str = ""
    ) -> None:
        """Report how long something took, beside its bar. No verdict: the machine may be busy.

        But a negative time is not the machine's fault: then the script looked at the wrong facts.
        """
        self.check(took_ms >= 0, f"the script measured {what} between facts that belong together, {took_ms:.0f} ms")
        detail: dict[str, object] = {"what": what, "ms": round(took_ms)}
        if bar_ms is not None:
            detail["bar_ms"] = bar_ms
        if about:
            detail["about"] = about
        self.say("measured", presser, **detail)

    def judge_air_time(self, what: str, took_ms: int, machine_ms: int, bar_ms: int) -> None:
        """Report how long something took on the air, and note it as missing beyond its bar.

        This is a verdict, because the air's own time waits for a busy machine. The nodes' waits do not: if it
        is far too busy, all of them lose patience at once while an over goes on, and collide. The note tells how busy
        it was.

        Args:
            what: was measured.
            took_ms: in the air's time.
            machine_ms: on the machine's clock.
            bar_ms: in the air's time.
        """
        self.measure(what, took_ms, bar_ms)
        self.check(
            took_ms <= bar_ms,
            f"{what} in {bar_ms} ms of the air's time; it took {took_ms}, and {machine_ms} on the machine's clock. "
            "If that is far more, the machine was too busy: play it again with nothing beside",
        )

    # -- people ---------------------------------------------------------------------------------------------------

    async def gather(self) -> None:
        """Wait until central sees every premises well, then come on duty."""

        def is_all_well(board: Board) -> bool:
            lines = {line.node: line.state for line in board.nodes}
            there = (one for one in self.town.everywhere if one.node not in self.town.gone)
            return board.is_broker_linked and all(lines.get(p.node) == "ok" for p in there)

        await self.town.watch_room.board_when("central saw every premises well", is_all_well, PATIENCE_S)
        await self.town.watch_room.start_duty()

    async def press(self, premises: Premises, button: str) -> str:
        """Press a bouncing button until the node reports the alert on disk; returns the alert's id."""
        chronicle = self.town.chronicle
        since = len(chronicle)
        premises.board.drive(button, is_low=True, bounces=_BOUNCES)
        try:
            if button == "assist":
                # Its release shows that no chord was meant. A mocked pin has no kernel to remember when its level
                # changed, so on a busy machine a shorter tap looks like a bounce.
                await asyncio.sleep(_TAP_S)
                premises.board.drive(button, is_low=False)
            what = f"{premises.name} stored the {button} that was pressed"
            stored = await self.town.notice.until(
                lambda: chronicle.find("stored", node=premises.node, since=since), what, PATIENCE_S
            )
        finally:
            premises.board.drive(button, is_low=False)
        return stored.alert

    async def acknowledge(self, presser: Premises, alert: str) -> None:
        """PCSO J Patel answers, and the presser's node learns who."""
        await self.town.watch_room.acknowledge(alert)
        await self.until_acknowledged(presser, alert)

    async def until_acknowledged(
        self,
        presser: Premises,
        alert: str,
        state: str = "answered",
        within_s: float = PATIENCE_S,
        by: Person = PERSON,
    ) -> None:
        """Wait until the presser's node knows role and name."""

        def is_known() -> bool:
            facts = self.town.chronicle.all("acknowledged", node=presser.node, alert=alert)
            return any(
                (f.detail.get("state"), f.detail.get("role"), f.detail.get("name")) == (state, by.role, by.name)
                for f in facts
            )

        what = f"{presser.name} knew that {by.role} {by.name} said '{state}' of {alert}"
        await self.town.notice.until(is_known, what, within_s)

    async def until_taken_back(self, presser: Premises, alert: str) -> None:
        """Wait until the presser's node knows that the answer was taken back."""
        await self.town.notice.until(
            lambda: any(
                fact.detail.get("state") == "unanswered"
                for fact in self.town.chronicle.all("acknowledged", node=presser.node, alert=alert)
            ),
            f"{presser.name} knew that the answer was taken back",
            PATIENCE_S,
        )

    async def close(self, presser: Premises, alert: str, outcome: str) -> None:
        """A person at central closes it, and the presser's node learns it."""
        await self.town.watch_room.close(alert, outcome)
        await self.until_fact("closed", presser.node, alert)

    # -- waiting --------------------------------------------------------------------------------------------------

    async def until(self, what: str, is_so: Callable[[], Awaitable[bool]]) -> float:
        """Look again and again until it is so.

        Returns:
            When the look that found it so began, in seconds on the monotonic clock. It may have become so meanwhile.

        Raises:
            NeverCameError: it never was.
        """
        give_up_s = time.monotonic() + PATIENCE_S
        while (looks_s := time.monotonic()) < give_up_s:
            if await is_so():
                return looks_s
            await asyncio.sleep(_LOOK_EVERY_S)
        raise NeverCameError(f"{what} (waited {PATIENCE_S:.0f} s)")

    async def until_fact(
        self, fact: str, node: str, alert: str, *, since: int = 0, within_s: float = PATIENCE_S
    ) -> Fact:
        """Wait for a fact.

        Raises:
            NeverCameError: it did not come.
        """
        return await self.town.notice.until(
            lambda: self.town.chronicle.find(fact, node=node, alert=alert, since=since),
            f"{self._name(node)} said '{fact}' of {alert}",
            within_s,
        )

    async def until_face(self, premises: Premises, *faces: str) -> BoardView:
        """Wait until the premises' panel shows one of these faces."""

        def look() -> BoardView | None:
            view = premises.board.view
            return view if view.face in faces and not view.is_blank else None

        return await self.town.notice.until(
            look, f"the OLED of {premises.name} showed {' or '.join(faces)}", PATIENCE_S
        )

    async def until_words(self, premises: Premises, *words: str) -> None:
        """Wait until the premises' panel has shown all of these words at once."""

        def has_shown() -> bool:
            return any(all(one in words_of(look.view) for one in words) for look in premises.board.looks)

        await self.town.notice.until(has_shown, f"the OLED of {premises.name} showed {' '.join(words)}", PATIENCE_S)

    async def until_warned(self, presser: Premises, alert: str, within_s: float = PATIENCE_S) -> None:
        """Wait until every other premises of its schemes shows the alert."""
        for other in self.town.warned_by(presser):
            await self.until_fact("shown", other.node, alert, within_s=within_s)

    async def until_card(self, what: str, incident: str, is_so: Callable[[Board], bool]) -> None:
        """Wait until central's page shows the incident, with ``is_so`` true."""
        await self.town.watch_room.board_when(
            what, lambda board: card_of(board, incident) is not None and is_so(board), PATIENCE_S
        )

    async def until_late(self, stored: Fact) -> None:
        """Wait until an alert that is still undelivered has become late."""
        waited_s = (self.now_ms() - stored.at_ms) / 1000
        # Frames carry whole seconds, and a unit's clock by central is behind for as long as central's word took to
        # arrive: seconds on a busy machine. Whoever is in doubt warns.
        await asyncio.sleep(max(0.0, LATE_AFTER_S + _DOUBT_S - waited_s))

    def stored(self, alert: str) -> Fact:
        """The fact that this alert is on its presser's disk.

        Raises:
            NeverCameError: it is not.
        """
        found = self.town.chronicle.find("stored", alert=alert)
        if found is None:
            raise NeverCameError(f"{alert} was stored")
        return found

    def _name(self, node: str) -> str:
        return "central" if node == CENTRAL else self.town.name_of(node)
