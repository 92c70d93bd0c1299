"""What central's pages show and what people may do there: the seam between the rules and the web.

The web never works anything out: it draws a :class:`Board`, applies :class:`Change` after change, and sends
:class:`Action` objects. JSON-able, so that the same values go down the live feed. Times are aware UTC;
ages are worked out by the browser from server time.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final, Literal, Protocol

import msgspec

ON_DUTY_JSON: Final = "on_watch"
"""Duty is still called watch in the page's JSON, as in the actions ``start-watch`` and ``end-watch``: a page that was
open before central was updated must go on."""


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """One incident as an alert card."""

    incident: str
    """Id text; every button of the card carries it."""
    key: str
    """The card's own name: ``incident``, or one that stays while a card that stands for many shows another of them."""
    stands_for: int = 1
    """Incidents. From the fourth open one of a premises on, one card stands for all, and shows the newest of the most
    urgent; the same for closed ones."""
    through: int = 0
    """Where it stands for many: what was on screen, for ``seen_through`` of an act."""
    revision: int
    node: str
    premises: str
    place: str
    schemes: tuple[str, ...]
    """Slugs."""
    kind: str
    """Slug of the most urgent alert so far: ``attack``, ``assist`` …"""
    priority: int
    """1 … 4; 5 = test."""
    state: Literal["unanswered", "answered", "on-the-way", "closed"]
    pressed_at: datetime | None
    """By the node's proven clock, else ``None``."""
    arrived_at: datetime
    """When central committed its first alert."""
    path: Literal["network", "radio"]
    """By which its first alert came."""
    paths: tuple[Literal["network", "radio"], ...] = ()
    """All by which it came, the first one first."""
    relay: str = ""
    """Premises that heard its first alert on the radio and passed it on."""
    is_untold: bool = False
    """What was answered last has no way to the premises now: no network there, and no radio that could say it."""
    is_late: bool
    is_silent: bool
    is_drill: bool
    is_clock_ahead: bool = False
    cancelled: Literal["mistake", "stand-down"] | None = None
    """By the shop; the incident stays open until a person closes it."""
    answered_by: Person | None = None
    """Who took it; they need not be who comes, nor who closes."""
    answered_at: datetime | None = None
    answered_after_s: int | None = None
    """Whole seconds from the press that was answered to the answer, as the shop is told too."""
    pressed_again_at: datetime | None = None
    """When the shop pressed again after the last answer, which covers it; ``None``: it has not, or somebody has
    acknowledged that too."""
    coming: Person | None = None
    """Who is on the way, ``coming_at`` since, by the word of ``coming_said_by``."""
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
    """While an acknowledgement can still be taken back (10 s)."""


class Person(msgspec.Struct, frozen=True):
    """Somebody on duty. Chosen, not proven, until accounts exist; recorded with everything they do."""

    role: str
    """Slug of :class:`wire.kinds.Role`."""
    name: str


class OnDuty(msgspec.Struct, frozen=True):
    """Somebody on duty now, and since when."""

    role: str
    name: str
    since: datetime

    @property
    def person(self) -> Person:
        """Who it is."""
        return Person(self.role, self.name)


class MemberLine(msgspec.Struct, frozen=True):
    """What another premises pressed on it."""

    node: str
    premises: str
    response: Literal["seen", "responding"]
    at: datetime


class HistoryLine(msgspec.Struct, frozen=True):
    """One thing that happened to an incident."""

    at: datetime
    what: str
    """``pressed``, ``upgraded``, ``repeated``, ``acknowledged``, ``unacknowledged``, ``on-the-way``, ``assigned``,
    ``note``, ``cancelled``, ``member``, ``closed``, ``reopened`` (a press on a closed incident), ``found-late``."""
    text: str
    by: Person | None = None


Standing = Literal["never-seen", "ok", "fault", "no-contact", "stopped", "revoked"]
"""Of a premises: what central can say of its node."""


class NodeLine(msgspec.Struct, frozen=True, kw_only=True):
    """One premises' health."""

    node: str
    premises: str
    place: str
    schemes: tuple[str, ...]
    state: Standing
    """``no-contact``: no sign of life for 30 s, or its last will came. ``never-seen`` with a ``last_seen_at``: not
    since central's own start, less than 30 s ago."""
    since: datetime | None
    """When it came into this state."""
    last_seen_at: datetime | None
    """As it was when this line last changed otherwise: a heartbeat alone makes no change."""
    faults: tuple[str, ...] = ()
    """Plain sentences: ``oled: no acknowledgement from address 0x3c``."""
    outbox_depth: int = 0
    version: str = ""
    restarts: int = 0
    """Boot ids seen in the last hour, less one."""
    rejected: int = 0
    """Input it dropped since its start."""
    is_gateway: bool = False
    """Central's own radio."""
    radio: RadioLine | None = None
    """``None``: it has none, as far as central knows."""
    weekly_test_at: datetime | None = None
    """When staff last pressed *test* and it arrived (N12)."""
    is_weekly_test_overdue: bool = False
    figures: tuple[PathFigures, ...] = ()
    """This month's, then the last one's."""


class RadioLine(msgspec.Struct, frozen=True, kw_only=True):
    """The way over the air from one premises (N11)."""

    state: Literal["fault", "listening", "untested", "ready", "unknown"]
    """As in :class:`wire.messages.RadioReport`; ``unknown``: it was heard, and has said nothing of its radio itself
    since central's start."""
    tested_at: datetime | None = None
    """When a test last came back to it over the air."""
    is_test_overdue: bool = False
    heard_at: datetime | None = None
    """When a frame of its own last came over the air, if since central's start or in the last weeks."""
    heard_by: tuple[str, ...] = ()
    """Premises that passed its frames on, the latest first."""
    blocked_since: datetime | None = None
    """An alert waits there for a channel that is never clear: a stuck transmitter, or somebody who jams."""
    busy_percent: int = 0
    """Of the last minutes, in tens."""


class PathFigures(msgspec.Struct, frozen=True, kw_only=True):
    """How one path of one premises did in a month (N11). Up to an hour old."""

    month: str
    """``2026-11``, by UTC."""
    path: Literal["network", "radio"]
    watched_minutes: int
    """In which central looked."""
    available_percent: float | None
    """Network: it gave signs of life. Radio: its last test had come back, or it was heard within a day."""
    frames: int
    """Frames that came this way, first copies and others."""
    late: int
    deliveries: int
    """Alerts with a proven time; of these:"""
    median_s: int | None
    """Half had been committed within so many seconds of the press. ``None``: there are none, or over 300 s."""
    most_s: int | None
    """95 % had."""


class RejectedLine(msgspec.Struct, frozen=True):
    """Input central dropped, counted by reason and (where it is known) sender."""

    reason: str
    sender: str
    count: int
    last_at: datetime


OF_CENTRAL: Final = ("is_broker_linked", "is_disk_ok", "has_alerts_lane", "has_reserve", "clock_fault")
"""What the board says of central itself: fields of the page, the board and its changes alike."""


class Board(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the control-room page shows, at one moment."""

    sequence: int
    """Of the last change contained."""
    at: datetime
    boot_id: str
    """New at every start of central: a browser that sees another one asks for the board again."""
    is_broker_linked: bool
    """Central's own link to the broker; if not, alerts cannot arrive and the page must say so."""
    is_disk_ok: bool
    on_duty: tuple[OnDuty, ...] = msgspec.field(name=ON_DUTY_JSON)
    cards: tuple[Card, ...]
    """Open incidents in no particular order, and those closed within the last hour."""
    nodes: tuple[NodeLine, ...]
    rejected: tuple[RejectedLine, ...]
    has_alerts_lane: bool = False
    """Alerts have a connection of their own to the broker, and a message has passed on it."""
    has_reserve: bool = True
    """What is kept free for the journal is whole; if not, the disk is full and alerts are using that up."""
    clock_fault: str = ""
    """What is wrong with central's own clock, and what to do; empty = nothing."""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What differs from the board before; ``None`` = unchanged. Sequences have no gaps."""

    sequence: int
    at: datetime
    cards: tuple[Card, ...] = ()
    gone_cards: tuple[str, ...] = ()
    """Keys of cards that are no more: another stands for them now, or they were closed long ago."""
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


class Acknowledge(msgspec.Struct, frozen=True, tag="acknowledge"):
    """I have it."""

    incident: str
    seen_kind: str = ""
    """Slug of the kind the card showed when the person pressed, ``test`` for a drill: refused if it has become more
    urgent since, so that nobody answers an attack that they took for an assist. Empty: not said, not checked."""
    seen_through: int = 0
    """``through`` of the card that was acted on: the act is for each incident it stood for. 0: for this one alone."""


class UndoAcknowledge(msgspec.Struct, frozen=True, tag="undo-acknowledge"):
    """Within 10 s, by the same person."""

    incident: str
    seen_through: int = 0
    """As for :class:`Acknowledge`."""


class SetOnTheWay(msgspec.Struct, frozen=True, tag="on-the-way"):
    """Somebody is on the way: the shop is told that this person comes."""

    incident: str
    seen_kind: str = ""
    """As for :class:`Acknowledge`."""
    who: Person | None = None
    """Who comes, in a role that goes out; ``None``: who says so."""
    seen_through: int = 0
    """As for :class:`Acknowledge`."""


class Assign(msgspec.Struct, frozen=True, tag="assign"):
    """To a role or a person, as free text of at most 64 characters."""

    incident: str
    to: str
    seen_through: int = 0
    """As for :class:`Acknowledge`."""


class AddNote(msgspec.Struct, frozen=True, tag="note"):
    """At most 500 characters."""

    incident: str
    text: str


class Close(msgspec.Struct, frozen=True, tag="close"):
    """Only a person closes, and says how it ended."""

    incident: str
    outcome: str
    seen_alerts: int = 0
    """``alert_count`` of the card when the person began to close it: refused if the shop has pressed since, so that
    nobody closes a call that they never saw. 0: not said, not checked."""
    seen_through: int = 0
    """As for :class:`Acknowledge`."""


class CloseRevoked(msgspec.Struct, frozen=True, tag="close-revoked"):
    """All that is open of a sender that was struck off: each is closed by this person with this reason."""

    node: str
    """Its number as text."""
    outcome: str


class StartDuty(msgspec.Struct, frozen=True, tag="start-watch"):
    """This person is on duty from now on. From somebody who already is: a sign of life, and nothing else changes."""


class EndDuty(msgspec.Struct, frozen=True, tag="end-watch"):
    """This person no longer is."""


ActionForMany = Acknowledge | UndoAcknowledge | SetOnTheWay | Assign | Close
"""For each of the incidents that a card stands for."""
Action = Acknowledge | UndoAcknowledge | SetOnTheWay | Assign | AddNote | Close | CloseRevoked | StartDuty | EndDuty


class Done(msgspec.Struct, frozen=True, tag="done", omit_defaults=True):
    """Committed to disk and told to the nodes."""

    sequence: int
    """The change that contains it."""
    left: int = 0
    """Of an act for many: so many more follow by themselves, in the next seconds."""
    untouched: int = 0
    """Of an act for many: so many alerts of that premises came after what was on screen, and wait still."""


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """Nothing was changed; ``reason`` is a sentence for the person: already answered by …, closed, disk full."""

    reason: str


DeliverChange = Callable[[Change], None]


class BoardPort(Protocol):
    """What the web is given. All methods are called on the web's asyncio loop and never block it."""

    def board(self) -> Board:
        """The newest board."""
        ...

    def subscribe(self, deliver: DeliverChange) -> None:
        """Call ``deliver`` on the web's loop with every change after the newest board. It must not block."""
        ...

    async def act(self, action: Action, by: Person) -> Done | Refused:
        """Carry out one action; returns after the commit."""
        ...
