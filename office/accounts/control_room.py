"""The way into the control room: a page with one link that carries a ticket, which is never logged."""

from __future__ import annotations

import re
import secrets
import time
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_GET

from office.accounts.access import person
from office.accounts.models import OfficeSession
from office.accounts.second_factor import FOR_CENTRAL_S, ask_again, is_recent, second_factor_age_s
from office.accounts.sessions import mark_ticket
from runtime.key_file import read_key
from wire.tickets import TICKET_LIFE_S, Ticket, sign_ticket

_NONCE: Final = re.compile(r"[0-9a-f]{64}")


@require_GET
def control_room(request: HttpRequest) -> HttpResponseBase:
    """``?nonce=`` from central's link: a page with a ticket for that browser. ``&step_up=1``: second factor first."""
    nonce = request.GET.get("nonce", "")
    office = settings.OFFICE
    if office is None or not office.central_url:
        return _private(render(request, "accounts/no_control_room.html", {"why": "none"}, status=404))
    if not _NONCE.fullmatch(nonce):
        context = {"why": "nonce", "central_url": office.central_url}
        return _private(render(request, "accounts/no_control_room.html", context, status=400))
    age_s = second_factor_age_s(request)
    if age_s is None or (request.GET.get("step_up") == "1" and not is_recent(request, FOR_CENTRAL_S)):
        return ask_again(request, request.get_full_path())
    session: OfficeSession = request.office_session  # type: ignore[attr-defined]
    mark_ticket(session)
    now_s = int(time.time())
    ticket = Ticket(
        id=secrets.token_hex(16),
        account=person(request).pk,
        generation=session.generation,
        session=session.public_id,
        nonce=nonce,
        second_factor_age_s=age_s,
        issued_s=now_s,
        expires_s=now_s + TICKET_LIFE_S,
    )
    text = sign_ticket(ticket, office.town, read_key(office.ticket_key_file, "keys.ticket_key_file"))
    link = f"{office.central_url}/enter?ticket={text}"
    return _private(render(request, "accounts/control_room.html", {"link": link, "person": person(request)}))


def _private(response: HttpResponse) -> HttpResponse:
    # These pages have no form: browsers would send it with the origin "null".
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
