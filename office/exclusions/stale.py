"""Cases whose notice is out of date: the person holds a paper that does not say what holds now.

Found by the digest that each case keeps of the premises on its newest notice. All exclusions from a whole scheme are
compared with a single digest, that of its premises today.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q

from office.exclusions.models import Case
from office.exclusions.rules.life import IN_FORCE
from office.exclusions.rules.reach import covered, premises_digest
from office.members.models import Premises


def stale_cases(schemes: Iterable[int], among: Iterable[int] | None = None) -> list[int]:
    """Numbers of the cases of ``schemes`` whose notice is out of date, the newest first; three questions at most.

    Args:
        schemes: whose cases.
        among: only of these cases; ``None`` = of all.
    """
    in_scheme = _premises_by_scheme(schemes)
    if not in_scheme:
        return []
    found = Case.objects.filter(scheme__in=in_scheme, state__in=IN_FORCE)
    if among is not None:
        found = found.filter(pk__in=among)
    other = Q()
    for scheme, numbers in in_scheme.items():
        other |= Q(scheme=scheme) & ~Q(paper_digest=premises_digest(covered("all", frozenset(), numbers)))
    stale = list(found.filter(other, scope="all").order_by().values_list("pk", flat=True))
    rows = found.filter(scope="listed").order_by().values_list("pk", "scheme", "paper_digest", "listed")
    listed: dict[tuple[int, int, str], set[int]] = {}
    for number, scheme, digest, premises in rows:
        # Nothing is listed any more where a premises was deleted.
        listed.setdefault((number, scheme, digest), set()).add(premises or 0)
    for (number, scheme, digest), chosen in listed.items():
        if digest != premises_digest(covered("listed", frozenset(chosen), in_scheme[scheme])):
            stale.append(number)
    return sorted(stale, reverse=True)


def _premises_by_scheme(schemes: Iterable[int]) -> dict[int, frozenset[int]]:
    found: dict[int, set[int]] = {scheme: set() for scheme in schemes}
    rows = Premises.schemes.through.objects.filter(scheme__in=found)
    for scheme, number in rows.values_list("scheme", "premises"):
        found[scheme].add(number)
    return {scheme: frozenset(numbers) for scheme, numbers in found.items()}
