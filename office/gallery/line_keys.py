"""The keys of a gallery's lines. The office holds none of texts: each is derived from the gallery key.

That key stands in no database and no backup. Lost, it is made anew, and every line is published anew with it.
"""

from __future__ import annotations

from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from wire.gallery_keys import KEY_BYTES, NONCE_BYTES
from wire.snapshots import Town


class WrappedKeyError(Exception):
    """A photograph's key was not wrapped under this photographs' key."""


class TextKeys:
    """Of one town.

    Args:
        key: the gallery key: 32 random bytes.
        town: ours.
    """

    def __init__(self, key: bytes, town: Town) -> None:
        self._key = key
        self._about: Final = f"watchlink/1/gallery text key\n{town.text}\n"

    def of(self, scheme: int, case: int, since: int) -> bytes:
        """The text key of a line: 32 bytes, of this line alone."""
        # The gallery key is random as it stands, and needs no extracting (RFC 5869, section 3.3).
        return HKDFExpand(SHA256(), KEY_BYTES, f"{self._about}{scheme}\n{case}\n{since}".encode()).derive(self._key)


def photograph_key(photographs_key: bytes, photograph: str, wrapped: bytes) -> bytes:
    """The content key of a photograph, as :class:`office.people.sealing.Sealing` has wrapped it.

    Args:
        photographs_key: 32 bytes.
        photograph: its number, 32 hexadecimal digits.
        wrapped: nonce, ciphertext, tag.

    Raises:
        WrappedKeyError: it is another photograph's, or was wrapped under another key.
    """
    about = f"watchlink/1/photograph\n{photograph}\nkey".encode()
    try:
        return ChaCha20Poly1305(photographs_key).decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], about)
    except (InvalidTag, ValueError) as e:
        raise WrappedKeyError(f"the key of photograph {photograph} is not wrapped under this photographs’ key") from e
