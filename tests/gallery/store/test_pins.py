"""PINs are compared on their unit alone, and start codes by what the office sent."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from gallery.core.events import Pin
from gallery.store.pins import PinVerifier
from tests.support.gallery_card import KEY
from wire.gallery_staff import start_code_check
from wire.printed_codes import code_text

PIN = Pin("271828")
CODE = code_text(b"0123456789")
OTHER_UNIT = X25519PrivateKey.from_private_bytes(b"j" * 32)


@pytest.fixture(scope="module")
def verifier() -> bytes:
    return PinVerifier(KEY).make(PIN)


def test_verifier_fits_its_pin_and_no_other(verifier: bytes) -> None:
    pins = PinVerifier(KEY)

    assert pins.is_pin(PIN, verifier)
    assert not pins.is_pin(Pin("271829"), verifier)
    assert not pins.is_pin(Pin("\ud83d"), verifier)


def test_verifier_is_worth_nothing_without_the_unit(verifier: bytes) -> None:
    assert not PinVerifier(OTHER_UNIT).is_pin(PIN, verifier)


def test_two_of_one_pin_have_different_verifiers(verifier: bytes) -> None:
    assert verifier != PinVerifier(KEY).make(PIN)


@pytest.mark.parametrize("damaged", [b"", b"verifier", b"\xff", b"$argon2id$v=19$m=19456,t=2,p=1$"], ids=range(4))
def test_what_is_no_verifier_fits_nothing(damaged: bytes) -> None:
    assert not PinVerifier(KEY).is_pin(PIN, damaged)


def test_start_code_fits_its_check_however_it_is_typed_and_an_ended_one_does_not() -> None:
    check = start_code_check(CODE) or ""

    assert PinVerifier.is_code(Pin(CODE.lower().replace("-", " ")), check)
    assert not PinVerifier.is_code(Pin(code_text(b"012345678:")), check)
    assert not PinVerifier.is_code(Pin(""), "")
    assert not PinVerifier.is_code(Pin(CODE), "")
