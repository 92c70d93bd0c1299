"""The seam between the intake thread, which makes changes, and the web's loop, which shows them."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Final

from msgspec.structs import replace

from central.core.board_port import DeliverChange
from central.core.boards import BoardKeeper
from central.core.events import ActionRequested
from central.core.rights import WHOLE_TOWN, Rights, Scope
from central.core.sight import View
from central.core.view import (
    Action,
    AddNote,
    Board,
    Change,
    CloseRevoked,
    Done,
    EndDuty,
    Person,
    ReadHandover,
    Refused,
    StartDuty,
    TakeOffDuty,
)

logger = logging.getLogger(__name__)

ANSWER_WITHIN_S: Final = 10.0
BEAT_S: Final = 1.0
VIEWS_IDLE_MAX: Final = 8
"""Scopes that are kept up to date though nobody looks, so that a page that reloads need not begin anew."""
STUCK_AFTER_S: Final = 10.0
"""Longer than any page takes to draw, even on a busy machine."""


class LiveBoard:
    """A :class:`central.core.board_port.BoardPort`.

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
        # By scope, the one that was asked for last at the end; people with equal scopes share one.
        self._views: dict[Scope, View] = {}
        # Each with what cuts it off.
        self._subscribers: dict[Scope, list[tuple[DeliverChange, Callable[[], None]]]] = {}
        # Scopes of which a view could not go on.
        self._begun_anew: set[Scope] = set()
        self._waiting: dict[int, tuple[asyncio.Future[Done | Refused], Scope]] = {}
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
        return bool(self._keeper.said("is_broker_linked") and self._keeper.said("is_disk_ok"))

    def board(self, scope: Scope) -> Board:
        """The newest of ``scope``, as of now."""
        return self._view(scope).board(datetime.now(UTC))

    def subscribe(
        self, deliver: DeliverChange, scope: Scope, cut: Callable[[], None] = lambda: None
    ) -> Callable[[], None]:
        """Call ``deliver`` with every change after the newest board of ``scope``, until what is returned is called.

        ``cut`` is called where the changes cannot go on.
        """
        self._view(scope)
        subscriber = (deliver, cut)
        self._subscribers.setdefault(scope, []).append(subscriber)
        return partial(self._unsubscribe, subscriber, scope)

    async def act(self, action: Action, by: Person, rights: Rights) -> Done | Refused:
        """Returns after the commit; refused without an answer within 10 s."""
        view = self._view(rights.scope)
        meant = _with_entry(action, view)
        if isinstance(meant, Refused):
            return meant
        number = next(self._numbers)
        future: asyncio.Future[Done | Refused] = asyncio.get_running_loop().create_future()
        self._waiting[number] = (future, rights.scope)
        try:
            self._request(ActionRequested(number, meant, by, rights))
            async with asyncio.timeout(ANSWER_WITHIN_S):
                return await future
        except TimeoutError:
            return Refused("Central did not answer in time. Check the card before you try again.")
        finally:
            self._waiting.pop(number, None)

    def _view(self, scope: Scope) -> View:
        view = self._views.pop(scope, None)
        if view is None:
            # The whole town's has the run's own name and numbers; any other's tell nothing of them. A new name makes
            # pages ask for the board again.
            has_runs_name = scope == WHOLE_TOWN and scope not in self._begun_anew
            run = "" if has_runs_name else f"-{secrets.token_hex(4)}"
            view = View(scope, self._keeper, run, datetime.now(UTC))
        self._views[scope] = view
        idle = [one for one in self._views if one != scope and not self._subscribers.get(one)]
        for one in idle[: max(0, len(idle) - VIEWS_IDLE_MAX)]:
            del self._views[one]
        return view

    def _unsubscribe(self, subscriber: tuple[DeliverChange, Callable[[], None]], scope: Scope) -> None:
        subscribers = self._subscribers.get(scope, [])
        if subscriber in subscribers:
            subscribers.remove(subscriber)
        if not subscribers:
            self._subscribers.pop(scope, None)

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
        except Exception:
            self._is_broken = True
            logger.exception("the board cannot go on")
            return
        # Our bug on one scope's part of it must not keep it from the others.
        for scope, view in tuple(self._views.items()):
            try:
                made = view.take(change)
            except Exception:
                logger.exception("what one scope sees of the board cannot go on: its pages begin anew")
                self._begin_anew(scope)
                continue
            if made is not None:
                self._deliver(made, scope)

    def _begin_anew(self, scope: Scope) -> None:
        """Whoever comes next gets a view made from the whole board, which has the change."""
        del self._views[scope]
        self._begun_anew.add(scope)
        for _, cut in self._subscribers.pop(scope, []):
            cut()

    def _deliver(self, made: Change, scope: Scope) -> None:
        for subscriber in tuple(self._subscribers.get(scope, ())):
            deliver, cut = subscriber
            try:
                deliver(made)
            except Exception:
                logger.exception("a change cannot be passed on: its pages begin anew")
                self._unsubscribe(subscriber, scope)
                cut()

    def _settle(self, request: int, result: Done | Refused) -> None:
        future, scope = self._waiting.get(request, (None, None))
        if future is not None and scope is not None and not future.done():
            # The change that contains it has been applied: the core's own number counts others' traffic too.
            view = self._views.get(scope)
            sequence = view.sequence if view is not None else 0  # Whoever gets a new view gets it with the change.
            future.set_result(replace(result, sequence=sequence) if isinstance(result, Done) else result)


def _with_entry(action: Action, view: View) -> Action | Refused:
    """The action with the core's number of what was on screen."""
    if (
        isinstance(action, AddNote | CloseRevoked | StartDuty | EndDuty | ReadHandover | TakeOffDuty)
        or not action.seen_through
    ):
        return action
    through = view.through(action.seen_through)
    if through is None:
        return Refused("The card has changed since you looked. Check it, then try again.")
    return replace(action, seen_through=through)
