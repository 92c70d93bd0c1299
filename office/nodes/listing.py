"""``watchlink office nodes --list``: what each node holds, as it has said itself."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from typing import Final

from office.nodes.config import Configuration
from office.nodes.rules.standing import Holding, Standing, standings
from office.nodes.store import FILE_NAME, Alarm, Store
from office.nodes.who_is_who import who_is_who
from runtime.config import ConfigError
from wire.gallery_head import parse_head_file
from wire.ids import node_text
from wire.snapshots import Town
from wire.text import display_text

_HEADINGS: Final = ("node", "premises", "scheme", "holds", "since", "last asked")
_NAME_CHARS: Final = 40


def list_nodes(configuration: Configuration) -> tuple[str, bool]:
    """A table for people, and whether no node is behind and none has an alarm.

    Raises:
        ConfigError: a file cannot be used.
        StoreError: the store cannot be used.
    """
    with contextlib.closing(_store(configuration)) as store:
        receipts, asked, alarms = store.receipts(), store.contacts(), store.alarms()
    held = {(one.node, one.scheme): Holding(one.number, one.is_complete, one.since_s) for one in receipts}
    found = list(standings(who_is_who(configuration).directory, _newest(configuration), held, asked))
    lines = [_HEADINGS, *map(_row, found)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    table = ["  ".join(map(str.ljust, line, widths)).rstrip() for line in lines]
    return "\n".join([*table, *map(_told, alarms)]), not alarms and not any(one.is_behind for one in found)


def _store(configuration: Configuration) -> Store:
    path = configuration.at(configuration.file.state_dir) / FILE_NAME
    if not path.exists():
        raise ConfigError(f"{path}: no node has asked yet")
    return Store(path, Town(configuration.authority))


def _newest(configuration: Configuration) -> dict[int, int]:
    folder, newest = configuration.at(configuration.file.snapshots), dict[int, int]()
    try:
        names = [path.name for path in folder.iterdir()]
    except OSError as e:
        raise ConfigError(f"{folder} cannot be read: {e.strerror}") from e
    for scheme, number in filter(None, map(parse_head_file, names)):
        newest[scheme] = max(newest.get(scheme, 0), number)
    return newest


def _row(one: Standing) -> tuple[str, ...]:
    name = display_text(f"{one.premises}, {one.place}" if one.place else one.premises, _NAME_CHARS)
    if one.held is None:
        holds, since = "nothing", ""
    else:
        holds = f"{one.held.number}" if one.held.number == one.newest else f"{one.held.number} of {one.newest}"
        holds += "" if one.held.is_complete else ", photographs missing"
        since = _time(one.held.since_s)
    holds += ", STRUCK: off at the end of its lease" if one.is_struck else ""
    asked = "never" if one.asked_s is None else _time(one.asked_s)
    return node_text(one.node), name, one.scheme, holds, since, asked


def _told(alarm: Alarm) -> str:
    what = "TWO UNITS FOR ONE IDENTITY: the view log of" if alarm.kind == "fork" else "A GAP in the view log of"
    return f"{what} {node_text(alarm.node)}, from record {alarm.n} on; noticed {_time(alarm.at_s)}"


def _time(at_s: int) -> str:
    return f"{datetime.fromtimestamp(at_s, UTC):%Y-%m-%d %H:%M} UTC"
