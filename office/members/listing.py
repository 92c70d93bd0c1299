"""The lists: what is searched for, filtered, and shown fifty to a page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import urlencode

from django.core.paginator import Page, Paginator
from django.db.models import Count, Exists, OuterRef, Prefetch, Q, QuerySet
from django.db.models.expressions import Combinable
from django.http import QueryDict
from msgspec import Struct

from office.accounts.models import Scheme
from office.members.facts import folded
from office.members.import_rules import OwnScheme
from office.members.models import Contact, Member, Membership, Premises
from office.members.scope import members_without_contact
from office.members.units import Units

ROWS_PER_PAGE: Final = 50
_SEARCH_CHARS_MAX: Final = 100
_WORDS_MAX: Final = 8
MISSING: Final[Mapping[str, Combinable | Q]] = {
    "key-holder": ~Exists(Contact.objects.filter(premises=OuterRef("pk"), is_key_holder=True)),
    "staff": Q(staff_contact=""),
}
"""What premises may lack, as a condition."""


class Filters(Struct, frozen=True):
    """What a list's address says.

    Attributes:
        search: words, all of which must occur.
        scheme: slug; empty = all.
        unit: ``none`` or ``fitted``; empty = either. Of premises only.
        missing: what they lack, one of :data:`MISSING`; of members ``contact``. Empty = either.
        former: members that have left, too. Of members only.
    """

    search: str = ""
    scheme: str = ""
    unit: str = ""
    missing: str = ""
    former: bool = False

    @property
    def query(self) -> str:
        """As in the address, without the page."""
        pairs = {
            "q": self.search,
            "scheme": self.scheme,
            "unit": self.unit,
            "missing": self.missing,
            "former": "yes" if self.former else "",
        }
        return urlencode({name: text for name, text in pairs.items() if text})

    @property
    def words(self) -> list[str]:
        """Of the search, as they are stored."""
        return folded(self.search).split()[:_WORDS_MAX]


def read_filters(query: QueryDict) -> Filters:
    """The filters of an address. What is not understood is as if it were not there."""
    unit, missing = query.get("unit", ""), query.get("missing", "")
    return Filters(
        query.get("q", "").replace("\0", "")[:_SEARCH_CHARS_MAX].strip(),
        query.get("scheme", "")[:_SEARCH_CHARS_MAX].replace("\0", ""),
        unit if unit in {"none", "fitted"} else "",
        missing if missing in {*MISSING, "contact"} else "",
        query.get("former") == "yes",
    )


def filtered_premises(
    visible: QuerySet[Premises], filters: Filters, own: Iterable[OwnScheme], units: Units | None
) -> QuerySet[Premises]:
    """Those of ``visible`` that the filters let pass, by name."""
    found = visible
    if filters.scheme:
        found = found.filter(schemes__in=_numbers(filters.scheme, own))
    if filters.unit and units is not None:
        fitted = Q(pk__in=list(units))
        found = found.filter(fitted if filters.unit == "fitted" else ~fitted)
    if filters.missing in MISSING:
        found = found.filter(MISSING[filters.missing])
    for word in filters.words:
        found = found.filter(search_text__contains=word)
    return found.order_by("name", "pk")


def premises_page(found: QuerySet[Premises], own: Iterable[OwnScheme], page: str) -> Page[Any]:
    """A page of a list, with all that it shows: five queries, however many rows."""
    mine = Scheme.objects.filter(pk__in=[scheme.number for scheme in own])
    rows = (
        found.select_related("member")
        .defer("address", "opening_hours", "staff_contact", "when_going", "search_text")
        .prefetch_related("contacts", Prefetch("schemes", queryset=mine, to_attr="own_schemes"))
    )
    return Paginator(rows, ROWS_PER_PAGE).get_page(page)


def filtered_members(visible: QuerySet[Member], filters: Filters, own: Iterable[OwnScheme]) -> QuerySet[Member]:
    """Those of ``visible`` that the filters let pass, by name. Names are few: they are searched one by one."""
    numbers = _numbers(filters.scheme, own) if filters.scheme else [scheme.number for scheme in own]
    memberships = Membership.objects.filter(scheme_id__in=numbers)
    if not filters.former:
        memberships = memberships.filter(ended_on=None)
    found = visible.filter(pk__in=memberships.values("member_id"))
    if filters.missing == "contact":
        found = found.filter(pk__in=members_without_contact(frozenset(numbers)).values("pk"))
    if filters.words:
        named = found.values_list("pk", "name")
        found = found.filter(pk__in=[pk for pk, name in named if all(word in folded(name) for word in filters.words)])
    return found.order_by("name", "pk")


def members_page(found: QuerySet[Member], own: Iterable[OwnScheme], page: str) -> Page[Any]:
    """A page of a list, with all that it shows."""
    numbers = [scheme.number for scheme in own]
    mine = Membership.objects.filter(scheme_id__in=numbers).select_related("scheme").order_by("scheme")
    in_mine = Q(premises__schemes__in=numbers)
    rows = found.annotate(premises_count=Count("premises", filter=in_mine, distinct=True)).prefetch_related(
        Prefetch("memberships", queryset=mine, to_attr="own_memberships")
    )
    return Paginator(rows, ROWS_PER_PAGE).get_page(page)


def _numbers(slug: str, own: Iterable[OwnScheme]) -> list[int]:
    return [scheme.number for scheme in own if scheme.slug == slug]
