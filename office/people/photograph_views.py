"""Pages of an individual's photographs, for the co-ordinators of their scheme."""

from __future__ import annotations

import logging
from typing import get_args

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from office.accounts.access import acting, for_roles, person, rights
from office.accounts.rules import Rights
from office.audit.journal import record
from office.people.intake_process import PhotographRefusedError
from office.people.intake_terms import Size
from office.people.models import Individual, Photograph
from office.people.photograph_forms import OWN, CropForm, PhotographForm, RemovalForm
from office.people.photographs import (
    PHOTOGRAPHS_MAX,
    add_photograph,
    cut,
    has_files,
    is_cropped,
    keep_crop,
    photograph_response,
    photographs_of,
    pictured,
    remove_photograph,
    show_photograph,
    take_in,
)
from office.people.sealing import SealedError

logger = logging.getLogger(__name__)

_NOT_STORED = "The photograph could not be stored: the office’s disk does not take it. Tell the office’s engineer."
_LOST = "The file of this photograph is lost. Remove it, and add the photograph again."
guard = for_roles("co-ordinator")


@guard
@require_GET
def photographs_list(request: HttpRequest, number: int) -> HttpResponse:
    """The photographs of an individual, and which one readers see."""
    individual = _pictured(request, number)
    rows = [(one, is_cropped(one), has_files(one)) for one in individual.photographs.select_related("added_by")]
    context = {"individual": individual, "rows": rows, "is_full": len(rows) >= PHOTOGRAPHS_MAX}
    return render(request, "people/photographs_list.html", context)


@guard
@require_http_methods(["GET", "POST"])
def photograph_add(request: HttpRequest, number: int) -> HttpResponseBase:
    """Hand in a photograph; what was read of it is seen on the next page before it counts."""
    individual = _pictured(request, number)
    form = PhotographForm(request.POST, request.FILES) if request.method == "POST" else PhotographForm()
    if form.is_bound and form.is_valid():
        typed = form.cleaned_data
        try:
            taken = take_in(typed["file"].read())
            with acting(request) as (actor, mine):
                individual = get_object_or_404(pictured(mine.co_ordinates), pk=number)
                photograph = add_photograph(
                    actor, individual, taken, source=typed["source"], taken_on=typed["taken_on"]
                )
        except PhotographRefusedError as e:
            form.add_error("file", str(e))
        except OSError as e:
            logger.warning("a photograph could not be stored: %s", e)
            form.add_error("file", _NOT_STORED)
        else:
            return redirect("photograph", number=photograph.pk)
    context = {"form": form, "individual": individual}
    return render(request, "people/photograph_add.html", context, status=400 if form.errors else 200)


@guard
@require_http_methods(["GET", "POST"])
def photograph_page(request: HttpRequest, number: int) -> HttpResponseBase:
    """A photograph as it was read, and which part of it is the face."""
    photograph = _asked(request, number)
    form = CropForm(photograph, request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            face = cut(photograph, form.box)
            with acting(request) as (actor, mine):
                keep_crop(actor, _own(mine, number), form.box, face)
        except PhotographRefusedError as e:
            form.add_error(None, str(e))
        except SealedError:
            form.add_error(None, _LOST)
        except OSError as e:
            logger.warning("a photograph could not be stored: %s", e)
            form.add_error(None, _NOT_STORED)
        else:
            messages.success(request, "The face was cropped. If it looks right, show it to readers.")
            return redirect("photograph", number=number)
    context = {
        "photograph": photograph,
        "individual": photograph.individual,
        "form": form,
        "choices": [
            (choice, form.proposals[choice.data["value"]][1] if choice.data["value"] != OWN else None)
            for choice in form["proposal"]
        ],
        "now": form.now,
        "is_cropped": is_cropped(photograph),
        "has_files": has_files(photograph),
    }
    return render(request, "people/photograph.html", context, status=400 if form.errors else 200)


@guard
@require_POST
def photograph_show(request: HttpRequest, number: int) -> HttpResponseBase:
    """Make it the one that readers see."""
    _asked(request, number)
    with acting(request) as (actor, mine):
        photograph = _own(mine, number)
        if not is_cropped(photograph):
            messages.error(request, "Crop the face first.")
            return redirect("photograph", number=number)
        show_photograph(actor, photograph)
    messages.success(request, f"Readers now see this photograph of {photograph.individual.reference}.")
    return redirect("photographs-list", number=photograph.individual_id)


@guard
@require_http_methods(["GET", "POST"])
def photograph_remove(request: HttpRequest, number: int) -> HttpResponseBase:
    """Remove a photograph for good, after asking why."""
    photograph = _asked(request, number)
    form = RemovalForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        with acting(request) as (actor, mine):
            remove_photograph(actor, _own(mine, number), form.cleaned_data["reason"])
        left = " Readers see no photograph of this person now." if photograph.is_shown else ""
        messages.success(request, f"The photograph was removed.{left}")
        return redirect("photographs-list", number=photograph.individual_id)
    context = {"photograph": photograph, "individual": photograph.individual, "form": form}
    return render(request, "people/photograph_remove.html", context, status=400 if form.errors else 200)


@guard
@require_GET
def photograph_file(request: HttpRequest, number: int, size: str) -> HttpResponse:
    """The picture itself, marked for whoever looks."""
    photograph = _asked(request, number)
    for known in get_args(Size):
        if size == known:
            return photograph_response(request, photograph, known)
    raise Http404


def _own(mine: Rights, number: int) -> Photograph:
    return get_object_or_404(photographs_of(mine.co_ordinates), pk=number)


def _asked(request: HttpRequest, number: int) -> Photograph:
    """A photograph that exists for the person who is signed in.

    Raises:
        Http404: it does not. Who asked for which number is in the audit, not whether there is such a photograph.
    """
    found = photographs_of(rights(request).co_ordinates).filter(pk=number).first()
    if found is None:
        record(person(request), "photograph.not-found", f"photograph address {number}", number=number)
        raise Http404
    return found


def _pictured(request: HttpRequest, number: int) -> Individual:
    """An individual whose photographs the person who is signed in looks after.

    Raises:
        Http404: it is not theirs; it is in the audit, as of :func:`_asked`.
    """
    found = pictured(rights(request).co_ordinates).filter(pk=number).first()
    if found is None:
        record(person(request), "individual.not-found", f"individual address {number}", number=number)
        raise Http404
    return found
