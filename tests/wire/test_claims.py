"""The list of open claims, between the fleet and the enrolment service."""

from __future__ import annotations

import json

import msgspec
import pytest

from wire.claims import CLAIMS_BYTES_MAX, ClaimsError, OpenClaim, OpenClaims, decode_claims, encode_claims

CLAIM = OpenClaim(
    node="00000010",
    premises="Corner Shop",
    place="High St",
    schemes=(1,),
    profile="ssd1309-128x64",
    claim_hash="ab" * 32,
    ends_at=1_800_000_000,
    office_premises=5,
)
OTHER = msgspec.structs.replace(CLAIM, node="00000011", claim_hash="cd" * 32)


def test_claims_are_read_as_they_were_written() -> None:
    claims = OpenClaims(claims=(CLAIM, OTHER), number=7)

    assert claims == decode_claims(encode_claims(claims))


def test_claims_of_a_later_version_are_read() -> None:
    """A fleet that is updated first must not lock its new shops out."""
    later = json.loads(encode_claims(OpenClaims(claims=(CLAIM,))))
    later["later"] = later["claims"][0]["later"] = 7

    assert OpenClaims(claims=(CLAIM,)) == decode_claims(json.dumps(later).encode())


def test_claims_of_an_earlier_version_have_no_number() -> None:
    earlier = json.loads(encode_claims(OpenClaims(claims=(CLAIM,), number=7)))
    del earlier["number"]

    assert OpenClaims(claims=(CLAIM,)) == decode_claims(json.dumps(earlier).encode())


@pytest.mark.parametrize(
    "claims",
    [
        (CLAIM, msgspec.structs.replace(OTHER, node=CLAIM.node)),
        (CLAIM, msgspec.structs.replace(OTHER, claim_hash=CLAIM.claim_hash)),
    ],
    ids=["node", "code"],
)
def test_claims_that_contradict_themselves_are_refused(claims: tuple[OpenClaim, ...]) -> None:
    with pytest.raises(ClaimsError, match="twice"):
        decode_claims(encode_claims(OpenClaims(claims=claims)))


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        (b'"ab', b'"AB'),
        (b"00000010", b"10"),
        (b"1800000000", b"0"),
        (b'"format": 1', b'"format": 2'),
        (b"Corner Shop", b"\xff"),
        (b"{", b"["),
    ],
    ids=["hash", "node", "end", "format", "not UTF-8", "not JSON"],
)
def test_other_files_are_no_claims(was: bytes, becomes: bytes) -> None:
    data = encode_claims(OpenClaims(claims=(CLAIM,)))
    assert was in data

    with pytest.raises(ClaimsError):
        decode_claims(data.replace(was, becomes, 1))


def test_endless_file_is_refused_before_it_is_read() -> None:
    with pytest.raises(ClaimsError, match="too large"):
        decode_claims(b" " * (CLAIMS_BYTES_MAX + 1))
