"""Central's state of an incident."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from wire.ids import FrameId
from wire.messages.fields import (
    MEMBERS_MAX,
    Count,
    Counter,
    FrameText,
    Message,
    Moment,
    Name,
    NodeText,
    Slug,
    cut,
    settle_moments,
)


class Answer(Message, frozen=True):
    """Who has answered."""

    role: Slug
    """A name of :class:`~wire.kinds.Role`; a newer central may know more."""
    name: Name
    """The person's name in full, as entered."""
    at: Moment
    """When central committed it."""
    press: FrameText | None = None
    """Id of the press that was answered; a later press of the same incident is not. Absent from an old central."""
    after_s: Count | None = None
    """Whole seconds from that press to the answer, so that every screen says the same."""

    def __post_init__(self) -> None:
        if self.press is not None:
            FrameId.parse(self.press)
        settle_moments(self, "at")


class MemberAnswer(Message, frozen=True):
    """What another premises pressed."""

    node: NodeText
    """The member's."""
    premises: Name
    """Its name in the directory."""
    response: Literal["seen", "responding"]
    """The latest it pressed."""
    at: Moment
    """When central committed it."""

    def __post_init__(self) -> None:
        settle_moments(self, "at")


class Asked(Message, frozen=True):
    """Who is asked now, by the scheme's policy, because nobody has answered (C3)."""

    since: Moment
    """When this step began, or when NOBODY began."""
    role: Slug | None = None
    """A name of :class:`~wire.kinds.Role`; a newer central may know more. Absent = NOBODY can be asked."""

    def __post_init__(self) -> None:
        settle_moments(self, "since")


class IncidentState(Message, frozen=True):
    """``scheme/{scheme}/incident``: the whole state of one incident, each time it changes."""

    incident: FrameText
    """Id of the alert that opened it."""
    revision: Count
    """Rises with each change; an older revision that arrives later is ignored."""
    scheme: Slug
    """The scheme this copy is for."""
    node: NodeText
    """The presser's."""
    premises: Name
    """The presser's name in the directory."""
    place: Name
    """Where the premises is."""
    kind: Slug
    """Kind of its most urgent alert so far, a name of :class:`~wire.kinds.AlertKind`; a newer central may know more."""
    priority: Annotated[int, msgspec.Meta(ge=1, le=5)]
    """1 … 4 as on the badges, 5 = test."""
    state: Literal["unanswered", "answered", "on-the-way", "closed"]
    """What a person on duty has said."""
    opened_at: Moment
    """When it was pressed, or when it arrived if the node's clock was not proven."""
    expires_at: Moment
    """After this the message is void: ask with a sync."""
    late: bool = False
    """It reached central late (N13): never shown as live."""
    live_at: Moment | None = None
    """When its newest press that is not late was made, by central's clock (or else reached central); absent if late."""
    stamped_at: Moment | None = None
    """Time that this press itself bears, if that differs: who does not know this run's time judges by it."""
    silent: bool = False
    """Nothing may be seen or heard at the presser's premises (N4)."""
    drill: bool = False
    """An exercise."""
    cancelled: Literal["mistake", "stand-down"] | None = None
    """The presser took it back, and why; it stays open until a person closes it (N6)."""
    answer: Answer | None = None
    """Who has answered; absent while nobody has."""
    members: Annotated[tuple[MemberAnswer, ...], msgspec.Meta(max_length=MEMBERS_MAX)] = ()
    """What neighbours pressed, in order of arrival; one entry per premises."""
    person: Counter | None = None
    """Number of the reference of the person it is about, in this scheme: 42 = ``HART-0042``; absent = about nobody."""
    asked: Asked | None = None
    """While nobody has answered; absent of a scheme without a policy, and from an old central."""
    left: Literal["yes", "no", "not-asked"] | None = None
    """Of a breach about a person: whether they left when asked, by the newest press that says so."""

    def __post_init__(self) -> None:
        FrameId.parse(self.incident)
        settle_moments(self, "opened_at", "expires_at", "live_at", "stamped_at")
        cut(self, "members", MEMBERS_MAX)
