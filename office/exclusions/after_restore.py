"""Ends and hides again what was ended and hidden after the copy was made from which the office was restored.

No rule is asked: it had been done. In the transaction of the restore.
"""

from __future__ import annotations

from typing import Final

from django.utils import timezone

from office.audit.journal import WATCHLINK_NAME, record
from office.exclusions.models import Case, Step
from office.exclusions.rules.life import MOVES, MoveName

REASON: Final = "The office was restored from a backup: this had been done since."


def end_again(case: Case) -> None:
    """End a case, which is read in this transaction."""
    move: MoveName = "revoke" if case.state in MOVES["revoke"].before else "withdraw"
    now = timezone.now()
    case.ballots.filter(ended_at=None).update(ended_at=now, outcome="stop-vote")
    case.state, case.over_at, case.has_open_appeal = MOVES[move].after or case.state, now, False
    _keep(case, move)


def hide_again(case: Case) -> None:
    """Hide it from shops until somebody has looked."""
    case.is_restricted = True
    _keep(case, "restrict")


def _keep(case: Case, move: MoveName) -> None:
    case.version += 1
    case.save()
    Step.objects.create(case=case, at=timezone.now(), move=move, account=None, by=WATCHLINK_NAME, reason=REASON)
    record(None, f"case.{move}", case, individual=case.individual.reference, after_restore=True)
