"""Photographs at rest: each picture encrypted under a content key of its photograph, kept apart from the database.

A file is nonce (12 bytes), ciphertext and tag of ChaCha20-Poly1305 (RFC 8439). The content key stands in the database,
encrypted the same way under the photographs' key, which stands in neither database nor backup. What is authenticated
beside the ciphertext names photograph and size, so that no file can pass for another.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Final, Literal, TypeAlias, get_args

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from django.conf import settings
from msgspec import Struct

from office.people.intake_terms import Size
from runtime.atomic import sync_folder, write_atomic
from runtime.config import ConfigError
from runtime.key_file import read_key

Kind: TypeAlias = Literal["original"] | Size
"""``original`` = the file as it was handed in, which no page shows."""
KINDS: Final[tuple[str, ...]] = ("original", *get_args(Size))
FOLDER_MODE: Final = 0o2750
FILE_MODE: Final = 0o640
"""The group may hold programs that have been given the key, such as the one that makes papers."""
_NONCE_BYTES: Final = 12
_NAME: Final = re.compile(rf"[0-9a-f]{{32}}\.(?:{'|'.join(KINDS)})")


class SealedError(Exception):
    """A picture cannot be opened: its file is missing, or it is not what was sealed."""


class Found(Struct, frozen=True):
    """A file in the folder.

    Attributes:
        photograph: whose; empty = the name is not ours, such as that of a file that was never finished.
        changed_s: Unix time.
    """

    name: str
    photograph: str
    changed_s: float


class Sealing:
    """The folder of encrypted photographs, and the key that opens them.

    Args:
        folder: made when something is first written.
        key: 32 bytes.
    """

    def __init__(self, folder: Path, key: bytes) -> None:
        self._folder = folder
        self._key = ChaCha20Poly1305(key)

    def new_key(self, photograph: str) -> bytes:
        """A random content key, wrapped.

        Args:
            photograph: 32 hexadecimal digits.
        """
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._key.encrypt(nonce, ChaCha20Poly1305.generate_key(), _about(photograph, "key"))

    def write(self, photograph: str, wrapped_key: bytes, kind: Kind, picture: bytes) -> str:
        """Seal a picture into its file, whole or not at all; returns the SHA-256 of that file.

        It binds the picture, and says nothing of it to anybody without the key.

        Raises:
            SealedError: the key was not wrapped here.
            OSError: the disk is full, or out of reach.
        """
        nonce = os.urandom(_NONCE_BYTES)
        sealed = nonce + self._unwrap(photograph, wrapped_key).encrypt(nonce, picture, _about(photograph, kind))
        if not self._folder.is_dir():
            self._folder.mkdir(parents=True, exist_ok=True)
            self._folder.chmod(FOLDER_MODE)
        write_atomic(self._folder / f"{photograph}.{kind}", sealed, FILE_MODE)
        return sha256(sealed).hexdigest()

    def read(self, photograph: str, wrapped_key: bytes, kind: Kind) -> bytes:
        """A picture.

        Raises:
            SealedError: it is not there, or not what was sealed.
        """
        try:
            sealed = (self._folder / f"{photograph}.{kind}").read_bytes()
        except OSError as e:
            raise SealedError(f"{kind} of photograph {photograph} cannot be read: {e.strerror}") from e
        return _open(self._unwrap(photograph, wrapped_key), sealed, _about(photograph, kind))

    def remove(self, photograph: str) -> None:
        """Remove all files of a photograph. What is gone already is no error.

        Raises:
            OSError: the folder is out of reach.
        """
        for kind in KINDS:
            (self._folder / f"{photograph}.{kind}").unlink(missing_ok=True)
        if self._folder.is_dir():
            sync_folder(self._folder)

    def has(self, photograph: str, kind: Kind) -> bool:
        """Whether the file is there."""
        return (self._folder / f"{photograph}.{kind}").is_file()

    def files(self) -> Iterator[Found]:
        """Everything that is in the folder."""
        if not self._folder.is_dir():
            return
        for file in self._folder.iterdir():
            with suppress(FileNotFoundError):  # removed meanwhile
                photograph = file.name.partition(".")[0] if _NAME.fullmatch(file.name) else ""
                yield Found(file.name, photograph, file.stat().st_mtime)

    def remove_file(self, name: str) -> None:
        """Remove a file that :meth:`files` has named."""
        (self._folder / name).unlink(missing_ok=True)

    def _unwrap(self, photograph: str, wrapped_key: bytes) -> ChaCha20Poly1305:
        return ChaCha20Poly1305(_open(self._key, wrapped_key, _about(photograph, "key")))


def sealing() -> Sealing:
    """The office's own.

    Raises:
        ConfigError: this program may not read the photographs' key, or there is none.
    """
    file: Path | None = settings.PHOTOGRAPHS_KEY_FILE
    if file is None:
        raise ConfigError("there is no key of photographs without office.toml")
    return Sealing(settings.PHOTOGRAPHS_FOLDER, read_key(file, "key keys.photographs_key_file"))


def is_older(found: Found, than: datetime) -> bool:
    """Whether a file was last written before a moment."""
    return found.changed_s < than.timestamp()


def _about(photograph: str, what: str) -> bytes:
    return f"watchlink/1/photograph\n{photograph}\n{what}".encode()


def _open(key: ChaCha20Poly1305, sealed: bytes, about: bytes) -> bytes:
    try:
        return key.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], about)
    except (InvalidTag, ValueError) as e:
        raise SealedError("a photograph’s file or key is not what was sealed") from e
