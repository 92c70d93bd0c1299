"""What the office knows of the premises where units stand: joined by the signed directory's number, never by name.

Held once for each unit, and told once each time that it changes, at most :data:`TOLD_AT_ONCE` in one change, so that an
import of thousands at the office is no wave here.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from itertools import chain, islice
from typing import Final

from msgspec import field

from central.core.details import ContactLine, PremisesLine
from central.core.set_aside import Spared
from central.core.undo import Record, Table
from wire.directory import Directory
from wire.ids import NodeId, node_text
from wire.limits import TEXT_CHARS_MAX
from wire.snapshots import ContactEntry, PremisesEntry
from wire.text import display_text

NOTES_CHARS_MAX: Final = 2_000
TOLD_AT_ONCE: Final = 100
"""A few thousandths of a second's work."""


class PremisesBook(Record):
    """The newest premises snapshot, and which of it units of the directory stand at."""

    # One that cannot be drawn is left out, rather than shown as it was before.
    _spared: Spared
    _entries: Table[int, PremisesEntry] = field(default_factory=Table)
    _joined: Table[NodeId, PremisesEntry] = field(default_factory=Table)
    _untold: Table[NodeId, None] = field(default_factory=Table)
    with_faults_to: tuple[tuple[NodeId, PremisesEntry], ...] = ()
    """Units of which somebody chose to be told when they are not well."""

    def at(self, node: NodeId) -> PremisesEntry | None:
        """Where the unit stands, by the directory's number; ``None``: nobody knows."""
        return self._joined.get(node)

    @property
    def is_changed(self) -> bool:
        """Whether some are still to be told."""
        return bool(self._untold)

    def take(self, entries: Iterable[PremisesEntry], directory: Directory) -> None:
        """Take a newer snapshot: it replaces all before it."""
        self._entries = Table((entry.premises, entry) for entry in entries)
        self.join(directory)

    def join(self, directory: Directory) -> None:
        """Find the premises of each unit anew; what differs is to be told."""
        before, found = self._joined, self._entries
        self._joined = Table(
            (node, found[sender.office_premises])
            for node, sender in directory.senders.items()
            if sender.office_premises in found and not sender.is_central
        )
        now = self._joined
        self.with_faults_to = tuple((node, entry) for node, entry in now.items() if entry.faults_to)
        changed = [node for node, entry in now.items() if before.get(node) != entry]
        self._untold.update((node, None) for node in (*changed, *(before.keys() - now.keys())))

    def all_lines(self) -> tuple[PremisesLine, ...]:
        """All, for the first board; they count as told."""
        self._untold = Table()
        return tuple(filter(None, map(self._line, self._joined)))

    def take_changed(self, urgent: Iterable[NodeId] = ()) -> tuple[tuple[PremisesLine, ...], tuple[str, ...]]:
        """Some of those to be told, ``urgent`` ones first, and units of which none can be shown any more."""
        ordered = chain((node for node in urgent if node in self._untold), self._untold)
        some = tuple(islice(dict.fromkeys(islice(ordered, 2 * TOLD_AT_ONCE)), TOLD_AT_ONCE))
        for node in some:
            del self._untold[node]
        lines = {node: self._line(node) for node in some}
        return tuple(filter(None, lines.values())), tuple(node_text(node) for node in some if lines[node] is None)

    def _line(self, node: NodeId) -> PremisesLine | None:
        entry = self._joined.get(node)
        if entry is None:
            return None
        return self._spared(partial(line_of, node, entry), f"premises of {node_text(node)}", node)


def line_of(node: NodeId, entry: PremisesEntry) -> PremisesLine:
    """A premises as the page has it, each text clean."""
    place = entry.position
    return PremisesLine(
        node=node_text(node),
        scheme_numbers=tuple(sorted(entry.schemes)),
        name=_line(entry.name),
        address=_line(entry.address),
        opening_hours=_line(entry.opening_hours),
        staff_contact=_line(entry.staff_contact),
        when_going="\n".join(filter(None, (_line(text, NOTES_CHARS_MAX) for text in entry.when_going.splitlines()))),
        latitude=place.latitude if place is not None else None,
        longitude=place.longitude if place is not None else None,
        contacts=tuple(map(_contact, entry.contacts)),
    )


def _contact(entry: ContactEntry) -> ContactLine:
    return ContactLine(_line(entry.name), _line(entry.phone), entry.is_key_holder, _line(entry.note))


def _line(text: str, chars_max: int = TEXT_CHARS_MAX) -> str:
    return display_text(text, chars_max) if text else ""
