"""What people do about a breach, and incidents that they write down.

Runs inside :func:`office.accounts.access.acting`, and writes the audit.
"""

from __future__ import annotations

import secrets
from datetime import datetime

from django.utils import timezone

from office.accounts.models import Account, Scheme
from office.accounts.rules import TITLES, Rights
from office.audit.journal import record
from office.breaches.intake import place_of
from office.breaches.models import Breach, BreachAction
from office.breaches.rules import ROLES, Happened, next_state, why_not_add
from office.exclusions.models import STEP_BY_CHARS_MAX, Case
from office.members.models import Premises
from wire.ids import FrameId


class ActionRefusedError(Exception):
    """It cannot be added; the message is a sentence for whoever wanted it."""


class ChangedMeanwhileError(ActionRefusedError):
    """Somebody else has acted since the page was loaded."""


def add_action(
    actor: Account,
    mine: Rights,
    breach: Breach,
    kind: str,
    *,
    version: int,
    crime_reference: str = "",
    extended: Case | None = None,
    closes: bool = False,
) -> BreachAction:
    """Write down what was done, and close the breach if that was all.

    Raises:
        ActionRefusedError: it cannot be added, and why.
    """
    if version != breach.version:
        raise ChangedMeanwhileError("Somebody else has written something down meanwhile. Look at it, then go on.")
    why = why_not_add(breach.state, kind, crime_reference, has_case=extended is not None)  # type: ignore[arg-type]
    if why is not None:
        raise ActionRefusedError(why)
    now = timezone.now()
    action = BreachAction.objects.create(
        breach=breach,
        at=now,
        kind=kind,
        crime_reference=crime_reference.strip() if kind == "police-informed" else "",
        extended=extended if kind == "extended" else None,
        account=actor,
        by=as_now(actor, mine, breach),
        closes=closes,
    )
    breach.state, breach.state_at = next_state(closes=closes), now
    breach.closed_at = now if closes else None
    breach.version += 1
    breach.save(update_fields=["state", "state_at", "closed_at", "version"])
    record(actor, "breach.acted-on", breach, individual=breach.reference, kind=kind, closes=closes)
    return action


def write_down_incident(
    actor: Account, incident: FrameId, *, scheme: Scheme, premises: Premises, happened: Happened, at: datetime
) -> Breach:
    """An alert about nobody, which central has and the office has not: whoever writes it down has it in hand.

    One that somebody has written down meanwhile stays as it is.

    Args:
        actor: who writes it down; they deal with breaches of the scheme.
        incident: its id at central.
        scheme: in which the premises is.
        premises: where.
        happened: what it was.
        at: when, aware.
    """
    known = Breach.objects.filter(scheme=scheme, incident=incident.text).order_by("pk").first()
    if known is not None:
        return known
    now = timezone.now()
    breach = Breach.objects.create(
        report=secrets.token_hex(16),
        kind="incident",
        happened=happened,
        scheme=scheme,
        node=incident.node,
        premises=premises,
        member_id=premises.member_id,
        place=place_of(premises),
        at=at,
        is_time_proven=True,
        incident=incident.text,
        received_at=now,
        state="in-hand",
        state_at=now,
    )
    record(actor, "incident.written-down", breach, incident=incident.text)
    return breach


def as_now(actor: Account, mine: Rights, breach: Breach) -> str:
    """Name and roles of whoever does something about a breach, in its scheme."""
    roles = [role for role in ROLES if (role, breach.scheme_id) in mine.grants]
    return ", ".join([actor.name, *(TITLES[role] for role in roles)])[:STEP_BY_CHARS_MAX]
