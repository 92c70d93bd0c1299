"""Does what is due: counts votes whose time is over, ends exclusions whose last day is over, lets lapse what waits."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from typing import Concatenate

from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone

from office.accounts.access import P, View
from office.exclusions.rules.period import day_of
from office.exclusions.voting import count_what_is_due, end_what_is_over, ends_due, votes_due
from office.exclusions.waiting import lapse_what_is_due, lapses_due
from office.people.retention import is_held

logger = logging.getLogger(__name__)


def settle() -> None:
    """Do what is due now, by a clock that can be trusted. Three short queries if nothing is.

    A case that was ended or a vote that was counted by a wrong clock never comes back. Until people have done something
    near its day, everything waits; who is excluded on a day goes by dates in any case.
    """
    now = timezone.now()
    if not votes_due(now) and not ends_due(now) and not lapses_due(now):
        return
    if is_held(day_of(now)):
        logger.warning("no vote is counted and no case ended: the clock is not near what people did last")
        return
    count_what_is_due(now)
    end_what_is_over(now)
    lapse_what_is_due(now)


def settled(view: View[P]) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """A view before which :func:`settle` is called, so that nobody sees a vote open after its end."""

    @wraps(view)
    def after(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        settle()
        return view(request, *args, **kwargs)

    return after
