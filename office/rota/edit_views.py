"""Pages on which co-ordinators change the rota of their schemes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from office.accounts.access import acting, for_roles, rights
from office.accounts.models import Scheme
from office.accounts.rules import TITLES
from office.rota import acts
from office.rota.acts import RotaRefusedError
from office.rota.forms import HoursForm, OverrideForm, PatternForm
from office.rota.models import POST_ROLES, OfPost, RotaCover, RotaOverride, RotaPattern, WithHours
from office.rota.planned import good_shifts, holders, names_of
from office.rota.rules.refusals import AWAY_DAYS_MAX
from office.rota.rules.spans import Span
from office.rota.wording import hours_text, span_text
from wire.snapshots import AnsweringRole

R = TypeVar("R", bound=OfPost)
guard = for_roles("co-ordinator")
_DIGITS_MAX = 11
NO_SHIFT = (
    "There is no shift yet that this changes, so the week looks as before. Look at the person, the days and the role."
)


@guard
@require_http_methods(["GET", "POST"])
def pattern_add(request: HttpRequest, scheme: str, role: str) -> HttpResponseBase:
    """Add a pattern."""
    return _edit(request, RotaPattern(scheme=_scheme(request, scheme), role=_role(role)))


@guard
@require_http_methods(["GET", "POST"])
def pattern_edit(request: HttpRequest, number: int) -> HttpResponseBase:
    """Change a pattern."""
    return _edit(request, _own(request, RotaPattern, number))


@guard
@require_http_methods(["GET", "POST"])
def pattern_remove(request: HttpRequest, number: int) -> HttpResponseBase:
    """Remove a pattern, after asking."""
    return _remove(request, _own(request, RotaPattern, number), acts.remove_hours)


@guard
@require_http_methods(["GET", "POST"])
def cover_add(request: HttpRequest, scheme: str, role: str) -> HttpResponseBase:
    """Add a cover."""
    return _edit(request, RotaCover(scheme=_scheme(request, scheme), role=_role(role)))


@guard
@require_http_methods(["GET", "POST"])
def cover_edit(request: HttpRequest, number: int) -> HttpResponseBase:
    """Change a cover."""
    return _edit(request, _own(request, RotaCover, number))


@guard
@require_http_methods(["GET", "POST"])
def cover_remove(request: HttpRequest, number: int) -> HttpResponseBase:
    """Remove a cover, after asking."""
    return _remove(request, _own(request, RotaCover, number), acts.remove_hours)


@guard
@require_http_methods(["GET", "POST"])
def override_add(request: HttpRequest, scheme: str, role: str) -> HttpResponseBase:
    """Let it be otherwise for once."""
    own = _scheme(request, scheme)
    row = RotaOverride(scheme=own, role=_role(role))
    holding = holders([own.pk])
    asked = _asked(request)
    on = {shift.account for shift in good_shifts(asked[0], [own.pk]) if shift.post == row.post} if asked else set()
    names = names_of({account for account, post in holding if post == row.post} | on)
    initial = OverrideForm.initial_of(*asked) if asked else {}
    typed = request.POST if request.method == "POST" else None
    form = OverrideForm(typed, post=row.post, holders=holding, names=names, initial=initial)
    if form.is_bound and form.is_valid():
        with acting(request) as (actor, mine):
            if own.pk not in mine.co_ordinates:
                raise Http404
            form.put(row)
            changes = acts.add_override(actor, row)
        messages.success(request, f"The rota was changed: {row}, {span_text(form.cleaned_data['span'])}.")
        if not changes:
            messages.warning(request, NO_SHIFT)
        return redirect("rota")
    context = {"form": form, "scheme": own, "title": TITLES[row.role]}
    return render(request, "rota/override.html", context, status=400 if form.errors else 200)


@guard
@require_http_methods(["GET", "POST"])
def override_remove(request: HttpRequest, number: int) -> HttpResponseBase:
    """Take an override back, after asking."""
    return _remove(request, _own(request, RotaOverride, number), acts.remove_override)


def _edit(request: HttpRequest, row: WithHours) -> HttpResponseBase:
    form = _form(request, row)
    if form.is_bound and form.is_valid():
        try:
            with acting(request) as (actor, mine):
                if row.scheme_id not in mine.co_ordinates:
                    raise Http404
                form.put(row)
                acts.save_hours(actor, row, form.cleaned_data["seen"])
        except RotaRefusedError as e:
            form.add_error(None, str(e))
        else:
            messages.success(request, f"Saved: {row}, {hours_text(row.hours)}.")
            return redirect("rota-made-of", scheme=row.scheme.slug)
    context = {
        "form": form,
        "row": row,
        "is_pattern": isinstance(row, RotaPattern),
        "title": TITLES[row.role],
        "has_begun": row.pk is not None and row.first <= timezone.localdate(),
    }
    return render(request, "rota/hours.html", context, status=400 if form.errors else 200)


def _form(request: HttpRequest, row: WithHours) -> HoursForm:
    typed = request.POST if request.method == "POST" else None
    fresh: dict[str, Any] = {"first": timezone.localdate(), "weekdays": list("0123456")}
    if not isinstance(row, RotaPattern):
        return HoursForm(typed, initial=fresh if row.pk is None else HoursForm.initial_of(row))
    holding = holders([row.scheme_id])
    names = names_of({account for account, post in holding if post == row.post} | {*row.people})
    return PatternForm(
        typed,
        initial=fresh if row.pk is None else PatternForm.initial_of(row),
        post=row.post,
        holders=holding,
        names=names,
        now=row.people,
    )


def _remove(request: HttpRequest, row: R, act: Callable[[Any, R], None]) -> HttpResponse:
    scheme = row.scheme
    if request.method == "POST":
        with acting(request) as (actor, mine):
            act(actor, _still(type(row), row.pk, mine.co_ordinates))
        messages.success(request, "It was removed. The rota is made of what is left.")
        return redirect("rota-made-of", scheme=scheme.slug)
    if isinstance(row, RotaOverride):
        what, when = "change", span_text(Span(row.begins_at, row.ends_at))
    else:
        assert isinstance(row, WithHours)
        what, when = "pattern" if isinstance(row, RotaPattern) else "cover", hours_text(row.hours)
    is_swap = isinstance(row, RotaOverride) and row.swap_id is not None
    context = {"row": row, "scheme": scheme, "what": what, "when": when, "is_swap": is_swap}
    return render(request, "rota/remove.html", context)


def _scheme(request: HttpRequest, slug: str) -> Scheme:
    return get_object_or_404(Scheme, slug=slug, pk__in=rights(request).co_ordinates)


def _role(slug: str) -> AnsweringRole:
    if slug not in POST_ROLES:
        raise Http404
    return slug


def _own(request: HttpRequest, kind: type[R], number: int) -> R:
    return _still(kind, number, rights(request).co_ordinates)


def _still(kind: type[R], number: int, co_ordinates: frozenset[int]) -> R:
    found: R = get_object_or_404(kind._default_manager.select_related("scheme"), pk=number, scheme__in=co_ordinates)  # noqa: SLF001
    return found


def _asked(request: HttpRequest) -> tuple[Span, int | None, str] | None:
    """What a link of the week asks for: a shift's or a gap's span, and whose it is."""
    given = [request.GET.get(word, "") for word in ("from", "to", "instead")]
    if not all(one.isascii() and (one.isdecimal() or not one) and len(one) <= _DIGITS_MAX for one in given):
        return None
    if not given[0] or not given[1] or int(given[0]) >= int(given[1]):
        return None
    begins_at, ends_at = (datetime.fromtimestamp(int(one), UTC) for one in given[:2])
    if ends_at - begins_at > timedelta(days=AWAY_DAYS_MAX):
        return None
    instead_of = int(given[2]) if given[2] else None
    return Span(begins_at, ends_at), instead_of, "besides" if instead_of is None else "stands-in"
