"""The life of a case: its states, who may move it, and why a move is refused (G2).

One table, :data:`MOVES`, says it all: the pages draw their buttons from it and ask :func:`why_not` again when one is
pressed; ``docs/exclusions.md`` draws the diagram from it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Literal

from msgspec import Struct

State = Literal[
    "nominated",
    "checked",
    "voting",
    "decided",
    "issued",
    "served",
    "rejected",
    "withdrawn",
    "revoked",
    "expired",
    "lapsed",
]
MoveName = Literal[
    "check",
    "withdraw",
    "open-vote",
    "stop-vote",
    "accept",
    "reject",
    "find-no-quorum",
    "leave-unfinished",
    "approve-minor",
    "issue",
    "reissue",
    "serve",
    "correct",
    "appeal",
    "dismiss-appeal",
    "shorten",
    "restrict",
    "lift-restriction",
    "revoke",
    "expire",
    "lapse",
]
Actor = Literal["co-ordinator", "members-contact", "pcso", "watchlink"]
"""Who moves a case: by a role in its scheme, or Watchlink itself."""

TITLES: Final[Mapping[State, str]] = {
    "nominated": "Nominated",
    "checked": "Checked",
    "voting": "Being voted on",
    "decided": "Decided: excluded",
    "issued": "Issued",
    "served": "Served",
    "rejected": "Not excluded",
    "withdrawn": "Withdrawn",
    "revoked": "Revoked",
    "expired": "Ended",
    "lapsed": "Lapsed",
}
OVER: Final[frozenset[State]] = frozenset({"rejected", "withdrawn", "revoked", "expired", "lapsed"})
"""Nothing follows but deletion when its time has come."""
IN_FORCE: Final[frozenset[State]] = frozenset({"issued", "served"})
"""The person is excluded, from the first day to the last."""


class Move(Struct, frozen=True):
    """A row of the table.

    Attributes:
        name: how it is called in addresses and the audit.
        button: what a person presses.
        told: how the case's history tells it.
        by: who may.
        before: states in which it is possible.
        after: the state it leads to; ``None`` = the same.
        wants_reason: it is refused without one.
    """

    name: MoveName
    button: str
    told: str
    by: frozenset[Actor]
    before: frozenset[State]
    after: State | None
    wants_reason: bool = False


class Case(Struct, frozen=True):
    """What the rules need to know of a case.

    Attributes:
        state: where it stands.
        checked_by: account that checked it; 0 = nobody.
        nominated_by: account.
        is_minor: the person is, or is believed to be, under 18.
        minor_approved_by: the second approver's account; 0 = nobody.
        has_open_appeal: an appeal waits for its outcome.
        is_restricted: hidden from shops while accuracy is contested; before it is issued, from its issue on.
        premises: how many premises it covers.
        is_newest_served: the newest version of its notice has reached the person.
        is_source_over: it comes from a regional source, and the last day on which that may be used is over.
    """

    state: State
    checked_by: int = 0
    nominated_by: int = 0
    is_minor: bool = False
    minor_approved_by: int = 0
    has_open_appeal: bool = False
    is_restricted: bool = False
    premises: int = 1
    is_newest_served: bool = False
    is_source_over: bool = False


class Mover(Struct, frozen=True):
    """Who wants to move a case.

    Attributes:
        account: number; 0 = Watchlink itself.
        roles: in the case's scheme.
        same_as: accounts of who checked and nominated that may be the same person's.
        another_hears: the scheme has another co-ordinator who neither nominated nor checked, and can sign in.
    """

    account: int
    roles: frozenset[str]
    same_as: frozenset[int] = frozenset()
    another_hears: bool = False


WATCHLINK: Final = Mover(0, frozenset({"watchlink"}))

_Refusal = tuple[Callable[[Case, Mover], bool], str]
_CO_ORDINATOR: Final[frozenset[Actor]] = frozenset({"co-ordinator"})
_WATCHLINK: Final[frozenset[Actor]] = frozenset({"watchlink"})
STANDING: Final[frozenset[State]] = frozenset({"decided", "issued", "served"})
"""The members have excluded the person, and it is not over."""
_WAITING: Final[frozenset[State]] = frozenset({"nominated", "checked", "decided"})
_NOT_OVER: Final[frozenset[State]] = frozenset(TITLES) - OVER

MOVES: Final[Mapping[MoveName, Move]] = {
    move.name: move
    for move in (
        Move("check", "Record the check", "checked", _CO_ORDINATOR, frozenset({"nominated", "checked"}), "checked"),
        Move(
            "withdraw",
            "Withdraw",
            "withdrawn",
            frozenset({"co-ordinator", "members-contact"}),
            frozenset({"nominated", "checked"}),
            "withdrawn",
            wants_reason=True,
        ),
        Move("open-vote", "Open the vote", "vote opened", _CO_ORDINATOR, frozenset({"checked"}), "voting"),
        Move(
            "stop-vote",
            "Stop the vote",
            "vote stopped, its votes are void",
            _CO_ORDINATOR,
            frozenset({"voting"}),
            "checked",
            wants_reason=True,
        ),
        Move("accept", "", "members decided to exclude", _WATCHLINK, frozenset({"voting"}), "decided"),
        Move("reject", "", "members decided not to exclude", _WATCHLINK, frozenset({"voting"}), "rejected"),
        Move("find-no-quorum", "", "too few members voted", _WATCHLINK, frozenset({"voting"}), "checked"),
        Move(
            "leave-unfinished",
            "",
            "the meeting’s vote was not finished, and decides nothing",
            _WATCHLINK,
            frozenset({"voting"}),
            "checked",
        ),
        Move(
            "approve-minor",
            "Approve for an under-18",
            "approved by a second person",
            _CO_ORDINATOR,
            STANDING,
            None,
            wants_reason=True,
        ),
        Move("issue", "Issue", "issued", _CO_ORDINATOR, frozenset({"decided"}), "issued"),
        Move("reissue", "Issue a new version", "issued anew", _CO_ORDINATOR, IN_FORCE, None, wants_reason=True),
        Move(
            "serve",
            "Record that it was served",
            "served",
            frozenset({"co-ordinator", "pcso"}),
            IN_FORCE,
            "served",
        ),
        Move("correct", "Correct what it says", "corrected", _CO_ORDINATOR, STANDING, None, wants_reason=True),
        Move("appeal", "Record an appeal", "appealed", _CO_ORDINATOR, IN_FORCE, None, wants_reason=True),
        Move(
            "dismiss-appeal", "Dismiss the appeal", "appeal dismissed", _CO_ORDINATOR, IN_FORCE, None, wants_reason=True
        ),
        Move("shorten", "Shorten", "shortened", _CO_ORDINATOR, IN_FORCE, None, wants_reason=True),
        Move(
            "restrict",
            "Hide from shops",
            "hidden from shops while it is looked into",
            _CO_ORDINATOR,
            _NOT_OVER,
            None,
            wants_reason=True,
        ),
        Move(
            "lift-restriction", "Show in shops again", "shown in shops again", _CO_ORDINATOR, _NOT_OVER, None,
            wants_reason=True,
        ),
        Move("revoke", "Revoke", "revoked", _CO_ORDINATOR, STANDING, "revoked", wants_reason=True),
        Move("expire", "", "ended on its last day", _WATCHLINK, IN_FORCE, "expired"),
        Move("lapse", "", "lapsed: the next step was not taken in time", _WATCHLINK, _WAITING, "lapsed"),
    )
}  # fmt: skip
"""In the order of a case's life."""


def is_own(case: Case, mover: Mover) -> bool:
    """Whether somebody nominated or checked a case, by whichever account of theirs."""
    return not {mover.account, *mover.same_as}.isdisjoint({case.checked_by, case.nominated_by})


_COVERS_NOTHING: Final[_Refusal] = (
    lambda case, _: not case.premises,
    "This covers no premises. Choose at least one first.",
)
_IS_UNAPPROVED_MINOR: Final[_Refusal] = (
    lambda case, _: case.is_minor and not case.minor_approved_by,
    "The person is under 18. Another co-ordinator must approve this first.",
)
_IS_SOURCE_OVER: Final[_Refusal] = (
    lambda case, _: case.is_source_over,
    "The day until which the source allows use is over. Ask them again, then nominate anew.",
)
_SECOND: Final = (
    "The second approval must come from somebody who neither nominated nor checked, by an account whose name and e-mail"
    " address are not theirs."
)
_HEARS_OWN: Final = (
    "You nominated or checked this, by this account or one whose name or e-mail address is yours: another co-ordinator"
    " hears the appeal. To shorten or revoke it is open to you."
)
_REFUSALS: Final[Mapping[MoveName, tuple[_Refusal, ...]]] = {
    "withdraw": (
        (
            lambda case, mover: "co-ordinator" not in mover.roles and mover.account != case.nominated_by,
            "Only who nominated, or the co-ordinator, can withdraw this.",
        ),
    ),
    "open-vote": (_IS_SOURCE_OVER,),
    "approve-minor": (
        (lambda case, _: not case.is_minor, "This needs no second approval: the person is not under 18."),
        (is_own, f"{_SECOND} Ask another co-ordinator."),
        (lambda case, _: bool(case.minor_approved_by), "A second person has approved this already."),
    ),
    "issue": (_IS_UNAPPROVED_MINOR, _COVERS_NOTHING, _IS_SOURCE_OVER),
    "reissue": (_IS_UNAPPROVED_MINOR, _COVERS_NOTHING, _IS_SOURCE_OVER),
    "serve": ((lambda case, _: case.is_newest_served, "The newest version was served already."),),
    "appeal": ((lambda case, _: case.has_open_appeal, "There is an appeal already. Record its outcome first."),),
    "dismiss-appeal": (
        (lambda case, _: not case.has_open_appeal, "There is no open appeal."),
        (lambda case, mover: mover.another_hears and is_own(case, mover), _HEARS_OWN),
    ),
    "restrict": ((lambda case, _: case.is_restricted, "This is hidden from shops already."),),
    "lift-restriction": ((lambda case, _: not case.is_restricted, "This is not hidden from shops."),),
}
"""What the table of moves cannot say."""


def why_not(name: MoveName, case: Case, mover: Mover, reason: str = "-") -> str | None:
    """Why a move is refused, and what to do; ``None`` = it may be made.

    Args:
        name: of the move.
        case: as it is now, read in the transaction of the move.
        mover: who asks; their roles in the case's scheme.
        reason: what they gave; left out where only a button is drawn.
    """
    move = MOVES[name]
    if not move.by & mover.roles:
        return "This is not yours to do. Ask the co-ordinator."
    if case.state not in move.before:
        return f"This case is “{TITLES[case.state]}” now. Load the page again to see what can be done."
    if move.wants_reason and not reason.strip():
        return "Say why, in a sentence."
    return next((sentence for refuses, sentence in _REFUSALS.get(name, ()) if refuses(case, mover)), None)


def moves_open_to(case: Case, mover: Mover) -> list[Move]:
    """The moves whose buttons a person sees, in the order of a case's life."""
    return [move for name, move in MOVES.items() if why_not(name, case, mover) is None]
