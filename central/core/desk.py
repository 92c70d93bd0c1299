"""What a person at the desk asks for, cleaned, and whether it may be done: yes, or a sentence why not."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from central.core.audience import Reach
from central.core.incident import Incident
from central.core.journal import ActionKind, ActorKind
from central.core.people import goes_out, words
from central.core.timing import Timing
from central.core.view import (
    Acknowledge,
    Action,
    AddNote,
    Assign,
    Close,
    CloseRevoked,
    DutyKey,
    EndDuty,
    OnDuty,
    Person,
    ReadHandover,
    Refused,
    SetOnTheWay,
    StartDuty,
    TakeOffDuty,
    UndoAcknowledge,
)
from wire.errors import DecodeError
from wire.ids import FrameId
from wire.kinds import PRIORITY, AlertKind, Priority, Role
from wire.limits import NAME_CHARS_MAX, TEXT_CHARS_MAX
from wire.own_names import is_own_name
from wire.text import display_text

ON_DUTY_MAX: Final = 64


class Allowed(Struct, frozen=True):
    """What to write to the journal."""

    kind: ActionKind
    incident: Incident | None
    by: Person
    text: str = ""
    schemes: tuple[int, ...] = ()
    """Of a duty that begins."""
    actor: ActorKind = "person"


class AlreadySo(Struct, frozen=True):
    """It is so already; nothing to do."""


Verdict = Allowed | AlreadySo | Refused


class _UnusableError(ValueError):
    """A text is missing or too long; the message is for the person."""


def cleaned(action: Action, by: Person) -> tuple[Action, Person] | Refused:
    """The same with every text as one clean line, or a refusal. Nothing is cut: the record must be what was written."""
    if Role.by_slug(by.role) is None:
        return Refused(f"There is no such role. Use one of: {', '.join(sorted(role.slug for role in Role))}.")
    try:
        return _clean(action), Person(by.role, _text(by.name, NAME_CHARS_MAX, "Your name"), by.account)
    except _UnusableError as e:
        return Refused(str(e))


def _clean(action: Action) -> Action:
    match action:
        case Assign():
            return replace(action, to=_text(action.to, NAME_CHARS_MAX, "The assignee"))
        case AddNote():
            return replace(action, text=_text(action.text, TEXT_CHARS_MAX, "The note"))
        case Close() | CloseRevoked():
            return replace(action, outcome=_text(action.outcome, TEXT_CHARS_MAX, "The outcome"))
        case EndDuty(note=note):
            return EndDuty(_text(note, TEXT_CHARS_MAX, "The note") if note.strip() else "")
        case SetOnTheWay(who=Person() as who):
            return replace(
                action, who=Person(who.role, _text(who.name, NAME_CHARS_MAX, "The name of the person on the way"))
            )
        case _:
            return action


def _text(text: str, chars_max: int, what: str) -> str:
    if len(text) > chars_max:
        raise _UnusableError(f"{what} is too long: {len(text)} of at most {chars_max} characters.")
    line = display_text(text, chars_max)
    if not line:
        raise _UnusableError(f"{what} is missing.")
    return line


def judge(  # noqa: PLR0911, PLR0912, C901 - one refusal a line is the clearest table of them
    action: Action,
    by: Person,
    *,
    incidents: Mapping[FrameId, Incident],
    on_duty: Mapping[DutyKey, OnDuty],
    reach: Reach,
    now_at: datetime,
    timing: Timing,
) -> Verdict:
    """Decide on one action whose texts are :func:`cleaned`."""
    if is_own_name(by.name):
        return Refused("Watchlink uses this name itself. Enter your own.")
    match action:
        case CloseRevoked():
            return Refused("This closes many alerts at once. Close a single one on its card.")
        case StartDuty(is_sign=True):
            return AlreadySo()
        case StartDuty():
            return _judge_start(action, by, on_duty, tuple(sorted(reach.mine or ())))
        case EndDuty():
            # Ends in the role in which it began, which this browser need not know.
            mine = on_duty.get(by.key)
            return (
                AlreadySo() if mine is None else Allowed("duty-ended", None, replace(by, role=mine.role), action.note)
            )
        case ReadHandover():
            mine = on_duty.get(by.key)
            return AlreadySo() if mine is None or not mine.is_unread else Allowed("handover-read", None, mine.person)
        case TakeOffDuty():
            mine = on_duty.get(by.key)
            return (
                AlreadySo() if mine is None else Allowed("duty-ended", None, mine.person, action.why, actor="watchlink")
            )
    incident = _find(action.incident, incidents, reach)
    if incident is None:
        return Refused("There is no such incident.")
    if isinstance(action, AddNote):
        return Allowed("note", incident, by, action.text)
    if not incident.is_open:
        return Refused("It is closed already.")
    match action:
        case Acknowledge():
            return _judge_acknowledge(action, by, incident)
        case UndoAcknowledge():
            if incident.is_undoable(by, now_at, timing.undo_within):
                return Allowed("unacknowledged", incident, by)
            return Refused("Only the person who answered can undo this, within 10 s.")
        case SetOnTheWay():
            return _judge_set_out(action, by, incident)
        case Assign():
            return AlreadySo() if incident.assigned_to == action.to else Allowed("assigned", incident, by, action.to)
        case Close():
            if 0 < action.seen_alerts < incident.alert_count:
                return Refused("The premises has pressed again. Check the card, then close it.")
            return Allowed("closed", incident, by, action.outcome)


def _judge_start(action: StartDuty, by: Person, on_duty: Mapping[DutyKey, OnDuty], schemes: tuple[int, ...]) -> Verdict:
    if not schemes:
        return Refused("Your role here is gone. Ask the co-ordinator.")
    mine = on_duty.get(by.key)
    if mine is not None and mine.person == by and action.proof in {"", mine.proof}:
        return AlreadySo()
    # Only those of the same schemes count: the number must tell nothing of others.
    beside = [one for one in on_duty.values() if any(map(one.is_for, schemes))]
    if mine is None and len(beside) >= ON_DUTY_MAX:
        return Refused(f"{ON_DUTY_MAX} people are on duty already. End someone else's duty first.")
    return Allowed("duty-started", None, by, action.proof, schemes)


def _judge_acknowledge(action: Acknowledge, by: Person, incident: Incident) -> Verdict:
    is_answered = incident.state != "unanswered" and incident.pressed_again_at is None
    if is_answered and incident.answered_by is not None:
        return (
            AlreadySo()
            if incident.answered_by.is_same(by)
            else Refused(f"Already answered by {words(incident.answered_by)}.")
        )
    if _has_become_worse(action.seen_kind, incident):
        return _look_again(incident)
    return Allowed("acknowledged", incident, by)


def _judge_set_out(action: SetOnTheWay, by: Person, incident: Incident) -> Verdict:
    who = action.who or by
    if incident.kind is AlertKind.TEST:
        return Refused("No one goes out for a test.")
    if not goes_out(who):
        return Refused("CCTV and the co-ordinator stay at their desks. Choose who is going.")
    if is_own_name(who.name):
        return Refused("Enter the name of the person on the way.")
    if _has_become_worse(action.seen_kind, incident):
        return _look_again(incident)
    coming = incident.coming
    is_same = coming is not None and (coming.role, coming.name) == (who.role, who.name)
    # Said again after another press, it answers that press, too.
    if incident.state == "on-the-way" and is_same and incident.pressed_again_at is None:
        return AlreadySo()
    return Allowed("on-the-way", incident, by, f"{who.role} {who.name}")


def _has_become_worse(seen_kind: str, incident: Incident) -> bool:
    seen = AlertKind.by_slug(seen_kind) if seen_kind else None
    return seen is not None and PRIORITY[seen] > (Priority.TEST if incident.is_drill else PRIORITY[incident.kind])


def _look_again(incident: Incident) -> Refused:
    now = incident.kind.slug.replace("-", " ").upper()
    return Refused(f"It has become {now}. Check the card, then answer.")


def _find(text: str, incidents: Mapping[FrameId, Incident], reach: Reach) -> Incident | None:
    try:
        incident = incidents.get(FrameId.parse(text))
    except DecodeError:
        return None
    return incident if incident is not None and reach.has(incident) else None
