"""What the units of some schemes hold, put together from what they have reported and what was published."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from msgspec import Struct

from office.in_shops.port import Report
from office.in_shops.published import Published
from office.in_shops.rules.units import GRAVE, Gallery, Need, Unit, needs, rank
from office.members.scope import premises_of
from office.nodes.rules.standing import Holding
from office.nodes.store import Station
from wire.ids import NodeId, node_text

OTHER_SHOP: Final = "A unit that is not in your schemes"


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
    """All units in use of some schemes, and those that owe a deletion: who needs a person first, then by name.

    Args:
        report: by nodes.
        names: of the schemes, by number.
        now_s: Unix time.
    """
    own = frozenset(names)
    # Names alone: the whole rows of a town's premises take longer than the page may.
    found = premises_of(own).values_list("pk", "name", "place")
    premises = {number: (name, place) for number, name, place in found}
    held = {
        (one.node, one.scheme): Holding(one.number, one.is_complete, one.since_s)
        for one in report.reported.receipts()
        if one.scheme in own
    }
    asked = report.reported.contacts()
    copied, gaps = _alarms(report)
    stations = {one.node: one for one in report.reported.stations()}
    rows = []
    held_by: dict[NodeId, list[int]] = {}
    for node, scheme in held:
        held_by.setdefault(node, []).append(scheme)
    for node in sorted(stations.keys() | held_by.keys()):
        station = stations.get(node)
        current = [] if station is None or station.is_struck else [one for one in station.schemes if one in own]
        owing = [] if current else held_by.get(node, [])
        if not current and not owing:
            continue
        is_struck = station is not None and station.is_struck and bool(own & frozenset(station.schemes))
        unit = Unit(
            tuple(_gallery(names[one], report.published.get(one), held.get((node, one))) for one in current or owing),
            asked.get(node),
            station is not None and station.has_key,
            copied.get(node),
            gaps.get(node),
            "" if current else "struck" if is_struck else "left",
        )
        row = _row(station if current or is_struck else None, node, premises, unit, now_s)
        if current or row.told:
            rows.append(row)
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
        gap = report.gap(alarm)
        if gap is not None:
            before, _ = gaps.get(alarm.node, (0, 0))
            gaps[alarm.node] = before + gap.last - gap.first + 1, alarm.at_s
    return copied, gaps


def _gallery(scheme: str, published: Published | None, held: Holding | None) -> Gallery:
    if published is None:
        return Gallery(scheme, 0, 0, 0, held)
    must_delete = held is None or published.holders.gone_after(held.number) != ()
    return Gallery(scheme, published.number, published.at_s, published.lease_s, held, must_delete)


def _row(station: Station | None, node: NodeId, premises: Mapping[int, tuple[str, str]], unit: Unit, now_s: int) -> Row:
    found = needs(unit, now_s)
    number = 0 if station is None or station.premises not in premises else station.premises
    own = (OTHER_SHOP, "") if station is None else (station.name, station.place)
    name, place = premises.get(number, own)
    return Row(
        number,
        name,
        place,
        node_text(node),
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
