"""The seam between the intake thread, which makes changes, and the web's loop, which shows them."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from central.core.boards import BoardKeeper
from central.core.events import ActionRequested
from central.core.rights import Rights, Scope
from central.core.view import Action, Board, Change, DeliverChange, Done, Person, Refused

logger = logging.getLogger(__name__)

ANSWER_WITHIN_S: Final = 10.0
BEAT_S: Final = 1.0
STUCK_AFTER_S: Final = 10.0
"""Longer than any page takes to draw, even on a busy machine."""


class LiveBoard:
    """A :class:`central.core.view.BoardPort`.

    ``show``, ``answer`` and ``is_moving`` are the intake thread's, ``attach`` and ``is_broken`` the main one's, the
    rest the web loop's.
    """

    def __init__(
        self, board: Board, request: Callable[[ActionRequested], None], clock_s: Callable[[], float] = time.monotonic
    ) -> None:
        """Not attached yet.

        Args:
            board: as at the start.
            request: passes an action to the intake thread; must not block.
            clock_s: monotonic seconds.
        """
        self._clock_s = clock_s
        self._beat_s = clock_s()
        self._keeper = BoardKeeper(board)
        self._request = request
        self._loop: asyncio.AbstractEventLoop | None = None
        self._numbers = itertools.count(1)
        self._subscribers: list[DeliverChange] = []
        self._waiting: dict[int, asyncio.Future[Done | Refused]] = {}
        self._is_broken = False

    @property
    def is_broken(self) -> bool:
        """A change could not be applied: the board stands still for good, and every page would call it live."""
        return self._is_broken

    @property
    def is_moving(self) -> bool:
        """The web's loop ran in the last 10 s. A page that hangs is no better than none: nobody is answered."""
        return self._clock_s() - self._beat_s < STUCK_AFTER_S

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Send changes to ``loop`` from now on. Call it before the first :meth:`show`."""
        self._loop = loop
        self._cross(self._beat)

    def show(self, change: Change) -> None:
        """Pass on the next change."""
        self._cross(lambda: self._apply(change))

    def answer(self, request: int, result: Done | Refused) -> None:
        """The result of an action, if someone still waits."""
        self._cross(lambda: self._settle(request, result))

    @property
    def is_ok(self) -> bool:
        """Alerts can arrive and be stored."""
        board = self._keeper.board(datetime.now(UTC))
        return board.is_broker_linked and board.is_disk_ok

    def board(self, scope: Scope) -> Board:  # noqa: ARG002
        """The newest, as of now."""
        return self._keeper.board(datetime.now(UTC))

    def subscribe(self, deliver: DeliverChange, scope: Scope) -> None:  # noqa: ARG002
        """Call ``deliver`` with every change after the newest board."""
        self._subscribers.append(deliver)

    async def act(self, action: Action, by: Person, rights: Rights) -> Done | Refused:
        """Returns after the commit; refused without an answer within 10 s."""
        number = next(self._numbers)
        future: asyncio.Future[Done | Refused] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        try:
            self._request(ActionRequested(number, action, by, rights))
            async with asyncio.timeout(ANSWER_WITHIN_S):
                return await future
        except TimeoutError:
            return Refused("Central did not answer in time. Check the card before you try again.")
        finally:
            self._waiting.pop(number, None)

    def _cross(self, call: Callable[[], None]) -> None:
        # The loop ends before the intake thread does; by then nobody is looking.
        with contextlib.suppress(RuntimeError):
            if self._loop is not None:
                self._loop.call_soon_threadsafe(call)

    def _beat(self) -> None:
        self._beat_s = self._clock_s()
        if self._loop is not None:
            self._loop.call_later(BEAT_S, self._beat)

    def _apply(self, change: Change) -> None:
        try:
            self._keeper.apply(change)
        except ValueError:
            self._is_broken = True
            logger.exception("the board cannot go on")
            return
        for deliver in self._subscribers:
            deliver(change)

    def _settle(self, request: int, result: Done | Refused) -> None:
        future = self._waiting.get(request)
        if future is not None and not future.done():
            future.set_result(result)
