"""Tells the town's facts at the terminal as they happen: sentences for people, JSON lines for programs."""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import itertools
import json
from collections.abc import Callable
from typing import Final, TextIO

from msgspec.structs import replace

from demo.chronicle import Fact
from demo.story import NameOf, is_told, sentence_of

_SETTLE_MS: Final = 150.0
"""How long facts from different programs' pipes wait for each other, to be told in order."""
_SETTLE_JSON_MS: Final = 500.0
"""A busy machine may hold a pipe up. Shorter than from one press to the next: a lost press must not get a later id."""


class Teller:
    """Takes facts as they are read, and tells them in the order in which they happened.

    Args:
        out: the output.
        is_json: one object per line, and nothing else.
        now_ms: on the facts' clock, since the chronicle began.
        name_of: a node's id → its premises' name.
    """

    def __init__(self, out: TextIO, *, is_json: bool, now_ms: Callable[[], float], name_of: NameOf) -> None:
        self._out = out
        self._is_json = is_json
        self._now_ms = now_ms
        self._name_of = name_of
        self._settle_ms = _SETTLE_JSON_MS if is_json else _SETTLE_MS
        self._zero_ms = 0.0
        self._waiting: list[tuple[float, int, Fact]] = []
        self._order = itertools.count()
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Start telling; this is moment 0."""
        self._zero_ms = self._now_ms()
        self._task = asyncio.create_task(self._say_for_ever())

    def take(self, fact: Fact) -> None:
        """Take one fact in."""
        if self._task is None or not is_told(fact):
            return
        if fact.fact == "stored":
            self._name_presses(fact)
        heapq.heappush(self._waiting, (fact.at_ms, next(self._order), fact))

    async def end(self) -> None:
        """Tell the rest."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        self._say_until(float("inf"))

    def plain(self, sentence: str) -> None:
        """Tell people a sentence that is not a fact."""
        if not self._is_json:
            self._write(sentence)

    def summary(self, **what: object) -> None:
        """Write the last line, for programs only."""
        if self._is_json:
            at_ms = round(self._now_ms() - self._zero_ms, 3)
            self._write(json.dumps({"at_ms": at_ms, "fact": "summary", "node": None, "alert": None, **what}))

    def _name_presses(self, stored: Fact) -> None:
        """Give a press its alert's id, if it has not been told yet."""
        for index, (at_ms, order, fact) in enumerate(self._waiting):
            if fact.fact == "pressed" and fact.node == stored.node and not fact.alert:
                self._waiting[index] = (at_ms, order, replace(fact, alert=stored.alert))
                return

    async def _say_for_ever(self) -> None:
        while True:
            self._say_until(self._now_ms() - self._settle_ms)
            await asyncio.sleep(self._settle_ms / 3000)

    def _say_until(self, until_ms: float) -> None:
        while self._waiting and self._waiting[0][0] <= until_ms:
            _, _, fact = heapq.heappop(self._waiting)
            at_ms = round(fact.at_ms - self._zero_ms, 3)
            if self._is_json:
                line = {"at_ms": at_ms, "fact": fact.fact, "node": fact.node or None, "alert": fact.alert or None}
                self._write(json.dumps({**line, **fact.detail}, ensure_ascii=False))
            else:
                self._write(f"{at_ms / 1000:8.3f} s  {sentence_of(fact, self._name_of)}")

    def _write(self, line: str) -> None:
        self._out.write(line + "\n")
        self._out.flush()
