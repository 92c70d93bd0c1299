"""The file of staff says what it was told to whoever has the gallery key, or is refused whole."""

from __future__ import annotations

import os

import pytest
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from office.gallery.staff_file import StaffFile, StaffFileError, StaffSeal
from wire.gallery_staff import StaffEntry

KEY = b"g" * 32
ANN, ZOE = StaffEntry(person=4, name="Ann", code=7, code_check="ab" * 32), StaffEntry(person=5, name="Zoë")
FILE = StaffFile(premises={1: (ANN, ZOE), 2: (ANN,)}, open_schemes=(2,), broken_cards={16: 1_800_000_000})


def sealed(plain: bytes) -> bytes:
    """As the publisher does it."""
    about, nonce = b"watchlink/1/staff file", os.urandom(12)
    return nonce + ChaCha20Poly1305(HKDFExpand(SHA256(), 32, about).derive(KEY)).encrypt(nonce, plain, about)


def test_file_is_read_back_by_who_has_the_key_and_by_nobody_else() -> None:
    data = StaffSeal(KEY).close(FILE)

    assert FILE == StaffSeal(KEY).open(data)
    assert ZOE.name.encode() not in data
    with pytest.raises(StaffFileError, match="another gallery key"):
        StaffSeal(b"f" * 32).open(data)


@pytest.mark.parametrize("data", [b"", b"x" * 11, b"x" * 40, StaffSeal(KEY).close(FILE)[:-1]], ids=range(4))
def test_file_that_is_damaged_is_refused(data: bytes) -> None:
    with pytest.raises(StaffFileError):
        StaffSeal(KEY).open(data)


@pytest.mark.parametrize(
    "plain",
    [
        b"[]",
        b"[" * 10_000,
        b'{"premises":{"x":[]}}',
        b'{"premises":{"1":[{"person":0,"name":"Ann"}]}}',
        b'{"premises":{"1":[{"person":4,"name":"Ann"},{"person":4,"name":"Zoe"}]}}',
    ],
    ids=range(5),
)
def test_what_is_no_file_of_staff_is_refused(plain: bytes) -> None:
    with pytest.raises(StaffFileError):
        StaffSeal(KEY).open(sealed(plain))
