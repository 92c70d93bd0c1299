"""Pages of policies: who is asked when nobody answers. For the co-ordinators of the scheme."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods
from msgspec import Struct

from office.accounts.access import acting, for_roles, rights
from office.accounts.models import Scheme
from office.accounts.rules import TITLES, Rights
from office.accounts.second_factor import require_recent_second_factor
from office.escalation import policies, rules
from office.escalation.forms import PolicyForm
from office.escalation.models import Policy, PolicyVersion
from office.escalation.ways import reached_in

guard = for_roles("co-ordinator")


class StepRow(Struct, frozen=True):
    """A step, as people read it."""

    number: int
    who: str
    wait: str
    ways: str


class Shown(Struct, frozen=True):
    """A version of a policy, as people read it."""

    version: PolicyVersion
    kinds: str
    steps: tuple[StepRow, ...]
    round: str
    warnings: tuple[str, ...] = ()

    @property
    def number_text(self) -> str:
        """Of the version, to be joined with words."""
        return str(self.version.number)


@guard
@require_GET
def all_policies(request: HttpRequest) -> HttpResponse:
    """Of each of one's schemes: who is asked, and about which kinds of alert nobody is."""
    rows = []
    for scheme in Scheme.objects.filter(pk__in=rights(request).co_ordinates):
        held = list(policies.in_force([scheme.pk]))
        left = rules.without_policy(policies.said_by(version) for version in held)
        rows.append(
            {
                "scheme": scheme,
                "policies": [shown(version, is_in_force=True) for version in held],
                "proposal": None if held else _steps(_proposal(scheme)),
                "left": rules.kinds_text(left),
                "ended": Policy.objects.filter(scheme=scheme).exclude(ended_at=None),
            }
        )
    return render(request, "escalation/all.html", {"rows": rows})


@guard
@require_GET
def one_policy(request: HttpRequest, number: int) -> HttpResponse:
    """A policy with all its versions."""
    policy = _seen(rights(request), number)
    newest, *older = policy.versions.select_related("made_by", "policy__scheme")
    context = {
        "policy": policy,
        "newest": shown(newest, is_in_force=policy.ended_at is None),
        "older": [shown(version, is_in_force=False) for version in older],
    }
    return render(request, "escalation/policy.html", context)


@guard
@require_recent_second_factor
@require_http_methods(["GET", "POST"])
def policy_add(request: HttpRequest, scheme: str) -> HttpResponseBase:
    """Confirm what is proposed, or make a policy for other kinds of alert. Until it is saved nobody is asked by it."""
    own = own_scheme(rights(request), scheme)
    held = [policies.said_by(version) for version in policies.in_force([own.pk])]
    says = rules.Policy((), ()) if held else _proposal(own)
    form = PolicyForm(request.POST if request.method == "POST" else None, says, 0)
    if form.is_bound and form.is_valid():
        try:
            with acting(request) as (actor, mine):
                policies.make_policy(actor, own_scheme(mine, scheme), form.cleaned_data["policy"])
        except policies.PolicyRefusedError as e:
            form.add_error("kinds", str(e))
        else:
            messages.success(request, f"Confirmed: this policy of {own} holds.")
            return redirect("escalation")
    context = {"form": form, "scheme": own, "is_proposal": not held}
    return render(request, "escalation/edit.html", context, status=400 if form.errors else 200)


@guard
@require_recent_second_factor
@require_http_methods(["GET", "POST"])
def policy_edit(request: HttpRequest, number: int) -> HttpResponseBase:
    """Change a policy: the next version."""
    policy = _open(rights(request), number)
    newest = policy.versions.latest("number")
    form = PolicyForm(request.POST if request.method == "POST" else None, policies.said_by(newest), newest.number)
    if form.is_bound and form.is_valid():
        try:
            with acting(request) as (actor, mine):
                said, seen = form.cleaned_data["policy"], form.cleaned_data["version"] or 0
                made = policies.change_policy(actor, _open(mine, number), said, seen)
        except policies.PolicyRefusedError as e:
            form.add_error("kinds", str(e))
        else:
            messages.success(request, f"Saved: version {made.number} holds.")
            return redirect("policy", number)
    context = {"form": form, "scheme": policy.scheme, "policy": policy}
    return render(request, "escalation/edit.html", context, status=400 if form.errors else 200)


@guard
@require_recent_second_factor
@require_http_methods(["GET", "POST"])
def policy_end(request: HttpRequest, number: int) -> HttpResponseBase:
    """End a policy, after asking."""
    policy = _open(rights(request), number)
    kinds = rules.kinds_text(policy.versions.latest("number").kinds)
    if request.method == "POST":
        with acting(request) as (actor, mine):
            policies.end_policy(actor, _open(mine, number))
        messages.success(request, f"The policy has ended: nobody is asked about {kinds} in {policy.scheme} any more.")
        return redirect("escalation")
    return render(request, "escalation/end.html", {"policy": policy, "kinds": kinds})


def shown(version: PolicyVersion, *, is_in_force: bool) -> Shown:
    """A version for a page; with what is odd about it, if it is in force."""
    said, scheme = policies.said_by(version), version.policy.scheme
    odd: tuple[str, ...] = ()
    if is_in_force:
        odd = tuple(rules.warnings(scheme.name, said, policies.roles_in(scheme), reached_in(scheme)))
    return Shown(version, rules.kinds_text(said.kinds), _steps(said), rules.wait_text(said.round_s), odd)


def own_scheme(mine: Rights, slug: str) -> Scheme:
    """One that the person co-ordinates."""
    return get_object_or_404(Scheme, slug=slug, pk__in=mine.co_ordinates)


def _proposal(scheme: Scheme) -> rules.Policy:
    return rules.proposal(scheme.slug, policies.roles_in(scheme))


def _steps(said: rules.Policy) -> tuple[StepRow, ...]:
    return tuple(
        StepRow(number, TITLES[step.role], rules.wait_text(step.wait_s), rules.ways_text(step.ways))
        for number, step in enumerate(said.steps, 1)
    )


def _seen(mine: Rights, number: int) -> Policy:
    """A policy of a scheme that the person co-ordinates."""
    return get_object_or_404(Policy.objects.select_related("scheme"), pk=number, scheme__in=mine.co_ordinates)


def _open(mine: Rights, number: int) -> Policy:
    """Likewise, and it has not ended."""
    policy = _seen(mine, number)
    if policy.ended_at is not None:
        raise Http404
    return policy
