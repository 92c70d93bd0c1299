"""Who may spend a claim."""

from __future__ import annotations

import msgspec
import pytest

from enrolment.rules.claiming import Enrolled, Refused, is_awaited, judge, matching
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
    assert "taken" == judged(msgspec.structs.replace(CLAIM, claim_hash="ef" * 32), holder=ENROLLED, keys=THEIRS)


def test_struck_node_is_not_enrolled_nor_answered_again() -> None:
    struck = frozenset({CLAIM.node})

    assert "struck" == judged(spent=ENROLLED, holder=ENROLLED, struck=struck)
    assert "struck" == judged(msgspec.structs.replace(CLAIM, claim_hash="ef" * 32), holder=ENROLLED, struck=struck)


def test_card_of_a_node_that_was_replaced_is_no_copy_of_another() -> None:
    """Somebody puts last year's card into the new unit: nobody has to look for a second one."""
    struck = frozenset({CLAIM.node})

    assert "replaced" == judged(spent=ENROLLED, holder=ENROLLED, keys=THEIRS, struck=struck)
    assert "replaced" == judged(struck=struck), "nobody had used it"


@pytest.mark.parametrize("struck", [frozenset({CLAIM.node}), frozenset()], ids=["struck", "in use"])
def test_invented_code_is_told_nothing_of_the_node_that_it_names(struck: frozenset[str]) -> None:
    assert "unknown claim" == judged(None, holder=ENROLLED, keys=THEIRS, struck=struck)


def awaited(
    claim: OpenClaim | None,
    spent: Enrolled | None = None,
    *,
    node: str = CLAIM.node,
    key: bytes = b"s",
    struck: frozenset[str] = frozenset(),
    now_s: int = 999,
) -> bool:
    return is_awaited(claim, spent, asked_node=node, signing_key=key * 32, struck=struck, now_s=now_s)


def test_unit_with_an_open_claim_is_awaited_and_so_is_one_whose_answer_was_lost() -> None:
    assert awaited(CLAIM)
    assert awaited(CLAIM, ENROLLED)
    assert awaited(None, ENROLLED, now_s=5_000), "the claim was taken from the list since"


def test_nobody_else_is_awaited() -> None:
    assert not awaited(None), "a guess"
    assert not awaited(CLAIM, ENROLLED, key=b"x"), "a copied card"
    assert not awaited(CLAIM, now_s=1_000), "ended"
    assert not awaited(CLAIM, node="00000011"), "another node's"
    assert not awaited(None, ENROLLED, struck=frozenset({CLAIM.node})), "its unit was stolen"
    assert not awaited(CLAIM, struck=frozenset({CLAIM.node})), "its card is of no use any more"


def test_claim_is_found_by_its_hash_alone() -> None:
    assert OTHER == matching((CLAIM, OTHER), OTHER.claim_hash)
    assert None is matching((CLAIM, OTHER), "ab" * 31 + "ac")
