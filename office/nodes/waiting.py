"""Who waits for news: one question of each node, asked again and again. All of it runs on the server's loop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Final

from wire.ids import NodeId

WAITING_MAX: Final = 500
"""At one time: a town's shops. Measured: 164 MB, and 212 ms until the last is woken."""


class Question:
    """A question that waits."""

    def __init__(self) -> None:
        self.is_ended = False
        """Its node has asked another one, or the program ends: it is answered at once, with what there is."""
        self._changed = asyncio.Event()

    def wake(self) -> None:
        """Look again."""
        self._changed.set()

    async def changed(self, until_s: float) -> bool:
        """Wait until there may be something new, but not beyond ``until_s``, by the loop's clock; returns whether."""
        try:
            async with asyncio.timeout_at(until_s):
                await self._changed.wait()
        except TimeoutError:
            return False
        self._changed.clear()
        return True


class Waiting:
    """The open questions."""

    def __init__(self) -> None:
        self._questions: dict[NodeId, Question] = {}
        self._is_closing = False

    def __contains__(self, node: NodeId) -> bool:
        """Whether a node's question is open."""
        return node in self._questions

    @contextlib.contextmanager
    def asking(self, node: NodeId) -> Iterator[Question | None]:
        """A node's question, as long as it is open. Its earlier one ends. ``None`` = too many wait already."""
        before = self._questions.get(node)
        if before is None and len(self._questions) >= WAITING_MAX:
            yield None
            return
        question = self._questions[node] = Question()
        question.is_ended = self._is_closing
        if before is not None:
            before.is_ended = True
            before.wake()
        try:
            yield question
        finally:
            if self._questions.get(node) is question:
                del self._questions[node]

    def wake(self) -> None:
        """There may be something new for anybody."""
        for question in self._questions.values():
            question.wake()

    def close(self) -> None:
        """Let everybody go."""
        self._is_closing = True
        for question in self._questions.values():
            question.is_ended = True
            question.wake()
