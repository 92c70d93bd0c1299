"""What of a register its readers see: every query for their pages begins here.

Readers see what :func:`office.exclusions.rules.reach.is_shown` lets them, of the schemes in which they have a role that
reads; a member's contact only where they speak for a member. Co-ordinators also see what is hidden from the others.
A scheme whose register is off shows nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final
from urllib.parse import urlencode

from dateutil.relativedelta import relativedelta
from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet, Subquery, TextField, Value
from django.db.models.functions import Concat
from django.http import QueryDict
from django.utils import timezone
from django.utils.dateparse import parse_date
from msgspec import Struct

from office.accounts.models import Scheme
from office.accounts.rules import Rights
from office.exclusions.models import Case
from office.exclusions.rules import search
from office.exclusions.rules.life import IN_FORCE
from office.exclusions.rules.reach import READERS, MinorsPolicy, is_shown
from office.exclusions.scope import speaks_now
from office.exclusions.terms import terms_of, why_off
from office.members.models import Premises
from office.members.scope import premises_of, premises_visible
from office.people.models import SHOWN_TO_READERS, Photograph

NEW_DAYS: Final = 14
"""So long an exclusion is new."""
SHOWS: Final = {"new": "New in the last 14 days", "ending": "Ends this month"}
_SEARCH_CHARS_MAX: Final = 100
_NUMBER_CHARS_MAX: Final = 18


class Open(Struct, frozen=True):
    """The registers that a person may read, today.

    Attributes:
        schemes: whose register is on, by number, with whether minors may be shown at all.
        off: why the registers of the others are off, by name of the scheme.
        co_ordinates: numbers of the schemes in which the person sees what is hidden from other readers.
        today: in Europe/London.
    """

    schemes: dict[int, tuple[Scheme, MinorsPolicy]]
    off: dict[str, str]
    co_ordinates: frozenset[int]
    today: date


class Filters(Struct, frozen=True):
    """What the address of the list says.

    Attributes:
        search: words, all of which must be found.
        show: ``new``, ``ending``, or empty = all.
        scheme: slug; empty = all.
        premises: number, of those that the person can choose; 0 = all.
        day: on which it happened, or the exclusion begins or ends.
    """

    search: str = ""
    show: str = ""
    scheme: str = ""
    premises: int = 0
    day: date | None = None

    @property
    def query(self) -> str:
        """As in the address, without the page."""
        pairs = {
            "q": self.search,
            "show": self.show,
            "scheme": self.scheme,
            "premises": self.premises,
            "day": self.day.isoformat() if self.day else "",
        }
        return urlencode({name: text for name, text in pairs.items() if text})

    @property
    def names(self) -> list[str]:
        """Which filters are set, for the audit: what was typed may be a person's name."""
        return [one.partition("=")[0] for one in self.query.split("&") if one]


def read_filters(query: QueryDict, registers: Open, choosable: QuerySet[Premises]) -> Filters:
    """The filters of an address. What is not understood, or not theirs to choose, is as if it were not there.

    Else a list for premises of the other scheme would say that nobody is excluded from them.
    """
    show, scheme, premises = (query.get(name, "") for name in ("show", "scheme", "premises"))
    is_number = premises.isascii() and premises.isdigit() and len(premises) <= _NUMBER_CHARS_MAX
    return Filters(
        query.get("q", "").replace("\0", "")[:_SEARCH_CHARS_MAX].strip(),
        show if show in SHOWS else "",
        scheme if scheme in {one.slug for one, _ in registers.schemes.values()} else "",
        int(premises) if is_number and choosable.filter(pk=int(premises)).exists() else 0,
        _day(query.get("day", "")),
    )


def readable_schemes(rights: Rights) -> frozenset[int]:
    """Numbers of the schemes whose register a person reads while it is on."""
    by_role = (scheme for role, scheme in rights.grants if role in READERS and role != "members-contact")
    return frozenset(by_role) | {scheme for _, scheme in speaks_now(rights)}


def open_to(rights: Rights, *, shows_hidden: bool = True) -> Open:
    """The registers that a person may read now; without what only co-ordinators see unless ``shows_hidden``."""
    on: dict[int, tuple[Scheme, MinorsPolicy]] = {}
    off: dict[str, str] = {}
    for scheme in Scheme.objects.filter(pk__in=readable_schemes(rights)).order_by("pk"):
        reason = why_off(scheme)
        if reason:
            off[scheme.name] = reason
        else:
            on[scheme.pk] = scheme, MinorsPolicy(terms_of(scheme).dpia_allows_minors)
    return Open(on, off, rights.co_ordinates if shows_hidden else frozenset(), timezone.localdate())


def cases_shown(registers: Open) -> QuerySet[Case]:
    """The cases that a person reads of, the newest first. To co-ordinators also those hidden from others."""
    today = registers.today
    allowing = [number for number, (_, policy) in registers.schemes.items() if policy.dpia_allows]
    adult = Q(individual__born_on__lte=_eighteen_years_before(today))
    adult |= Q(individual__born_on=None, individual__is_believed_minor=False)
    allowed = Q(scheme__in=allowing, may_show_minor=True, minor_approved_by__isnull=False)
    seen = Q(is_restricted=False) & (adult | allowed) | Q(scheme__in=registers.co_ordinates)
    excluded = Case.objects.filter(
        scheme__in=registers.schemes, state__in=IN_FORCE, first_on__lte=today, last_on__gte=today
    )
    return excluded.filter(seen).order_by("-first_on", "-pk")


def is_hidden(case: Case, registers: Open) -> bool:
    """Whether only co-ordinators see a case of :func:`cases_shown`."""
    return not is_shown(case.shown(registers.today), registers.schemes[case.scheme_id][1], registers.today)


def filtered(cases: QuerySet[Case], filters: Filters, today: date) -> QuerySet[Case]:
    """Those of ``cases`` that the filters let pass, the search apart."""
    found = cases
    if filters.scheme:
        found = found.filter(scheme__slug=filters.scheme)
    if filters.premises:
        listed = Case.listed.through.objects.filter(premises=filters.premises, case=OuterRef("pk"))
        schemes = Premises.schemes.through.objects.filter(premises=filters.premises).values("scheme_id")
        found = found.filter(Q(scope="all") | Q(Exists(listed)), scheme__in=schemes)
    if filters.day:
        found = found.filter(Q(happened_on=filters.day) | Q(first_on=filters.day) | Q(last_on=filters.day))
    if filters.show == "new":
        found = found.filter(first_on__gt=today - timedelta(days=NEW_DAYS))
    elif filters.show == "ending":
        found = found.filter(last_on__lt=today + relativedelta(months=1, day=1))
    return found


def numbers_of(cases: QuerySet[Case], words: Sequence[str], registers: Open) -> list[int]:
    """Numbers of the cases in which all words are found, in the order to show them; one query."""
    if not words:
        return list(cases.values_list("pk", flat=True))
    rest = Concat("individual__description", Value("\n"), "happened_at", output_field=TextField())
    told = cases.values_list("pk", "scheme_id", "individual__number", "individual__search_text", rest)
    slugs = {number: scheme.slug for number, (scheme, _) in registers.schemes.items()}
    return search.matching(words, list(told), slugs)


def rows_of(numbers: Sequence[int]) -> list[Case]:
    """These cases in this order, with all that is shown of them; three queries however many they are."""
    photograph = Photograph.objects.filter(SHOWN_TO_READERS, individual=OuterRef("individual"))
    found = (
        Case.objects.select_related("scheme", "individual__scheme")
        .prefetch_related(Prefetch("listed", Premises.objects.only("name").prefetch_related("schemes")))
        .annotate(photograph=Subquery(photograph.values("pk")[:1]))
        .defer("conduct", "evidence", "check_note", "necessity", "individual__address")
        .in_bulk(list(numbers))
    )
    # One that was deleted between two queries is left out.
    return [found[number] for number in numbers if number in found]


def where(case: Case) -> list[str]:
    """Names of the listed premises that a case of :func:`rows_of` covers; those that left the scheme do not count."""
    if case.scope == "all":
        return []
    return sorted(one.name for one in case.listed.all() if case.scheme in one.schemes.all())


def premises_to_choose(rights: Rights) -> QuerySet[Premises]:
    """The premises by which a person can filter: a contact their own, others all of the schemes they read."""
    others = frozenset(scheme for role, scheme in rights.grants if role in READERS and role != "members-contact")
    of_schemes, own = premises_of(others), premises_visible(rights)
    return Premises.objects.filter(Q(pk__in=of_schemes.values("pk")) | Q(pk__in=own.values("pk"))).order_by(
        "name", "pk"
    )


def shown_photograph(individual: int) -> Photograph | None:
    """The one that readers see of a person whom they may see."""
    found = Photograph.objects.filter(SHOWN_TO_READERS, individual=individual)
    return found.select_related("individual__scheme").first()


def _eighteen_years_before(today: date) -> date:
    """Who was born then or earlier is no minor; as :func:`office.exclusions.rules.period.is_minor` says it."""
    return today - relativedelta(years=18)


def _day(text: str) -> date | None:
    try:
        return parse_date(text[:10])
    except ValueError:
        return None
