"""Whom an exclusion reaches: premises covered, who is shown it, when its notice is issued anew (G1, G3, G14)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date
from typing import Final, Literal

from msgspec import Struct

from office.exclusions.rules.life import IN_FORCE, State
from office.exclusions.rules.period import Period
from wire.gallery_lines import LISTED_MAX

Scope = Literal["all", "listed"]
"""All premises of the scheme, later joiners included; or those listed."""
READERS: Final = frozenset(
    {"co-ordinator", "members-contact", "police", "pcso", "duty-sergeant", "duty-officer", "cctv"}
)
"""Roles that may read who is excluded in their scheme (G4)."""


class MinorsPolicy(Struct, frozen=True):
    """Of a scheme. Both are needed before an under-18 is shown beyond those who decide and serve.

    Attributes:
        dpia_allows: the recorded data-protection impact assessment says so.
    """

    dpia_allows: bool = False


class Shown(Struct, frozen=True):
    """What decides whether a case is shown.

    Attributes:
        state: of the case.
        period: first and last day.
        is_restricted: hidden while accuracy is contested.
        is_minor: under 18 today.
        minor_shown_by: account of the second approver who allowed showing; 0 = nobody.
    """

    state: State
    period: Period | None
    is_restricted: bool
    is_minor: bool
    minor_shown_by: int = 0


def is_excluded(case: Shown, today: date) -> bool:
    """Whether the person is excluded on this day, shown or not."""
    return case.state in IN_FORCE and case.period is not None and case.period.first <= today <= case.period.last


def is_shown(case: Shown, policy: MinorsPolicy, today: date) -> bool:
    """Whether readers and shops see the case: in force on this day, not contested, no under-18 unless allowed twice."""
    if not is_excluded(case, today) or case.is_restricted:
        return False
    return not case.is_minor or (policy.dpia_allows and bool(case.minor_shown_by))


def covered(scope: Scope, listed: frozenset[int], in_scheme: frozenset[int]) -> frozenset[int]:
    """Numbers of the premises that an exclusion covers today. One that has left the scheme is not covered any more."""
    return in_scheme if scope == "all" else listed & in_scheme


def concerned(scope: Scope, covered: frozenset[int], own: Mapping[int, str], happened_at: str) -> frozenset[int]:
    """Numbers of the premises that an exclusion concerns in particular, and whose pages say so: "here".

    Where only some may be shown it, all of them. Else those of the member who nominated; if the place where it happened
    names some of these, only those.

    Args:
        scope: of the exclusion.
        covered: numbers of the premises that it covers.
        own: the nominating member's premises in the scheme, number → name; empty = the co-ordinator nominated.
        happened_at: the place, in the nominator's words.
    """
    if scope == "listed":
        return covered
    named = {number for number, name in own.items() if name and name.casefold() in happened_at.casefold()}
    return covered & (named or own.keys())


def why_not_scope(scope: Scope, listed: frozenset[int], in_scheme: frozenset[int], necessity: str) -> str | None:
    """Why a scope is refused, and what to do; ``None`` = it may be decided on."""
    if not covered(scope, listed, in_scheme):
        return "Choose at least one premises."
    if scope == "listed" and not listed <= in_scheme:
        return "Choose only premises of this scheme."
    if scope == "listed" and len(listed) > LISTED_MAX:
        return f"Choose {LISTED_MAX} premises at most, or all of the scheme."
    if not necessity.strip():
        return "Say why all these premises are needed, in a sentence."
    return None


def premises_digest(numbers: frozenset[int]) -> str:
    """32 characters that stand for these premises: one comparison for however many there are."""
    text = ",".join(str(number) for number in sorted(numbers))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def is_stale(state: State, paper_digest: str, covered: frozenset[int]) -> bool:
    """Whether the person's copy says otherwise than holds now, so that it must be issued anew.

    Args:
        state: of the case.
        paper_digest: of the premises on the copy; empty = something else on it does not hold any more.
        covered: numbers of the premises that the exclusion covers now.
    """
    return state in IN_FORCE and paper_digest != premises_digest(covered)
