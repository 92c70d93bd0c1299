"""HPKE against RFC 9180's own numbers and, where there is one, against ``cryptography``'s."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from wire import hpke
from wire.hpke import OVERHEAD_BYTES, SealError, open_sealed, seal

KEY = X25519PrivateKey.from_private_bytes(b"k" * 32)
PUBLIC = KEY.public_key().public_bytes_raw()
LOW_ORDER = (
    bytes(32),
    (1).to_bytes(32, "little"),
    bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
    bytes.fromhex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
    (2**255 - 20).to_bytes(32, "little"),
    (2**255 - 19).to_bytes(32, "little"),
    (2**255 - 18).to_bytes(32, "little"),
)


def test_key_schedule_gives_the_numbers_of_rfc_9180() -> None:
    """Appendix A.2.1. Its message bears additional data, which Watchlink has no use for: key and nonce open it."""
    ours = X25519PrivateKey.from_private_bytes(
        bytes.fromhex("8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb")
    )
    ephemeral = X25519PrivateKey.from_private_bytes(
        bytes.fromhex("f4ec9b33b792c372c1d2c2063507b684ef925b8c75a42dbcbf57d63ccd381600")
    )
    info = bytes.fromhex("4f6465206f6e2061204772656369616e2055726e")
    enc, recipient = (one.public_key().public_bytes_raw() for one in (ephemeral, ours))
    assert enc.hex() == "1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a"
    assert recipient.hex() == "4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a"
    aead, nonce = hpke._context(hpke._exchange(ephemeral, recipient), enc, recipient, info)

    assert nonce.hex() == "5c4d98150661b848853b547f"
    sealed = aead.encrypt(nonce, b"Beauty is truth, truth beauty", b"Count-0")
    assert sealed.hex() == (
        "1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db21993c62ce81883d2dd1b51a28"
    )
    assert open_sealed(ours, info, hpke._seal(ephemeral, recipient, info, b"x")) == b"x"


def test_cryptographys_own_opens_ours_and_ours_opens_its() -> None:
    theirs = pytest.importorskip("cryptography.hazmat.primitives.hpke")
    suite = theirs.Suite(theirs.KEM.X25519, theirs.KDF.HKDF_SHA256, theirs.AEAD.CHACHA20_POLY1305)
    for plaintext in (b"", b"x", b"a key of 32 bytes, and another one."):
        assert suite.decrypt(seal(PUBLIC, b"for it", plaintext), KEY, b"for it") == plaintext
        assert open_sealed(KEY, b"for it", suite.encrypt(plaintext, KEY.public_key(), b"for it")) == plaintext


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_what_is_sealed_opens_and_is_never_the_same_twice(info: bytes, plaintext: bytes) -> None:
    sealed = seal(PUBLIC, info, plaintext)

    assert open_sealed(KEY, info, sealed) == plaintext
    assert len(sealed) == len(plaintext) + OVERHEAD_BYTES
    assert sealed[:32] != seal(PUBLIC, info, plaintext)[:32]


@given(st.data())
def test_altered_or_shortened_is_refused(data: st.DataObject) -> None:
    sealed = bytearray(seal(PUBLIC, b"for it", b"a secret"))
    place = data.draw(st.integers(0, len(sealed) - 1))
    cut = bytes(sealed[:place])
    # The top bit of an X25519 key is not looked at (RFC 7748, section 5); "enc" is authenticated all the same.
    sealed[place] ^= data.draw(st.integers(1, 255))
    for wrong in (cut, bytes(sealed)):
        with pytest.raises(SealError):
            open_sealed(KEY, b"for it", wrong)


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_with_a_reason(data: bytes) -> None:
    with pytest.raises(SealError):
        open_sealed(KEY, b"for it", data)


def test_another_key_or_purpose_does_not_open() -> None:
    sealed = seal(PUBLIC, b"for it", b"a secret")
    for key, info in ((X25519PrivateKey.generate(), b"for it"), (KEY, b"for that"), (KEY, b"")):
        with pytest.raises(SealError, match="sealed"):
            open_sealed(key, info, sealed)


@pytest.mark.parametrize("point", LOW_ORDER, ids=range(len(LOW_ORDER)))
def test_point_of_low_order_is_refused_both_ways(point: bytes) -> None:
    with pytest.raises(SealError, match="sealing key"):
        seal(point, b"", b"x")
    with pytest.raises(SealError, match="sealing key"):
        open_sealed(KEY, b"", point + bytes(17))


@pytest.mark.parametrize("length", [0, 31, 33])
def test_key_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(SealError, match="sealing key"):
        seal(b"k" * length, b"", b"x")
