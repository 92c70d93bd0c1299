"""Tickets: how a person who has signed in at the office enters central's page.

A signed JSON Web Token (RFC 7519, EdDSA), good for one entry within a minute, and only for the browser that asked:
it names the digest of a secret in that browser's cookie. It says who the person is and how they signed in; what they
may do stands in the people snapshot alone.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, Final

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import Struct

from wire.errors import TicketError
from wire.messages import Count
from wire.snapshots import AccountId, HexDigest, SessionId, Town

TICKET_LIFE_S: Final = 60
CLOCK_SKEW_S: Final = 30
"""How far the two clocks may differ. They stand on one machine, or on two that keep network time."""
TICKET_CHARS_MAX: Final = 1_024
_ALGORITHM: Final = "EdDSA"
_TYPE: Final = "watchlink-ticket"
_REQUIRED: Final = ["iss", "aud", "exp", "iat", "jti"]


class Ticket(Struct, frozen=True, kw_only=True):
    """What a ticket says.

    Attributes:
        id: new for each ticket; central takes none twice.
        account: the person.
        generation: of the person's sessions when they signed in at the office (:class:`wire.snapshots.PersonEntry`).
        session: the session at the office; when it ends, central's does too.
        nonce: SHA-256 of the secret in the browser's cookie at central.
        second_factor_age_s: since the person last showed a second factor; ``None`` = not in this session.
        issued_s, expires_s: Unix time by the office's clock.
    """

    id: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}$(?!\n)")]
    account: AccountId
    generation: Count
    session: SessionId
    nonce: HexDigest
    second_factor_age_s: Annotated[int, msgspec.Meta(ge=0)] | None
    issued_s: Annotated[int, msgspec.Meta(ge=0)]
    expires_s: Annotated[int, msgspec.Meta(ge=0)]


class _Claims(Struct, frozen=True, kw_only=True):
    iss: str
    aud: str
    jti: str
    sub: str
    iat: int
    exp: int
    gen: int
    sid: str
    nonce: str
    sfa: int | None


def nonce_of(secret: str) -> str:
    """What a ticket names of the secret in the browser's cookie."""
    return hashlib.sha256(f"watchlink/1/nonce\n{secret}".encode()).hexdigest()


def sign_ticket(ticket: Ticket, town: Town, seed: bytes) -> str:
    """The ticket as text, fit for a URL.

    Args:
        ticket: what it says.
        town: ours.
        seed: 32 bytes, of the private key whose public half the people snapshot names.
    """
    claims = _Claims(
        iss=_office(town),
        aud=_central(town),
        jti=ticket.id,
        sub=str(ticket.account),
        iat=ticket.issued_s,
        exp=ticket.expires_s,
        gen=ticket.generation,
        sid=ticket.session,
        nonce=ticket.nonce,
        sfa=ticket.second_factor_age_s,
    )
    key = Ed25519PrivateKey.from_private_bytes(seed)
    return jwt.encode(msgspec.structs.asdict(claims), key, algorithm=_ALGORITHM, headers={"typ": _TYPE})


def open_ticket(text: str, town: Town, ticket_key: bytes, *, secret: str, now_s: float) -> Ticket:
    """Verify a ticket. Whether it was used before is the caller's question.

    Args:
        text: from the URL.
        town: ours.
        ticket_key: from the newest people snapshot.
        secret: from the browser's cookie.
        now_s: Unix time here.

    Raises:
        TicketError: not a ticket, of another town, by another key, for another browser, or not of now.
    """
    if len(text) > TICKET_CHARS_MAX:
        raise TicketError("ticket")
    try:
        raw = jwt.decode(
            text,
            Ed25519PublicKey.from_public_bytes(ticket_key),
            algorithms=[_ALGORITHM],
            audience=_central(town),
            issuer=_office(town),
            # The library would ask the machine's clock; the dates are judged below.
            options={"require": _REQUIRED, "verify_exp": False, "verify_iat": False, "verify_nbf": False},
        )
        claims = msgspec.convert(raw, _Claims, strict=True)
        ticket = msgspec.convert(
            {
                "id": claims.jti,
                "account": int(claims.sub) if claims.sub.isascii() and claims.sub.isdecimal() else 0,
                "generation": claims.gen,
                "session": claims.sid,
                "nonce": claims.nonce,
                "second_factor_age_s": claims.sfa,
                "issued_s": claims.iat,
                "expires_s": claims.exp,
            },
            Ticket,
        )
        is_ticket = jwt.get_unverified_header(text).get("typ") == _TYPE
    except (jwt.PyJWTError, msgspec.ValidationError, ValueError, RecursionError) as e:
        raise TicketError("ticket") from e
    if not is_ticket:
        raise TicketError("ticket")
    if ticket.nonce != nonce_of(secret):
        raise TicketError("ticket browser")
    is_short = 0 <= ticket.expires_s - ticket.issued_s <= TICKET_LIFE_S
    if not is_short or now_s >= ticket.expires_s + CLOCK_SKEW_S:
        raise TicketError("ticket expired")
    if now_s < ticket.issued_s - CLOCK_SKEW_S:
        raise TicketError("ticket early")
    return ticket


def _office(town: Town) -> str:
    return f"watchlink office {town.text}"


def _central(town: Town) -> str:
    return f"watchlink central {town.text}"
