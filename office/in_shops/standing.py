"""What the units of some schemes hold, put together from what they have reported and what was published."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from msgspec import Struct

from office.in_shops.port import Report
from office.in_shops.published import Published
from office.in_shops.rules.units import GRAVE, Gallery, Need, Unit, needs, rank
from office.members.scope import premises_of
from office.nodes.rules.standing import Holding
from office.nodes.store import Station
from wire.ids import NodeId, node_text


class Told(Struct, frozen=True):
    """Something that a unit needs, with times as pages write them."""

    need: Need
    since: datetime | None
    until: datetime | None


class Holds(Struct, frozen=True):
    """What a unit holds of a scheme, since when, and what else is to be said of it."""

    scheme: str
    said: str
    since: datetime | None = None
    rest: str = ""


class Row(Struct, frozen=True):
    """A unit, as a page shows it.

    Attributes:
        number: of its premises; 0 = the reader has no page of it.
        name, place: of the premises.
        unit: the node, as its label says.
        told: what it needs, the gravest first.
        asked: when it last asked; ``None`` = never.
    """

    number: int
    name: str
    place: str
    unit: str
    told: tuple[Told, ...]
    holds: tuple[Holds, ...]
    asked: datetime | None
    rank: int

    @property
    def is_grave(self) -> bool:
        """Somebody may be shown there who must not be, or whom it was shown is not known."""
        return self.rank < GRAVE


def rows_of(report: Report, names: Mapping[int, str], now_s: int) -> list[Row]:
    """All units in use of some schemes: who needs a person first, then by name.

    Args:
        report: by nodes.
        names: of the schemes, by number.
        now_s: Unix time.
    """
    own = frozenset(names)
    # Names alone: the whole rows of a town's premises take longer than the page may.
    found = premises_of(own).values_list("pk", "name", "place")
    premises = {number: (name, place) for number, name, place in found}
    held = {(one.node, one.scheme): one for one in report.reported.receipts()}
    asked = report.reported.contacts()
    copied, gaps = _alarms(report)
    rows = []
    for station in report.reported.stations():
        schemes = [scheme for scheme in station.schemes if scheme in own]
        if not schemes or station.is_struck:
            continue
        holdings = {
            scheme: Holding(one.number, one.is_complete, one.since_s)
            for scheme in schemes
            if (one := held.get((station.node, scheme))) is not None
        }
        unit = Unit(
            tuple(_gallery(names[scheme], report.published.get(scheme), holdings.get(scheme)) for scheme in schemes),
            asked.get(station.node),
            station.has_key,
            copied.get(station.node),
            gaps.get(station.node),
        )
        rows.append(_row(station, premises.get(station.premises), unit, now_s))
    return sorted(rows, key=lambda row: (row.rank, row.name.casefold(), row.unit))


def moment(at_s: int | None) -> datetime | None:
    """Unix time as pages write it; ``None`` = none, or no time that anybody could mean."""
    try:
        return None if at_s is None else datetime.fromtimestamp(at_s, UTC)
    except (OverflowError, OSError, ValueError):
        return None


def _alarms(report: Report) -> tuple[dict[NodeId, int], dict[NodeId, tuple[int, int]]]:
    """Since when logs contradict themselves; and how many records are missing, and since when."""
    copied: dict[NodeId, int] = {}
    gaps: dict[NodeId, tuple[int, int]] = {}
    # The newest first: what stays is the oldest.
    for alarm in report.reported.alarms():
        if alarm.kind == "fork":
            copied[alarm.node] = alarm.at_s
            continue
        gap = report.reported.gap(alarm)
        if gap is not None:
            before, _ = gaps.get(alarm.node, (0, 0))
            gaps[alarm.node] = before + gap.last - gap.first + 1, alarm.at_s
    return copied, gaps


def _gallery(scheme: str, published: Published | None, held: Holding | None) -> Gallery:
    if published is None:
        return Gallery(scheme, 0, 0, 0, held)
    must_delete = held is None or published.holders.gone_after(held.number) != ()
    return Gallery(scheme, published.number, published.at_s, published.lease_s, held, must_delete)


def _row(station: Station, named: tuple[str, str] | None, unit: Unit, now_s: int) -> Row:
    found = needs(unit, now_s)
    name, place = named or (station.name, station.place)
    return Row(
        0 if named is None else station.premises,
        name,
        place,
        node_text(station.node),
        tuple(Told(need, moment(need.since_s), moment(need.until_s)) for need in found),
        tuple(map(_holds, unit.galleries)),
        moment(unit.asked_s),
        rank(found),
    )


def _holds(gallery: Gallery) -> Holds:
    held = gallery.held
    if not gallery.newest:
        return Holds(gallery.scheme, "nothing is published yet")
    if held is None:
        return Holds(gallery.scheme, "nothing", rest=f"the newest is gallery {gallery.newest}")
    rest = [] if held.number == gallery.newest else [f"the newest is {gallery.newest}"]
    rest += [] if held.is_complete else ["photographs missing"]
    return Holds(gallery.scheme, f"gallery {held.number}", moment(held.since_s), ", ".join(rest))
