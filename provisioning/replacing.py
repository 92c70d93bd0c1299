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
from provisioning.ended import adding, ended
from provisioning.errors import FleetInputError
from provisioning.fleet import Fleet, free_number
from provisioning.records import ClaimRecord, FleetRecord, NodeRecord, ReplacementRecord
from provisioning.uncollected import nobody_can_claim
from wire.ids import NodeId, node_text
from wire.node_settings import NodeSettings


class Replaced(Struct, frozen=True):
    """What was done.

    Attributes:
        old: struck off.
        replacement: its successor, and what is left to do.
        made: the successor's claim, whose label is to be handed out; ``None`` = that was done before.
        is_made_again: an earlier command made a code too, and may have handed its label out. It opens nothing any more.
    """

    old: NodeRecord
    replacement: ReplacementRecord
    made: MadeClaim | None
    is_made_again: bool = False


def replaceable(record: FleetRecord, node: str, now: datetime) -> NodeRecord:
    """The node, if another unit may take its place, or if such a command was interrupted.

    Raises:
        FleetInputError: no such node, it was replaced or revoked, its keys must be made here, or no unit could claim
            its successor's number now.
    """
    old = record.node(
        node,
        "If one has claimed it, and is broken: give the enrolment service's file, --from FILE. If none has, and the"
        " label is lost: 'watchlink fleet claim {}'.",
    )
    who = f"{old.node} ({old.premises})"
    if old.replacement is not None and old.replacement.to_do != "nothing":
        return old
    if old.revoked_at is not None:
        raise FleetInputError(ended(record, old, "replace"))
    if old.kind != "premises" or not may_claim(record):
        why = "a gateway" if old.kind != "premises" else "in a town with one CA"
        raise FleetInputError(
            f"{who} is {why}, so the keys of its successor are made here: 'watchlink fleet revoke {old.node}', then"
            f" '{adding(old)}' again. Nothing was changed."
        )
    if why_not := nobody_can_claim(record, now):
        raise FleetInputError(
            f"{who} would be ended, and nothing could take its place. {why_not} If it was stolen: 'watchlink fleet"
            f" revoke {old.node}'. Nothing was changed."
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
        old = replaceable(folder.record, node, fleet.now())
        if old.replacement is None:
            return _begin(fleet, old)
        waiting = next((one for one in folder.record.claims if one.node == old.replacement.node), None)
        if old.replacement.to_do != "label" or waiting is None:
            return Replaced(old, old.replacement, None)
        # Of the code that was made then nobody knows whether it was read.
        made = with_new_code(fleet, waiting)
        claims = [made.claim if one.node == waiting.node else one for one in folder.record.claims]
        replace_claims(fleet, claims)
        return Replaced(old, old.replacement, made, is_made_again=True)


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
