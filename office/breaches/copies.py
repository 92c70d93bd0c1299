"""Copies of reporters' statements: for the shop's contact at the office, for a month, and for nobody else."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import msgspec
from django.db.models import QuerySet
from django.utils import timezone

from office.accounts.models import Account
from office.accounts.rules import Rights
from office.accounts.telling import tell
from office.audit.journal import record
from office.breaches.acts import as_now
from office.breaches.models import Breach, StatementCopy
from office.breaches.rules import COPY_KEPT, told
from office.breaches.scope import identity_of
from office.members.models import Premises
from office.members.scope import contacts_of, spoken_for
from office.papers.orders import StatementPaper, day_text
from office.people.models import Individual

_ABOUT: Final = ("breach__scheme", "breach__case__scheme", "breach__case__individual__scheme")
_NO_ROLE: Final = Rights(0)


def contacts_for(breach: Breach) -> QuerySet[Account]:
    """Who would read a copy: contacts of the business that had the shop, and has it still, in that scheme."""
    premises, member = breach.premises, breach.member_id
    if premises is None or member is None or premises.member_id != member:
        return Account.objects.none()
    return contacts_of(member, breach.scheme_id)


def why_no_copy(breach: Breach) -> str:
    """Why nobody would read a copy now, and what to do; empty = :func:`contacts_for` would."""
    if not _is_shown(breach):
        return "The person is not shown outside the office now, so the shop gets no copy."
    if contacts_for(breach).exists():
        return ""
    if breach.premises is not None and breach.premises.member_id != breach.member_id:
        return "The shop has changed hands since: print a copy for whoever reported it."
    return "Nobody is chosen as contact of this shop: print a copy for whoever reported it."


def readable(now: datetime, copies: QuerySet[StatementCopy] | None = None) -> list[StatementCopy]:
    """The copies, of all or of these, that lie ready now and that somebody can read."""
    found = StatementCopy.objects.all() if copies is None else copies
    found = found.filter(made_at__gt=now - COPY_KEPT).select_related(*_ABOUT, "breach__premises")
    return [one for one in found if not why_no_copy(one.breach)]


def _is_shown(breach: Breach) -> bool:
    """Whether whom it is about may be shown to the shop: as to police, whatever else its contact is."""
    return breach.kind == "incident" or identity_of(_NO_ROLE, breach) is not None


def keep_copy(actor: Account, mine: Rights, breach: Breach, paper: StatementPaper | None) -> None:
    """Lay the newest statement of the reporter ready for the shop, and tell its contacts; ``None`` = none any more.

    Called inside :func:`office.accounts.access.acting`.
    """
    had, _ = StatementCopy.objects.filter(breach=breach).delete()
    premises = breach.premises
    if paper is None or premises is None or why_no_copy(breach):
        if had:
            record(actor, "statement-copy.taken-back", breach, individual=breach.reference)
        return
    now = timezone.now()
    StatementCopy.objects.create(
        breach=breach,
        member_id=premises.member_id,
        paper=msgspec.json.encode(paper),
        made_at=now,
        made_by=as_now(actor, mine, breach),
    )
    record(actor, "statement-copy.given", breach, individual=breach.reference)
    last = day_text(timezone.localtime(now + COPY_KEPT - timedelta(days=1)).date())
    for contact in contacts_for(breach):
        tell(contact, f"A copy of a statement for the police lies on the page of {premises.name} until {last}.")


def take_back_of(actor: Account, individual: Individual) -> None:
    """Those that name a person otherwise than is right. Called inside :func:`office.accounts.access.acting`."""
    for one in StatementCopy.objects.filter(breach__case__individual=individual).select_related("breach"):
        record(actor, "statement-copy.taken-back", one.breach, individual=one.breach.reference)
        one.delete()


def copies_visible(mine: Rights) -> list[StatementCopy]:
    """The copies that a contact may read now, the newest first.

    They speak for the business that had the shop when it was made, in the scheme of the breach; and whom it is about
    may be shown to them.
    """
    pairs = spoken_for(mine)
    found = StatementCopy.objects.filter(made_at__gt=timezone.now() - COPY_KEPT).select_related(*_ABOUT)
    return [one for one in found if (one.member_id, one.breach.scheme_id) in pairs and _is_shown(one.breach)]


def copies_at(mine: Rights, premises: Premises) -> list[tuple[StatementCopy, str, datetime]]:
    """Those of one premises, each with what became of it, and until when it lies there."""
    return [
        (one, _outcome(one.breach), one.made_at + COPY_KEPT)
        for one in copies_visible(mine)
        if one.breach.premises_id == premises.pk
    ]


def _outcome(breach: Breach) -> str:
    actions = breach.actions.values_list("kind", flat=True)
    return told(breach.state, actions, breach.state_at).words  # type: ignore[arg-type]  # the field's choices


def paper_of(copy: StatementCopy) -> StatementPaper:
    """What it says, word for word as it was made."""
    return msgspec.json.decode(bytes(copy.paper), type=StatementPaper)
