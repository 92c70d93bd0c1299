"""After a restore from a backup: erases and hides again what was erased and hidden since the copy was made."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from django.db.models import Max, Model
from django.utils import timezone

from office.accounts.models import Scheme
from office.audit.journal import record
from office.audit.restoring import leave_out
from office.exclusions.after_restore import end_again, hide_again
from office.exclusions.models import Case
from office.exclusions.rules.life import OVER
from office.people import erasure
from office.people.models import Individual, Photograph, RightsRequest
from office.people.photographs import remove_again
from office.people.rights import erase_all, standing
from runtime.backup_rules import NUMBERS_PER_SECOND, height_by_clock
from wire.snapshots import GoneEntry

NUMBERS_LEFT_OUT: Final = 1_000
"""Of people and of cases, in each scheme: what was given since the copy was made stands on papers."""
ERASED_AGAIN: Final = "{}: erased again, with all that was held."


def forget_again(gone: Iterable[GoneEntry], known: Iterable[GoneEntry] = ()) -> list[str]:
    """Do again what was done since. In the transaction of the restore.

    Args:
        gone: of the newest list that was published. What is not in the copy, or gone in it, is passed over.
        known: what the copy's own audit says; a case that was hidden then, and is shown in it, was looked at.

    Returns:
        Sentences for the person who restores; they name people by their reference alone.
    """
    rows: defaultdict[str, list[int]] = defaultdict(list)
    for one in gone:
        rows[one.kind].append(one.row)
    said = []
    for individual in Individual.objects.filter(pk__in=rows["individual"], erased_at=None).select_related("scheme"):
        cases = standing(individual)
        for case in cases:
            end_again(case)
        erase_all(None, individual, ended=len(cases))
        said.append(ERASED_AGAIN.format(individual.reference))
    photographs = list(Photograph.objects.filter(pk__in=rows["photograph"]).select_related("individual__scheme"))
    for photograph in photographs:
        remove_again(photograph)
    said += [f"A photograph of {one.individual.reference} is removed again." for one in photographs]
    for case in Case.objects.filter(pk__in=rows["case"]).exclude(category="").select_related("scheme", "individual"):
        if case.state not in OVER:
            end_again(case)
        erasure.erase_case(case)
        record(None, "case.erased", case, individual=case.individual.reference, after_restore=True)
        said.append(f"{case.reference} is erased again.")
    requests = list(RightsRequest.objects.filter(pk__in=rows["request"]))
    for request in requests:
        record(None, "request.deleted", request, after_restore=True)
        request.delete()
    if requests:
        said.append(f"{len(requests)} old requests are deleted again.")
    hidden = set(rows["hidden"]) - {one.row for one in known if one.kind == "hidden"}
    return said + _hide_all_again([*hidden, *rows["shortened"]])


def leave_rows_out(gone: Iterable[GoneEntry]) -> None:
    """Give no row of the register a number again that another life of the office gave, or may have given, since.

    By these numbers people are erased again: the wrong one would be. Whatever backup is restored and how often, rows
    begin at a height by the clock, which no two restores share.
    """
    highest: defaultdict[str, int] = defaultdict(int)
    for one in gone:
        highest[one.kind] = max(highest[one.kind], one.row)
    highest["case"] = max(highest[kind] for kind in ("case", "hidden", "shortened"))
    by_clock = height_by_clock(timezone.now())
    models: dict[str, type[Model]] = {
        "individual": Individual,
        "case": Case,
        "photograph": Photograph,
        "request": RightsRequest,
    }
    for kind, model in models.items():
        leave_out(model, highest[kind], by_clock)


def leave_register_numbers_out() -> None:
    """Give no number of a person or case again that was given since the copy was made: it stands on papers.

    Nor one that an office gave which was restored from the same copy before: they rise by one an hour at least. Each
    scheme gets an erased person with the highest number left out, and that person an erased case.
    """
    for scheme in Scheme.objects.order_by("number"):
        person = Individual.objects.filter(scheme=scheme).aggregate(newest=Max("number"))["newest"]
        case = Case.objects.filter(scheme=scheme).order_by("-number").first()
        if person is None:
            continue
        now = timezone.now()
        by_hour = height_by_clock(now) // (NUMBERS_PER_SECOND * 3600)
        number = max(person + NUMBERS_LEFT_OUT, by_hour)
        nobody = Individual.objects.create(scheme=scheme, number=number, erased_at=now)
        if case is not None:
            Case.objects.create(
                scheme=scheme,
                number=max(case.number + NUMBERS_LEFT_OUT, by_hour),
                individual=nobody,
                state="withdrawn",
                category="",
                happened_on=timezone.localdate(),
                nominated_by=case.nominated_by,
                over_at=now,
            )


def _hide_all_again(cases: list[int]) -> list[str]:
    said = []
    standing_ones = Case.objects.filter(pk__in=cases, is_restricted=False).exclude(state__in=OVER).exclude(category="")
    for case in standing_ones.select_related("scheme", "individual"):
        hide_again(case)
        said.append(
            f"{case.reference} is hidden from shops: it was revoked, shortened or hidden since. Do that again, or show"
            " it in shops again."
        )
    return said
