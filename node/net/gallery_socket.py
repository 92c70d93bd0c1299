"""The Unix socket at which the gallery on this unit asks for alerts, and is told the time (docs/gallery-socket.md).

A thread of its own serves it, and nothing waits for it. The gallery may be hostile: its lines are bounded, it is heard
ten times a second at most, and one that does not read is hung up on.
"""

from __future__ import annotations

import logging
import os
import selectors
import socket
import stat
import struct
import threading
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import Final

from node.core.events import AlertAsked, GalleryCame, InputRejected, Offer, PanelFaceCame
from runtime.monotonic import monotonic_ms
from runtime.unix_address import socket_address
from wire.gallery_socket import (
    FACE_BYTES_MAX,
    VERSION,
    CentralTime,
    Ended,
    GalleryLine,
    Heard,
    Hello,
    Neighbour,
    NodeLine,
    NodeState,
    PanelFace,
    Progress,
    SocketLineError,
    decode_asked,
    encode_line,
)
from wire.ids import NodeId, node_text

logger = logging.getLogger(__name__)

PACE_MS: Final = 100
"""At most one line, or one new connection, is taken in this time: each costs the loop a step."""
READ_MS: Final = 5
"""At most one read in this time: of a line that comes byte by byte each would cost a turn."""
BACKLOG_BYTES_MAX: Final = 64 * 1024
KEPT_MAX: Final = 128
"""Alerts told to whoever connects; the oldest are left out."""
WAITING_MAX: Final = 10_000
"""A report waits behind so many messages from the network in a storm."""
LISTEN_AGAIN_MS: Final = 10_000
BAD_LINE_LOGGED_MS: Final = 3_600_000
"""A bad line is logged at most once in this time, however often the gallery connects; each is counted."""
_READ_BYTES: Final = 4_096
_PEER: Final = struct.Struct("3i")
"""struct ucred (unix(7)): process, user, group."""
_SOCKET_MODE: Final = 0o660


class GallerySocket:
    """Serves the socket until it is closed.

    Args:
        path: of the socket; one left behind is replaced.
        user: the gallery's user id; nobody else is heard.
        node: ours.
        offer: takes events for the loop.
    """

    def __init__(self, path: Path, user: int, node: NodeId, offer: Offer) -> None:
        self._path = path
        self._user = user
        self._hello = encode_line(Hello(version=VERSION, node=node_text(node)))
        self._offer = offer
        self._news: deque[NodeLine] = deque()
        self._kept: dict[str, bytes] = {}
        self._time_offset_ms: int | None = None
        self._listener: socket.socket | None = None
        self._gallery: _Connection | None = None
        self._take_ms = 0
        self._read_ms = 0
        self._listen_ms = 0
        self._log_ms = 0
        self._is_problem_told = False
        self._is_closing = False
        self._waker, self._wakened = socket.socketpair()
        self._waker.settimeout(0)
        self._wakened.settimeout(0)
        self._thread = threading.Thread(target=self._run, name="gallery-socket", daemon=True)

    def start(self) -> None:
        """Begin to serve. Never raises: a folder that is missing is looked for again."""
        self._thread.start()

    def tell(self, line: NodeLine) -> None:
        """Say this. Any thread; never waits."""
        self._news.append(line)
        self._wake()

    def close(self) -> None:
        """Hang up and stop. Idempotent."""
        self._is_closing = True
        self._wake()
        if self._thread.ident is None:
            self._waker.close()
            self._wakened.close()
        else:
            self._thread.join(1.0)

    def _wake(self) -> None:
        # A full pipe has already woken it.
        with suppress(OSError):
            self._waker.send(b"\0")

    def _run(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._wakened, selectors.EVENT_READ)
            while not self._is_closing:
                self._turn(selector)
        for closable in (self._listener, self._gallery and self._gallery.socket, self._waker, self._wakened):
            if closable:
                closable.close()
        if self._listener is not None:
            with suppress(OSError):
                self._path.unlink()

    def _turn(self, selector: selectors.BaseSelector) -> None:
        now_ms = monotonic_ms()
        if self._listener is None and now_ms >= self._listen_ms:
            self._listen(now_ms)
        may_take = now_ms >= self._take_ms
        if self._listener is not None:
            _watch(selector, self._listener, selectors.EVENT_READ if may_take else 0)
        if self._gallery is not None:
            may_read = may_take and now_ms >= self._read_ms
            _watch(selector, self._gallery.socket, self._gallery.wanted(may_read))
        is_held = self._gallery is not None and self._gallery.has_line and may_take
        for key, events in selector.select(0 if is_held else self._wait_s(now_ms)):
            if key.fileobj is self._wakened:
                with suppress(OSError):
                    self._wakened.recv(_READ_BYTES)
            elif key.fileobj is self._listener:
                self._accept(selector)
            elif self._gallery is not None and key.fileobj is self._gallery.socket:
                self._serve(selector, self._gallery, events)
        self._spread(selector)
        if self._gallery is not None and monotonic_ms() >= self._take_ms:
            self._take_line(selector, self._gallery)

    def _wait_s(self, now_ms: int) -> float | None:
        waits = [due - now_ms for due in (self._take_ms, self._read_ms) if now_ms < due]
        if self._listener is None:
            waits.append(self._listen_ms - now_ms)
        return max(0, min(waits)) / 1000 if waits else None

    def _listen(self, now_ms: int) -> None:
        try:
            self._listener = _listening(self._path)
        except OSError as e:
            self._listen_ms = now_ms + LISTEN_AGAIN_MS
            if not self._is_problem_told:
                logger.warning("the gallery cannot connect: %s: %s", self._path, e.strerror)
            self._is_problem_told = True

    def _accept(self, selector: selectors.BaseSelector) -> None:
        self._take_ms = monotonic_ms() + PACE_MS
        if self._listener is None:
            return
        try:
            connection, _ = self._listener.accept()
        except OSError:
            return
        if not _is_of(connection, self._user):
            connection.close()
            self._offer(InputRejected("gallery peer"), WAITING_MAX)
            return
        self._hang_up(selector)  # A gallery that hung must not keep its next run out.
        connection.settimeout(0)
        greeting = [self._hello, *self._kept.values()]
        if self._time_offset_ms is not None:
            greeting.append(encode_line(CentralTime(at_s=(self._time_offset_ms + monotonic_ms()) // 1000)))
        self._gallery = _Connection(connection, b"".join(greeting))
        self._offer(GalleryCame(is_here=True), WAITING_MAX)

    def _serve(self, selector: selectors.BaseSelector, gallery: _Connection, events: int) -> None:
        if events & selectors.EVENT_READ:
            self._read_ms = monotonic_ms() + READ_MS
        if (events & selectors.EVENT_READ and not gallery.read()) or (
            events & selectors.EVENT_WRITE and not gallery.write()
        ):
            self._hang_up(selector)

    def _take_line(self, selector: selectors.BaseSelector, gallery: _Connection) -> None:
        try:
            line = gallery.line()
            if line is None:
                return
            asked = decode_asked(line)
        except SocketLineError as e:
            if monotonic_ms() >= self._log_ms:
                logger.warning("the gallery said what it may not: %s", e)
                self._log_ms = monotonic_ms() + BAD_LINE_LOGGED_MS
            self._offer(InputRejected(e.reason), WAITING_MAX)
            self._hang_up(selector)
            return
        self._take_ms = monotonic_ms() + PACE_MS
        if not self._offer(_event(asked), WAITING_MAX):
            self._hang_up(selector)  # It asks again, by the same request.

    def _spread(self, selector: selectors.BaseSelector) -> None:
        while self._news:
            line = self._news.popleft()
            data = encode_line(line)
            self._keep(line, data)
            if self._gallery is not None and not self._gallery.say(data):
                self._hang_up(selector)

    def _keep(self, line: NodeLine, data: bytes) -> None:
        """For whoever connects next."""
        match line:
            case CentralTime():
                self._time_offset_ms = 1_000 * line.at_s - monotonic_ms()
            case NodeState() | Heard():
                self._kept[type(line).__name__] = data
            case Progress() | Neighbour():
                self._kept.pop(line.incident, None)
                self._kept[line.incident] = data
            case Ended():
                self._kept.pop(line.incident, None)
            case _:
                pass  # An answer, for whoever asked.
        while len(self._kept) > KEPT_MAX:
            self._kept.pop(next(key for key in self._kept if "-" in key))

    def _hang_up(self, selector: selectors.BaseSelector) -> None:
        gallery, self._gallery = self._gallery, None
        if gallery is not None:
            _watch(selector, gallery.socket, 0)
            gallery.socket.close()
            self._offer(GalleryCame(is_here=False), WAITING_MAX)


def _event(said: GalleryLine) -> AlertAsked | PanelFaceCame:
    if isinstance(said, PanelFace):
        return PanelFaceCame(said.visit, said.headline, said.lines, said.picture, said.is_over)
    return AlertAsked(said.request, said.alert_kind, said.scheme, said.person, said.answer)


class _Connection:
    """The gallery's end: what it has said but is not taken yet, and what it has not read yet."""

    def __init__(self, connection: socket.socket, greeting: bytes) -> None:
        self.socket = connection
        self._incoming = b""
        self._outgoing = bytearray(greeting)

    @property
    def has_line(self) -> bool:
        """Whether a line waits to be taken, or too much without one."""
        return b"\n" in self._incoming or len(self._incoming) >= FACE_BYTES_MAX

    def wanted(self, may_read: bool) -> int:  # noqa: FBT001 - one question
        """The selector's events: nothing more is read while a line waits."""
        reads = selectors.EVENT_READ if may_read and not self.has_line else 0
        return reads | (selectors.EVENT_WRITE if self._outgoing else 0)

    def read(self) -> bool:
        """Read what is there; False = it has hung up."""
        try:
            found = self.socket.recv(_READ_BYTES)
        except BlockingIOError:
            return True
        except OSError:
            return False
        self._incoming += found
        return bool(found)

    def write(self) -> bool:
        """Write what it takes; False = it has hung up."""
        try:
            del self._outgoing[: self.socket.send(self._outgoing)]
        except BlockingIOError:
            return True
        except OSError:
            return False
        return True

    def say(self, data: bytes) -> bool:
        """Add a line; False = it reads nothing."""
        self._outgoing += data
        return len(self._outgoing) <= BACKLOG_BYTES_MAX

    def line(self) -> bytes | None:
        """The next line; ``None`` = none is whole.

        Raises:
            SocketLineError: it is too long.
        """
        line, end, rest = self._incoming.partition(b"\n")
        if end:
            self._incoming = rest
            return line + end
        if len(line) >= FACE_BYTES_MAX:
            raise SocketLineError("socket line", FACE_BYTES_MAX)
        return None


def _is_of(connection: socket.socket, user: int) -> bool:
    """Whether that user's program has connected, by the kernel's word."""
    try:
        peer = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size)
    except OSError:
        return False
    _, uid, _ = _PEER.unpack(peer)
    return bool(uid == user)


def _listening(path: Path) -> socket.socket:
    with suppress(FileNotFoundError):
        if stat.S_ISSOCK(path.lstat().st_mode):
            path.unlink()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with socket_address(path) as address:
            listener.bind(address)
            # The folder says who may come in; its group is the socket's.
            os.chmod(address, _SOCKET_MODE)  # noqa: PTH101 - the address, however long the path
        listener.listen(4)
        listener.settimeout(0)
    except OSError:
        listener.close()
        raise
    return listener


def _watch(selector: selectors.BaseSelector, watched: socket.socket, events: int) -> None:
    """Let the selector look for exactly these events."""
    known = watched in selector.get_map()
    if events and known:
        selector.modify(watched, events)
    elif events:
        selector.register(watched, events)
    elif known:
        selector.unregister(watched)
