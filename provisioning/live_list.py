"""What central's fleet page said of each node, beside the fleet's own records: ``watchlink fleet list --from FILE``.

The file is not signed: it is shown, with its age, and nothing is done for it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from provisioning.errors import FleetInputError
from wire.errors import DecodeError
from wire.fleet_list import FLEET_LIST_BYTES_MAX, FleetList, UnitEntry, decode_fleet_list
from wire.text import display_text

OLD_AFTER: Final = timedelta(days=1)
WHERE_FROM: Final = (
    "When each node was last seen, its free space and the rest only central knows: save ‘This list as a file’ from its"
    " fleet page, and add --from FILE."
)
_HEAD: Final = (
    *("NODE", "STATE", "LAST SEEN", "VERSION", "CERTIFICATE UNTIL", "FREE", "TEMPERATURE", "CLOCK", "BATTERY CLOCK"),
    *("RADIO", "SPEECH", "SUPPORT UNTIL", "SETTINGS", "UPDATE"),
)
_NOT_TOLD: Final = "not told"
_CELL_CHARS_MAX: Final = 40
_SHOWN_MAX: Final = 8
_HEARD: Final = ("ok", "fault")


def read_live(file: Path) -> FleetList:
    """The list that central's page saved.

    Raises:
        FleetInputError: it cannot be read, or is no such list.
    """
    try:
        with file.open("rb") as opened:
            return decode_fleet_list(opened.read(FLEET_LIST_BYTES_MAX + 1))
    except OSError as e:
        raise FleetInputError(f"{file} cannot be read: {e.strerror}.") from e
    except DecodeError as e:
        raise FleetInputError(f"{file} is no list from central's fleet page: {e}.") from e


def live_rows(live: FleetList) -> list[str]:
    """The units as a table, worst first."""
    lines = [_HEAD, *(_row(unit) for unit in live.units)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return ["  ".join(f"{cell:{width}}" for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]


def live_warnings(live: FleetList, known: Collection[str], now: datetime) -> tuple[str, ...]:
    """What a person must see to, and why this list may not be the fleet's now: sentences."""
    found = []
    age = now - live.at
    if age > OLD_AFTER:
        days = f"{age.days} day{'' if age.days == 1 else 's'}"
        found.append(f"Central said this {days} ago: save the list again.")
    elif age < -OLD_AFTER:
        found.append("Central's list is from tomorrow or later: one of the two clocks is wrong.")
    foreign = [unit.node for unit in live.units if unit.node not in known]
    if foreign:
        named = ", ".join(foreign[:_SHOWN_MAX]) + (", …" if len(foreign) > _SHOWN_MAX else "")
        found.append(f"Central lists nodes that this fleet does not know ({named}): is it another town's list?")
    found += [
        f"{_clean(unit.premises)} ({unit.node}): {display_text(need, 10_000)}"
        for unit in live.units
        for need in unit.needs
    ]
    return tuple(found)


def late_settings(live: FleetList, newest: Mapping[str, int]) -> list[str]:
    """Which nodes have not judged their newest settings although central hears them: sentences.

    Args:
        live: what central said.
        newest: serial of the newest settings of each node that has any.
    """
    return [
        f"{_clean(unit.premises)} ({unit.node}) does not have its newest settings yet: are the files at central?"
        for unit in live.units
        if unit.state in _HEARD and unit.settings_serial < newest.get(unit.node, 0)
    ]


def live_ends(live: FleetList | None) -> dict[str, datetime]:
    """Until when each node's certificate is good, by its own word: a node that renews itself is not in our records."""
    units = () if live is None else live.units
    return {unit.node: unit.certificate_ends_at for unit in units if unit.certificate_ends_at is not None}


def _row(unit: UnitEntry) -> tuple[str, ...]:
    told = (
        unit.node,
        unit.state,
        "never" if unit.last_seen_at is None else f"{unit.last_seen_at:%Y-%m-%d %H:%M}",
        unit.image or unit.version or _NOT_TOLD,
        _day(unit.certificate_ends_at),
        _NOT_TOLD if unit.free_bytes is None else f"{unit.free_bytes // 1_000_000} MB",
        _NOT_TOLD if unit.temperature_c is None else f"{unit.temperature_c} °C",
        unit.clock or _NOT_TOLD,
        {None: _NOT_TOLD, True: "yes", False: "none"}[unit.has_battery_clock],
        unit.radio or _NOT_TOLD,
        {None: _NOT_TOLD, True: "ready", False: "not ready"}[unit.is_speech_ready],
        _day(unit.support_ends_at),
        unit.settings or _NOT_TOLD,
        unit.update or ("none yet" if unit.image else _NOT_TOLD),
    )
    return tuple(map(_clean, told))


def _day(moment: datetime | None) -> str:
    return _NOT_TOLD if moment is None else f"{moment:%Y-%m-%d}"


def _clean(text: str) -> str:
    return display_text(text, _CELL_CHARS_MAX)
