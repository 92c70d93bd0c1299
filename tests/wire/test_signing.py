from __future__ import annotations

import base64
from functools import reduce
from itertools import permutations

import hypothesis.strategies as st
import pytest
from hypothesis import given

from wire.errors import DecodeError, SignatureInvalidError
from wire.signing import (
    _SMALL_ORDER_Y,
    DIRECTORY_DOMAIN,
    FRAME_DOMAIN,
    KEY_BYTES,
    MESSAGE_DOMAIN,
    SIGNATURE_BYTES,
    PublicKey,
    SigningKey,
    sign_message,
)

# Edwards25519, RFC 8032 section 5.1, in the plainest arithmetic.
P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P
Point = tuple[int, int]


def add(a: Point, b: Point) -> Point:
    """Twisted Edwards addition, a = -1; complete, so it doubles too."""
    product = D * a[0] * b[0] * a[1] * b[1] % P
    x = (a[0] * b[1] + b[0] * a[1]) * pow(1 + product, -1, P) % P
    y = (a[1] * b[1] + a[0] * b[0]) * pow(1 - product, -1, P) % P
    return x, y


def point_at(y: int) -> Point:
    """A point with this y; there must be one."""
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    root = pow(square, (P + 3) // 8, P)
    x = root if root * root % P == square else root * pow(2, (P - 1) // 4, P) % P
    assert square == x * x % P
    return x, y % P


@given(st.from_type(SigningKey), st.binary(max_size=200))
def test_signature_is_accepted_by_its_key_its_domain_and_its_bytes_only(key: SigningKey, data: bytes) -> None:
    signature = key.sign(FRAME_DOMAIN, data)
    key.public.verify(FRAME_DOMAIN, data, signature)

    assert SIGNATURE_BYTES == len(signature)
    assert signature == key.sign(FRAME_DOMAIN, data)
    other = SigningKey(bytes(32)).public
    for public, domain, said in (
        (key.public, DIRECTORY_DOMAIN, data),
        (key.public, FRAME_DOMAIN, data + b"\x00"),
        (other if other != key.public else SigningKey(b"\x01" * 32).public, FRAME_DOMAIN, data),
    ):
        with pytest.raises(SignatureInvalidError):
            public.verify(domain, said, signature)


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_verify_of_any_signature_gives_our_error(data: bytes, signature: bytes) -> None:
    with pytest.raises(SignatureInvalidError):
        SigningKey(bytes(32)).public.verify(FRAME_DOMAIN, data, signature)


@given(st.binary(max_size=40) | st.binary(min_size=32, max_size=32), st.binary(min_size=64, max_size=64))
def test_public_key_of_any_bytes_verifies_nothing_by_chance(raw: bytes, signature: bytes) -> None:
    """Also bytes that are no point of the curve: found out at the first signature, in our terms."""
    with pytest.raises(DecodeError) as caught:
        PublicKey(raw).verify(FRAME_DOMAIN, b"", signature)

    is_refused_at_once = len(raw) != KEY_BYTES or raw[:-1] + bytes([raw[-1] & 0x7F]) in _SMALL_ORDER_Y
    assert ("public key" if is_refused_at_once else "signature") == caught.value.reason


@pytest.mark.parametrize("y", sorted(_SMALL_ORDER_Y), ids=bytes.hex)
@pytest.mark.parametrize("sign_bit", [0, 0x80])
def test_public_key_refuses_a_point_for_which_anybody_can_sign(y: bytes, sign_bit: int) -> None:
    with pytest.raises(DecodeError, match="public key"):
        PublicKey(y[:-1] + bytes([y[-1] | sign_bit]))


def test_refused_points_are_all_those_of_small_order_and_no_other() -> None:
    """Eight points: the multiples of one of order 8. Two of their five y have a second, unreduced spelling."""
    order_8 = next(
        point
        for point in (point_at(int.from_bytes(y, "little")) for y in sorted(_SMALL_ORDER_Y))
        if add(add(point, point), add(point, point)) != (0, 1) and point[0] != 0
    )
    multiples = [reduce(add, [order_8] * count) for count in range(1, 9)]
    canonical = {y for _, y in multiples}
    spellings = canonical | {y + P for y in canonical if y + P < 2**255}

    assert (0, 1) == multiples[-1]
    assert 8 == len(set(multiples))
    assert {y.to_bytes(32, "little") for y in spellings} == _SMALL_ORDER_Y


def test_key_made_from_a_wrong_seed_is_refused() -> None:
    for seed in (b"", bytes(31), bytes(33)):
        with pytest.raises(ValueError, match="32"):
            SigningKey(seed)


def test_public_keys_are_equal_by_their_bytes() -> None:
    raw = SigningKey(bytes(32)).public.raw

    assert PublicKey(raw) == PublicKey(raw)
    assert {PublicKey(raw)} == {PublicKey(raw), PublicKey(raw)}
    assert PublicKey(raw) != raw


def test_domains_are_no_prefix_of_one_another() -> None:
    """Otherwise a signature over one use could be read as a signature over the other."""
    domains = (FRAME_DOMAIN, DIRECTORY_DOMAIN, MESSAGE_DOMAIN)

    assert [] == [(a, b) for a, b in permutations(domains, 2) if a.startswith(b)]


def test_message_signature_is_over_domain_topic_and_payload() -> None:
    """By hand: domain NUL topic NUL payload, in base64."""
    key = SigningKey(bytes(32))
    raw = base64.b64decode(sign_message(key, "watchlink/1/x", b"{}"))

    key.public.verify(b"", b"watchlink/1/message\x00watchlink/1/x\x00{}", raw)
