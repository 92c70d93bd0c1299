"""Who may spend a claim."""

from __future__ import annotations

import msgspec
import pytest

from enrolment.rules.claiming import Enrolled, Refused, judge, matching
from wire.claims import OpenClaim

CLAIM = OpenClaim(
    node="00000010", premises="Corner Shop", schemes=(1,), profile="fake", claim_hash="ab" * 32, ends_at=1_000
)
OTHER = msgspec.structs.replace(CLAIM, node="00000011", claim_hash="cd" * 32)
OURS, THEIRS = "1" * 64, "2" * 64
ENROLLED = Enrolled(1, CLAIM.node, CLAIM.claim_hash, OURS, CLAIM, b"s" * 32, b"x" * 32, "pem", "pem", 500)


def judged(
    claim: OpenClaim | None = CLAIM,
    *,
    keys: str = OURS,
    asked_node: str = CLAIM.node,
    spent: Enrolled | None = None,
    holder: Enrolled | None = None,
    struck: frozenset[str] = frozenset(),
    now_s: int = 999,
) -> Enrolled | OpenClaim | str:
    """The problem, or what it may be."""
    found = judge(claim, keys=keys, asked_node=asked_node, spent=spent, holder=holder, struck=struck, now_s=now_s)
    return found.problem if isinstance(found, Refused) else found


def test_open_claim_is_spent() -> None:
    assert CLAIM == judged()


def test_code_that_nobody_made_is_unknown() -> None:
    assert "unknown claim" == judged(None)


def test_claim_of_another_premises_is_not_spent() -> None:
    assert "other node" == judged(asked_node="00000011")


def test_claim_ends_on_the_second() -> None:
    assert "expired" == judged(now_s=1_000)


def test_claim_that_others_have_spent_is_refused() -> None:
    assert "used" == judged(spent=ENROLLED, holder=ENROLLED, keys=THEIRS)


@pytest.mark.parametrize("now_s", [999, 1_000_000], ids=["at once", "long after its end"])
@pytest.mark.parametrize("claim", [CLAIM, None], ids=["listed", "taken from the list"])
def test_same_unit_is_answered_again(now_s: int, claim: OpenClaim | None) -> None:
    assert ENROLLED == judged(claim, spent=ENROLLED, holder=ENROLLED, now_s=now_s)


def test_new_code_for_the_same_unit_gives_it_what_it_has() -> None:
    assert ENROLLED == judged(msgspec.structs.replace(CLAIM, claim_hash="ef" * 32), holder=ENROLLED)


def test_new_code_gives_a_number_with_keys_to_no_other_unit() -> None:
    assert "used" == judged(msgspec.structs.replace(CLAIM, claim_hash="ef" * 32), holder=ENROLLED, keys=THEIRS)


def test_struck_node_is_not_enrolled_nor_answered_again() -> None:
    struck = frozenset({CLAIM.node})

    assert "struck" == judged(struck=struck)
    assert "struck" == judged(spent=ENROLLED, holder=ENROLLED, struck=struck)


def test_claim_is_found_by_its_hash_alone() -> None:
    assert OTHER == matching((CLAIM, OTHER), OTHER.claim_hash)
    assert None is matching((CLAIM, OTHER), "ab" * 31 + "ac")
