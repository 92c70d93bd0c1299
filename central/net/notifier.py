"""The notifier, by its socket: ordered to tell people on their phones, it says what became of it (docs/notices.md).

A thread of its own that only reports. The notifier may be starting, hung or gone: it is connected to again and again,
nobody waits for it, and each order ends with one ``Delivered`` or ``Failed`` in any case.
"""

from __future__ import annotations

import logging
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, get_args

from msgspec import Struct
from msgspec.structs import replace

from runtime.unix_address import socket_address
from wire.notices import (
    LINE_BYTES_MAX,
    VERSION,
    Accepted,
    CalledOff,
    CentralLine,
    Delivered,
    Failed,
    Grouped,
    Hello,
    Notice,
    NoticeLineError,
    NotifierLine,
    Reason,
    decode_reported,
    encode_notice_line,
)
from wire.snapshots import Way

logger = logging.getLogger(__name__)

PAUSES_S: Final = (0.5, 1.0, 2.0, 4.0)
ORDERED_MAX: Final = 2_000
"""Orders without a result. What is beyond them fails at once."""
ALONE_S: Final = 5.0
"""An order fails when there has been no notifier for so long: the next step of an escalation must not wait for one."""
RESULT_WITHIN_S: Final = 45.0
"""After an order stopped being valid: the notifier promises 30."""
SILENT: Final = (
    "Nobody is told on their phone: the notifier does not answer. Open pages work as before. Call the engineer, who"
    " looks at: systemctl status watchlink-notifier."
)
NOT_ASKED: Final = frozenset({"shift", "premises-alert", "premises-fault"})
"""Occasions of which nobody is asked: they may wait for a notifier that is started anew."""
TOO_OLD: Final = "The notifier is too old to tell of this: restart it."
_READ_BYTES: Final = 65_536
_BACKLOG_BYTES_MAX: Final = 1_048_576
"""Of a notifier that does not read; then it is hung up on."""

Report = Accepted | Grouped | Delivered | Failed


class Known(Struct, frozen=True):
    """What the notifier says of itself.

    Attributes:
        ways: those that it has; none = it is not there.
        key: its public key for push services; the last one known.
        occasions: those that it can tell of.
    """

    ways: tuple[str, ...] = ()
    key: str = ""
    occasions: tuple[str, ...] = ()


class _Ordered(Struct):
    notice: Notice
    until_s: float
    alone_s: float


class NotifierLink:
    """Connects until it is closed.

    Args:
        path: of the notifier's socket.
        report: takes what became of an order; on this object's thread.
        fault: takes what the operator must know, in a sentence; empty = nothing. On this object's thread.
        pauses_s: before the next try to connect; the last one again and again.
        alone_s: as :data:`ALONE_S`.
    """

    def __init__(
        self,
        path: Path,
        report: Callable[[Notice, Report], None],
        fault: Callable[[str], None],
        *,
        pauses_s: tuple[float, ...] = PAUSES_S,
        alone_s: float = ALONE_S,
    ) -> None:
        self._path = path
        self._report = report
        self._fault = fault
        self._pauses_s = pauses_s
        self._alone_s = alone_s
        self._known = Known()
        self._ways: tuple[str, ...] = get_args(Way)
        self._new: deque[CentralLine] = deque()
        self._ordered: dict[str, _Ordered] = {}
        self._notifier: socket.socket | None = None
        self._incoming = b""
        self._outgoing = bytearray()
        self._failures = 0
        self._connect_s = 0.0
        self._gone_s: float | None = time.monotonic()
        self._is_closing = False
        self._waker, self._wakened = socket.socketpair()
        self._waker.settimeout(0)
        self._wakened.settimeout(0)
        self._thread = threading.Thread(target=self._run, name="notifier-link", daemon=True)

    @property
    def known(self) -> Known:
        """What the notifier says of itself now. Any thread."""
        return self._known

    @property
    def ways(self) -> tuple[str, ...]:
        """By which people may be told: the notifier's. Any thread.

        All while it may be about to come, for :data:`ALONE_S` after the start, and the last ones while it may come
        back: the first step after a restart would pass over people who can be reached. An order to none fails.
        """
        return self._ways

    @property
    def is_sure(self) -> bool:
        """Whether the notifier has said so, or has had its time. Any thread."""
        return self._gone_s is None

    def start(self) -> None:
        """Begin to connect. Never raises."""
        self._gone_s = time.monotonic()
        self._thread.start()

    def order(self, notice: Notice) -> None:
        """Have somebody told. Any thread; never waits."""
        self._new.append(notice)
        self._wake()

    def call_off(self, reference: str) -> None:
        """Have nothing more begun with this reference. Any thread; never waits."""
        self._new.append(CalledOff(reference=reference))
        self._wake()

    def stop(self) -> None:
        """Hang up and stop. Idempotent."""
        self._is_closing = True
        self._wake()
        if self._thread.ident is not None:
            self._thread.join(1.0)

    def _wake(self) -> None:
        # A full pipe has already woken it; a closed one has nobody left to wake.
        with suppress(OSError):
            self._waker.send(b"\0")

    def _run(self) -> None:
        try:
            with selectors.DefaultSelector() as selector:
                selector.register(self._wakened, selectors.EVENT_READ)
                while not self._is_closing:
                    self._turn(selector)
        finally:
            self._hang_up()
            self._waker.close()
            self._wakened.close()

    def _turn(self, selector: selectors.BaseSelector) -> None:
        if self._notifier is None and time.monotonic() >= self._connect_s:
            self._connect()
        self._take_new()
        if len(self._outgoing) > _BACKLOG_BYTES_MAX:
            self._hang_up()
            self._pause()
        if self._notifier is not None:
            wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if self._outgoing else 0)
            selector.register(self._notifier, wanted)
        try:
            ready = selector.select(self._wait_s())
        finally:
            if self._notifier is not None:
                selector.unregister(self._notifier)
        for key, events in ready:
            if key.fileobj is self._wakened:
                with suppress(OSError):
                    self._wakened.recv(_READ_BYTES)
            elif self._notifier is not None:
                self._serve(self._notifier, events)
        self._give_up()

    def _wait_s(self) -> float | None:
        moments = [one.until_s + RESULT_WITHIN_S for one in self._ordered.values()]
        if not self._known.ways:
            moments += [one.alone_s for one in self._ordered.values()]
        if self._notifier is None:
            moments.append(self._connect_s)
        if self._gone_s is not None:
            moments.append(self._gone_s + self._alone_s)
        return max(0.0, min(moments) - time.monotonic()) if moments else None

    def _connect(self) -> None:
        notifier = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            # A Unix socket connects at once, or its listener's queue is full.
            notifier.settimeout(0)
            with socket_address(self._path) as address:
                notifier.connect(address)
        except OSError as e:
            notifier.close()
            if not self._failures:
                logger.warning("the notifier cannot be ordered: %s: %s", self._path, e.strerror)
            self._pause()
            return
        self._notifier = notifier

    def _pause(self) -> None:
        self._connect_s = time.monotonic() + self._pauses_s[min(self._failures, len(self._pauses_s) - 1)]
        self._failures += 1

    def _take_new(self) -> None:
        while self._new:
            line = self._new.popleft()
            if isinstance(line, CalledOff):
                self._say(line)
                self._call_off(line.reference)
            elif len(self._ordered) >= ORDERED_MAX:
                self._report(line, Failed(request=line.request, reason=Reason.FULL, words="Too many notices wait."))
            else:
                now_s = time.monotonic()
                self._ordered[line.request] = _Ordered(line, now_s + line.valid_s, 0)
                self._leave_alone(self._ordered[line.request])
                self._say(line)

    def _call_off(self, reference: str) -> None:
        if self._known.ways:
            return  # The notifier says what became of each.
        for one in [one for one in self._ordered.values() if one.notice.reference == reference]:
            self._end(one, Failed(request=one.notice.request, reason=Reason.CALLED_OFF))

    def _say(self, line: CentralLine) -> None:
        # Before its first line we do not know whether it speaks our language: what is ordered is said then.
        if self._notifier is None or not self._known.ways:
            return
        if isinstance(line, Notice) and line.occasion not in self._known.occasions:
            # It would hang up, and what is urgent would wait for the next connection.
            failed = Failed(request=line.request, reason=Reason.NOT_CONFIGURED, words=TOO_OLD)
            self._end(self._ordered[line.request], failed)
            return
        self._outgoing += encode_notice_line(line)

    def _serve(self, notifier: socket.socket, events: int) -> None:
        try:
            if events & selectors.EVENT_WRITE:
                del self._outgoing[: notifier.send(self._outgoing)]
            if events & selectors.EVENT_READ:
                found = notifier.recv(_READ_BYTES)
                if not found:
                    raise ConnectionResetError
                self._incoming += found
                self._read_lines()
        except BlockingIOError:
            pass
        except (OSError, NoticeLineError) as e:
            if isinstance(e, NoticeLineError):
                logger.warning("what the notifier says cannot be read: %s", e)
            self._hang_up()
            self._pause()

    def _read_lines(self) -> None:
        *lines, self._incoming = self._incoming.split(b"\n")
        if len(self._incoming) >= LINE_BYTES_MAX:
            raise NoticeLineError("notice line", LINE_BYTES_MAX)
        for data in lines:
            line = decode_reported(data + b"\n")
            if line is not None:
                self._take(line)

    def _take(self, line: NotifierLine) -> None:
        if isinstance(line, Hello):
            if line.version != VERSION:
                raise NoticeLineError("notice line", detail=f"version {line.version}")
            self._failures, self._gone_s = 0, None
            self._ways, self._known = line.ways, Known(line.ways, line.key, line.occasions)
            self._fault("")
            self._say_again()
            return
        ordered = self._ordered.get(line.request)
        if ordered is None:
            return
        if isinstance(line, Delivered | Failed):
            self._end(ordered, line)
        else:
            self._report(ordered.notice, line)

    def _say_again(self) -> None:
        """What had no result, for as long as it is still valid: the notifier sends nothing twice that it knows."""
        now_s = time.monotonic()
        for ordered in [*self._ordered.values()]:
            if (left_s := int(ordered.until_s - now_s)) > 0:
                self._say(replace(ordered.notice, valid_s=left_s))

    def _give_up(self) -> None:
        now_s = time.monotonic()
        if self._gone_s is not None and now_s >= self._gone_s + self._alone_s:
            self._gone_s, self._ways = None, ()
            self._fault(SILENT)
        for one in [*self._ordered.values()]:
            if not self._known.ways and now_s >= one.alone_s:
                words = "The notifier does not answer."
                self._end(one, Failed(request=one.notice.request, reason=Reason.UNREACHED, words=words))
            elif now_s >= one.until_s + RESULT_WITHIN_S:
                words = "The notifier said nothing of it."
                self._end(one, Failed(request=one.notice.request, reason=Reason.NO_ANSWER, words=words))

    def _end(self, ordered: _Ordered, line: Delivered | Failed) -> None:
        del self._ordered[ordered.notice.request]
        self._report(ordered.notice, line)

    def _hang_up(self) -> None:
        notifier, self._notifier = self._notifier, None
        self._incoming = b""
        self._outgoing.clear()
        if notifier is not None:
            notifier.close()
        if self._known.ways:
            self._gone_s = time.monotonic()
            self._known = Known(key=self._known.key)
            for one in self._ordered.values():
                self._leave_alone(one)

    def _leave_alone(self, one: _Ordered) -> None:
        """For how long it waits for a notifier: where nobody is asked, no step waits for it in turn."""
        one.alone_s = one.until_s if one.notice.occasion in NOT_ASKED else time.monotonic() + self._alone_s
