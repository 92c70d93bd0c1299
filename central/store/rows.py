"""Journal entries as rows, and a batch of them split by table."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import msgspec
from msgspec import Struct, field
from sqlalchemy import Row

from central.core.journal import ActionEntry, Asking, FrameEntry, JournalEntry, KeptAct, KeptFigures, Told
from central.core.view import ActionForMany, Person
from wire.frames import Alert
from wire.ids import FrameId, NodeId
from wire.kinds import Path

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


class Batch(Struct):
    """What one transaction writes.

    Attributes:
        opened: rows of incidents, new or reopened.
        closed: incidents that this batch leaves closed, and when, in microseconds.
        duties: started, handed over and ended.
    """

    frames: list[dict[str, Any]] = field(default_factory=list)
    actions: list[dict[str, Any]] = field(default_factory=list)
    opened: dict[FrameId, dict[str, Any]] = field(default_factory=dict)
    closed: dict[FrameId, int] = field(default_factory=dict)
    duties: list[ActionEntry] = field(default_factory=list)


def gather(entries: Iterable[JournalEntry]) -> Batch:
    """Split a batch by table. The order of entries decides whether an incident ends open or closed."""
    batch = Batch()
    for entry in sorted(entries, key=lambda e: e.entry):
        if isinstance(entry, FrameEntry):
            _gather_frame(batch, entry)
            continue
        batch.actions.append(_action_row(entry))
        if entry.incident is not None and entry.kind == "closed":
            batch.closed[entry.incident] = microseconds(entry.at)
        elif entry.kind in ("duty-started", "duty-ended", "handover-read"):
            batch.duties.append(entry)
    return batch


def _gather_frame(batch: Batch, entry: FrameEntry) -> None:
    incident = entry.incident
    row = _frame_row(entry, incident)
    batch.frames.append(row)
    if incident is not None and isinstance(entry.signed.frame, Alert):
        batch.closed.pop(incident, None)
        opened = {"opened_us": row["arrived_us"], "closed_us": None}
        batch.opened[incident] = {"node": incident.node, "counter": incident.counter, **opened}


def microseconds(at: datetime) -> int:
    """Whole microseconds since 1970 UTC."""
    return (at - _EPOCH) // _MICROSECOND


def moment(at_us: int) -> datetime:
    """And back: aware UTC."""
    return _EPOCH + timedelta(microseconds=at_us)


def _frame_row(entry: FrameEntry, incident: FrameId | None) -> dict[str, Any]:
    frame = entry.signed.frame
    return {
        "sender": frame.sender,
        "counter": frame.counter,
        "entry": entry.entry,
        "kind": int(frame.KIND),
        "data": entry.signed.data,
        "digest": entry.digest,
        "path": entry.path.value,
        "arrived_us": microseconds(entry.arrived_at),
        "is_late": entry.is_late,
        "is_clock_ahead": entry.is_clock_ahead,
        "incident_node": incident.node if incident else None,
        "incident_counter": incident.counter if incident else None,
        "relay": entry.relay,
    }


def _action_row(entry: ActionEntry) -> dict[str, Any]:
    return {
        "entry": entry.entry,
        "kind": entry.kind,
        "incident_node": entry.incident.node if entry.incident else None,
        "incident_counter": entry.incident.counter if entry.incident else None,
        "role": entry.by.role if entry.by else "",
        "name": entry.by.name if entry.by else "",
        "text": entry.text,
        "at_us": microseconds(entry.at),
        "actor": entry.actor,
        "account": entry.by.account if entry.by else 0,
        "details": None if entry.details is None else msgspec.json.encode(entry.details).decode(),
    }


def details_of(text: str | None) -> Asking | Told | None:
    """And back; ``None`` too for what a newer version wrote, which must not keep an older one from starting."""
    try:
        return None if text is None else msgspec.json.decode(text, type=Asking | Told)
    except (msgspec.DecodeError, ValueError):
        return None


def act_row(act: KeptAct) -> dict[str, Any]:
    """A row of ``open_acts``."""
    return {
        "number": act.number,
        "action": msgspec.json.encode(act.action).decode(),
        "role": act.by.role,
        "name": act.by.name,
        "through": act.through,
        "account": act.by.account,
        "schemes": None if act.schemes is None else spaced(act.schemes),
    }


def act_of(row: Row[Any]) -> KeptAct:
    """And back.

    Raises:
        msgspec.DecodeError: another version wrote it.
    """
    action: ActionForMany = msgspec.json.decode(row.action, type=ActionForMany)
    schemes = None if row.schemes is None else numbers(row.schemes)
    return KeptAct(row.number, action, Person(row.role, row.name, row.account), row.through, schemes)


def spaced(schemes: Iterable[int]) -> str:
    """Numbers as text: ``"1 2"``."""
    return " ".join(map(str, schemes))


def numbers(text: str) -> tuple[int, ...]:
    """And back."""
    return tuple(map(int, text.split()))


def day_number(day: date) -> int:
    """Days since 1970."""
    return (day - _EPOCH.date()).days


def figures_row(kept: KeptFigures) -> dict[str, Any]:
    """A row of ``path_days``."""
    return {
        "day": day_number(kept.day),
        "node": kept.node,
        "path": kept.path.value,
        "watched_minutes": kept.watched_minutes,
        "up_minutes": kept.up_minutes,
        "frames": kept.frames,
        "late": kept.late,
        "deliveries": spaced(kept.deliveries),
    }


def figures_of(row: Row[Any]) -> KeptFigures:
    """And back."""
    return KeptFigures(
        (_EPOCH + timedelta(days=row.day)).date(),
        NodeId(row.node),
        Path(row.path),
        row.watched_minutes,
        row.up_minutes,
        row.frames,
        row.late,
        numbers(row.deliveries),
    )
