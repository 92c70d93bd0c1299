"""A client of the fake board: presses its buttons, watches its panel, breaks its parts. Standard library only.

A press and its outcome::

    with FakeBoardClient(Path("shop.sock")) as board:
        board.press("attack", hold_ms=1_200)
        board.wait_for_face("received", timeout_s=5)
"""

from __future__ import annotations

import base64
import json
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from runtime.unix_address import socket_address

LINE_BYTES_MAX: Final = 256 * 1024
_CONNECT_RETRY_S: Final = 0.05
_STOP_WAIT_S: Final = 1.0
FACES_KEPT: Final = 256
FINGER_UP_S: Final = 0.05
"""A finger is off a button for at least so long between two presses: longer than the node takes for a bounce."""


@dataclass(frozen=True, slots=True)
class BoardView:
    """What a person in front of the board sees and hears.

    Attributes:
        face, headline, lines: of the panel's last screen; empty before the first.
        is_blank: the panel is dark.
        png: the panel's pixels.
        led, sound: names of the patterns that play; ``off`` when none does.
        errors: the board's answers to lines that it did not understand.
    """

    face: str = ""
    headline: str = ""
    lines: tuple[str, ...] = ()
    is_blank: bool = True
    png: bytes = b""
    led: str = "off"
    sound: str = "off"
    errors: tuple[str, ...] = field(default=())


class FakeBoardClient:
    """One connection to a fake board. Safe from any thread.

    Args:
        path: the board's Unix socket; waited for until it is there.
        on_change: called with each new view, in the client's own thread.

    Raises:
        ConnectionError: nobody serves ``path`` within ``connect_timeout_s``.
    """

    def __init__(
        self,
        path: Path,
        *,
        connect_timeout_s: float = 60.0,
        on_change: Callable[[BoardView], None] | None = None,
    ) -> None:
        self._on_change = on_change
        self._changed = threading.Condition()
        self._view = BoardView()
        self._faces: deque[str] = deque(maxlen=FACES_KEPT)
        self._is_open = True
        self._send_lock = threading.Lock()
        self._released_at_s: dict[str, float] = {}
        self._socket = _connected(path, connect_timeout_s)
        self._thread = threading.Thread(target=self._read, name="fake-board-client", daemon=True)
        self._thread.start()

    @property
    def view(self) -> BoardView:
        """The view now."""
        with self._changed:
            return self._view

    @property
    def is_open(self) -> bool:
        """Whether the board is still there."""
        with self._changed:
            return self._is_open

    @property
    def faces_seen(self) -> tuple[str, ...]:
        """The faces of the last 256 pictures, oldest first."""
        with self._changed:
            return tuple(self._faces)

    def set_level(self, button: str, level: str, *, bounces: int = 0, bounce_ms: float = 1.0) -> None:
        """Put a button's pin to an electrical level: ``low`` is pressed, ``high`` is not.

        Sent with its time: on a busy machine the board may hear of a whole tap only when it is over. A button that was
        just released goes down again only after ``FINGER_UP_S``, as under a finger.

        Args:
            button: its name, such as ``attack``.
            level: where it is now, at the end of the last bounce.
            bounces: how often the contact reopens on its way down, or closes again on its way up.
            bounce_ms: from one of its edges to the next.
        """
        if level == "low" and button in self._released_at_s:
            time.sleep(max(0.0, self._released_at_s.pop(button) + FINGER_UP_S - time.monotonic()))
        now_s = time.monotonic()
        if level == "high":
            self._released_at_s[button] = now_s
        other = "high" if level == "low" else "low"
        for left in range(2 * bounces, -1, -1):
            at_s = now_s - left * bounce_ms / 1_000
            self.send({"button": button, "level": other if left % 2 else level, "at_s": at_s})

    def press(self, button: str, hold_ms: int = 100, *, bounces: int = 0, bounce_ms: float = 1.0) -> None:
        """Press, hold for ``hold_ms`` after the last bounce, and release; returns afterwards."""
        self.set_level(button, "low", bounces=bounces, bounce_ms=bounce_ms)
        time.sleep((hold_ms + 2 * bounces * bounce_ms) / 1_000)  # The release's bounces are stamped before its end.
        self.set_level(button, "high", bounces=bounces, bounce_ms=bounce_ms)

    def brush(self, button: str, lasted_ms: int) -> None:
        """Tell the board of a press that has just ended: a busy machine cannot draw it out into a longer one.

        Args:
            button: its name.
            lasted_ms: from its pin going low to now; the pin was high before.
        """
        now_s = self._released_at_s[button] = time.monotonic()
        self.send({"button": button, "level": "low", "at_s": now_s - lasted_ms / 1_000})
        self.send({"button": button, "level": "high", "at_s": now_s})

    def fail(self, part: str) -> None:
        """Break ``oled``, ``buttons``, ``sounder`` or ``led``."""
        self.send({"part": part, "state": "fail"})

    def mend(self, part: str) -> None:
        """Mend it; the node notices when it tries again."""
        self.send({"part": part, "state": "mend"})

    def send(self, message: dict[str, object]) -> None:
        """Send one message as a line.

        Raises:
            ConnectionError: the board is gone.
        """
        line = json.dumps(message).encode() + b"\n"
        with self._send_lock:
            try:
                self._socket.sendall(line)
            except OSError as error:
                raise ConnectionError(f"the fake board is gone: {error}") from error

    def wait_for(self, is_so: Callable[[BoardView], bool], *, timeout_s: float = 60.0, what: str = "that") -> BoardView:
        """Wait until ``is_so`` holds, and return the view.

        Raises:
            TimeoutError: not in time; the message holds the present view.
            ConnectionError: the board went away first.
        """
        with self._changed:
            self._changed.wait_for(lambda: is_so(self._view) or not self._is_open, timeout_s)
            if is_so(self._view):
                return self._view
            seen = replace(self._view, png=b"")
            if not self._is_open:
                raise ConnectionError(f"the fake board went away before {what}: {seen}")
            raise TimeoutError(f"no {what} within {timeout_s} s: {seen}")

    def wait_for_face(self, face: str, *, timeout_s: float = 60.0) -> BoardView:
        """Wait until that face shows. See :meth:`wait_for`."""
        return self.wait_for(lambda view: view.face == face and not view.is_blank, timeout_s=timeout_s, what=face)

    def close(self) -> None:
        """Hang up. May be called twice."""
        with self._changed:
            self._is_open = False
        with suppress(OSError):  # the board may have hung up first
            self._socket.shutdown(socket.SHUT_RDWR)
        if threading.current_thread() is not self._thread:
            self._thread.join(_STOP_WAIT_S)
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _read(self) -> None:
        try:
            with self._socket.makefile("rb") as lines:
                while line := lines.readline(LINE_BYTES_MAX):
                    self._take(json.loads(line))
        except (OSError, ValueError):  # hung up, or not JSON: nothing more will come
            pass
        with self._changed:
            self._is_open = False
            self._changed.notify_all()

    def _take(self, message: dict[str, Any]) -> None:
        with self._changed:
            view = _seen(self._view, message)
            self._view = view
            if "oled" in message and view.face:
                self._faces.append(view.face)
            self._changed.notify_all()
        if self._on_change is not None:
            self._on_change(view)


def _seen(view: BoardView, message: dict[str, Any]) -> BoardView:
    """``view`` after one message."""
    if "oled" in message:
        return replace(
            view,
            face=str(message["face"]),
            headline=str(message["headline"]),
            lines=tuple(message["lines"]),
            is_blank=bool(message["is_blank"]),
            png=base64.b64decode(message["oled"]),
        )
    if "led" in message:
        return replace(view, led=str(message["led"]))
    if "sound" in message:
        return replace(view, sound=str(message["sound"]))
    if "error" in message:
        return replace(view, errors=(*view.errors, str(message["error"]))[-FACES_KEPT:])
    return view


def _connected(path: Path, timeout_s: float) -> socket.socket:
    deadline_s = time.monotonic() + timeout_s
    while True:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            with socket_address(path) as address:
                connection.connect(address)
        except OSError as error:
            connection.close()
            if time.monotonic() >= deadline_s:
                raise ConnectionError(f"no fake board at {path}: {error}") from error
            time.sleep(_CONNECT_RETRY_S)
        else:
            return connection
