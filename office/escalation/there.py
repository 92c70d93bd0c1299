"""Who could be asked at a time, as far as the office can know: whom the rota names, if a message can reach them.

Those on duty in the role are asked before them. Who will be, nobody knows; central knows who is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from office.accounts.models import Scheme
from office.escalation.dry_run import ROUNDS, has_way
from office.escalation.models import ContactWay
from office.escalation.policies import roles_in
from office.rota.planned import good_shifts, names_of
from office.rota.rules.spans import Span
from wire.snapshots import STEP_S_MAX, STEPS_MAX, AnsweringRole, StepEntry

LONGEST: Final = timedelta(seconds=ROUNDS * STEPS_MAX * STEP_S_MAX)
"""No dry run lasts longer."""


class RotaThere:
    """Who could be asked in a scheme from a moment on, for as long as a dry run can last."""

    def __init__(self, scheme: Scheme, begins_at: datetime) -> None:
        self._shifts = good_shifts(Span(begins_at, begins_at + LONGEST), [scheme.pk])
        accounts = {shift.account for shift in self._shifts}
        self.names = names_of(accounts)
        self.ways: defaultdict[int, set[str]] = defaultdict(set)
        for account, way in ContactWay.objects.filter(account__in=accounts).values_list("account", "way"):
            self.ways[account].add(way)
        self._roles = roles_in(scheme)

    def __call__(self, step: StepEntry, at: datetime) -> Sequence[int]:
        """Accounts, by beginning of their shifts."""
        named = self._named(step.role, at)
        return [one for one in named if any(has_way(way, self.ways[one]) for way in step.ways)]

    def why_not(self, step: StepEntry, at: datetime) -> str:
        """Why the step is skipped at a moment, unless somebody is on duty all the same."""
        if not self._roles[step.role]:
            return "nobody has the role"
        named = self._named(step.role, at)
        if not named:
            return "nobody is on the rota"
        return f"{', '.join(self.names[one] for one in named)} on the rota: none of this step’s ways reaches them"

    def _named(self, role: AnsweringRole, at: datetime) -> list[int]:
        on = (one for one in self._shifts if one.post.role == role and one.span.begins_at <= at < one.span.ends_at)
        return list(dict.fromkeys(one.account for one in on))
