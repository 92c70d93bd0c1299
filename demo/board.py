"""A node's fake board from outside: pins as levels; panel, LED and sounder as they are now."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from msgspec import Struct

from node.hw.fake_board_client import BoardView, FakeBoardClient

_CONNECT_WITHIN_S: Final = 120.0
DARK: Final = BoardView()


class Look(Struct, frozen=True):
    """What the board showed from ``at_ms`` on, by the machine's monotonic clock."""

    at_ms: float
    view: BoardView


class BoardLink:
    """The connection to one node's fake board, made again each time the node starts.

    Attributes:
        looks: every view since the start, oldest first.
        failed: parts that were broken on purpose.
    """

    def __init__(self, socket_path: Path, on_change: Callable[[], None]) -> None:
        self.looks: list[Look] = [Look(0, DARK)]
        self.failed: frozenset[str] = frozenset()
        self._socket_path = socket_path
        self._on_change = on_change
        self._client: FakeBoardClient | None = None
        self._held: set[str] = set()

    @property
    def view(self) -> BoardView:
        """The view now; dark while the node does not run."""
        return self.looks[-1].view

    @property
    def held(self) -> frozenset[str]:
        """Buttons whose pin is low."""
        return frozenset(self._held)

    async def connect(self) -> None:
        """Connect to a node that has just been started.

        Raises:
            ConnectionError: its board does not answer.
        """
        loop = asyncio.get_running_loop()

        def take_later(view: BoardView) -> None:
            with contextlib.suppress(RuntimeError):  # the demo has ended meanwhile
                loop.call_soon_threadsafe(self._take, view)

        self._client = await asyncio.to_thread(
            FakeBoardClient, self._socket_path, connect_timeout_s=_CONNECT_WITHIN_S, on_change=take_later
        )
        # A held button and a broken part outlast a restart.
        for button in self._held:
            self._client.set_level(button, "low")
        for part in self.failed:
            self._client.fail(part)

    async def disconnect(self) -> None:
        """Disconnect: the node is gone, or about to go."""
        client, self._client = self._client, None
        if client is not None:
            await asyncio.to_thread(client.close)
        # Views already on their way to this loop come first.
        await asyncio.sleep(0)
        self._take(DARK)

    def drive(self, button: str, *, is_low: bool, bounces: int = 0) -> None:
        """Drive the button's pin: low is pressed. ``bounces``: how often its contact went back on the way."""
        if is_low:
            self._held.add(button)
        else:
            self._held.discard(button)
        if self._client is not None:
            with contextlib.suppress(ConnectionError):
                self._client.set_level(button, "low" if is_low else "high", bounces=bounces)
        self._on_change()

    async def press(self, button: str, hold_ms: int = 150) -> None:
        """Press, hold and release."""
        self.drive(button, is_low=True)
        try:
            await asyncio.sleep(hold_ms / 1000)
        finally:
            self.drive(button, is_low=False)

    async def brush(self, button: str, brush_ms: int) -> None:
        """Press for ``brush_ms`` and no longer, however busy this machine: the board hears of it afterwards."""
        await asyncio.sleep(brush_ms / 1000)
        if self._client is not None:
            with contextlib.suppress(ConnectionError):
                self._client.brush(button, brush_ms)

    def set_part(self, part: str, *, is_failing: bool) -> None:
        """Break a part, or mend it."""
        self.failed = self.failed | {part} if is_failing else self.failed - {part}
        if self._client is not None:
            with contextlib.suppress(ConnectionError):
                (self._client.fail if is_failing else self._client.mend)(part)
        self._on_change()

    def _take(self, view: BoardView) -> None:
        if self._client is None and view is not DARK:
            return  # the last message of a node that is gone
        if view != self.looks[-1].view:
            self.looks.append(Look(time.monotonic_ns() / 1e6, view))
            self._on_change()


def words_of(view: BoardView) -> str:
    """The panel's words in one line, for people who cannot see the picture."""
    if view.is_blank:
        return "dark"
    return ". ".join(part for part in (view.headline, *view.lines) if part.strip())
