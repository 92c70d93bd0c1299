"""Who may sign in at which premises' in-shop page, and what else the port is told: a file for it alone.

``staff.sealed`` is replaced as a whole. A premises that is not in it has nobody, so that whoever was taken off is off,
their premises gone or not. No node gets more of it than the list of its own premises. Others may read the folder,
central among them, and need no names of shops' staff: so it is encrypted.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Annotated, Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from msgspec import Struct

from wire.gallery_keys import KEY_BYTES, NONCE_BYTES
from wire.gallery_staff import STAFF_MAX, StaffEntry

STAFF_FILE: Final = "staff.sealed"
STAFF_FILE_BYTES_MAX: Final = 67_108_864
_ABOUT: Final = b"watchlink/1/staff file"
_Listed = Annotated[tuple[StaffEntry, ...], msgspec.Meta(max_length=STAFF_MAX)]


class StaffFileError(Exception):
    """The file cannot be used; one sentence without a full stop."""


class StaffFile(Struct, frozen=True, kw_only=True):
    """What it says.

    Attributes:
        premises: all who may sign in, by the number of their premises; each list by number of the person.
        open_schemes: numbers of those that have chosen to show their gallery without proof of the time.
        broken_cards: by the node's number, since when its view log contradicted itself, Unix time. Of that alarm a
            person has said that the card was broken, and not copied.
    """

    premises: Mapping[int, _Listed] = {}
    open_schemes: tuple[int, ...] = ()
    broken_cards: Mapping[int, int] = {}


_read: Final = msgspec.json.Decoder(StaffFile).decode


class StaffSeal:
    """Opens and closes the file, under a key that is derived from the gallery key: publisher and port alone have that.

    Args:
        gallery_key: 32 random bytes.
    """

    def __init__(self, gallery_key: bytes) -> None:
        # Random as it stands, it needs no extracting (RFC 5869, section 3.3).
        self._cipher: Final = ChaCha20Poly1305(HKDFExpand(SHA256(), KEY_BYTES, _ABOUT).derive(gallery_key))

    def close(self, file: StaffFile) -> bytes:
        """The bytes of the file: a nonce of 12 bytes, then ciphertext and tag of ChaCha20-Poly1305 (RFC 8439)."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, msgspec.json.encode(file), _ABOUT)

    def open(self, data: bytes) -> StaffFile:
        """What the file says.

        Raises:
            StaffFileError: damaged, under another gallery key, malformed, or with a person twice in one premises.
        """
        try:
            file = _read(self._cipher.decrypt(data[:NONCE_BYTES], data[NONCE_BYTES:], _ABOUT))
        except InvalidTag as e:
            raise StaffFileError("it is damaged, or under another gallery key: restart this program") from e
        except (msgspec.MsgspecError, ValueError, RecursionError) as e:
            raise StaffFileError(f"it is no file of staff: {e}") from e
        if any(len({one.person for one in listed}) != len(listed) for listed in file.premises.values()):
            raise StaffFileError("a person is listed twice")
        return file
