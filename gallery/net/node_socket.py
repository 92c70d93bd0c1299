"""The node on this unit, by its socket: asked for alerts about persons, it tells the time (docs/gallery-socket.md).

Its thread only reports. Whoever asks for an alert is answered within :data:`ANSWER_WITHIN_S` in any case.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Final, Protocol

from msgspec import Struct
from msgspec.structs import replace

from gallery.core.events import CentralTimeTold, Event, FrameHeard, ReportAlerted
from runtime.line_client import LineClient
from wire.gallery_socket import (
    LINE_BYTES_MAX,
    VERSION,
    Accepted,
    AlertAsked,
    CentralTime,
    Ended,
    Heard,
    Hello,
    KindText,
    LeftText,
    Neighbour,
    NodeLine,
    NodeState,
    PanelFace,
    PanelKey,
    PanelVisit,
    Progress,
    Refused,
    SocketLineError,
    VisitOver,
    decode_said,
    encode_line,
)

ANSWER_WITHIN_S: Final = 10.0
PAUSES_S: Final = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
ASKED_MAX: Final = 16
ANSWERED_MAX: Final = 16
"""So many requests the node remembers, and may give another alert."""
PROGRESS_MAX: Final = 64
NEIGHBOURS_MAX: Final = 128


class Unanswered(StrEnum):
    """Why nobody knows what became of a request."""

    NO_NODE = "no-node"
    """The node could not be asked in time, and is not asked later."""
    NO_ANSWER = "no-answer"
    """It was asked, and did not answer in time. It is not asked again: but if it took it, the alert goes out."""
    TOO_MANY = "too-many"
    """So many requests wait already. It was not asked."""


AlertAnswer = Accepted | Refused | Unanswered


class Told(Struct, frozen=True):
    """What the node has told.

    Attributes:
        state: whom a press reaches; ``None`` = the node is not connected.
        neighbours: other premises' open alerts about persons, newest last.
        progress: of our own, by the incident's id.
        renamed: alerts of ours that took another number: the incident that was answered, and what it is now.
    """

    state: NodeState | None = None
    neighbours: tuple[Neighbour, ...] = ()
    progress: tuple[Progress, ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()


class Panel(Protocol):
    """Who shows the gallery on the unit's own panel. Both are called on our thread, and return at once."""

    def take(self, line: PanelVisit | PanelKey | VisitOver) -> None:
        """The node says this of a visit."""

    def gone(self) -> None:
        """The node is not connected any more."""


class _Asked(Struct):
    line: AlertAsked
    answer: Future[AlertAnswer]
    until_s: float
    is_said: bool = False
    was_said: bool = False

    @property
    def unanswered(self) -> Unanswered:
        """What is known of it as long as the node has not answered."""
        return Unanswered.NO_ANSWER if self.was_said else Unanswered.NO_NODE


class NodeSocket(LineClient):
    """Connects until it is closed.

    Args:
        path: of the node's socket.
        put: takes events for the core; from a thread of this object's.
        changed: called, from that thread, whenever :attr:`told` has changed.
        pauses_s: before the next try to connect; the last one again and again.
    """

    def __init__(
        self,
        path: Path,
        put: Callable[[Event], None],
        changed: Callable[[], None] = lambda: None,
        *,
        pauses_s: tuple[float, ...] = PAUSES_S,
    ) -> None:
        super().__init__(path, "the node", LINE_BYTES_MAX, pauses_s)
        self._put = put
        self._changed = changed
        self._told = Told()
        self._lock = threading.Lock()
        self._new: deque[_Asked] = deque()
        self._faces: deque[PanelFace] = deque()
        self._panel: Panel | None = None
        self._asked: dict[str, _Asked] = {}
        self._incidents: dict[str, tuple[str, str]] = {}

    @property
    def told(self) -> Told:
        """What is so, as far as the node has told."""
        return self._told

    def lend(self, panel: Panel) -> None:
        """Whom visits by the unit's panel are for. Before :meth:`start`."""
        self._panel = panel

    def say(self, face: PanelFace) -> None:
        """Show this on the panel. Any thread; never waits. Without a node it is dropped: the visit is over."""
        with self._lock:
            self._faces.append(face)
        self._wake()

    def alert(
        self, kind: KindText, scheme: int, person: int, left: LeftText | None = None, request: str = ""
    ) -> Future[AlertAnswer]:
        """Ask for an alert. Any thread; never waits. The future is done within :data:`ANSWER_WITHIN_S`.

        Args:
            kind: what it is.
            scheme: number of the person's scheme.
            person: number of the reference.
            left: of a breach, whether they left when asked.
            request: 32 hexadecimal digits. Asked for again with the same ones, nothing is raised twice; empty = new.
        """
        answer: Future[AlertAnswer] = Future()
        line = AlertAsked(request=request or secrets.token_hex(16), kind=kind, scheme=scheme, person=person, left=left)
        with self._lock:
            if self._is_closing or len(self._asked) + len(self._new) >= ASKED_MAX:
                answer.set_result(Unanswered.NO_NODE if self._is_closing else Unanswered.TOO_MANY)
                return answer
            self._new.append(_Asked(line, answer, time.monotonic() + ANSWER_WITHIN_S))
        self._wake()
        return answer

    def stop(self) -> None:
        """Hang up and stop. Idempotent."""
        with self._lock:
            self._is_closing = True
        super().stop()

    def _end(self) -> None:
        super()._end()
        with self._lock:
            self._is_closing = True
            left = [*self._asked.values(), *self._new]
            self._asked.clear()
            self._new.clear()
        for asked in left:
            _settle(asked, asked.unanswered)

    def _moments_s(self) -> Iterable[float]:
        return (asked.until_s for asked in self._asked.values())

    def _prepare(self) -> None:
        self._take_new()
        self._say_asked()

    def _take_new(self) -> None:
        with self._lock:
            while self._new:
                asked = self._new.popleft()
                before = self._asked.get(asked.line.request)
                if before is None:
                    self._asked[asked.line.request] = asked
                else:
                    before.answer.add_done_callback(partial(_pass_on, asked))

    def _say_asked(self) -> None:
        with self._lock:
            faces = [*self._faces]
            self._faces.clear()
        if self._socket is None:
            return
        for face in faces:
            self._outgoing += encode_line(face)
        for asked in self._asked.values():
            if not asked.is_said:
                asked.is_said = asked.was_said = True
                self._outgoing += encode_line(asked.line)

    def _take(self, lines: list[bytes]) -> None:
        before = self._told
        for data in lines:
            line = decode_said(data)
            if isinstance(line, PanelVisit | PanelKey | VisitOver):
                if self._panel is not None:
                    self._panel.take(line)
            elif line is not None:
                self._take_line(line)
        if self._told != before:
            self._changed()

    def _take_line(self, line: NodeLine) -> None:
        told = self._told
        match line:
            case Hello():
                if line.version != VERSION:
                    raise SocketLineError("socket line", detail=f"version {line.version}")
                self._failures = 0
                self._told = Told(progress=told.progress, renamed=told.renamed)
            case NodeState():
                self._told = replace(told, state=line)
            case Neighbour():
                others = tuple(other for other in told.neighbours if other.incident != line.incident)
                self._told = replace(told, neighbours=(*others, line)[-NEIGHBOURS_MAX:])
            case Ended():
                left = tuple(other for other in told.neighbours if other.incident != line.incident)
                self._told = replace(told, neighbours=left)
            case Progress():
                earlier = tuple(other for other in told.progress if other.incident != line.incident)
                self._told = replace(told, progress=(*earlier, line)[-PROGRESS_MAX:])
            case Accepted() | Refused():
                self._answered(line)
            case CentralTime():
                self._put(CentralTimeTold(line.at_s))
            case Heard():
                self._put(FrameHeard(line.at_s))

    def _answered(self, line: Accepted | Refused) -> None:
        asked = self._asked.pop(line.request, None)
        if isinstance(line, Accepted) and self._is_news(line, is_asked=asked is not None):
            # A report's request is its id.
            self._put(ReportAlerted(line.request, line.incident, is_later=True))
        if asked is not None:
            _settle(asked, line)

    def _is_news(self, line: Accepted, *, is_asked: bool) -> bool:
        """Whether it replaces what was answered before; nobody may be waiting for it."""
        first, before = self._incidents.pop(line.request, (line.incident, line.incident))
        self._incidents[line.request] = first, line.incident
        while len(self._incidents) > ANSWERED_MAX:
            del self._incidents[next(iter(self._incidents))]
        renamed = tuple((was, now) for was, now in self._incidents.values() if was != now)
        self._told = replace(self._told, renamed=renamed)
        return not is_asked or before != line.incident

    def _look_at_clock(self) -> None:
        now_s = time.monotonic()
        for request in [request for request, asked in self._asked.items() if asked.until_s <= now_s]:
            given_up = self._asked.pop(request)
            _settle(given_up, given_up.unanswered)

    def _gone(self) -> None:
        for asked in self._asked.values():
            asked.is_said = False
        if self._panel is not None:
            self._panel.gone()
        if self._told.state is not None:
            self._told = replace(self._told, state=None)
            self._changed()


def _pass_on(asked: _Asked, done: Future[AlertAnswer]) -> None:
    _settle(asked, Unanswered.NO_ANSWER if done.cancelled() else done.result())


def _settle(asked: _Asked, answer: AlertAnswer) -> None:
    # Whoever asked may have gone.
    if asked.answer.set_running_or_notify_cancel():
        asked.answer.set_result(answer)
