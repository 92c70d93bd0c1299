"""Pages of a case's moves: a small form each, and the check. What may be done stands in the rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from office.accounts.access import acting, rights
from office.accounts.second_factor import ask_again, ask_again_at, is_recent
from office.exclusions import acts
from office.exclusions.acts import ChangedMeanwhileError, MoveRefusedError, Turn
from office.exclusions.due import settled
from office.exclusions.forms import CheckForm
from office.exclusions.models import Case
from office.exclusions.move_forms import DOINGS, MoveForm, until
from office.exclusions.movers import mover_of
from office.exclusions.nominating import likely, record_check
from office.exclusions.rules.life import MOVES, MoveName, why_not
from office.exclusions.rules.next_step import GRAVE
from office.exclusions.rules.period import CATEGORY_TITLES, TARIFF_MONTHS
from office.exclusions.scope import cases_visible, may_see_person, one_case, shown_photograph
from office.exclusions.terms import why_off
from office.members.models import Premises
from office.people.models import Individual

AGAIN: Final = "This wants your second factor again. Show it in the window that opens, then press the button here."
_ENDS_SOMETHING: Final = frozenset({"withdraw", "stop-vote", "revoke"})
_WANTS_REGISTER: Final = frozenset({"issue", "reissue"})
Page = Callable[[HttpRequest, int], HttpResponseBase]


class _GoneMeanwhileError(Exception):
    """Whom the co-ordinator chose of the register is not there any more; nothing was done."""


def move_page(name: MoveName) -> Page:
    """The page of a move: what follows from it, what it asks, and the button."""

    @settled
    @require_http_methods(["GET", "POST"])
    def page(request: HttpRequest, number: int) -> HttpResponseBase:
        case = _case_to_move(request, number, name)
        if request.method == "GET" and name in GRAVE and not is_recent(request):
            return ask_again(request, request.get_full_path())
        doing = DOINGS[name]
        if request.method != "POST":
            return _show(request, case, name, doing.form(case))
        form = doing.form(case, request.POST)
        if name in GRAVE and not is_recent(request):
            form.add_error(None, AGAIN)
        return _answer(request, case, name, form, do=lambda turn: doing.do(turn, form), done=doing.done)

    return page


@settled
@require_http_methods(["GET", "POST"])
def check_page(request: HttpRequest, number: int) -> HttpResponseBase:
    """The check of a nomination: who it is, what members will read, how long, where."""
    case = _case_to_move(request, number, "check")
    premises = Premises.objects.filter(schemes=case.scheme).order_by("name", "pk")
    one = case.individual
    known = likely(case.scheme, (one.name, one.also_known_as), one.born_on, but=one.pk)
    if request.method != "POST":
        return _show(request, case, "check", CheckForm(case, premises, known))
    form = CheckForm(case, premises, known, request.POST)

    def do(turn: Turn) -> None:
        known = Individual.objects.select_related("scheme").filter(scheme=turn.case.scheme_id, erased_at=None)
        same_as = known.filter(pk=form.same_as()).first()
        if form.same_as() and same_as is None:
            raise _GoneMeanwhileError
        record_check(turn, form.proposal(), form.nomination(), same_as=same_as)

    try:
        return _answer(request, case, "check", form, do=do, done="The check is recorded. Open the vote next.")
    except _GoneMeanwhileError:
        # Read anew, the form says so.
        return check_page(request, number)


def _case_to_move(request: HttpRequest, number: int, name: MoveName) -> Case:
    """A case that exists for the person, and a move that is theirs to ask for."""
    case = one_case(request, number)
    if not MOVES[name].by & mover_of(rights(request), case).roles:
        raise Http404
    return case


def _answer(
    request: HttpRequest,
    case: Case,
    name: MoveName,
    form: MoveForm | CheckForm,
    *,
    do: Callable[[Turn], object],
    done: str,
) -> HttpResponseBase:
    if not form.is_valid():
        return _show(request, case, name, form, status=400)
    try:
        with acting(request) as (actor, mine):
            now = cases_visible(mine).filter(pk=case.pk).first()
            if now is None:
                raise Http404
            do(Turn(actor, mine, now, form.cleaned_data["version"]))
    except ChangedMeanwhileError:
        return _show(request, one_case(request, case.pk), name, form, status=409, seen=form.cleaned_data["version"])
    except MoveRefusedError as e:
        form.add_error(None, str(e))
        return _show(request, one_case(request, case.pk), name, form, status=409)
    messages.success(request, done)
    ballot = case.ballots.filter(way="meeting", ended_at=None).first() if name == "open-vote" else None
    # The next page of a meeting is seen by all who are there: it must not say who it is.
    return redirect("case", number=case.pk) if ballot is None else redirect("hands", number=ballot.pk)


def _show(
    request: HttpRequest, case: Case, name: MoveName, form: MoveForm | CheckForm, *, status: int = 200, seen: int = 0
) -> HttpResponse:
    """The form, with what was typed.

    Args:
        request: who looks.
        case: as it is now.
        name: of the move.
        form: with what was typed, if anything was.
        status: of the answer.
        seen: the version that the person had seen when somebody else moved the case; 0 = nobody did.
    """
    mine = rights(request)
    is_shown = name != "open-vote" and may_see_person(mine, case)
    context: dict[str, Any] = {
        "case": case,
        "individual": case.individual if is_shown else None,
        "photograph": shown_photograph(mine, case) if is_shown else None,
        "is_minor": acts.is_minor(case.individual),
        "is_co_ordinator": case.scheme_id in mine.co_ordinates,
        "move": MOVES[name],
        "form": form,
        "why_not": why_not(name, acts.facts(case), mover_of(mine, case))
        or (why_off(case.scheme) if name in _WANTS_REGISTER else None),
        "is_grave": name in _ENDS_SOMETHING,
        "step_up": ask_again_at(request, reverse("case", args=[case.pk])) if _wants_factor(form) else "",
    }
    if seen:
        # A version is a step, so what the person has not seen are the steps after it.
        context["meanwhile"] = list(case.steps.all()[seen:])
        context["is_changed_meanwhile"] = True
        again = request.POST.copy()
        again["version"] = str(case.version)
        form.data = again
    if name == "check":
        context["tariff"] = [(CATEGORY_TITLES[one], *months) for one, months in TARIFF_MONTHS.items()]
        return render(request, "exclusions/check.html", context, status=status)
    context["doing"] = DOINGS[name]
    context["until"] = until(case) if name == "issue" else ""
    return render(request, "exclusions/move.html", context, status=status)


def _wants_factor(form: MoveForm | CheckForm) -> bool:
    return form.is_bound and AGAIN in form.non_field_errors()
