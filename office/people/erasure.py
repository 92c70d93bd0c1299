"""Removes what is held of a person. Decides nothing: that is for whoever calls."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Final

from django.utils.module_loading import import_string

from office.accounts.models import Account
from office.exclusions.models import BallotVote, Case
from office.people.models import Individual

_PHOTOGRAPHS: Final = "office.people.photographs"


def erase_photographs(actor: Account | None, individual: Individual) -> int:
    """Remove a person's photographs, rows, keys and files; returns how many there were.

    The part that keeps them writes a row of the audit for each.
    """
    # By name, so that nothing here needs that part to be there.
    if importlib.util.find_spec(_PHOTOGRAPHS) is not None:
        remove: Callable[[Account | None, Individual], int] = import_string(f"{_PHOTOGRAPHS}.erase_photographs")
        return remove(actor, individual)
    count, _ = individual.photographs.all().delete()
    return count


def erase_case(case: Case) -> None:
    """Leave of a case its number, state, dates and counts of votes: enough for figures, nothing about anybody."""
    case.category = case.regional_source = case.conduct = case.happened_at = case.evidence = ""
    case.check_note = case.months_reason = case.necessity = ""
    case.source, case.source_expires_on = "local", None
    # The day it happened may tell who it was; the row must have one.
    case.happened_on = case.nominated_at.date()
    case.minor_approved_by, case.may_show_minor = None, False
    case.is_restricted = case.has_open_appeal = case.is_repeat = False
    case.version += 1
    case.save()
    case.listed.clear()
    case.steps.update(reason="")
    case.notices.update(premises=[], served_by="", served_where="", served_how="")
    BallotVote.objects.filter(ballot__case=case).delete()


def is_erased(case: Case) -> bool:
    """Whether nothing of a case but numbers and dates is left."""
    return not case.category


def erase_words(individual: Individual) -> None:
    """Leave of a person the row with its number. Their photographs and cases are removed by the functions above."""
    individual.name = individual.also_known_as = individual.description = individual.address = ""
    individual.search_text = ""
    individual.born_on, individual.is_believed_minor = None, False
    individual.version += 1
    individual.save()
