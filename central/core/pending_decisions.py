"""What waits until nothing is on its way to disk: what people ask for, and what central itself finds.

Judged one at a time, so that what was judged is what is changed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct

from central.core.audience import Reach
from central.core.desk import Allowed, AlreadySo, judge
from central.core.duty import Duty
from central.core.events import ActionRequested
from central.core.incident import Incident
from central.core.journal import WATCHLINK, ActionEntry
from central.core.people import AUTOMATIC, is_automatic
from central.core.staff import Staff
from central.core.timing import Timing
from central.core.view import DutyKey, OnDuty, Refused
from wire.directory import Directory
from wire.ids import FrameId
from wire.kinds import AlertKind

TEST_OUTCOME: Final = "Test arrived and was acknowledged"


class FoundLate(Struct, frozen=True):
    """A sync that came after the alert shows that the alert had waited too long."""

    incident: FrameId
    alert: FrameId


class WentAway(Struct, frozen=True):
    """Someone on duty without a sign of life for too long."""

    key: DutyKey


class RoleGone(Struct, frozen=True):
    """Someone on duty whose role was taken away, or whose account has ended."""

    key: DutyKey


class WeeklyTestArrived(Struct, frozen=True):
    """Someone pressed *test*: it is acknowledged without a person (N12)."""

    incident: FrameId


class WeeklyTestOver(Struct, frozen=True):
    """A test was acknowledged a while ago: it is closed without a person."""

    incident: FrameId


Pending = ActionRequested | FoundLate | WentAway | RoleGone | WeeklyTestArrived | WeeklyTestOver


def weekly_tests_due(
    incidents: Iterable[Incident], now_at: datetime, timing: Timing
) -> Iterator[WeeklyTestArrived | WeeklyTestOver]:
    """Decisions due for the open tests."""
    for incident in incidents:
        if incident.kind is not AlertKind.TEST or not incident.is_open:
            continue
        if incident.state == "unanswered":
            yield WeeklyTestArrived(incident.id)
        elif _is_over(incident, now_at, timing):
            yield WeeklyTestOver(incident.id)


def entry_for(
    pending: Pending,
    number: int,
    *,
    incidents: Mapping[FrameId, Incident],
    on_duty: Mapping[DutyKey, OnDuty],
    duty: Duty,
    staff: Staff,
    directory: Directory,
    now_at: datetime,
    timing: Timing,
) -> ActionEntry | AlreadySo | Refused | None:
    """The entry to write for it, or what its person is told; ``None``: it no longer holds, and nobody waits."""
    match pending:
        case FoundLate():
            return ActionEntry(number, "found-late", pending.incident, None, pending.alert.text, now_at, WATCHLINK)
        case WentAway():
            is_stale = duty.is_stale(pending.key, now_at, timing.duty_ends_after)
            return _end_of_duty(on_duty.get(pending.key), number, "no sign of life", now_at) if is_stale else None
        case RoleGone():
            one = on_duty.get(pending.key)
            is_gone = one is not None and staff.on_duty_now(one) is None
            return _end_of_duty(one, number, "no longer has this role", now_at) if is_gone else None
        case WeeklyTestArrived() | WeeklyTestOver():
            return _entry_for_test(pending, number, incidents.get(pending.incident), now_at, timing)
        case ActionRequested():
            verdict = judge(
                pending.action,
                pending.by,
                incidents=incidents,
                on_duty=on_duty,
                reach=Reach(staff.still(pending.by, pending.rights.answers_as(pending.by.role)), directory),
                now_at=now_at,
                timing=timing,
            )
            if not isinstance(verdict, Allowed):
                return verdict
            incident = verdict.incident.id if verdict.incident else None
            return ActionEntry(
                number, verdict.kind, incident, verdict.by, verdict.text, now_at, verdict.actor, verdict.schemes
            )


def _end_of_duty(one: OnDuty | None, number: int, why: str, now_at: datetime) -> ActionEntry | None:
    return None if one is None else ActionEntry(number, "duty-ended", None, one.person, why, now_at, WATCHLINK)


def _entry_for_test(
    pending: WeeklyTestArrived | WeeklyTestOver,
    number: int,
    incident: Incident | None,
    now_at: datetime,
    timing: Timing,
) -> ActionEntry | None:
    # A person may have been quicker, or a real press may have made it more than a test.
    if incident is None or incident.kind is not AlertKind.TEST:
        return None
    if isinstance(pending, WeeklyTestArrived):
        is_due = incident.state == "unanswered"
        return ActionEntry(number, "acknowledged", incident.id, AUTOMATIC, "", now_at, WATCHLINK) if is_due else None
    is_over = _is_over(incident, now_at, timing)
    return ActionEntry(number, "closed", incident.id, AUTOMATIC, TEST_OUTCOME, now_at, WATCHLINK) if is_over else None


def _is_over(incident: Incident, now_at: datetime, timing: Timing) -> bool:
    return (
        incident.state == "answered"
        and is_automatic(incident.answered_by)
        and incident.answered_at is not None
        and now_at - incident.answered_at >= timing.test_closes_after
    )


def found_late(
    incidents: Iterable[Incident], ages: Mapping[int, datetime], after: timedelta, pending: Collection[object]
) -> tuple[FoundLate, ...]:
    """Incidents of one node whose newest live press had waited there for longer than ``after``, by its sync.

    Args:
        incidents: the node's.
        ages: since when its frames have waited, by counter.
        after: longer is late.
        pending: already found.
    """
    found = []
    for incident in incidents:
        stored_at = ages.get(incident.fresh_counter)
        if stored_at is not None and incident.fresh_at is not None and incident.fresh_at - stored_at > after:
            found.append(FoundLate(incident.id, FrameId(incident.id.node, incident.fresh_counter)))
    return tuple(late for late in found if late not in pending)
