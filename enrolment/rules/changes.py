"""What the delegate changes in the authority's directory. Pure.

It follows from two things alone: which directory it is, and who was enrolled. So nothing else has to be remembered, and
after a power cut the same bytes come out again. The number of the changes is that of the newest enrolment, which only
rises; the directory's own numbers are whole millions.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from enrolment.rules.claiming import Enrolled
from wire.delegation import SERIALS_PER_ISSUE
from wire.directory import DelegateChanges, Directory, SenderEntry, open_directory, seal_changes
from wire.ids import parse_node
from wire.renewal import BACKDATED
from wire.signing import PublicKey, SigningKey


class DelegationError(Exception):
    """The delegate cannot sign changes to this directory; one sentence for the engineer, without a full stop."""


def objection(base: Directory, delegate: PublicKey) -> str | None:
    """Why this delegate's changes to the directory count for nobody; ``None`` = they count."""
    delegation = base.delegation
    if delegation is None or not delegation.key:
        return "the directory names no delegate: run 'watchlink fleet delegate' with this machine's delegate.pub"
    if delegation.key != delegate.raw:
        return "the directory names another delegate than this machine"
    return None


def clock_fault(base: Directory, now_s: int) -> str | None:
    """Why this machine's clock is not believed; ``None`` = nothing is known against it.

    By a clock that is behind, certificates have ended when they are made; and a year after its last certificate's end
    nobody gets another.
    """
    signed_at = datetime.fromtimestamp(base.issued_at_s, UTC)
    if now_s >= (signed_at - BACKDATED).timestamp():
        return None
    now = datetime.fromtimestamp(now_s, UTC)
    return f"the clock here says {now:%Y-%m-%d}, before the directory was signed on {signed_at:%Y-%m-%d}: set it"


def refusal(base: Directory, delegate: PublicKey, now_s: int) -> str | None:
    """Why this delegate may make no more changes now; ``None`` = it may. What it made before stays in force."""
    why_not = clock_fault(base, now_s) or objection(base, delegate)
    if why_not is not None or base.delegation is None:
        return why_not
    ends_at = base.delegation.expires_at
    if now_s >= ends_at.timestamp():
        return f"the delegation has ended on {ends_at:%Y-%m-%d}: run 'watchlink fleet delegate' again"
    return None


def added(base: Directory, enrolled: Sequence[Enrolled]) -> tuple[SenderEntry, ...]:
    """The enrolled nodes that the authority does not list yet. Those it lists are as it says, whatever was enrolled."""
    return tuple(_entry(one) for one in enrolled if parse_node(one.node) not in base.senders)


def changed_directory(sealed: bytes, enrolled: Sequence[Enrolled], delegate: SigningKey, authority: PublicKey) -> bytes:
    """The authority's directory with what is missing in it; unchanged if nothing is.

    Args:
        sealed: the authority's, without changes.
        enrolled: all that were ever enrolled, oldest first.
        delegate: signs.
        authority: its public key.

    Raises:
        wire.errors.DirectoryError: ``sealed`` is not of this authority.
        wire.errors.EncodeError: no receiver would accept it.
        DelegationError: a million nodes were enrolled.
    """
    base = open_directory(sealed, authority)
    entries = added(base, enrolled)
    if not entries:
        return sealed
    newest = enrolled[-1]
    if newest.change >= SERIALS_PER_ISSUE:
        raise DelegationError("all numbers of the delegate are used up")
    changes = DelegateChanges(
        serial=base.serial + newest.change,
        made_at=datetime.fromtimestamp(newest.enrolled_at_s, UTC),
        added=entries,
    )
    return seal_changes(sealed, changes, delegate, authority)


def _entry(one: Enrolled) -> SenderEntry:
    claim = one.claim
    return SenderEntry(
        node=one.node,
        key=one.signing_key,
        premises=claim.premises,
        place=claim.place,
        schemes=claim.schemes,
        signs=True,
        office_premises=claim.office_premises,
        sealing_key=one.sealing_key,
    )
