"""Takes over from the delegate who has claimed what: the authority then lists these nodes itself (ADR 0026, 0030).

Until then they are the delegate's alone: they go with the delegation, and the fleet can neither revoke nor set them.
What the delegate says is believed for numbers that this fleet has reserved, and for their keys; names and schemes are
the fleet's own.
"""

from __future__ import annotations

from collections.abc import Container
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from provisioning.errors import FleetInputError
from provisioning.folder import FleetFolder
from provisioning.records import FleetRecord, NodeRecord
from runtime.regular_file import read_regular
from wire.directory import Directory, Sender, open_directory
from wire.errors import REASONS, DecodeError
from wire.ids import FIRST_PREMISES_NODE, node_text, parse_node
from wire.limits import DIRECTORY_BYTES_MAX

_PROFILE_UNKNOWN: Final = ""


class Collected(Struct, frozen=True):
    """What was found.

    Attributes:
        taken: nodes that claimed their premises, and are the authority's own now.
        struck: nodes that the delegate had struck, and those without a claim here: nobody hears them any more.
        strangers: numbers that this fleet has never reserved. They are left out: an honest delegate adds none.
    """

    taken: tuple[NodeRecord, ...] = ()
    struck: tuple[NodeRecord, ...] = ()
    strangers: tuple[str, ...] = ()

    @property
    def without_claim(self) -> tuple[NodeRecord, ...]:
        """Of those struck: their claim was taken back, or the fleet's record has forgotten it."""
        return tuple(node for node in self.struck if node.profile == _PROFILE_UNKNOWN)


def foresee(folder: FleetFolder, file: Path) -> Collected:
    """What :func:`collect` would find now; nothing is changed. Raises as that does."""
    with folder.changing():
        return _sorted_out(folder, _read(folder, file))


def collect(folder: FleetFolder, file: Path, without_claim: Container[str] | None = None) -> Collected:
    """Read the directory that the enrolment service has changed, and list its nodes in the next one of the authority's.

    Args:
        folder: the fleet's.
        file: the service's ``changed/directory.json``, or central's.
        without_claim: the nodes that are struck if they have no claim here; ``None`` = all of them. The others stay
            the delegate's.

    Raises:
        FleetInputError: it cannot be read, is not of this town, or was changed under another delegation than the one
            in force; nothing was changed.
    """
    with folder.changing():
        directory = _read(folder, file)
        found = _sorted_out(folder, directory)
        if without_claim is not None:
            left = [node for node in found.without_claim if node.node not in without_claim]
            found = msgspec.structs.replace(found, struck=tuple(node for node in found.struck if node not in left))
        new = (*found.taken, *found.struck)
        if new:
            numbers = {node.node for node in new}
            record = msgspec.structs.replace(
                folder.record,
                nodes=tuple(sorted((*folder.record.nodes, *new), key=lambda node: node.node)),
                claims=tuple(claim for claim in folder.record.claims if claim.node not in numbers),
            )
            folder.commit(record.with_next_directory(folder.now()))
        # Even if nothing is new: this finishes what was interrupted.
        folder.publish()
    return found


def claimed(folder: FleetFolder, file: Path) -> frozenset[str]:
    """The numbers that wait here although their units have claimed them, by that file. Raises as :func:`collect`."""
    senders = _read(folder, file).senders
    return frozenset(claim.node for claim in folder.record.claims if parse_node(claim.node) in senders)


def _read(folder: FleetFolder, file: Path) -> Directory:
    try:
        # The service's folder, perhaps: what stands there must not hold the fleet's lock.
        directory = open_directory(read_regular(file, DIRECTORY_BYTES_MAX), folder.authority_public())
    except OSError as e:
        raise FleetInputError(f"{file} cannot be read: {e.strerror}. The enrolment service writes it.") from e
    except DecodeError as e:
        raise FleetInputError(f"{file} is not used. It is {REASONS[e.reason]}.") from e
    delegation = folder.record.delegation
    if directory.is_delegated and (delegation is None or directory.epoch != delegation.epoch):
        raise FleetInputError(
            f"{file} is not used: it was changed under a delegation that is over. Bring the enrolment service the"
            " newest directory first, and then its file here."
        )
    return directory


def _sorted_out(folder: FleetFolder, directory: Directory) -> Collected:
    record = folder.record
    taken: list[NodeRecord] = []
    struck: list[NodeRecord] = []
    strangers: list[str] = []
    known = {node.node for node in record.nodes}
    for number, sender in sorted(directory.senders.items()):
        node = node_text(number)
        if number < FIRST_PREMISES_NODE or node in known:
            continue
        if number >= record.next_node:
            strangers.append(node)
            continue
        one = _node(record, sender, folder)
        (taken if one.revoked_at is None else struck).append(one)
    return Collected(tuple(taken), tuple(struck), tuple(strangers))


def _node(record: FleetRecord, sender: Sender, folder: FleetFolder) -> NodeRecord:
    now, node, key = folder.now(), node_text(sender.node), sender.key.raw.hex()
    claim = next((one for one in record.claims if one.node == node), None)
    if claim is None:
        schemes = tuple(sorted(sender.schemes)) or (record.schemes[0].number,)
        return NodeRecord(
            node=node,
            premises=sender.premises,
            place=sender.place,
            schemes=schemes,
            profile=_PROFILE_UNKNOWN,
            key=key,
            added_at=now,
            certificates=(),
            revoked_at=now,
            signs=True,
        )
    return claim.claimed(key, now, is_struck=sender.is_revoked, sealing_key=sender.sealing_key.hex())
