"""Premises that the office proposes, and the nodes that stand in them (ADR 0021).

Read from the office's signed snapshot, by keys that this fleet trusts; an older snapshot than the last one used is
refused. The fleet takes name, place and schemes over when a person says so, never by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from provisioning.ended import ended
from provisioning.errors import FleetInputError
from provisioning.folder import FleetFolder
from provisioning.records import FleetRecord, NodeRecord, clean_name
from wire.errors import REASONS, SnapshotError
from wire.limits import SNAPSHOT_BYTES_MAX
from wire.snapshots import Premises, PremisesEntry, Town, file_name, open_snapshot, parse_file_name

_PREMISES: Final = "premises"
_REFUSALS: Final = {
    "snapshot signature": "not signed by an office that this fleet trusts: compare with 'watchlink fleet list'",
}


class Proposals(Struct, frozen=True):
    """A verified snapshot of the office's premises.

    Attributes:
        number: of the snapshot.
        made_at: by the office's clock.
        entries: premises by number.
    """

    number: int
    made_at: datetime
    entries: Mapping[int, PremisesEntry]

    def entry(self, premises: int) -> PremisesEntry:
        """The premises of that number.

        Raises:
            FleetInputError: the office has none.
        """
        if premises not in self.entries:
            raise FleetInputError(
                f"The office has no premises {premises} in its snapshot {self.number}, made"
                f" {self.made_at:%Y-%m-%d %H:%M} UTC: 'watchlink fleet proposals' lists those without a node."
            )
        return self.entries[premises]


class Offer(Struct, frozen=True):
    """What the office says of a premises, checked for the fleet: names that screens can show, slugs of schemes."""

    premises: int
    name: str
    place: str
    schemes: tuple[str, ...]


def read_proposals(folder: FleetFolder, path: Path) -> Proposals:
    """Read the office's premises.

    Args:
        folder: the fleet's, which says whom to believe.
        path: a snapshot, or a folder of them, of which the newest is read.

    Raises:
        FleetInputError: no snapshot, or not one to be believed: of another town, signed by a key that this fleet does
            not trust, or older than the last one used.
    """
    record = folder.record
    keys = tuple(key.public for key in record.office.trusted)
    if not keys:
        raise FleetInputError("This fleet trusts no office yet: 'watchlink fleet trust-office FILE' comes first.")
    file = _newest(path) if path.is_dir() else path
    try:
        with file.open("rb") as source:
            data = source.read(SNAPSHOT_BYTES_MAX + 1)
    except OSError as e:
        raise FleetInputError(f"{file} cannot be read: {e.strerror}.") from e
    try:
        snapshot = open_snapshot(data, Premises, Town(folder.authority_public()), keys)
    except SnapshotError as e:
        raise FleetInputError(f"{file} is not used. It is {_REFUSALS.get(e.reason, REASONS[e.reason])}.") from e
    named = parse_file_name(file.name)
    if named is not None and named != (_PREMISES, snapshot.number):
        raise FleetInputError(
            f"{file} is not used: it holds {file_name(_PREMISES, snapshot.number)}, so it was renamed."
        )
    refuse_older(record, snapshot.number)
    return Proposals(snapshot.number, snapshot.made_at, {entry.premises: entry for entry in snapshot.premises})


def refuse_older(record: FleetRecord, number: int) -> None:
    """Refuse a snapshot that is older than the last one used.

    Raises:
        FleetInputError: it is.
    """
    used = record.office.premises_number
    if number < used:
        raise FleetInputError(
            f"The snapshot has number {number}, but number {used} has been used here already: fetch the newest one from"
            " the office. Its numbers never go back, not even after it was restored."
        )


def note_number(record: FleetRecord, number: int) -> FleetRecord:
    """A copy in which the snapshot ``number`` has been used. 0 = the change was made from none.

    Raises:
        FleetInputError: a newer one was used meanwhile.
    """
    if not number:
        return record
    refuse_older(record, number)
    return msgspec.structs.replace(record, office=msgspec.structs.replace(record.office, premises_number=number))


def offer(record: FleetRecord, entry: PremisesEntry) -> Offer:
    """What the office says of a premises, fit for the fleet.

    Raises:
        FleetInputError: a name that no screen can show, or a scheme that the fleet does not have.
    """
    slugs = {scheme.number: scheme.slug for scheme in record.schemes}
    for number in entry.schemes:
        if number not in slugs:
            known = ", ".join(f"{number} ({slug})" for number, slug in slugs.items())
            raise FleetInputError(
                f"Premises {entry.premises} ({entry.name}) is in scheme {number}, which this fleet does not have;"
                f" it has: {known}."
            )
    name, place = _names(entry)
    return Offer(entry.premises, name, place, tuple(slugs[number] for number in entry.schemes))


def without_node(record: FleetRecord, proposals: Proposals) -> tuple[PremisesEntry, ...]:
    """The premises in which no node in use stands, and none is awaited, by number."""
    taken = {node.office_premises for node in record.nodes if node.revoked_at is None}
    taken |= {claim.office_premises for claim in record.claims}
    return tuple(entry for number, entry in sorted(proposals.entries.items()) if number not in taken)


def differences(record: FleetRecord, proposals: Proposals) -> tuple[str, ...]:
    """A sentence for each node in use of which the office says something else than the fleet."""
    found = []
    for node in record.nodes:
        if node.revoked_at is None and node.office_premises:
            found += _differences(record, node, proposals.entries.get(node.office_premises))
    return tuple(found)


def link(
    folder: FleetFolder, node: str, proposals: Proposals, premises: int, *, is_second_allowed: bool = False
) -> NodeRecord:
    """Join a node with the premises it stands in.

    Raises:
        FleetInputError: no such node or premises, no node of a shop, or the premises has another node already and
            ``is_second_allowed`` is false; nothing was changed.
    """
    with folder.changing():
        known = _in_use(folder.record, node)
        if known.kind != "premises":
            raise FleetInputError(
                f"{known.node} ({known.premises}) is a {known.kind}: it stands in no member's premises."
            )
        entry = proposals.entry(premises)
        if not is_second_allowed:
            refuse_second(folder.record, entry.premises, besides=known.node)
        changed = msgspec.structs.replace(known, office_premises=entry.premises)
        return _commit(folder, known, changed, proposals.number)


def unlink(folder: FleetFolder, node: str) -> NodeRecord:
    """Part a node from its premises at the office.

    Raises:
        FleetInputError: no such node, or it is revoked.
    """
    with folder.changing():
        known = _in_use(folder.record, node)
        return _commit(folder, known, msgspec.structs.replace(known, office_premises=0), 0)


def refresh(folder: FleetFolder, node: str, proposals: Proposals) -> NodeRecord:
    """Take name and place over from the office into the directory; the node's own screen has its own file.

    Raises:
        FleetInputError: no such node, it is joined with no premises, or a name that no screen can show.
    """
    with folder.changing():
        known = _in_use(folder.record, node)
        if not known.office_premises:
            raise FleetInputError(f"{known.node} ({known.premises}) is joined with no premises: give --proposal N.")
        entry = proposals.entry(known.office_premises)
        name, place = _names(entry)
        return _commit(folder, known, msgspec.structs.replace(known, premises=name, place=place), proposals.number)


def refuse_second(record: FleetRecord, premises: int, *, besides: str = "") -> None:
    """Refuse another node in a premises that has one in use, other than ``besides``.

    Raises:
        FleetInputError: it has.
    """
    known = others_there(record, premises, besides)
    if known:
        raise FleetInputError(
            f"Premises {premises} has a node already: {known}. Nothing was changed. For a second one, at another"
            " counter, give --yes."
        )


def others_there(record: FleetRecord, premises: int, besides: str = "") -> str:
    """The nodes in use at these premises other than ``besides``, for people; empty = none, or no premises (0)."""
    nodes = record.nodes_of_premises(premises) if premises else ()
    waiting = [claim for claim in record.claims if premises and claim.office_premises == premises]
    return "; ".join(
        [
            *(f"{node.node} ({node.premises}) stands there" for node in nodes if node.node != besides),
            *(f"{claim.node} ({claim.premises}) waits for its claim there" for claim in waiting),
        ]
    )


def _commit(folder: FleetFolder, known: NodeRecord, changed: NodeRecord, number: int) -> NodeRecord:
    record = note_number(folder.record, number)
    if changed != known:
        record = record.with_node(changed).with_next_directory(folder.now())
    if record != folder.record:
        folder.commit(record)
    # Even if nothing is new: this finishes what was interrupted.
    folder.publish()
    return changed


def _in_use(record: FleetRecord, text: str) -> NodeRecord:
    node = record.node(text)
    if node.revoked_at is not None:
        raise FleetInputError(ended(record, node, "link"))
    return node


def _names(entry: PremisesEntry) -> tuple[str, str]:
    return (
        clean_name(entry.name, f"name of premises {entry.premises}"),
        clean_name(entry.place, f"place of premises {entry.premises}", is_required=False),
    )


def _differences(record: FleetRecord, node: NodeRecord, entry: PremisesEntry | None) -> list[str]:
    who = f"{node.node} ({node.premises})"
    found: list[str] = []
    if entry is None:
        found.append(
            f"{who}: the office no longer has premises {node.office_premises}. If it left the schemes, revoke the node;"
            f" else 'watchlink fleet link {node.node} --none'."
        )
        return found
    try:
        names = _names(entry)
    except FleetInputError as e:
        return [f"{who}: {e} Correct it at the office."]
    if names != (node.premises, node.place):
        said = ", ".join(filter(None, names))
        found.append(f"{who} is {said} at the office: 'watchlink fleet link {node.node} --refresh' takes that over.")
    if set(entry.schemes) != set(node.schemes):
        there = " and ".join(_scheme_names(record, entry.schemes))
        here = " and ".join(_scheme_names(record, node.schemes))
        found.append(
            f"{who} is in {there} at the office, but its node in {here}: replace the node (revoke it, add the premises"
            " again) or correct the office."
        )
    return found


def _scheme_names(record: FleetRecord, numbers: tuple[int, ...]) -> list[str]:
    names = {scheme.number: scheme.name for scheme in record.schemes}
    return [names.get(number, f"scheme {number}") for number in sorted(numbers)]


def _newest(folder: Path) -> Path:
    try:
        numbers = [
            named[1] for file in folder.iterdir() if (named := parse_file_name(file.name)) and named[0] == _PREMISES
        ]
    except OSError as e:
        raise FleetInputError(f"{folder} cannot be read: {e.strerror}.") from e
    if not numbers:
        raise FleetInputError(f"{folder} holds no premises snapshot of the office (premises-NUMBER.json).")
    return folder / file_name(_PREMISES, max(numbers))
