"""The journal: everything that ever changed an incident, in order. Replaying it gives the incidents.

An entry is on disk before it has any effect, so whatever people and shops were told can always be told again.
``entry`` numbers rise over central's whole life, with gaps where a commit failed.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Final, Literal

from msgspec import Struct

from central.core.asking_lines import WentOffLine
from central.core.unit_lines import UnitFacts
from central.core.view import ActionForMany, OnDuty, Person
from wire.frames import Alert, Cancel, Frame, Response, SignedFrame
from wire.ids import FrameId, NodeId
from wire.kinds import Path
from wire.snapshots import AnsweringRole, StepEntry, Way

ActionKind = Literal[
    "acknowledged",
    "unacknowledged",
    "on-the-way",
    "assigned",
    "note",
    "closed",
    "duty-started",
    "duty-ended",
    "handover-read",
    "found-late",
    "asked",
    "nobody",
    "told",
]


ASKING_KINDS: Final[tuple[ActionKind, ...]] = ("asked", "nobody", "told")
"""Of escalation: a step of a policy has begun, nobody could be asked, a message went out or did not."""


class FrameEntry(Struct, frozen=True):
    """An admitted frame.

    Attributes:
        signed: the frame and its bytes.
        digest: SHA-256 of the bytes, 32 bytes.
        path: how it came.
        arrived_at: when it reached central.
        is_late: stored at the node for more than a minute before it arrived (N13).
        is_clock_ahead: it claims to come from the future; its time is not shown.
        relay: the first node to pass it on from the radio; ``None`` for the network.
    """

    entry: int
    signed: SignedFrame
    digest: bytes
    path: Path
    arrived_at: datetime
    is_late: bool
    is_clock_ahead: bool
    relay: NodeId | None = None

    @property
    def incident(self) -> FrameId | None:
        """The incident it is about; ``None`` for a path test."""
        return incident_of(self.signed.frame)


def incident_of(frame: Frame) -> FrameId | None:
    """The incident a frame is about; ``None`` for a path test and central's own frames."""
    match frame:
        case Alert() | Cancel():
            return frame.incident_id
        case Response():
            return frame.target
        case _:
            return None


WATCHLINK: Final = "watchlink"
ActorKind = Literal["person", "watchlink"]
"""Who did something. Watchlink itself: automatic answers, ``found-late``, a duty that its person did not end."""


class AskedPerson(Struct, frozen=True):
    """Somebody whom a step asks.

    Attributes:
        is_on_duty: they said so; if not, the rota names them.
        ways: those of the step by which they can be told, beside open pages.
        is_away: on duty with no page open: only a message reaches them.
    """

    account: int
    name: str
    is_on_duty: bool
    ways: tuple[Way, ...] = ()
    is_away: bool = False

    @property
    def key(self) -> int | str:
        """Of the person, among those of a role."""
        return self.account or self.name


class Asking(Struct, frozen=True, tag="asking"):
    """A step of a scheme's policy, begun; or that nobody can be asked.

    Attributes:
        round: from 1.
        step: index in ``steps``; of NOBODY the last.
        steps: of the policy as it was when this round began: the round ends with them, whatever the office changes.
        people: empty = NOBODY in a whole round.
        skipped: roles of the steps passed over before it, for want of anybody.
        away: by role and name, those on duty in such a role with no page open, whom no way of the step reaches.
    """

    scheme: int
    round: int
    step: int
    steps: tuple[StepEntry, ...]
    people: tuple[AskedPerson, ...] = ()
    skipped: tuple[AnsweringRole, ...] = ()
    away: tuple[tuple[AnsweringRole, str], ...] = ()

    @property
    def role(self) -> AnsweringRole | None:
        """Who is asked; ``None`` = NOBODY."""
        return self.steps[self.step].role if self.people else None


class Told(Struct, frozen=True, tag="told"):
    """What became of a message to somebody whom a step asked.

    Attributes:
        entry: number of the entry that began the step.
        words: why it failed, for people; empty if it was delivered.
    """

    scheme: int
    entry: int
    account: int
    name: str
    way: Way
    is_delivered: bool
    words: str = ""


class ActionEntry(Struct, frozen=True):
    """Something a person did, or Watchlink itself.

    Attributes:
        by: account, name and role of the person, as they were then. Where Watchlink itself ended somebody's duty:
            whose. ``None`` for ``found-late``.
        text: note, outcome or assignee, already cleaned; for ``duty-started`` its proof; for ``duty-ended`` the note to
            the next, or why Watchlink ended it; for ``found-late`` the alert's id; for ``on-the-way`` who comes, as
            ``role name`` (empty in journals from before November 2026: then ``by`` comes).
        schemes: of ``duty-started``: for which; empty: for all, as before there were accounts.
        details: of ``asked`` and ``nobody`` the step, of ``told`` the message.
    """

    entry: int
    kind: ActionKind
    incident: FrameId | None
    by: Person | None
    text: str
    at: datetime
    actor: ActorKind = "person"
    schemes: tuple[int, ...] = ()
    details: Asking | Told | None = None

    @property
    def coming(self) -> Person | None:
        """For ``on-the-way``: who comes."""
        role, _, name = self.text.partition(" ")
        is_own = self.by is not None and (role, name) == (self.by.role, self.by.name)
        return Person(role, name) if name and not is_own else self.by


JournalEntry = FrameEntry | ActionEntry


class SeenFrame(Struct, frozen=True):
    """A frame that is on disk, without its bytes."""

    id: FrameId
    digest: bytes
    is_late: bool


class KeptNode(Struct, frozen=True):
    """What the disk remembers of a node's liveness: coarse, minutes old.

    Attributes:
        speaks: capabilities that it understands.
        facts: what it said of itself; ``None`` = nothing is known.
    """

    node: NodeId
    last_seen_at: datetime
    boot_id: str
    speaks: tuple[str, ...] = ()
    facts: UnitFacts | None = None


class KeptAct(Struct, frozen=True):
    """An unfinished act for many incidents of one node.

    Attributes:
        number: of the first entry that it wrote, by which it is known.
        action: as for one incident.
        through: those pressed since this entry are left out.
        schemes: whose alerts the person could answer; ``None``: all, as before there were accounts.
    """

    number: int
    action: ActionForMany
    by: Person
    through: int
    schemes: tuple[int, ...] | None = None


class KeptFigures(Struct, frozen=True):
    """One path of one premises on one day (UTC), as :mod:`central.core.figures` counts it.

    Attributes:
        deliveries: alerts by delivery time, in the classes of ``BOUNDS_S``.
    """

    day: date
    node: NodeId
    path: Path
    watched_minutes: int
    up_minutes: int
    frames: int
    late: int
    deliveries: tuple[int, ...]


class KeptPath(Struct, frozen=True):
    """When one node was last heard over the air, and by whom, and when its weekly test last came, by the journal."""

    node: NodeId
    radio_heard_at: datetime | None = None
    heard_by: NodeId | None = None
    weekly_test_at: datetime | None = None


class Recall(Struct, frozen=True):
    """What the disk remembers at start.

    Attributes:
        journal: of incidents that are open or were closed within a day, and early cancels and responses of the last
            day; of each sender the most urgent and newest, as many as memory keeps; rising by ``entry``.
        left_open: for each sender with more open ones, how many more.
        seen: frames of the last 90 days, of each sender the newest; rising by counter.
        highest_counters: for each sender, over all time.
        on_duty: people whose duty has not ended, and since when.
        went_off: those whose duty has ended of late, the latest last.
        last_entry: the highest entry ever committed, or ``raised_entry`` if that is higher.
        raised_entry: the highest entry that nodes had seen when this database was an older copy; 0 = none.
        paths: of the last 60 days.
        figures: of this month and the last.
        acts: unfinished ones for many.
    """

    journal: tuple[JournalEntry, ...] = ()
    left_open: tuple[tuple[NodeId, int], ...] = ()
    seen: tuple[SeenFrame, ...] = ()
    highest_counters: tuple[tuple[NodeId, int], ...] = ()
    on_duty: tuple[OnDuty, ...] = ()
    went_off: tuple[WentOffLine, ...] = ()
    nodes: tuple[KeptNode, ...] = ()
    last_entry: int = 0
    raised_entry: int = 0
    paths: tuple[KeptPath, ...] = ()
    figures: tuple[KeptFigures, ...] = ()
    acts: tuple[KeptAct, ...] = ()
