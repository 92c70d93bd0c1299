"""The page of a dry run: who would be asked about an alert at some time. It asks nobody, and changes nothing."""

from __future__ import annotations

from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET
from msgspec import Struct

from office.accounts.access import rights
from office.accounts.rules import TITLES
from office.escalation import policies, rules
from office.escalation.dry_run import Line, play, reach_text
from office.escalation.forms import TryForm
from office.escalation.there import RotaThere
from office.escalation.views import guard, own_scheme
from wire.escalation import policy_for


class Row(Struct, frozen=True):
    """A line of a dry run, as people read it."""

    at: datetime
    after: str
    round: int
    number: int
    who: str
    wait: str
    people: tuple[tuple[str, str], ...]
    """Name, and by what."""
    why_not: str
    """Why it is skipped; empty = it is not."""


@guard
@require_GET
def try_policy(request: HttpRequest, scheme: str) -> HttpResponse:
    """Play an alert of some kind at some time, now if none is given."""
    own = own_scheme(rights(request), scheme)
    now = f"{timezone.localtime():%Y-%m-%dT%H:%M}"
    form = TryForm({"kind": request.GET.get("kind") or "attack", "at": request.GET.get("at") or now})
    context: dict[str, object] = {"form": form, "scheme": own}
    if form.is_valid():
        kind, at = form.cleaned_data["kind"], form.cleaned_data["at"]
        held = [policies.entry_of(version) for version in policies.in_force([own.pk])]
        entry = policy_for(held, own.pk, kind)
        says = entry.steps if entry is not None else ()
        if not held and kind in rules.PROPOSED_KINDS:
            says = rules.proposal(own.slug, policies.roles_in(own)).steps
        context |= {
            "kind": rules.KIND_TITLES[kind],
            "at": at,
            "version": entry.version if entry is not None else 0,
            "is_proposal": bool(says) and entry is None,
        }
        if says:
            there = RotaThere(own, at)
            played = play(says, at, there)
            context |= {"rows": [_row(line, there, at) for line in played.lines], "nobody_at": played.nobody_at}
    return render(request, "escalation/try.html", context, status=400 if form.errors else 200)


def _row(line: Line, there: RotaThere, begins_at: datetime) -> Row:
    step = line.step
    return Row(
        line.at,
        rules.wait_text(int((line.at - begins_at).total_seconds())) or "at once",
        line.turn.round,
        line.turn.step + 1,
        TITLES[step.role],
        rules.wait_text(step.wait_s),
        tuple((there.names[one], reach_text(step.ways, there.ways[one])) for one in line.people),
        "" if line.people else there.why_not(step, line.at),
    )
