"""Does what is due: counts votes whose time is over and ends exclusions whose last day is over."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from typing import Concatenate

from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone

from office.accounts.access import P, View
from office.exclusions.acts import MoveRefusedError
from office.exclusions.voting import count_what_is_due, end_what_is_over

logger = logging.getLogger(__name__)


def settle() -> None:
    """Do what is due now. Two short queries if nothing is."""
    now = timezone.now()
    for do in (count_what_is_due, end_what_is_over):
        try:
            do(now)
        except MoveRefusedError as e:
            # One that cannot be moved must not take every page with it.
            logger.warning("a case could not be moved when its time was over: %s", e)


def settled(view: View[P]) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """A view before which :func:`settle` is called, so that nobody sees a vote open after its end."""

    @wraps(view)
    def after(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        settle()
        return view(request, *args, **kwargs)

    return after
