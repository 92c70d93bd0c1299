"""The live feed: every change once, in order, to every browser that may see it, as Server-Sent Events.

Each scope has a feed of its own, with its own sequence, and each change is encoded once for all its browsers. A
joining browser gets the whole board or, if the ring of recent changes still holds what it missed, only that. A browser
that reads too slowly is disconnected; it comes back and gets the board. No rules and no clock of its own.

Events (``data`` is JSON; ``id`` is ``boot_id/sequence``):

======== =============================== ======================================================
event    data                            when
======== =============================== ======================================================
board    :class:`central.core.view.Board`  first, unless the missed changes could be replayed
change   :class:`central.core.view.Change` at each change; sequences have no gaps
beat     :class:`Beat`                   after joining, then every ``beat_ms``
======== =============================== ======================================================
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import Final, Literal

import msgspec
from msgspec.structs import replace

from central.core.board_port import BoardPort
from central.core.cards import bare_line, bared
from central.core.rights import Scope
from central.core.view import Board, Card, Change, NodeLine
from runtime.event_stream import Listener

logger = logging.getLogger(__name__)

CHANGES_KEPT: Final = 512
"""Changes in the ring: a reload or a short loss of the link needs no whole board."""

PIECES_QUEUED_MAX: Final = 256
"""How many events one browser may be behind before it is disconnected."""

CHANGES_BYTES_MAX: Final = 4 * 1024 * 1024
"""Limit of the ring, and of one browser's backlog: a flood's changes are large. A board is always sent whole."""

CHANNELS_IDLE_MAX: Final = 4
"""Scopes whose changes are kept though nobody looks: a page that reloads need not get the whole board."""

LISTENERS_MAX: Final = 400
"""Streams at one time, fewer than connections, so that a page can still be opened. All tabs of one
browser share one."""


class FeedTiming(msgspec.Struct, frozen=True):
    """When a page may call itself live. The page gets these numbers."""

    beat_ms: int = 5_000
    not_live_ms: int = 12_000
    """Silence after which the page says NOT LIVE: two beats and a bit."""
    lost_ms: int = 30_000
    """Silence after which it turns red and sounds."""


class Beat(msgspec.Struct, frozen=True):
    """Proof that the stream is alive; a browser whose own sequence is smaller has missed something."""

    at: datetime
    """Server time, from which the page works out every age."""
    boot_id: str
    sequence: int
    """Of the last change sent before this beat."""
    page: str
    """Digest of the page's own files: differs from the browser's after an update of central."""


class FeedFullError(Exception):
    """The limit of open streams is reached."""


class _Channel:
    """The feed of one scope: takes its changes, each encoded once, to its listeners."""

    def __init__(self, board: BoardPort, scope: Scope) -> None:
        first = board.board(scope)
        self.listeners: set[Listener] = set()
        self._board = board
        self._scope = scope
        self._boot_id, self._sequence = first.boot_id, first.sequence
        self._ring: deque[tuple[int, bytes]] = deque(maxlen=CHANGES_KEPT)
        self._ring_bytes = 0
        self._board_piece: tuple[int, bytes] = (-1, b"")
        self.is_cut = False
        self.end = board.subscribe(self._take, scope, self._cut)

    def begin(self, listener: Listener, after: str | None) -> None:
        """The first pieces of a new stream."""
        missed = self._missed(after)
        if missed is None:
            listener.put(self._whole_board(), is_shared=True)
        else:
            # One piece: a long replay must not fill the listener's own queue.
            listener.put(b"".join(missed))
        self.listeners.add(listener)

    def put(self, piece: bytes) -> None:
        """The same piece to every listener."""
        for listener in tuple(self.listeners):
            if not listener.has_ended:
                listener.put(piece)

    def beat(self, at: datetime, page: str) -> bytes:
        """The event."""
        return _event("beat", None, Beat(at=at, boot_id=self._boot_id, sequence=self._sequence, page=page))

    def _take(self, change: Change) -> None:
        self._sequence = change.sequence
        piece = _event("change", self._id(change.sequence), change)
        if len(self._ring) == CHANGES_KEPT:
            self._ring_bytes -= len(self._ring[0][1])
        self._ring.append((change.sequence, piece))
        self._ring_bytes += len(piece)
        while self._ring_bytes > CHANGES_BYTES_MAX and len(self._ring) > 1:
            self._ring_bytes -= len(self._ring.popleft()[1])
        self.put(piece)

    def _cut(self) -> None:
        """Changes are missing here from now on: browsers come back, and get the board."""
        self.is_cut = True
        for listener in tuple(self.listeners):
            listener.end()

    def _missed(self, after: str | None) -> list[bytes] | None:
        """The changes after id ``after``, or ``None`` if the ring does not hold them all."""
        boot_id, _, digits = (after or "").rpartition("/")
        if boot_id != self._boot_id or not (digits.isascii() and digits.isdigit() and len(digits) < 20):  # noqa: PLR2004
            return None
        seen = int(digits)
        oldest = self._ring[0][0] if self._ring else self._sequence + 1
        if not oldest - 1 <= seen <= self._sequence:
            return None
        return [piece for _, piece in itertools.dropwhile(lambda kept: kept[0] <= seen, self._ring)]

    def _whole_board(self) -> bytes:
        board = self._board.board(self._scope)
        if self._board_piece[0] != board.sequence:  # encoded once, however many browsers come at once
            self._board_piece = (board.sequence, _event("board", self._id(board.sequence), board))
        return self._board_piece[1]

    def _id(self, sequence: int) -> str:
        return f"{self._boot_id}/{sequence}"


class Feed:
    """Every scope's feed that somebody looks at, or did lately."""

    def __init__(self, board: BoardPort, *, timing: FeedTiming, page: str, now: Callable[[], datetime]) -> None:
        self._board = board
        self._timing = timing
        self._page = page
        self._now = now
        # By scope, the one that was joined last at the end.
        self._channels: dict[Scope, _Channel] = {}
        self._is_open = False

    @property
    def listener_count(self) -> int:
        """Streams open now."""
        return sum(len(channel.listeners) for channel in self._channels.values())

    def open(self) -> None:
        """Begin. Call on the loop that serves the pages."""
        self._is_open = True

    def close(self) -> None:
        """End every stream, and each that is asked for from now on."""
        self._is_open = False
        for channel in self._channels.values():
            for listener in tuple(channel.listeners):
                listener.end()

    def join(self, after: str | None, scope: Scope) -> Listener:
        """A new stream of what ``scope`` shows.

        ``after`` is the last id the browser saw; anything unknown gets the whole board.

        Raises:
            FeedFullError: see :data:`LISTENERS_MAX`.
        """
        if self.listener_count >= LISTENERS_MAX:
            raise FeedFullError
        channel = self._channels.pop(scope, None)
        if channel is None or channel.is_cut:
            channel = _Channel(self._board, scope)
        self._channels[scope] = channel
        self._end_idle()
        listener = Listener(PIECES_QUEUED_MAX, CHANGES_BYTES_MAX)
        channel.begin(listener, after)
        listener.put(channel.beat(self._now(), self._page))
        if not self._is_open:
            listener.end()
        return listener

    def leave(self, listener: Listener) -> None:
        """The browser went away."""
        for channel in self._channels.values():
            channel.listeners.discard(listener)

    async def beat_for_ever(self) -> None:
        """Send a beat to every listener every ``beat_ms``, until cancelled."""
        while True:
            await asyncio.sleep(self._timing.beat_ms / 1000)
            for channel in self._channels.values():
                channel.put(channel.beat(self._now(), self._page))

    def _end_idle(self) -> None:
        idle = [scope for scope, channel in self._channels.items() if not channel.listeners]
        for scope in idle[: max(0, len(idle) - CHANNELS_IDLE_MAX)]:
            self._channels.pop(scope).end()


def encode_shown(shown: Board | Change) -> bytes:
    """Encode as JSON; cards and lines that cannot be encoded are sent bare, so that none costs the page."""
    try:
        return msgspec.json.encode(shown)
    except (TypeError, ValueError, RecursionError):
        logger.exception("some cards or premises of the page cannot be sent whole")
        cards = (card if _is_sendable(card) else bared(card) for card in shown.cards)
        nodes = (line if _is_sendable(line) else bare_line(line.node) for line in shown.nodes)
        return msgspec.json.encode(
            replace(shown, cards=tuple(filter(_is_sendable, cards)), nodes=tuple(filter(_is_sendable, nodes)))
        )


def _is_sendable(line: Card | NodeLine) -> bool:
    try:
        msgspec.json.encode(line)
    except (TypeError, ValueError, RecursionError):
        return False
    return True


def _event(name: Literal["board", "change", "beat"], event_id: str | None, data: msgspec.Struct) -> bytes:
    head = f"event: {name}\n" if event_id is None else f"id: {event_id}\nevent: {name}\n"
    body = encode_shown(data) if isinstance(data, Board | Change) else msgspec.json.encode(data)
    return head.encode() + b"data: " + body + b"\n\n"
