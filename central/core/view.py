"""What central's pages show and what people may do there.

The web works nothing out: by :class:`central.core.board_port.BoardPort` it draws a :class:`Board`, applies
:class:`Change` after change, and sends :class:`Action` objects. All are JSON-able, so that the same values go down the
live feed. Times are aware UTC; the browser works out ages from server time.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal

import msgspec

from central.core.asking_lines import AskingLine, ShiftLine, WentOffLine
from central.core.details import PremisesLine
from central.core.unit_lines import PathFigures, UnitFacts

ON_DUTY_JSON: Final = "on_watch"
"""The page's JSON still calls duty watch, as do the actions ``start-watch`` and ``end-watch``: a page opened before
central was updated must go on working."""


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """One incident as an alert card."""

    incident: str
    """Id as text; every button of the card carries it."""
    key: str
    """The card's name: ``incident``, or one that stays while a card that stands for many shows another of them."""
    stands_for: int = 1
    """Number of incidents. From a premises' fourth open one on, one card stands for all and shows the newest of the
    most urgent; of closed ones, the newest."""
    urgent_kind: str = ""
    """If it stands for many: the most urgent kind among them, where the card shows a less urgent one."""
    urgent_count: int = 0
    """How many are of that kind."""
    through: int = 0
    """If it stands for many: what is on screen, for ``seen_through`` of an act."""
    revision: int
    node: str
    premises: str
    place: str
    schemes: tuple[str, ...]
    """Slugs."""
    scheme_numbers: tuple[int, ...] = ()
    """Whose people see it: those of its schemes, and of those in which its premises is now."""
    kind: str
    """Slug of the most urgent alert so far: ``attack``, ``assist`` …"""
    priority: int
    """1 … 4; 5 = test."""
    state: Literal["unanswered", "answered", "on-the-way", "closed"]
    pressed_at: datetime | None
    """By the node's proven clock; ``None`` = not proven."""
    arrived_at: datetime
    """When its first alert reached central."""
    path: Literal["network", "radio"]
    """Of its first alert."""
    paths: tuple[Literal["network", "radio"], ...] = ()
    """All by which it came, in order of first use."""
    relay: str = ""
    """Premises that heard its first alert on the radio and passed it on."""
    relay_node: str = ""
    is_untold: bool = False
    """The last answer cannot reach the premises now: no network there, and no radio that could say it."""
    is_late: bool
    is_silent: bool
    is_drill: bool
    is_clock_ahead: bool = False
    cancelled: Literal["mistake", "stand-down"] | None = None
    """By the shop; the incident stays open until a person closes it."""
    answered_by: Person | None = None
    """Who took it; someone else may come, or close it."""
    answered_at: datetime | None = None
    answered_after_s: int | None = None
    """Whole seconds from the answered press to the answer, as the shop is told too."""
    pressed_again_at: datetime | None = None
    """When the shop pressed again after the last answer, which covers it; ``None``: it has not, or someone has
    acknowledged that too."""
    again_kind: str = ""
    """If it stands for many: what was pressed again then, where that is more urgent than what it shows unanswered."""
    again_priority: int = 0
    """Of that."""
    coming: Person | None = None
    """Who is on the way, since ``coming_at``, by the word of ``coming_said_by``."""
    coming_at: datetime | None = None
    coming_said_by: Person | None = None
    closed_by: Person | None = None
    closed_at: datetime | None = None
    assigned_to: str = ""
    outcome: str = ""
    alert_count: int = 1
    members: tuple[MemberLine, ...] = ()
    history: tuple[HistoryLine, ...] = ()
    """Oldest first, at most the last 200."""
    undo_until: datetime | None = None
    """Until when an acknowledgement can be taken back (10 s)."""
    person: str = ""
    """Reference of whom it is about, ``HART-0042``, for the people of that scheme alone; empty = nobody."""
    person_scheme: int = 0
    """Number of that scheme."""
    left: str = ""
    """Of a breach about a person, whether they left when asked, in words."""
    asking: tuple[AskingLine, ...] = ()
    """While nobody has answered: who is asked, by scheme; none of a scheme without a policy."""


class Person(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who did something, as recorded with it: a person with an account, or Watchlink itself."""

    role: str
    """Slug of :class:`wire.kinds.Role`, as it was then."""
    name: str
    """As it was then."""
    account: int = 0
    """Of the person at the office; 0: Watchlink itself, or a person from before there were accounts."""

    @property
    def key(self) -> int | tuple[str, str]:
        """The same for the same person, whatever they are called now and in which role they act."""
        return self.account or (self.role, self.name)

    def is_same(self, other: Person | None) -> bool:
        """Whether ``other`` is the same person."""
        return other is not None and self.key == other.key


Proof = Literal["", "page", "phone"]
"""By what it was shown that somebody who goes on duty can be reached: a page whose tone they heard, or a phone on which
they opened a test that was sent for this. Empty: from before proofs, or a page's sign of life."""
DutyKey = int | tuple[str, str]
"""Of someone on duty: :attr:`Person.key`."""


class OnDuty(msgspec.Struct, frozen=True, omit_defaults=True):
    """Someone on duty now, and since when."""

    role: str
    name: str
    since: datetime
    account: int = 0
    schemes: tuple[int, ...] = ()
    """For which; empty: for all, as before there were accounts."""
    proof: str = ""
    """:data:`Proof` by which they went on duty."""
    has_page: bool = True
    """A page of theirs has given a sign of life a moment ago; if not, no page of theirs asks them."""
    is_unread: bool = False
    """They have not said yet that they have read what was left for them."""

    @property
    def person(self) -> Person:
        """Without time and schemes."""
        return Person(self.role, self.name, self.account)

    def is_for(self, scheme: int) -> bool:
        """Whether they are on duty for this scheme."""
        return not self.schemes or scheme in self.schemes


class MemberLine(msgspec.Struct, frozen=True):
    """Another premises' press on the incident."""

    node: str
    premises: str
    response: Literal["seen", "responding"]
    at: datetime


class HistoryLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that happened to an incident."""

    at: datetime
    what: str
    """``pressed``, ``upgraded``, ``repeated``, ``acknowledged``, ``unacknowledged``, ``on-the-way``, ``assigned``,
    ``note``, ``cancelled``, ``member``, ``closed``, ``reopened`` (a press on a closed incident), ``found-late``;
    ``asked``, ``skipped``, ``nobody``, ``told``, ``not-told`` (escalation)."""
    text: str
    by: Person | None = None
    node: str = ""
    """The other premises that the text names."""
    about: str = ""
    """Whom a press was about, by number, for the people of that scheme alone."""
    scheme: int = 0
    """Whose people alone see it; 0 = all who see the incident."""


Standing = Literal["never-seen", "ok", "fault", "no-contact", "stopped", "revoked"]
"""What central can say of a premises' node."""


class NodeLine(msgspec.Struct, frozen=True, kw_only=True):
    """One premises' health."""

    node: str
    premises: str
    place: str
    schemes: tuple[str, ...]
    scheme_numbers: tuple[int, ...] = ()
    """Whose people see it."""
    state: Standing
    """``no-contact``: no sign of life for 30 s, or its last will came. ``never-seen`` with a ``last_seen_at``: not
    since central's start, less than 30 s ago."""
    since: datetime | None
    """When this state began."""
    last_seen_at: datetime | None
    """As of this line's last other change: a heartbeat alone makes none."""
    faults: tuple[str, ...] = ()
    """Plain sentences: ``oled: no acknowledgement from address 0x3c``."""
    outbox_depth: int = 0
    version: str = ""
    restarts: int = 0
    """Boot ids seen in the last hour, minus one."""
    rejected: int = 0
    """Inputs that it has rejected since its start."""
    is_gateway: bool = False
    """Central's own radio."""
    radio: RadioLine | None = None
    """``None``: it has none, as far as central knows."""
    weekly_test_at: datetime | None = None
    """When staff last pressed *test* and it arrived (N12)."""
    is_weekly_test_overdue: bool = False
    figures: tuple[PathFigures, ...] = ()
    """This month's, then last month's."""
    facts: UnitFacts | None = None
    """As of ``last_seen_at``; ``None``: it has told nothing since central began to keep this."""


class RadioLine(msgspec.Struct, frozen=True, kw_only=True):
    """The way over the air from one premises (N11)."""

    state: Literal["fault", "listening", "untested", "ready", "unknown"]
    """As in :class:`wire.messages.RadioReport`; ``unknown``: it was heard, but has said nothing of its radio since
    central's start."""
    tested_at: datetime | None = None
    """When a test last came back to it over the air."""
    is_test_overdue: bool = False
    heard_at: datetime | None = None
    """When a frame of its own last came over the air: since central's start, or in the 60 days before."""
    heard_by: tuple[str, ...] = ()
    """Premises that passed its frames on, the latest first."""
    heard_by_nodes: tuple[str, ...] = ()
    """The same, by number."""
    blocked_since: datetime | None = None
    """Since when an alert has waited there for a clear channel: a stuck transmitter, or jamming."""
    busy_percent: int = 0
    """Others' use of the channel in the last minutes, in tens."""


class RejectedLine(msgspec.Struct, frozen=True):
    """Input that central rejected, counted by reason and (if known) sender."""

    reason: str
    sender: str
    count: int
    last_at: datetime


class SchemeLine(msgspec.Struct, frozen=True):
    """A scheme of the town."""

    number: int
    slug: str
    name: str


OF_CENTRAL: Final = ("is_broker_linked", "is_disk_ok", "has_alerts_lane", "has_reserve", "clock_fault")
"""What the board says of central itself: fields of the page, the board and its changes alike."""


class Board(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the control-room page shows, at one moment."""

    sequence: int
    """Of the last change included."""
    at: datetime
    boot_id: str
    """New at every start of central: a browser that sees a new one asks for the board again."""
    is_broker_linked: bool
    """Central's own link to the broker; if not, alerts cannot arrive and the page must say so."""
    is_disk_ok: bool
    on_duty: tuple[OnDuty, ...] = msgspec.field(name=ON_DUTY_JSON)
    cards: tuple[Card, ...]
    """Open incidents in no particular order, and those closed within the last hour."""
    nodes: tuple[NodeLine, ...]
    rejected: tuple[RejectedLine, ...]
    has_alerts_lane: bool = False
    """Alerts have their own connection to the broker, and a message has passed on it."""
    has_reserve: bool = True
    """The room kept for the journal is whole; if not, the disk is full and alerts are using it up."""
    clock_fault: str = ""
    """What is wrong with central's clock, and what to do; empty = nothing."""
    schemes: tuple[SchemeLine, ...] = ()
    """Of the directory."""
    premises: tuple[PremisesLine, ...] = ()
    """Of units that stand at a premises known to the office."""
    next_shifts: tuple[ShiftLine, ...] = ()
    """By the rota, the next of each role in each scheme, the earliest first."""
    went_off: tuple[WentOffLine, ...] = ()
    """Who went off duty in the last week, the latest last."""
    missing: tuple[ShiftLine, ...] = ()
    """Shifts that have begun and whose person is not on duty, the earliest first."""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What has changed since the board before; ``None`` = unchanged. Sequences have no gaps."""

    sequence: int
    at: datetime
    cards: tuple[Card, ...] = ()
    gone_cards: tuple[str, ...] = ()
    """Keys of cards to remove: another stands for them now, or they were closed long ago."""
    nodes: tuple[NodeLine, ...] = ()
    gone_nodes: tuple[str, ...] = ()
    """No longer in the directory at all (a revoked node stays, as ``revoked``)."""
    on_duty: tuple[OnDuty, ...] | None = msgspec.field(default=None, name=ON_DUTY_JSON)
    is_broker_linked: bool | None = None
    is_disk_ok: bool | None = None
    has_alerts_lane: bool | None = None
    has_reserve: bool | None = None
    clock_fault: str | None = None
    rejected: tuple[RejectedLine, ...] | None = None
    schemes: tuple[SchemeLine, ...] | None = None
    next_shifts: tuple[ShiftLine, ...] | None = None
    missing: tuple[ShiftLine, ...] | None = None
    went_off: tuple[WentOffLine, ...] | None = None
    premises: tuple[PremisesLine, ...] = ()
    """Told apart from cards, so that no card carries them each time that it changes."""
    gone_premises: tuple[str, ...] = ()
    """Numbers of units whose premises is no longer known."""


class Acknowledge(msgspec.Struct, frozen=True, tag="acknowledge"):
    """This person has it."""

    incident: str
    seen_kind: str = ""
    """Slug of the kind that the card showed when the person pressed, ``test`` for a drill: refused if it has become
    more urgent since, so that nobody answers an attack that they took for an assist. Empty: not checked."""
    seen_through: int = 0
    """``through`` of the card acted on: the act is for each incident that it stood for. 0: for this one alone. This
    and ``seen_kind`` are the same in the acts below."""


class UndoAcknowledge(msgspec.Struct, frozen=True, tag="undo-acknowledge"):
    """Takes an acknowledgement back: within 10 s, by the same person."""

    incident: str
    seen_through: int = 0


class SetOnTheWay(msgspec.Struct, frozen=True, tag="on-the-way"):
    """Someone is on the way: the shop is told who comes."""

    incident: str
    seen_kind: str = ""
    who: Person | None = None
    """Who comes, in a role that goes out; ``None``: the person who says so."""
    seen_through: int = 0


class Assign(msgspec.Struct, frozen=True, tag="assign"):
    """Assigns it to a role or a person, as free text of at most 64 characters."""

    incident: str
    to: str
    seen_through: int = 0


class AddNote(msgspec.Struct, frozen=True, tag="note"):
    """Adds a note of at most 500 characters."""

    incident: str
    text: str


class Close(msgspec.Struct, frozen=True, tag="close"):
    """This person closes it and says how it ended."""

    incident: str
    outcome: str
    seen_alerts: int = 0
    """``alert_count`` of the card when the person began to close it: refused if the shop has pressed since, so that
    nobody closes a call that they never saw. 0: not checked."""
    seen_through: int = 0


class CloseRevoked(msgspec.Struct, frozen=True, tag="close-revoked"):
    """Closes every open incident of a sender that was struck off, by this person, with this outcome."""

    node: str
    """Its number as text."""
    outcome: str


class StartDuty(msgspec.Struct, frozen=True, tag="start-watch"):
    """This person is on duty from now on, in the role in which they ask: it may be another one than before."""

    proof: Proof = ""
    is_sign: bool = False
    """A page's own sign of life, which nobody pressed: it begins no duty, and moves none to another role. False in
    pages from before: theirs looks like a press."""


class EndDuty(msgspec.Struct, frozen=True, tag="end-watch"):
    """This person is no longer on duty."""

    note: str = ""
    """For whoever comes next, at most 500 characters; empty: nothing."""


class ReadHandover(msgspec.Struct, frozen=True, tag="read-handover"):
    """This person, who is on duty, has read what was left for them."""


class TakeOffDuty(msgspec.Struct, frozen=True):
    """Watchlink itself takes this person off duty, who has no sign-in left; ``why`` is for the record."""

    why: str


ActionForMany = Acknowledge | UndoAcknowledge | SetOnTheWay | Assign | Close
"""May be for each of the incidents that a card stands for."""
PageAction = ActionForMany | AddNote | CloseRevoked | StartDuty | EndDuty | ReadHandover
"""What a person may ask for at a page."""
Action = PageAction | TakeOffDuty


class Done(msgspec.Struct, frozen=True, tag="done", omit_defaults=True):
    """Committed to disk and told to the nodes."""

    sequence: int
    """The change that contains it."""
    left: int = 0
    """Of an act for many: how many more follow automatically in the next seconds."""
    untouched: int = 0
    """Of an act for many: how many alerts of that premises came after what was on screen, and still wait."""


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """Not done, as far as is known; ``reason`` tells the person why: already answered by …, closed, disk full."""

    reason: str
