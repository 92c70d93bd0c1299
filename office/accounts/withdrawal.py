"""Takes open links back: with the account or the phone of whoever made them, and after a restore."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils import timezone
from msgspec import Struct

from office.accounts.models import Account, Invitation, RecoveryLink
from office.accounts.rules import withdrawn_text
from office.audit.journal import Entry, record_many


class TakenBack(Struct, frozen=True):
    """A link that was open and is void now.

    Attributes:
        what: it is called.
        schemes: numbers of those it was for, or the person who was to come back by it is in.
    """

    what: str
    schemes: frozenset[int]


class Withdrawn(Struct, frozen=True):
    """Links that were open and are void now. Their maker may know of all of them, others by :meth:`seen_by`."""

    invitations: tuple[TakenBack, ...]
    recoveries: tuple[TakenBack, ...]

    def seen_by(self, own: frozenset[int]) -> Withdrawn:
        """What a co-ordinator of these schemes may know of; the audit names the same to them."""
        return Withdrawn(
            tuple(one for one in self.invitations if own & one.schemes),
            tuple(one for one in self.recoveries if own & one.schemes),
        )

    @property
    def text(self) -> str:
        """How many; empty if there was none."""
        return withdrawn_text(len(self.invitations), len(self.recoveries))

    @property
    def told(self) -> str:
        """What their maker is told; empty if there was none."""
        return f"Taken back: {self.text} that you had made. Make again what is still wanted." if self.text else ""


def withdraw(
    actor: Account | None, invitations: QuerySet[Invitation], recoveries: QuerySet[RecoveryLink], **details: object
) -> Withdrawn:
    """Take back those of these links that were neither used nor cancelled, each with its row in the audit.

    Args:
        actor: who does it; ``None`` = Watchlink itself.
        invitations: which. Expired ones are voided too, but neither recorded nor told.
        recoveries: which; the same.
        details: for the audit.
    """
    now = timezone.now()
    invitations, recoveries = invitations.filter(used_at=None, cancelled_at=None), recoveries.filter(used_at=None)
    joining = invitations.filter(expires_at__gt=now).order_by("pk").prefetch_related("schemes")
    coming_back = recoveries.filter(expires_at__gt=now).order_by("pk").prefetch_related("account__grants")
    entries = [
        *(Entry("invitation.cancelled", one, details, [its.number for its in one.schemes.all()]) for one in joining),
        *(Entry("recovery-link.voided", one.account, details) for one in coming_back),
    ]
    withdrawn = Withdrawn(
        tuple(TakenBack(str(one), frozenset(its.number for its in one.schemes.all())) for one in joining),
        tuple(TakenBack(str(one), frozenset(its.scheme_id for its in one.account.grants.all())) for one in coming_back),
    )
    if entries:
        record_many(actor, entries)
    invitations.update(cancelled_at=now)
    recoveries.delete()
    return withdrawn


def withdraw_made_by(maker: Account, actor: Account | None) -> Withdrawn:
    """Take back what a person made: a thief with their phone, or they themselves, could come back by it."""
    invitations, recoveries = Invitation.objects.filter(invited_by=maker), RecoveryLink.objects.filter(made_by=maker)
    return withdraw(actor, invitations, recoveries, made_by=maker.name)
