"""Another unit in place of a broken one, at the same premises: the old identity ends, a new number waits for its unit.

Both are one change of the record, so that no power cut leaves a premises with neither. What comes after it (a label,
the broker's proof) is noted as still to do until it is done: the same command, run again, finishes it. The new number
is claimed like every other (:mod:`provisioning.claims`): the delegate adds it, and signs nothing else of it.
"""

from __future__ import annotations

from datetime import datetime

import msgspec
from msgspec import Struct

from provisioning.claims import MadeClaim, may_claim, replace_claims, with_new_code
from provisioning.errors import FleetInputError
from provisioning.fleet import Fleet, free_number
from provisioning.records import ClaimRecord, FleetRecord, NodeRecord, ReplacementRecord
from wire.ids import NodeId, node_text
from wire.node_settings import NodeSettings


class Replaced(Struct, frozen=True):
    """What was done.

    Attributes:
        old: struck off.
        replacement: its successor, and what is left to do.
        made: the successor's claim, whose label is to be handed out; ``None`` = that was done before.
    """

    old: NodeRecord
    replacement: ReplacementRecord
    made: MadeClaim | None


def replaceable(record: FleetRecord, node: str) -> NodeRecord:
    """The node, if another unit may take its place, or if such a command was interrupted.

    Raises:
        FleetInputError: no such node, it was replaced or revoked, or its keys must be made here.
    """
    old = record.node(node)
    who = f"{old.node} ({old.premises})"
    if old.replacement is not None:
        if old.replacement.to_do == "nothing":
            raise FleetInputError(f"{who} was replaced already, by {old.replacement.node}{_state(record, old)}.")
        return old
    if old.revoked_at is not None:
        raise FleetInputError(f"{who} is revoked: add the premises again, with 'watchlink fleet add'.")
    if old.kind != "premises" or not may_claim(record):
        why = "a gateway" if old.kind != "premises" else "in a town with one CA"
        raise FleetInputError(
            f"{who} is {why}, so the keys of its successor are made here: 'watchlink fleet revoke {old.node}', then"
            " 'watchlink fleet add' again. Nothing was changed."
        )
    return old


def replace_node(fleet: Fleet, node: str) -> Replaced:
    """Strike the node off and reserve a number for the unit that takes its place, or go on with that.

    The caller hands the label out and has the broker prove that the old one is dead, noting each by :func:`note_done`.

    Raises:
        FleetInputError: as :func:`replaceable`; nothing was changed.
    """
    folder = fleet.folder
    with folder.changing():
        old = replaceable(folder.record, node)
        if old.replacement is None:
            return _begin(fleet, old)
        waiting = next((one for one in folder.record.claims if one.node == old.replacement.node), None)
        if old.replacement.to_do != "label" or waiting is None:
            return Replaced(old, old.replacement, None)
        # Nobody has read the code that was made then.
        made = with_new_code(fleet, waiting)
        claims = [made.claim if one.node == waiting.node else one for one in folder.record.claims]
        replace_claims(fleet, claims)
        return Replaced(old, old.replacement, made)


def note_done(fleet: Fleet, old: NodeRecord, what: str) -> None:
    """Note that the ``label`` is in somebody's hands, or that the ``proof`` was seen."""
    with fleet.folder.changing():
        known = fleet.record.node(old.node)
        assert known.replacement is not None
        left = msgspec.structs.replace(known.replacement, to_do="proof" if what == "label" else "nothing")
        fleet.folder.commit(fleet.record.with_node(msgspec.structs.replace(known, replacement=left)))


def _begin(fleet: Fleet, old: NodeRecord) -> Replaced:
    folder, now = fleet.folder, fleet.now()
    number = free_number(folder.layout, folder.record.next_node)
    node = node_text(number)
    made = with_new_code(
        fleet,
        ClaimRecord(
            node=node,
            premises=old.premises,
            place=old.place,
            schemes=old.schemes,
            profile=old.profile,
            claim_hash="0" * 64,
            ends_at=now,
            office_premises=old.office_premises,
            settings=_settings(old.settings, node, now),
        ),
    )
    replacement = ReplacementRecord(node=node)
    struck = msgspec.structs.replace(old, revoked_at=now, replacement=replacement)
    record = msgspec.structs.replace(
        folder.record, claims=(*folder.record.claims, made.claim), next_node=NodeId(number + 1)
    )
    folder.commit(record.with_node(struck).with_next_directory(now))
    folder.publish()
    return Replaced(struck, replacement, made)


def _settings(before: NodeSettings | None, node: str, now: datetime) -> NodeSettings | None:
    """What was set for the old unit, made for the new one: a node takes nobody else's."""
    if before is None:
        return None
    return msgspec.structs.replace(before, node=node, serial=int(now.timestamp()), made_at=now)


def _state(record: FleetRecord, old: NodeRecord) -> str:
    assert old.replacement is not None
    new = old.replacement.node
    if any(claim.node == new for claim in record.claims):
        return f", which waits for its claim. Another label: 'watchlink fleet claim {new}'"
    if any(node.node == new for node in record.nodes):
        return f". If that one is broken too: 'watchlink fleet replace {new}'"
    return ", whose claim was taken back: add the premises again, with 'watchlink fleet add'"
