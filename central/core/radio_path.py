"""One node's way over the air, as central knows it: from its own report, and from who has heard it (N11)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from msgspec import field

from central.core.timing import Timing
from central.core.undo import Record, Table
from wire.ids import NodeId
from wire.messages import RadioReport

HEARD_BY_MAX: Final = 8
_AGE_MS_MAX: Final = 100 * 365 * 86_400_000
_BUSY_STEP: Final = 10
"""Percent: smaller differences are not told, or each heartbeat would change the page."""
_TEST_MOVED: Final = timedelta(minutes=1)


class RadioPath(Record):
    """What is known of it.

    Attributes:
        report: the node's own, from its last heartbeat; ``None`` = no radio, or nothing said yet.
        tested_at: when a path test of its own last came back to it over the air.
        unproven_since: since when it could have had one: from the first report of a radio that may transmit.
        blocked_since: since when an alert has waited there for a channel that is never clear.
        heard_at: when a fresh frame of its own last came over the air.
        heard_by: who has passed its frames on, and when; the latest last.
    """

    report: RadioReport | None = None
    tested_at: datetime | None = None
    unproven_since: datetime | None = None
    blocked_since: datetime | None = None
    heard_at: datetime | None = None
    heard_by: Table[NodeId, datetime] = field(default_factory=Table)

    @property
    def is_there(self) -> bool:
        """Whether it has a radio, by its own word or because it was heard."""
        return self.report is not None or self.heard_at is not None

    @property
    def may_speak(self) -> bool:
        """Whether it would transmit if asked."""
        return self.report is not None and self.report.state in ("untested", "ready")

    @property
    def busy_percent(self) -> int:
        """Channel use by others, in tens; 0 without a report."""
        return 0 if self.report is None else self.report.busy_percent // _BUSY_STEP * _BUSY_STEP

    def take_report(self, report: RadioReport | None, now_at: datetime) -> bool:
        """Take the node's own report; returns whether anything shown has changed."""
        before = self._shown()
        self.report = report
        if not self.may_speak:
            self.unproven_since = None
        elif self.unproven_since is None:
            self.unproven_since = now_at
        if report is not None and report.tested_age_ms is not None:
            tested_at = now_at - timedelta(milliseconds=min(report.tested_age_ms, _AGE_MS_MAX))
            if self.tested_at is None or abs(tested_at - self.tested_at) > _TEST_MOVED:
                self.tested_at = tested_at
        if report is None or report.blocked_ms == 0:
            self.blocked_since = None
        elif self.blocked_since is None:
            self.blocked_since = now_at - timedelta(milliseconds=min(report.blocked_ms, _AGE_MS_MAX))
        return before != self._shown()

    def take_heard(self, relay: NodeId, now_at: datetime) -> None:
        """A fresh frame of this node came over the air by way of ``relay``."""
        self.heard_at = now_at
        self.heard_by.pop(relay, None)
        self.heard_by[relay] = now_at
        if len(self.heard_by) > HEARD_BY_MAX:
            del self.heard_by[next(iter(self.heard_by))]

    def is_test_overdue(self, now_at: datetime, timing: Timing) -> bool:
        """Whether it has long been able to transmit, and no test of its own has come back lately (N11)."""
        if self.unproven_since is None:
            return False
        if self.tested_at is not None:
            return now_at - self.tested_at > timing.path_test_overdue
        return now_at - self.unproven_since > timing.path_test_first

    def shift(self, by: timedelta) -> None:
        """The clock was set: times move with it."""
        if self.unproven_since is not None:
            self.unproven_since += by
        if self.tested_at is not None:
            self.tested_at += by
        if self.blocked_since is not None:
            self.blocked_since += by
        if self.heard_at is not None:
            self.heard_at += by

    def _shown(self) -> tuple[object, ...]:
        state = None if self.report is None else self.report.state
        return (state, self.tested_at, self.blocked_since, self.busy_percent)
