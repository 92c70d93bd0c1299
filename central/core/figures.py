"""Availability and delivery time of each path of each premises (N11): counted by day, told by month.

Availability is sampled once per minute of central's own running time, so neither a clock change nor a night with
central off counts for or against a premises. A delivery lasts from the press, by the node's proven clock, to the commit
here, so it is as exact as the frame's whole seconds.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Final

from msgspec import field

from central.core.journal import FrameEntry, KeptFigures
from central.core.nodes import NodeRecord, Nodes
from central.core.timing import Timing
from central.core.undo import Record, Table
from central.core.unit_lines import PathFigures
from wire.frames import Alert
from wire.ids import NodeId
from wire.kinds import Path

BOUNDS_S: Final = (1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60, 120, 300)
"""Upper bounds of the classes of delivery time; one more class holds what took longer than the last."""
KEPT_PER_TICK_MAX: Final = 500
_SAMPLE_TICKS: Final = 60
_KEEP_TICKS: Final = 300
_HOUR_MINUTES: Final = 60
_MOST: Final = 0.95

Key = tuple[NodeId, Path]


class Count(Record):
    """One path of one premises in a day or month; ``deliveries`` by :data:`BOUNDS_S`."""

    watched_minutes: int = 0
    up_minutes: int = 0
    frames: int = 0
    late: int = 0
    deliveries: tuple[int, ...] = (0,) * (len(BOUNDS_S) + 1)

    def add(self, other: Count) -> None:
        """Add the other's counts."""
        self.watched_minutes += other.watched_minutes
        self.up_minutes += other.up_minutes
        self.frames += other.frames
        self.late += other.late
        self.deliveries = tuple(a + b for a, b in zip(self.deliveries, other.deliveries, strict=True))

    def within_s(self, share: float) -> int | None:
        """The bound in seconds within which ``share`` (0 … 1) of the deliveries came; ``None``: none came, or later."""
        wanted, found = share * sum(self.deliveries), 0
        if not wanted:
            return None
        for bound_s, count in zip(BOUNDS_S, self.deliveries, strict=False):
            found += count
            if found >= wanted:
                return bound_s
        return None


class Figures(Record):
    """Today's counts, and the sums of this month and the last up to yesterday."""

    _timing: Timing
    _day: date = date.min
    _today: Table[Key, Count] = field(default_factory=Table)
    _months: Table[tuple[str, NodeId, Path], Count] = field(default_factory=Table)
    _told_on: date = date.min
    _told_months: tuple[str, str] = ("", "")
    _this_month: str = ""
    _ticks: int = 0
    _to_keep: Table[Key, None] = field(default_factory=Table)

    def recall(self, kept: Iterable[KeptFigures], now_at: datetime) -> None:
        """Take what the disk has of this month and the last."""
        self._day = now_at.date()
        for row in kept:
            count = Count(row.watched_minutes, row.up_minutes, row.frames, row.late)
            if len(row.deliveries) == len(count.deliveries):
                count.deliveries = row.deliveries
            if row.day == self._day:
                self._today[row.node, row.path] = count
            else:
                self._month(_month(row.day), row.node, row.path).add(count)

    def take(self, entry: FrameEntry, committed_at: datetime) -> None:
        """Count a committed frame."""
        frame = entry.signed.frame
        count = self._of(frame.sender, entry.path, committed_at)
        count.frames += 1
        if not isinstance(frame, Alert):
            return
        count.late += entry.is_late
        if frame.at_s and not entry.is_clock_ahead:
            waited_s = committed_at.timestamp() - frame.at_s
            at = bisect_left(BOUNDS_S, waited_s)
            count.deliveries = (*count.deliveries[:at], count.deliveries[at] + 1, *count.deliveries[at + 1 :])

    def take_copy(self, sender: NodeId, path: Path, at: datetime) -> None:
        """Count another copy of a frame, which came this way."""
        self._of(sender, path, at).frames += 1

    def tick(self, nodes: Nodes, now_at: datetime) -> tuple[KeptFigures, ...]:
        """Call about once a second; returns the counts to store now."""
        self._ticks += 1
        if self._ticks % _SAMPLE_TICKS == 0:
            for record in nodes.all():
                self._sample(record, now_at)
                # The page's figures may be an hour old: all lines at once each minute would be most of the feed.
                if record.node % _HOUR_MINUTES == self._ticks // _SAMPLE_TICKS % _HOUR_MINUTES:
                    nodes.changed[record.node] = None
        if self._ticks % _KEEP_TICKS == 0:
            self._to_keep = Table((key, None) for key in self._today)
        kept = []
        for key in tuple(self._to_keep)[:KEPT_PER_TICK_MAX]:
            del self._to_keep[key]
            if key in self._today:
                kept.append(self._kept(key, self._today[key]))
        return tuple(kept)

    def of(self, node: NodeId, now_at: datetime) -> tuple[PathFigures, ...]:
        """A node's figures: this month's, then last month's."""
        told = []
        for month in self._months_told(now_at.date()):
            is_this = month == self._this_month
            for path in Path:
                counts = [self._months.get((month, node, path)), self._today.get((node, path)) if is_this else None]
                found = [count for count in counts if count is not None]
                if found:
                    told.append(_told(month, path, _sum(found)))
        return tuple(told)

    def _months_told(self, today: date) -> tuple[str, str]:
        # Needed for every line of the page, and the same all day.
        if self._told_on != today:
            self._told_on = today
            self._told_months = (_month(today), _month(today.replace(day=1) - timedelta(days=1)))
            self._this_month = _month(self._day)
        return self._told_months

    def _sample(self, record: NodeRecord, now_at: datetime) -> None:
        if record.sender.is_revoked or (record.alive_at is None and record.heard_since is None):
            return
        network = self._of(record.node, Path.NETWORK, now_at)
        network.watched_minutes += 1
        network.up_minutes += record.is_on_network
        radio = record.radio
        if not radio.is_there or (radio.report is not None and radio.report.state == "listening"):
            return
        count = self._of(record.node, Path.RADIO, now_at)
        count.watched_minutes += 1
        if record.is_on_network and radio.report is not None:
            count.up_minutes += radio.report.state == "ready"
        else:
            count.up_minutes += radio.heard_at is not None and now_at - radio.heard_at < self._timing.path_test_overdue

    def _of(self, node: NodeId, path: Path, at: datetime) -> Count:
        if at.date() != self._day:
            self._turn_to(at.date())
        count = self._today.get((node, path))
        if count is None:
            count = self._today[node, path] = Count()
        return count

    def _turn_to(self, day: date) -> None:
        # Only the last minutes of the day that ends may not be on disk yet.
        for (node, path), count in self._today.items():
            self._month(_month(self._day), node, path).add(count)
        oldest = _month(day.replace(day=1) - timedelta(days=1))
        self._months = Table((key, count) for key, count in self._months.items() if key[0] >= oldest)
        self._today, self._to_keep, self._day = Table(), Table(), day
        self._told_on = date.min

    def _month(self, month: str, node: NodeId, path: Path) -> Count:
        return self._months.setdefault((month, node, path), Count())

    def _kept(self, key: Key, count: Count) -> KeptFigures:
        return KeptFigures(
            self._day, *key, count.watched_minutes, count.up_minutes, count.frames, count.late, count.deliveries
        )


def _sum(counts: Iterable[Count]) -> Count:
    total = Count()
    for count in counts:
        total.add(count)
    return total


def first_day_recalled(now_at: datetime) -> date:
    """The first day of last month, UTC."""
    first = now_at.astimezone(UTC).date().replace(day=1)
    return (first - timedelta(days=1)).replace(day=1)


def _month(day: date) -> str:
    return f"{day.year:04}-{day.month:02}"


def _told(month: str, path: Path, count: Count) -> PathFigures:
    return PathFigures(
        month=month,
        path=path.value,
        watched_minutes=count.watched_minutes,
        available_percent=(round(100 * count.up_minutes / count.watched_minutes, 2) if count.watched_minutes else None),
        frames=count.frames,
        late=count.late,
        deliveries=sum(count.deliveries),
        median_s=count.within_s(0.5),
        most_s=count.within_s(_MOST),
    )
