"""How far a case has come in shops: where it is shown, and once it is over or hidden, where it is gone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from django.utils import timezone
from msgspec import Struct

from office.accounts.rules import Rights
from office.exclusions.models import Case
from office.exclusions.rules.life import IN_FORCE
from office.in_shops.port import NoReportError, Report, report
from office.in_shops.published import Published
from office.in_shops.rules.reached import Counter, Reached, deleted, shown
from office.members.models import Premises
from office.nodes.store import Receipt, Station

_OUTSIDE = "a unit that is not in the scheme any more"


class InShops(Struct, frozen=True):
    """What the page of a case says of shops.

    Attributes:
        state: ``shown``; ``deleted`` = taken off; ``pending`` = to be taken off, and the publisher has not done so;
            ``not-shown`` = it is in force, and in no gallery; ``unknown`` = nothing can be told: ``fault`` says why.
        reached: how far that has come.
        number: of the gallery that says so.
    """

    state: Literal["shown", "deleted", "pending", "not-shown", "unknown"]
    reached: Reached | None = None
    number: int = 0
    fault: str = ""


def in_shops(mine: Rights, case: Case) -> InShops | None:
    """Of a case that is in force or was, for its co-ordinators; ``None`` = there is nothing to tell."""
    if case.scheme_id not in mine.co_ordinates or case.first_on is None:
        return None
    try:
        with report() as found:
            published = found.published.get(case.scheme_id)
            if published is None:
                return None
            return _of(found, case, published)
    except NoReportError as e:
        return InShops("unknown", fault=str(e)) if case.state in IN_FORCE else None


def _of(found: Report, case: Case, published: Published) -> InShops | None:
    since = published.since.get(case.number)
    is_in_force = case.state in IN_FORCE and case.last_on is not None and case.last_on >= timezone.localdate()
    if since is not None:
        if not is_in_force:
            return InShops("pending", number=published.number)
        shops = _shops(case, published)
        counters = [one for number, one in _counters(found, case.scheme_id, dict(shops)) if number in shops]
        return InShops("shown", shown(since, shops.values(), counters), since)
    gone = published.gone_since(case.number)
    if gone is not None:
        names = dict(Premises.objects.filter(schemes=case.scheme_id).values_list("pk", "name"))
        counters = [one for _, one in _counters(found, case.scheme_id, names)]
        last_step = None if is_in_force else case.steps.order_by("-at").first()
        over_s = published.at_s if last_step is None else int(last_step.at.timestamp())
        return InShops("deleted", deleted(gone, over_s, counters), gone)
    return InShops("not-shown", number=published.number) if is_in_force else None


def _shops(case: Case, published: Published) -> dict[int, str]:
    """Names of the premises that the gallery may show it in, by number."""
    found = Premises.objects.filter(schemes=case.scheme_id)
    holders = next((one for one in published.holders.lines if one.case == case.number), None)
    if holders is not None and holders.premises is not None:
        found = found.filter(pk__in=holders.premises)
    return dict(found.values_list("pk", "name"))


def _counters(found: Report, scheme: int, names: dict[int, str]) -> Iterable[tuple[int, Counter]]:
    """Units of the scheme, and others that say that they hold its gallery, with the number of their premises."""
    asked = found.reported.contacts()
    held = {one.node: one for one in found.reported.receipts() if one.scheme == scheme}
    stations = {one.node: one for one in found.reported.stations()}
    for node in sorted(stations.keys() | held.keys()):
        station = stations.get(node)
        is_in_scheme = station is not None and scheme in station.schemes
        if not is_in_scheme and node not in held:
            continue
        yield _counter(station, held.get(node), asked.get(node), names, is_in_scheme=is_in_scheme)


def _counter(
    station: Station | None, receipt: Receipt | None, asked_s: int | None, names: dict[int, str], *, is_in_scheme: bool
) -> tuple[int, Counter]:
    premises = station.premises if station is not None and is_in_scheme else 0
    name = names.get(premises, station.name if station is not None and is_in_scheme else _OUTSIDE)
    return premises, Counter(
        name,
        asked_s,
        None if receipt is None else receipt.number,
        is_complete=receipt is not None and receipt.is_complete,
        has_key=station is not None and station.has_key,
        is_struck=station is None or station.is_struck,
    )
