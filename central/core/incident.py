"""One incident: the result of replaying its journal entries in order. No entry can fail, whatever came before it.

Theory. An alert opens an incident and a person closes it (Watchlink itself closes a test); nothing expires, and
nothing old ever swallows a new press (N2):

| entry | unanswered | answered, on the way | closed |
|---|---|---|---|
| alert, more urgent, or real after a drill | upgraded | → unanswered: a person must see it | reopened → unanswered |
| alert, otherwise | repeated | pressed again; → unanswered if the answer is over a minute old | reopened → unanswered |
| acknowledged | → answered | answers what was pressed since; on the way stays so | (not ordered) |
| unacknowledged | – | → the answer before that one, if it still covers the last press; else → unanswered | – |
| on-the-way | → on-the-way | → on-the-way | (not ordered) |
| closed | → closed | → closed | – |
| cancel, response, note, assigned, found-late | kept | kept | kept |
| asked, nobody, told | kept: where it stands in a policy (:mod:`central.core.escalation`) | kept | kept |

Frames of one sender may arrive in any order; their counters tell which press came first.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from msgspec import Struct, field
from msgspec.structs import replace

from central.core.asking import ASKING_LINES, ASKING_LINES_MAX, Stands, lines_of
from central.core.journal import ActionEntry, Asking, FrameEntry, Told
from central.core.people import AUTOMATIC, FORMER_AUTOMATIC, goes_out, words
from central.core.undo import Record, Table
from central.core.view import HistoryLine, Person
from wire.frames import Alert, Cancel, Response
from wire.ids import FrameId, NodeId, node_text
from wire.kinds import PRIORITY, AlertKind, CancelReason, LeftWhenAsked, MemberResponse
from wire.kinds import Path as FramePath
from wire.lateness import LATE_AFTER_S

State = Literal["unanswered", "answered", "on-the-way", "closed"]
HISTORY_LINES_MAX: Final = 200
ANSWER_COVERS: Final = timedelta(minutes=1)
"""An answer also covers presses up to this long after it: they are the same call for help. A later one is a new call,
even if nobody has closed the first one's incident (N2)."""
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MEMBERS_MAX: Final = 64
HEARD_AT: Final = ", heard at "
"""Before the name of the premises that heard it, in the text of a press."""
NameOf = Callable[[NodeId], str]

_RESPONSES: Final[dict[MemberResponse, Literal["seen", "responding"]]] = {
    MemberResponse.SEEN: "seen",
    MemberResponse.RESPONDING: "responding",
}
_CANCELS: Final[dict[CancelReason, Literal["mistake", "stand-down"]]] = {
    CancelReason.MISTAKE: "mistake",
    CancelReason.STAND_DOWN: "stand-down",
}
LEFT_WORDS: Final = {LeftWhenAsked.YES: "yes", LeftWhenAsked.NO: "no", LeftWhenAsked.NOT_ASKED: "nobody asked"}
_CANCEL_WORDS: Final = {CancelReason.MISTAKE: "pressed by mistake", CancelReason.STAND_DOWN: "stand down"}


class MemberPress(Record):
    """The last press of another premises on this incident."""

    counter: int
    response: Literal["seen", "responding"]
    at: datetime


class AnswerBefore(Struct, frozen=True):
    """An answer, and when somebody pressed again after it.

    Attributes:
        press: counter of the newest alert at its time.
        after_s: whole seconds from that to the answer; ``None`` = not known.
    """

    by: Person
    at: datetime
    press: int
    after_s: int | None
    pressed_again_at: datetime


class Incident(Record):
    """The state. ``revision`` is the entry that changed it last, so it rises even across restarts."""

    id: FrameId
    revision: int = 0
    kind: AlertKind = AlertKind.FAULT
    schemes: tuple[int, ...] = ()
    state: State = "unanswered"
    path: FramePath = FramePath.NETWORK
    """Of its first alert."""
    relay: NodeId | None = None
    """Who heard that alert on the radio."""
    is_untold: bool = False
    """The newest answer cannot reach the premises. Not kept on disk."""
    paths: Table[FramePath, None] = field(default_factory=Table)
    """All by which the presser's frames came, in order of first use."""
    pressed_at: datetime | None = None
    arrived_at: datetime = EPOCH
    closed_at: datetime | None = None
    is_late: bool = False
    is_silent: bool = False
    is_drill: bool = False
    is_clock_ahead: bool = False
    cancelled: Literal["mistake", "stand-down"] | None = None
    answered_by: Person | None = None
    answered_at: datetime | None = None
    answered_press: int = 0
    """Counter of the newest alert at the time of the last answer."""
    answered_after_s: int | None = None
    """Whole seconds from that press to that answer."""
    answer_before: AnswerBefore | None = None
    """The one that the last answer took the place of, when somebody had pressed again."""
    pressed_again_at: datetime | None = None
    """When a live alert came after the last answer and is covered by it (see :data:`ANSWER_COVERS`)."""
    coming: Person | None = None
    coming_at: datetime | None = None
    coming_said_by: Person | None = None
    closed_by: Person | None = None
    assigned_to: str = ""
    outcome: str = ""
    alert_count: int = 0
    members: Table[NodeId, MemberPress] = field(default_factory=Table)
    history: tuple[HistoryLine, ...] = ()
    asking: Table[int, Stands] = field(default_factory=Table)
    """Where it stands in the policy of each scheme that has begun to ask, while nobody has answered."""
    pressed_entry: int = 0
    """Entry number of its last alert to arrive."""
    live_arrived_at: datetime = EPOCH
    """When the last one arrived that was not late."""
    first_counter: int = 0
    cancel_counter: int = 0
    newest_counter: int = 0
    newest_at: datetime = EPOCH
    """When the newest alert was pressed, or arrived if that is not proven."""
    fresh_counter: int = 0
    """Counter of the newest alert that is not late; 0 = all are."""
    fresh_at: datetime | None = None
    """When that one arrived, if its own time is not proven: a sync may still show that it is late."""
    live_at: datetime | None = None
    """When that one was pressed, if central's clock can tell, else when it arrived."""
    stamped_at: datetime | None = None
    """Time that it bears itself, if it bears one and that differs."""
    about_counter: int = 0
    """Counter of the newest alert about a person; 0 = none is."""
    about: int = 0
    left: LeftWhenAsked = LeftWhenAsked.NOT_ASKED

    @property
    def person(self) -> int:
        """Number of the reference of whom it is about, in its one scheme; 0 = nobody.

        Of two schemes it is about nobody: in the other one the number is somebody else's (ADR 0036).
        """
        return self.about if len(self.schemes) == 1 else 0

    @property
    def is_open(self) -> bool:
        """Whether it is not closed."""
        return self.state != "closed"

    def is_undoable(self, by: Person, now_at: datetime, within: timedelta) -> bool:
        """Whether ``by`` gave the acknowledgement and may still take it back."""
        return (
            self.state == "answered"
            and by.is_same(self.answered_by)
            and self.answered_at is not None
            and now_at - self.answered_at <= within
        )

    def take_frame(self, entry: FrameEntry, name_of: NameOf) -> None:
        """Apply an alert, cancel or response of this incident."""
        self.revision = entry.entry
        frame = entry.signed.frame
        if frame.sender == self.id.node:
            self.paths[entry.path] = None
        match frame:
            case Alert() as alert:
                self._take_alert(alert, entry, name_of)
            case Cancel() as cancel:
                self._take_cancel(cancel, entry)
            case Response() as response:
                self._take_response(response, entry, name_of)

    def take_action(self, entry: ActionEntry) -> None:
        """Apply what a person did or central found."""
        self.revision = entry.entry
        if entry.by == FORMER_AUTOMATIC and self.kind is AlertKind.TEST:
            entry = replace(entry, by=AUTOMATIC)
        text = entry.text
        match entry.kind:
            case "on-the-way" if entry.coming is not None and goes_out(entry.coming):
                self._set_out(entry)
                text = words(entry.coming) if entry.coming != entry.by else ""
            case "acknowledged" | "on-the-way":
                # In journals of older versions somebody at a desk may be on the way: they saw it, and nobody comes.
                entry = replace(entry, kind="acknowledged")
                self.state = "on-the-way" if self.state == "on-the-way" else "answered"
                self._answer(entry)
            case "unacknowledged":
                self._take_back()
            case "assigned":
                self.assigned_to = text
            case "closed":
                self.state, self.closed_by, self.closed_at, self.outcome = "closed", entry.by, entry.at, text
                self.asking.clear()
            case "found-late":
                if FrameId.parse(text).counter == self.fresh_counter:
                    self.fresh_counter, self.fresh_at, self.live_at, self.stamped_at = 0, None, None, None
                    self.is_late = True
                text = "Was pressed more than a minute before it arrived"
        self._tell(HistoryLine(entry.at, entry.kind, text, entry.by))

    def take_asking(self, entry: ActionEntry) -> None:
        """Apply a step of a policy, or what became of a message of one."""
        self.revision, details = entry.entry, entry.details
        if isinstance(details, Asking) and self.state == "unanswered":
            self.asking[details.scheme] = Stands(details, entry.entry, entry.at)
        elif isinstance(details, Told) and (stands := self.asking.get(details.scheme)) is not None:
            self.asking[details.scheme] = stands.told(details)
        for line in lines_of(entry):
            told = [one for one in self.history if one.what in ASKING_LINES]
            if len(told) >= ASKING_LINES_MAX:
                self.history = tuple(one for one in self.history if one is not told[0])
            self._tell(line)

    def _set_out(self, entry: ActionEntry) -> None:
        self.state = "on-the-way"
        self.coming, self.coming_at, self.coming_said_by = entry.coming, entry.at, entry.by
        if self.answered_by is None or self.pressed_again_at is not None:
            self._answer(entry)

    def _answer(self, entry: ActionEntry) -> None:
        self.asking.clear()
        self.answer_before = self._present_answer()
        self.answered_by, self.answered_at, self.pressed_again_at = entry.by, entry.at, None
        self.answered_press = self.newest_counter
        after_s = int((entry.at - self.newest_at).total_seconds())
        # Less than none: central's clock was set back in between, and nobody knows.
        self.answered_after_s = after_s if after_s >= 0 else None

    def _present_answer(self) -> AnswerBefore | None:
        if self.answered_by is None or self.answered_at is None or self.pressed_again_at is None:
            return None
        return AnswerBefore(
            self.answered_by, self.answered_at, self.answered_press, self.answered_after_s, self.pressed_again_at
        )

    def _take_back(self) -> None:
        """Undo the last answer; the one before it still holds for what it covered."""
        before, again_at = self.answer_before, self.pressed_again_at
        self._ask_anew()
        if before is None:
            return
        again_at = again_at or before.pressed_again_at
        if abs(again_at - before.at) > ANSWER_COVERS:
            return
        self.state, self.answered_by, self.answered_at = "answered", before.by, before.at
        self.answered_press, self.answered_after_s = before.press, before.after_s
        self.pressed_again_at = again_at

    def _ask_anew(self) -> None:
        self.state = "unanswered"
        self.asking.clear()
        self.answered_by = self.answered_at = self.answered_after_s = self.pressed_again_at = None
        self.coming = self.coming_at = self.coming_said_by = self.answer_before = None
        self.answered_press = 0

    def _take_alert(self, alert: Alert, entry: FrameEntry, name_of: NameOf) -> None:
        is_first = self.alert_count == 0
        is_real_after_drill = self.is_drill and not alert.drill
        is_upgrade = not is_first and (PRIORITY[alert.kind] < PRIORITY[self.kind] or is_real_after_drill)
        was_closed = not self.is_open
        is_again = self._is_pressed_again(alert, entry)
        if is_first:
            self.arrived_at, self.path, self.relay = entry.arrived_at, entry.path, entry.relay
        if is_first or is_upgrade:
            self.kind = alert.kind
        self.is_drill = alert.drill and (is_first or self.is_drill)
        self.is_silent = self.is_silent or alert.silent
        if self.schemes != alert.schemes:
            self.schemes = tuple(sorted({*self.schemes, *alert.schemes}))
        self._take_person(alert)
        self._take_times(alert, entry)
        if not entry.is_late and alert.counter > self.fresh_counter:
            self.fresh_counter = alert.counter
            self.fresh_at = None if alert.at_s else entry.arrived_at
            stamped_at = EPOCH + timedelta(seconds=alert.at_s)
            self.live_at = _pressed_at(stamped_at, entry.arrived_at)
            self.stamped_at = stamped_at if alert.at_s and stamped_at != self.live_at else None
        self.is_late = self.fresh_counter == 0
        if alert.counter > self.cancel_counter:
            self.cancelled = None
        self.alert_count += 1
        self.pressed_entry = entry.entry
        if was_closed:
            self.closed_by, self.closed_at, self.outcome = None, None, ""
        if was_closed or is_upgrade or (is_again and not self._is_covered(entry.arrived_at)):
            self._ask_anew()
        elif is_again and self.kind is not AlertKind.TEST:
            self.pressed_again_at = entry.arrived_at
        what = "pressed" if is_first else "reopened" if was_closed else "upgraded" if is_upgrade else "repeated"
        word = alert.kind.slug.replace("-", " ").upper()
        flags = [flag for flag, is_set in (("drill", alert.drill), ("late", entry.is_late)) if is_set]
        if entry.path is FramePath.RADIO:
            flags.append("by radio" if entry.relay is None else f"by radio{HEARD_AT}{name_of(entry.relay)}")
        relay = "" if entry.relay is None else node_text(entry.relay)
        self._tell(HistoryLine(entry.arrived_at, what, ", ".join([word, *flags]), node=relay, about=_about(alert)))

    def _take_person(self, alert: Alert) -> None:
        if alert.about and alert.counter > self.about_counter:
            self.about_counter, self.about, self.left = alert.counter, alert.about, alert.left

    def _tell(self, line: HistoryLine) -> None:
        self.history = (*self.history[-HISTORY_LINES_MAX + 1 :], line)

    def _take_times(self, alert: Alert, entry: FrameEntry) -> None:
        is_timed = alert.at_s and not entry.is_clock_ahead
        pressed_at = datetime.fromtimestamp(alert.at_s, UTC) if is_timed else None
        if not entry.is_late:
            self.live_arrived_at = entry.arrived_at
            # Its time may be an earlier run's, whose clock was another.
            pressed_at = pressed_at and _pressed_at(pressed_at, entry.arrived_at)
        if self.first_counter == 0 or alert.counter < self.first_counter:
            self.first_counter, self.is_clock_ahead = alert.counter, entry.is_clock_ahead
            self.pressed_at = pressed_at
        if alert.counter > self.newest_counter:
            self.newest_counter, self.newest_at = alert.counter, pressed_at or entry.arrived_at

    def _is_pressed_again(self, alert: Alert, entry: FrameEntry) -> bool:
        """A live press after an answer; a drill only counts in a drill."""
        if self.answered_at is None or entry.is_late or alert.counter <= self.fresh_counter:
            return False
        return self.is_drill or not alert.drill

    def _is_covered(self, at: datetime) -> bool:
        """Whether the last answer can also have meant a press at ``at``."""
        if self.answered_at is None:
            return False
        # One from the future was given before central's clock was set back: nobody knows how long ago.
        return abs(at - max(self.answered_at, self.coming_at or EPOCH)) <= ANSWER_COVERS

    def _take_cancel(self, cancel: Cancel, entry: FrameEntry) -> None:
        if cancel.counter > self.cancel_counter:
            self.cancel_counter = cancel.counter
            self.cancelled = _CANCELS[cancel.reason]
        self._tell(HistoryLine(entry.arrived_at, "cancelled", f"by the shop: {_CANCEL_WORDS[cancel.reason]}"))

    def _take_response(self, response: Response, entry: FrameEntry, name_of: NameOf) -> None:
        known = self.members.get(response.sender)
        if known is None and len(self.members) >= MEMBERS_MAX:
            return
        word = _RESPONSES[response.response]
        if known is None or response.counter > known.counter:
            self.members[response.sender] = MemberPress(response.counter, word, entry.arrived_at)
        text, node = f"{name_of(response.sender)}: {word}", node_text(response.sender)
        self._tell(HistoryLine(entry.arrived_at, "member", text, node=node))


def _about(alert: Alert) -> str:
    """Whom a press was about, for people of its scheme."""
    if not alert.about:
        return ""
    person = f"person {alert.about:04}"
    return f"{person}, left when asked: {LEFT_WORDS[alert.left]}" if alert.kind is AlertKind.BREACH else person


def _pressed_at(stamped_at: datetime, arrived_at: datetime) -> datetime:
    """When a live press was made, in central's time; its arrival, if its own time cannot be right."""
    return stamped_at if timedelta() <= arrived_at - stamped_at <= timedelta(seconds=LATE_AFTER_S + 1) else arrived_at
