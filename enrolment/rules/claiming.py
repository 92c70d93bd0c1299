"""Whether a claim may be spent, by whom, and what then. Pure: no clock, no disk."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from wire.claims import OpenClaim

Problem = Literal["unknown claim", "other node", "expired", "used", "taken", "replaced", "struck"]


class Enrolled(Struct, frozen=True):
    """A node that has spent its claim.

    Attributes:
        change: which of the service's changes it was, from 1; rises.
        node: its number.
        claim_hash: of the claim that it has spent.
        keys: names its public keys (:func:`wire.enrolment.keys_digest`).
        claim: as it was when it was spent.
        signing_key: 32 raw bytes.
        sealing_key: 32 raw bytes.
        certificate: PEM, with its issuer's after it.
        gallery_certificate: the same.
        enrolled_at_s: Unix time, by the service's clock.
    """

    change: int
    node: str
    claim_hash: str
    keys: str
    claim: OpenClaim
    signing_key: bytes
    sealing_key: bytes
    certificate: str
    gallery_certificate: str
    enrolled_at_s: int


class Refused(Struct, frozen=True):
    """It may not.

    Attributes:
        problem: why, for the node.
        node: whose claim it is; empty = nobody knows.
    """

    problem: Problem
    node: str = ""


def matching(claims: Sequence[OpenClaim], claim_hash: str) -> OpenClaim | None:
    """The claim with that hash. Takes equally long whatever the hash, and wherever it stands."""
    found = [one for one in claims if hmac.compare_digest(one.claim_hash, claim_hash)]
    return found[0] if found else None


def is_awaited(
    claim: OpenClaim | None,
    spent: Enrolled | None,
    *,
    asked_node: str,
    signing_key: bytes,
    struck: frozenset[str],
    now_s: int,
) -> bool:
    """Whether this seems to be the unit that a claim was made for: found out quickly, before it is judged.

    A shop must not wait because somebody behind the same router guesses. No guesser is helped: who is awaited has a
    code that nobody else has spent. A unit that was struck is not: whoever stole it would take everybody's turns.

    Args:
        claim: the open claim with the request's code, if there is one.
        spent: who has spent this code.
        asked_node: the number that the seed names.
        signing_key: with which the request is signed.
        struck: nodes that the directory has struck.
        now_s: Unix time.
    """
    if spent is not None:
        return spent.signing_key == signing_key and spent.node not in struck
    return claim is not None and claim.node == asked_node and now_s < claim.ends_at and claim.node not in struck


def judge(
    claim: OpenClaim | None,
    *,
    keys: str,
    asked_node: str,
    spent: Enrolled | None,
    holder: Enrolled | None,
    struck: frozenset[str],
    now_s: int,
) -> Enrolled | OpenClaim | Refused:
    """What becomes of a request: a node that was enrolled before, a claim to spend, or a refusal.

    Who has no code that was ever good learns nothing of any node: only "unknown claim". Who has one is told why it does
    not count, because somebody with a card stands before the unit: ``used`` by another unit; its number ``taken`` by a
    unit with an earlier code; its unit ``replaced`` or struck off, so that the card is; or this very unit ``struck``.

    Args:
        claim: the open claim with the request's code, if there is one.
        keys: names the public keys of whoever asks.
        asked_node: the number that the seed names.
        spent: who has spent this code.
        holder: who was enrolled as the claim's node, with whatever code.
        struck: nodes that the directory has struck.
        now_s: Unix time.
    """
    if spent is not None:
        if spent.keys != keys:
            return Refused("replaced" if spent.node in struck else "used", spent.node)
        # Its answer was lost. However long ago: it can prove that it is the same.
        return spent if spent.node not in struck else Refused("struck", spent.node)
    if claim is None:
        return Refused("unknown claim")
    problem = _problem(claim, asked_node, holder, keys, now_s) if claim.node not in struck else "replaced"
    if holder is not None and holder.keys == keys and claim.node in struck:
        problem = "struck"
    if problem is not None:
        return Refused(problem, claim.node)
    # The same unit with the code that was made when it seemed to have got lost: it spends nothing more.
    return claim if holder is None else holder


def _problem(claim: OpenClaim, asked_node: str, holder: Enrolled | None, keys: str, now_s: int) -> Problem | None:
    if asked_node != claim.node:
        return "other node"
    if now_s >= claim.ends_at:
        return "expired"
    # Keys of a number never change: another unit gets another number.
    return "taken" if holder is not None and holder.keys != keys else None
