"""The notifier, by its socket: ordered to tell people on their phones, it says what became of it (docs/notices.md).

Its thread only reports. Nobody waits for the notifier, and each order ends with one ``Delivered`` or ``Failed`` in any
case.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final, get_args

from msgspec import Struct
from msgspec.structs import replace

from runtime.line_client import LineClient
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
    is_called_off: bool = False


class NotifierLink(LineClient):
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
        super().__init__(path, "the notifier", LINE_BYTES_MAX, pauses_s)
        self._report = report
        self._fault = fault
        self._alone_s = alone_s
        self._known = Known()
        self._ways: tuple[str, ...] = get_args(Way)
        self._new: deque[CentralLine] = deque()
        self._is_woken = False
        self._ordered: dict[str, _Ordered] = {}
        self._gone_s: float | None = time.monotonic()

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
        super().start()

    def order(self, notice: Notice) -> None:
        """Have somebody told. Any thread; never waits."""
        self._add(notice)

    def call_off(self, reference: str) -> None:
        """Have nothing more begun with this reference. Any thread; never waits."""
        self._add(CalledOff(reference=reference))

    def _add(self, line: CentralLine) -> None:
        self._new.append(line)
        # Else it takes this one with those before. By how many wait, two threads at once could both be wrong.
        if not self._is_woken:
            self._is_woken = True
            self._wake()

    def _moments_s(self) -> Iterable[float]:
        yield from (one.until_s + RESULT_WITHIN_S for one in self._ordered.values())
        if not self._known.ways:
            yield from (one.alone_s for one in self._ordered.values())
        if self._gone_s is not None:
            yield self._gone_s + self._alone_s

    def _prepare(self) -> None:
        self._is_woken = False  # Before it looks: what is added from now on wakes it again.
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
        for one in [one for one in self._ordered.values() if one.notice.reference == reference]:
            one.is_called_off = True
            if not self._known.ways:  # Else the notifier says what became of it.
                self._settle(one, Failed(request=one.notice.request, reason=Reason.CALLED_OFF))

    def _say(self, line: CentralLine) -> None:
        # Before its first line we do not know whether it speaks our language: what is ordered is said then.
        if not self._known.ways:
            return
        if isinstance(line, Notice) and line.occasion not in self._known.occasions:
            # It would hang up, and what is urgent would wait for the next connection.
            failed = Failed(request=line.request, reason=Reason.NOT_CONFIGURED, words=TOO_OLD)
            self._settle(self._ordered[line.request], failed)
            return
        self._outgoing += encode_notice_line(line)

    def _take(self, lines: list[bytes]) -> None:
        for data in lines:
            line = decode_reported(data)
            if line is not None:
                self._take_line(line)

    def _take_line(self, line: NotifierLine) -> None:
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
            self._settle(ordered, line)
        else:
            self._report(ordered.notice, line)

    def _say_again(self) -> None:
        """What had no result, for as long as it is still valid: the notifier sends nothing twice that it knows.

        What was answered meanwhile is not: a notifier that hung or died may never have heard of that.
        """
        now_s = time.monotonic()
        over = [one for one in self._ordered.values() if one.is_called_off]
        wanted = {one.notice.reference for one in self._ordered.values() if not one.is_called_off}
        for reference in dict.fromkeys(one.notice.reference for one in over):
            if reference not in wanted:  # It would call off what was asked anew.
                self._say(CalledOff(reference=reference))
        for one in over:
            self._settle(one, Failed(request=one.notice.request, reason=Reason.CALLED_OFF))
        for one in [*self._ordered.values()]:
            if (left_s := int(one.until_s - now_s)) > 0:
                self._say(replace(one.notice, valid_s=left_s))

    def _look_at_clock(self) -> None:
        now_s = time.monotonic()
        if self._gone_s is not None and now_s >= self._gone_s + self._alone_s:
            self._gone_s, self._ways = None, ()
            self._fault(SILENT)
        for one in [*self._ordered.values()]:
            if not self._known.ways and now_s >= one.alone_s:
                words = "The notifier does not answer."
                self._settle(one, Failed(request=one.notice.request, reason=Reason.UNREACHED, words=words))
            elif now_s >= one.until_s + RESULT_WITHIN_S:
                words = "The notifier said nothing of it."
                self._settle(one, Failed(request=one.notice.request, reason=Reason.NO_ANSWER, words=words))

    def _settle(self, ordered: _Ordered, line: Delivered | Failed) -> None:
        del self._ordered[ordered.notice.request]
        self._report(ordered.notice, line)

    def _gone(self) -> None:
        if self._known.ways:
            self._gone_s = time.monotonic()
            self._known = Known(key=self._known.key)
            for one in self._ordered.values():
                self._leave_alone(one)

    def _leave_alone(self, one: _Ordered) -> None:
        """For how long it waits for a notifier: where nobody is asked, no step waits for it in turn."""
        one.alone_s = one.until_s if one.notice.occasion in NOT_ASKED else time.monotonic() + self._alone_s
