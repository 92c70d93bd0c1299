"""What ``watchlink fleet list`` says of the numbers that wait for their units."""

from __future__ import annotations

import contextlib
from datetime import datetime

from provisioning.collecting import claimed
from provisioning.errors import FleetError
from provisioning.fleet import Fleet
from provisioning.uncollected import nobody_can_claim
from wire.fleet_list import FleetList


def claimed_here(fleet: Fleet, live: FleetList | None) -> frozenset[str]:
    """The numbers that wait although a unit has claimed them, as far as the service's file here or central says."""
    known = {unit.node for unit in live.units} if live is not None else set()
    with contextlib.suppress(FleetError):
        known |= claimed(fleet.folder, fleet.layout.changed)
    return frozenset(claim.node for claim in fleet.record.claims if claim.node in known)


def claim_warnings(fleet: Fleet, known: frozenset[str], now: datetime) -> list[str]:
    """What somebody has to do about the numbers that wait, sentences."""
    claims = fleet.record.claims
    found = [
        f"A unit has claimed {claim.node} ({claim.premises}): 'watchlink fleet collect'."
        for claim in claims
        if claim.node in known
    ]
    found += [
        f"The claim of {claim.premises} has ended. If a unit has used it: 'watchlink fleet collect'. If not: 'watchlink"
        f" fleet claim {claim.node}' makes a new code."
        for claim in claims
        if claim.ends_at <= now and claim.node not in known
    ]
    if not claims:
        return found
    delegation = fleet.record.delegation
    if delegation is None or delegation.key is None:  # Of one whose time is over it is told already.
        found.append(nobody_can_claim(fleet.record, now))
    if not (fleet.layout.enrolment / "enrol.toml").exists():
        found.append(
            "Premises wait for their units, and there is no enrolment service yet: 'watchlink fleet enrolment'."
        )
    return found
