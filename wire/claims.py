"""Claims: which new node a code on a label stands for (:mod:`wire.claim_code`). ``claims.json`` of the fleet folder.

The fleet writes it, with each claim that it has made and not taken back; the enrolment service reads it. That one keeps
to itself which of them were used. A node has one claim: when the fleet makes another, the one before is listed no more.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec

from wire.errors import DecodeError
from wire.limits import SCHEMES_PER_NODE_MAX
from wire.messages import Count, Message, Name, NodeText, SchemeNumber

CLAIM_DAYS: Final = 14
"""How long a claim is good for."""
CLAIMS_BYTES_MAX: Final = 4_194_304
"""About 300 bytes a claim."""


class ClaimsError(DecodeError):
    """A file that is no list of claims."""


class OpenClaim(Message, frozen=True, kw_only=True):
    """A claim: what the node becomes that brings its code."""

    node: NodeText
    """Its number, reserved for it."""
    premises: Name
    """Its name for people."""
    place: Name = ""
    """Where the premises is."""
    schemes: Annotated[tuple[SchemeNumber, ...], msgspec.Meta(min_length=1, max_length=SCHEMES_PER_NODE_MAX)]
    """Numbers of its schemes, as in the directory."""
    profile: str
    """Its hardware (docs/hardware.md)."""
    claim_hash: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$(?!\n)")]
    """:func:`wire.claim_code.claim_hash` of its code, which is stored nowhere."""
    ends_at: Annotated[int, msgspec.Meta(ge=1)]
    """Unix seconds: from then on the code opens nothing."""
    office_premises: Count = 0
    """Number of the premises at the office; 0 = none."""


class OpenClaims(msgspec.Struct, frozen=True, kw_only=True):
    """The whole of ``claims.json``."""

    format: Literal[1] = 1
    claims: tuple[OpenClaim, ...] = ()
    """By node. No node and no code twice."""
    number: Count = 0
    """Rises whenever the fleet changes them: a lower one lists codes that were taken back. 0 = from before there were
    numbers."""


_read_open_claims: Final = msgspec.json.Decoder(OpenClaims).decode


def encode_claims(claims: OpenClaims) -> bytes:
    """As JSON, readable by people."""
    return msgspec.json.format(msgspec.json.encode(claims), indent=2) + b"\n"


def decode_claims(data: bytes) -> OpenClaims:
    """Read ``claims.json``.

    Raises:
        ClaimsError: ``claims``: it is none, or contradicts itself.
    """
    if len(data) > CLAIMS_BYTES_MAX:
        raise ClaimsError("claims", detail="too large")
    try:
        found = _read_open_claims(data)
    except (msgspec.MsgspecError, UnicodeDecodeError) as e:
        raise ClaimsError("claims", detail=str(e)[:200]) from e
    for field in ("node", "claim_hash"):
        if len({getattr(one, field) for one in found.claims}) != len(found.claims):
            raise ClaimsError("claims", detail=f"{field} twice")
    return found
