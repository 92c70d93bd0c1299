"""Tickets from the office to central: good once, for a minute, in one browser."""

from __future__ import annotations

from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec.structs import replace

from wire.errors import TicketError
from wire.signing import SigningKey
from wire.snapshots import Town
from wire.tickets import Ticket, nonce_of, open_ticket, sign_ticket

SEED = b"t" * 32
KEY = SigningKey(SEED).public.raw
TOWN = Town(SigningKey(b"a" * 32).public)
SECRET = "the browser's own"
NOW_S = 1_800_000_000
TICKET = Ticket(
    id="1" * 32,
    account=3,
    generation=2,
    session="2" * 32,
    nonce=nonce_of(SECRET),
    second_factor_age_s=12,
    issued_s=NOW_S,
    expires_s=NOW_S + 60,
)


def opened(
    text: str, *, town: Town = TOWN, ticket_key: bytes = KEY, secret: str = SECRET, now_s: float = NOW_S + 1.5
) -> Ticket:
    return open_ticket(text, town, ticket_key, secret=secret, now_s=now_s)


def reason(
    text: str, *, town: Town = TOWN, ticket_key: bytes = KEY, secret: str = SECRET, now_s: float = NOW_S + 1.5
) -> str:
    with pytest.raises(TicketError) as refused:
        opened(text, town=town, ticket_key=ticket_key, secret=secret, now_s=now_s)
    return refused.value.reason


def test_ticket_is_read_back_as_it_was() -> None:
    assert TICKET == opened(sign_ticket(TICKET, TOWN, SEED))
    without = replace(TICKET, second_factor_age_s=None)
    assert without == opened(sign_ticket(without, TOWN, SEED))


def test_ticket_is_for_one_browser_one_town_and_one_key() -> None:
    text = sign_ticket(TICKET, TOWN, SEED)

    assert "ticket browser" == reason(text, secret="another's")
    assert "ticket" == reason(text, town=Town(SigningKey(b"b" * 32).public))
    assert "ticket" == reason(text, ticket_key=SigningKey(b"x" * 32).public.raw)


@pytest.mark.parametrize(
    ("now_s", "expected"),
    [(NOW_S + 89.9, ""), (NOW_S + 90, "ticket expired"), (NOW_S - 30, ""), (NOW_S - 31, "ticket early")],
)
def test_ticket_is_of_now(now_s: float, expected: str) -> None:
    text = sign_ticket(TICKET, TOWN, SEED)

    assert expected == (reason(text, now_s=now_s) if expected else "")
    if not expected:
        assert TICKET == opened(text, now_s=now_s)


def test_ticket_made_for_longer_than_a_minute_is_refused() -> None:
    for expires_s in (NOW_S + 61, NOW_S - 1):
        assert "ticket expired" == reason(sign_ticket(replace(TICKET, expires_s=expires_s), TOWN, SEED))


def forged(
    changes: dict[str, Any], *, algorithm: str = "EdDSA", key: str | bytes | None = None, kind: str = "watchlink-ticket"
) -> str:
    claims = jwt.decode(sign_ticket(TICKET, TOWN, SEED), options={"verify_signature": False})
    claims.update(changes)
    claims = {name: value for name, value in claims.items() if value != "gone"}
    signer = Ed25519PrivateKey.from_private_bytes(SEED) if key is None else key
    return jwt.encode(claims, signer, algorithm=algorithm, headers={"typ": kind})


@pytest.mark.parametrize("claim", ["iss", "aud", "exp", "iat", "jti", "sub", "gen", "sid", "nonce", "sfa"])
def test_no_claim_may_be_missing(claim: str) -> None:
    assert "ticket" == reason(forged({claim: "gone"}))


@pytest.mark.parametrize(
    "changes",
    [
        {"sub": "0"},
        {"sub": "-1"},
        {"sub": "²"},
        {"sub": 3},
        {"gen": -1},
        {"gen": "2"},
        {"sid": "x"},
        {"jti": "1" * 32 + "\n"},
        {"iat": 1.5},
        {"aud": "watchlink central"},
    ],
)
def test_malformed_claim_is_refused(changes: dict[str, Any]) -> None:
    assert "ticket" == reason(forged(changes))


def test_other_algorithms_and_other_tokens_are_refused() -> None:
    assert "ticket" == reason(forged({}, algorithm="none", key=""))
    assert "ticket" == reason(forged({}, algorithm="HS256", key=KEY))
    assert "ticket" == reason(forged({}, kind="JWT"))
    assert "ticket" == reason("")
    assert "ticket" == reason("a.b.c")
    assert "ticket" == reason("x" * 2_000)


def test_forged_control_is_taken_unchanged() -> None:
    assert TICKET == opened(forged({}))
