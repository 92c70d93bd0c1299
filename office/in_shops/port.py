"""The machine port's word, opened for a page."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from django.conf import settings
from msgspec import Struct

from office.config import Configuration
from office.in_shops.published import Published, PublishedError, newest
from office.members.units import units
from office.nodes.config import load_configuration
from office.nodes.reading import Gap, Reported, look_at
from office.nodes.store import FILE_NAME, Alarm, StoreError
from runtime.config import ConfigError
from wire.ids import node_text

_DAY_S: Final = 86_400
_OFF: Final = "No shop has a gallery yet: this office answers no units. Ask the office’s engineer to set that up."
_NOBODY: Final = "No unit has asked for a gallery yet. Ask the office’s engineer whether the machine port runs."
_FAULT: Final = "What units have reported cannot be read. Tell the office’s engineer: {}"


class NoReportError(Exception):
    """There is nothing to read; the message is for people."""


class Report(Struct, frozen=True):
    """What a page reads.

    Attributes:
        reported: by nodes, until the end of the block.
        published: the newest galleries, by number of the scheme.
        views_days: so long it is kept whom a node has shown.
    """

    reported: Reported
    published: dict[int, Published]
    views_days: int

    def gap(self, alarm: Alarm) -> Gap | None:
        """What is still missing of a gap; ``None`` = it has come in, or views of that time are forgotten anyhow."""
        is_forgotten = alarm.at_s < time.time() - self.views_days * _DAY_S
        return None if is_forgotten else self.reported.gap(alarm)


def premises_of_unit(unit: str) -> int:
    """Number of the premises where a unit stands, by the port's directory or the office's own; 0 = nobody knows."""
    try:
        with report() as found:
            stations = found.reported.stations()
    except NoReportError:
        stations = ()
    fitted = {node_text(one.node): one.premises for one in stations}
    fitted |= {one: number for number, its in (units() or {}).items() for one in its if not fitted.get(one)}
    return fitted.get(unit, 0)


@contextmanager
def report() -> Iterator[Report]:
    """Open it.

    Raises:
        NoReportError: there is none, or it cannot be read.
    """
    office: Configuration | None = settings.OFFICE
    if office is None or not office.nodes_file.exists():
        raise NoReportError(_OFF)
    try:
        port = load_configuration(office.nodes_file)
        path: Path = port.at(port.file.state_dir) / FILE_NAME
        with look_at(path) as reported:
            yield Report(reported, newest(port.at(port.file.snapshots)), port.file.views_days)
    except FileNotFoundError as e:
        raise NoReportError(_NOBODY) from e
    except (ConfigError, StoreError, PublishedError, OSError) as e:
        raise NoReportError(_FAULT.format(e)) from e
