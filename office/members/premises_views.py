"""Pages of premises. What may be done stands in :mod:`office.members.rules`."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods
from msgspec import Struct

from office.accounts.access import acting, for_roles, rights
from office.accounts.models import Account
from office.breaches.copies import copies_at
from office.members.csv_views import forget_uploads
from office.members.facts import folded
from office.members.forms import (
    DRAFT_LABELS,
    Draft,
    PremisesForm,
    PremisesInput,
    decode_draft,
    draft_differences,
    encode_draft,
    put_field,
)
from office.members.import_rules import OwnScheme
from office.members.listing import filtered_premises, premises_page, read_filters
from office.members.models import Member, Premises
from office.members.register import (
    ChangedMeanwhileError,
    ChangeRefusedError,
    Wanted,
    add_member,
    add_premises,
    change_premises,
    remove_premises,
    scheme_numbers,
)
from office.members.rules import Difference, SchemesRefusedError, visible_schemes
from office.members.scope import members_of, premises_of, premises_visible, schemes_of, spoken_for
from office.members.units import units

_CHOICE = "choice-"


class Shown(Struct, frozen=True):
    """A field of two versions, for the page on which one chooses."""

    label: str
    difference: Difference
    name: str


@for_roles("co-ordinator", "members-contact")
@require_GET
def premises_list(request: HttpRequest) -> HttpResponse:
    """The premises that exist for the person: searched, filtered, fifty to a page."""
    mine = rights(request)
    own = schemes_of(mine.schemes("co-ordinator", "members-contact"))
    forget_uploads()
    filters, fitted = read_filters(request.GET), units()
    wanted = frozenset(one.number for one in own if not filters.scheme or one.slug == filters.scheme)
    found = filtered_premises(premises_visible(mine, wanted), filters, own, fitted)
    page = premises_page(found, own, request.GET.get("page", "1"))
    spoken = spoken_for(mine)
    rows = [
        (
            one,
            [its for its in one.own_schemes if its.pk in mine.co_ordinates or (one.member_id, its.pk) in spoken],
            () if fitted is None else fitted.get(one.pk, ()),
        )
        for one in page.object_list
    ]
    return render(
        request,
        "members/premises_list.html",
        {
            "page": page,
            "rows": rows,
            "filters": filters,
            "schemes": own,
            "are_units_known": fitted is not None,
            "is_co_ordinator": bool(mine.co_ordinates),
        },
    )


@for_roles("co-ordinator", "members-contact")
@require_GET
def premises_page_view(request: HttpRequest, number: int) -> HttpResponse:
    """One premises."""
    mine = rights(request)
    premises = get_object_or_404(premises_visible(mine).select_related("member"), pk=number)
    own = mine.co_ordinates | {scheme for member, scheme in spoken_for(mine) if member == premises.member_id}
    numbers, fitted = scheme_numbers(premises), units()
    return render(
        request,
        "members/premises.html",
        {
            "premises": premises,
            "contacts": premises.contacts.all(),
            "schemes": schemes_of(visible_schemes(numbers, own)),
            "units": None if fitted is None else fitted.get(premises.pk, ()),
            "may_edit": bool(visible_schemes(numbers, mine.co_ordinates)),
            "copies": copies_at(mine, premises),
        },
    )


@for_roles("co-ordinator")
@require_http_methods(["GET", "POST"])
def premises_add(request: HttpRequest) -> HttpResponseBase:
    """Add a premises."""
    own = rights(request).co_ordinates
    schemes = schemes_of(own)
    if request.method != "POST":
        typed = PremisesInput(schemes)
        member = members_of(own).filter(pk__in=_number(request.GET.get("member", ""))).first()
        if member is not None:
            typed.form.initial["member"] = member.name
        return _form(request, typed, None)
    typed = PremisesInput(schemes, request.POST)
    draft = typed.read()
    if draft is not None:
        try:
            with acting(request) as (actor, mine):
                still_own = own & mine.co_ordinates
                wanted = _wanted(actor, still_own, typed.form, draft)
                premises = None if wanted is None else add_premises(actor, still_own, wanted)
        except (SchemesRefusedError, ChangeRefusedError) as e:
            typed.form.add_error(None, str(e))
        else:
            if premises is not None:
                messages.success(request, f"{premises.name} was added.")
                return redirect("premises", number=premises.pk)
    return _form(request, typed, None)


@for_roles("co-ordinator")
@require_http_methods(["GET", "POST"])
def premises_edit(request: HttpRequest, number: int) -> HttpResponseBase:
    """Change a premises. Who saves second sees both versions and chooses."""
    own = rights(request).co_ordinates
    schemes = schemes_of(own)
    premises = get_object_or_404(premises_of(own).select_related("member"), pk=number)
    saved = _draft(premises, own)
    if request.method != "POST":
        typed = PremisesInput(schemes, draft=saved)
        typed.form.initial.update(version=premises.version, base=encode_draft(saved))
        return _form(request, typed, premises)
    data = request.POST.copy()
    base = decode_draft(data.get("base", ""))
    unchosen = _put_choices(data, base)
    typed = PremisesInput(schemes, data)
    draft = typed.read()
    if draft is None:
        return _form(request, typed, premises)
    version = typed.form.cleaned_data.get("version") or 0
    if unchosen or version != premises.version:
        # What was typed against is the base, unless a choice is only being asked for again.
        return _conflict(request, typed, premises, base=base, saved=saved, mine=draft, is_asked_again=unchosen)
    try:
        with acting(request) as (actor, mine):
            still_own = own & mine.co_ordinates
            wanted = _wanted(actor, still_own, typed.form, draft)
            if wanted is not None:
                change_premises(actor, still_own, number, version, wanted)
    except ChangedMeanwhileError:
        premises = get_object_or_404(premises_of(own).select_related("member"), pk=number)
        return _conflict(request, typed, premises, base=base, saved=_draft(premises, own), mine=draft)
    except Premises.DoesNotExist as e:
        raise Http404 from e
    except (SchemesRefusedError, ChangeRefusedError) as e:
        typed.form.add_error(None, str(e))
        wanted = None
    if wanted is None:
        return _form(request, typed, premises)
    messages.success(request, f"{wanted.facts.name} was saved.")
    return redirect("premises", number=number)


@for_roles("co-ordinator")
@require_http_methods(["GET", "POST"])
def premises_remove(request: HttpRequest, number: int) -> HttpResponseBase:
    """Remove a premises from one's own schemes, after asking."""
    own = rights(request).co_ordinates
    premises = get_object_or_404(premises_of(own).select_related("member"), pk=number)
    leaving = visible_schemes(scheme_numbers(premises), own)
    if request.method == "POST":
        try:
            with acting(request) as (actor, mine):
                remove_premises(actor, own & mine.co_ordinates, number, leaving)
        except (Premises.DoesNotExist, SchemesRefusedError) as e:
            raise Http404 from e
        messages.success(request, f"{premises.name} was removed.")
        return redirect("premises-list")
    return render(request, "members/premises_remove.html", {"premises": premises, "schemes": schemes_of(leaving)})


def _draft(premises: Premises, own: frozenset[int]) -> Draft:
    schemes = sorted(visible_schemes(scheme_numbers(premises), own))
    return Draft(premises.member.name, tuple(schemes), premises.facts())


def _number(text: str) -> list[int]:
    return [int(text)] if text.isascii() and text.isdigit() and len(text) < 16 else []  # noqa: PLR2004


def _wanted(actor: Account, own: frozenset[int], form: PremisesForm, draft: Draft) -> Wanted | None:
    """The draft with its member, added if that was wanted; ``None`` with an error at the field."""
    today = timezone.localdate()
    alike = [member for member in members_of(own) if folded(member.name) == folded(draft.member)]
    if len(alike) > 1:
        form.add_error("member", "Several members have this name. Rename one of them first.")
        return None
    if not alike and not form.cleaned_data.get("is_new_member"):
        form.add_error("member", "No member has this name. Correct it, or tick “This is a new member” below.")
        return None
    member: Member = alike[0] if alike else add_member(actor, draft.member, dict.fromkeys(draft.schemes, today))
    return Wanted(member, frozenset(draft.schemes), draft.facts)


def _put_choices(data: QueryDict, base: Draft | None) -> bool:
    """Take over what was chosen on the page of two versions; whether a choice there is missing.

    On that page the base is what another had saved.
    """
    is_unchosen = False
    for field in data.getlist("differs"):
        choice = data.get(f"{_CHOICE}{field}")
        if choice == "saved" and base is not None and field in DRAFT_LABELS:
            put_field(data, field, base)
        elif choice not in {"saved", "mine"}:
            is_unchosen = True
    return is_unchosen


def _form(request: HttpRequest, typed: PremisesInput, premises: Premises | None) -> HttpResponse:
    has_errors = _has_errors(typed)
    context = {"form": typed.form, "contacts": typed.contacts, "premises": premises, "has_errors": has_errors}
    return render(request, "members/premises_edit.html", context, status=400 if has_errors else 200)


def _has_errors(typed: PremisesInput) -> bool:
    return typed.form.is_bound and (bool(typed.form.errors) or any(form.errors for form in typed.contacts.forms))


def _conflict(
    request: HttpRequest,
    typed: PremisesInput,
    premises: Premises,
    *,
    base: Draft | None,
    saved: Draft,
    mine: Draft,
    is_asked_again: bool = False,
) -> HttpResponseBase:
    schemes: tuple[OwnScheme, ...] = typed.form.own_schemes
    found = draft_differences(None if is_asked_again else base, saved, mine, schemes)
    if not found:
        messages.success(request, f"{premises.name} was saved.")
        return redirect("premises", number=premises.pk)
    kept = typed.form.data
    assert isinstance(kept, QueryDict)
    skipped = {"csrfmiddlewaretoken", "version", "base", "differs"}
    hidden = [
        (name, text)
        for name in kept
        if name not in skipped and not name.startswith(_CHOICE)
        for text in kept.getlist(name)
    ]
    context = {
        "premises": premises,
        "shown": [Shown(DRAFT_LABELS[one.field], one, f"{_CHOICE}{one.field}") for one in found],
        "hidden": hidden,
        "base": encode_draft(saved),
        "is_asked_again": is_asked_again,
    }
    return render(request, "members/premises_conflict.html", context, status=409)
