"""Claims: numbers reserved for nodes that make their own keys, and the codes by which they will prove whose they are.

A code leaves here once, for a label or a seed, and only its hash is kept. Whoever has neither makes a new one, which
ends the one before. The enrolment service learns of open claims by ``claims.json`` (:mod:`wire.claims`).
"""

from __future__ import annotations

import secrets
from collections.abc import Container, Sequence
from datetime import timedelta

import msgspec
from msgspec import Struct

from provisioning.ended import ended
from provisioning.errors import FleetInputError
from provisioning.fleet import Fleet, NewNode, check_new, free_number
from provisioning.issuers import has_issuers
from provisioning.proposals import note_number
from provisioning.records import ClaimRecord, FleetRecord, clean_name
from wire.claim_code import RANDOM_BYTES, claim_code, claim_hash
from wire.claims import CLAIM_DAYS
from wire.errors import DecodeError
from wire.ids import NodeId, node_text, parse_node


class MadeClaim(Struct, frozen=True):
    """A claim with its code, which nobody can read again later."""

    claim: ClaimRecord
    code: str


def may_claim(record: FleetRecord) -> bool:
    """Whether nodes of this fleet can claim their identity: the one CA of older fleets must not be online for that."""
    return has_issuers(record)


def reserve(
    fleet: Fleet, wanted: Sequence[NewNode], *, snapshot_number: int = 0, seconds: Container[int] = ()
) -> tuple[MadeClaim, ...]:
    """Reserve a number for each and make its claim: all of them or none. Arguments as :meth:`Fleet.add_all`.

    Raises:
        FleetInputError: as :meth:`Fleet.add_all`, or a gateway, which the authority's delegate may not add; nothing
            was changed.
    """
    folder = fleet.folder
    with folder.changing():
        record, number = note_number(folder.record, snapshot_number), NodeId(folder.record.next_node)
        check_new(record, wanted, seconds)
        made: list[MadeClaim] = []
        for new in wanted:
            if new.kind != "premises":
                raise FleetInputError(f"A {new.kind} cannot be claimed: its keys are made here.")
            number = free_number(folder.layout, number)
            waiting = ClaimRecord(
                node=node_text(number),
                premises=clean_name(new.premises, "name of the premises"),
                place=clean_name(new.place, "place", is_required=False),
                schemes=record.scheme_numbers(tuple(new.schemes)),
                profile=new.profile,
                claim_hash="0" * 64,
                ends_at=folder.now(),
                office_premises=new.office_premises,
            )
            made.append(with_new_code(fleet, waiting))
            number = NodeId(number + 1)
        claims = (*record.claims, *(one.claim for one in made))
        folder.commit(msgspec.structs.replace(record, claims=claims, next_node=number))
        # All of it: the broker's ACL has the rights of these numbers before anybody can claim them.
        folder.publish()
    return tuple(made)


def claim_again(fleet: Fleet, node: str) -> MadeClaim:
    """A new code for a number that waits for its node. The one before opens nothing any more.

    Raises:
        FleetInputError: no such number, or it has its node already.
    """
    with fleet.folder.changing():
        made = with_new_code(fleet, waiting_claim(fleet.record, node))
        others = [claim for claim in fleet.record.claims if claim.node != made.claim.node]
        replace_claims(fleet, sorted([*others, made.claim], key=lambda claim: claim.node))
    return made


def withdraw(fleet: Fleet, node: str) -> ClaimRecord:
    """Take a claim back: its code opens nothing any more, and no node gets its number.

    Raises:
        FleetInputError: no such number, or it has its node already.
    """
    with fleet.folder.changing():
        waiting = waiting_claim(fleet.record, node)
        replace_claims(fleet, [claim for claim in fleet.record.claims if claim.node != waiting.node])
    return waiting


def waiting_claim(record: FleetRecord, node: str) -> ClaimRecord:
    """The claim of that number.

    Raises:
        FleetInputError: not a number, not of this fleet, or it has its node already.
    """
    try:
        wanted = node_text(parse_node(node.strip().lower()))
    except DecodeError:
        wanted = ""
    found = next((claim for claim in record.claims if claim.node == wanted), None)
    if found is None:
        known = record.node(node)
        if known.revoked_at is not None:
            raise FleetInputError(ended(record, known, "replace"))
        raise FleetInputError(
            f"{known.node} ({known.premises}) has its keys already. For another unit there: 'watchlink fleet replace"
            f" {known.node}'."
        )
    return found


def with_new_code(fleet: Fleet, waiting: ClaimRecord) -> MadeClaim:
    """That claim with a new code, good from now on. Nothing is recorded."""
    code = claim_code(secrets.token_bytes(RANDOM_BYTES))
    ends_at = fleet.now() + timedelta(days=CLAIM_DAYS)
    return MadeClaim(msgspec.structs.replace(waiting, claim_hash=claim_hash(code), ends_at=ends_at), code)


def replace_claims(fleet: Fleet, claims: Sequence[ClaimRecord]) -> None:
    """These are open from now on, and no others. The caller holds the folder's lock."""
    fleet.folder.commit(msgspec.structs.replace(fleet.record, claims=tuple(claims)))
    # All of it: a number that is not awaited any more has no rights at the broker.
    fleet.folder.publish()
