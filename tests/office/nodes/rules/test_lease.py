"""The lease ends with the last proof that the publisher lives."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from office.nodes.rules.lease import OLD_S, Leases, Proof, leases
from wire.gallery_contact import Held
from wire.gallery_head import GalleryHead

MADE_S = 1_800_000_000
LEASE_S = 7 * 86_400
DAY_S = 86_400
HART, PUB_WATCH = 1, 2


def head(scheme: int = HART, number: int = 42, made_s: int = MADE_S) -> GalleryHead:
    return GalleryHead(
        scheme=scheme,
        number=number,
        made_at=datetime.fromtimestamp(made_s, UTC),
        lines=0,
        digest="0" * 64,
        lease_s=LEASE_S,
    )


def told(
    *heads: GalleryHead, proof: Proof | None, now_s: int, holds: tuple[Held, ...] = (), schemes: tuple[int, ...] = ()
) -> Leases:
    return leases(schemes or (HART,), {one.scheme: one for one in heads}, holds, proof, now_s)


def test_lease_is_counted_from_the_proof_and_not_from_the_question() -> None:
    proof = Proof(MADE_S + 3 * DAY_S, {HART: 42})

    for now_s in (proof.at_s, proof.at_s + DAY_S, proof.at_s + 30 * DAY_S):
        assert Leases(proof.at_s + LEASE_S, ()) == told(head(), proof=proof, now_s=now_s)


def test_head_proves_the_moment_at_which_it_was_made() -> None:
    for proof in (None, Proof(MADE_S - 1, {HART: 41})):
        assert Leases(MADE_S + LEASE_S, ()) == told(head(), proof=proof, now_s=MADE_S + DAY_S)


@pytest.mark.parametrize("numbers", [{HART: 43}, {HART: 41}, {}])
def test_lease_of_a_gallery_that_is_not_the_one_in_force_stays_as_it_was(numbers: dict[int, int]) -> None:
    proof = Proof(MADE_S + DAY_S, {**numbers, PUB_WATCH: 7})
    found = told(head(), head(PUB_WATCH, 7), proof=proof, now_s=MADE_S + DAY_S, schemes=(HART, PUB_WATCH))

    assert Leases(MADE_S + DAY_S + LEASE_S, (HART,)) == found


def test_lease_of_a_gallery_that_cannot_be_read_stays_as_it_was() -> None:
    assert Leases(0, (HART,)) == told(proof=Proof(MADE_S, {HART: 42}), now_s=MADE_S)


def test_lease_of_a_node_that_is_ahead_of_a_restored_office_stays_as_it_was() -> None:
    """It would take nothing lower, so nobody can take a face back from it."""
    proof, ahead = Proof(MADE_S, {HART: 42}), Held(scheme=HART, number=43, is_complete=True)

    assert Leases(0, (HART,)) == told(head(), proof=proof, now_s=MADE_S, holds=(ahead,))


def test_proof_from_the_future_is_not_good_until_then() -> None:
    """The clock was wrong for a minute, and the publisher has been dead since."""
    proof, now_s = Proof(MADE_S + 400 * DAY_S, {HART: 42}), MADE_S + 3 * DAY_S

    assert Leases(0, (HART,)) == told(head(made_s=now_s + 2 * OLD_S), proof=proof, now_s=now_s)
    assert Leases(0, (HART,)) == told(head(), proof=proof, now_s=now_s)
