"""A certificate and its key in two files, replaced as one.

Two files cannot be renamed at once. So both are first written into a third, whole and durable; then they are copied to
their places, and the third is removed. Whoever finds it, after a power cut or in the midst of another program's change,
finishes the copying (:func:`settle_pair`), which always writes the same.
"""

from __future__ import annotations

import errno
import re
from enum import Enum
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from msgspec import Struct

from runtime.atomic import PRIVATE, PUBLIC, sync_folder, write_atomic
from runtime.folder_lock import folder_lock
from runtime.regular_file import NoFileError, read_regular

_BYTES_MAX: Final = 64 * 1024
_KEY: Final = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----\n?", re.DOTALL)


class PairError(ValueError):
    """Key and certificate are unreadable, or do not belong together."""


class Turn(Enum):
    """How to come by the folder's lock, which keeps two programs from changing a pair at once."""

    WAIT = "wait for whoever holds it"
    TRY = "leave it to whoever holds it"
    HELD = "the caller holds it, or another that keeps everybody else away"


class KeyPair(Struct, frozen=True):
    """Where a certificate (with its issuers' after it) and its key lie; both PEM."""

    certificate_file: Path
    key_file: Path

    @property
    def arriving(self) -> Path:
        """Where a new pair lies while it is put in place."""
        return self.certificate_file.with_name(f".{self.certificate_file.name}.arriving")


def check_pair(certificate_pem: bytes, key_pem: bytes) -> tuple[x509.Certificate, ...]:
    """The certificates, the first of which is for the key.

    Raises:
        PairError: it is not, or something cannot be read.
    """
    try:
        certificates = tuple(x509.load_pem_x509_certificates(certificate_pem))
        key = serialization.load_pem_private_key(key_pem, password=None)
    except (ValueError, TypeError) as e:
        raise PairError(f"certificate or key cannot be read: {e}") from e
    if certificates[0].public_key() != key.public_key():
        raise PairError("the certificate is for another key")
    return certificates


def replace_pair(pair: KeyPair, certificate_pem: bytes, key_pem: bytes, turn: Turn = Turn.WAIT) -> None:
    """Put a new certificate and key in place of both files. Interrupted anywhere, :func:`settle_pair` finishes it.

    The folder's lock is waited for, or held.

    Raises:
        PairError: they do not belong together; nothing was changed.
        OSError: the disk refuses. Either nothing was changed, or it is finished later.
    """
    check_pair(certificate_pem, key_pem)
    write_atomic(pair.arriving, key_pem + certificate_pem, PRIVATE)
    settle_pair(pair, turn)


def settle_pair(pair: KeyPair, turn: Turn = Turn.WAIT) -> bool:
    """Finish a replacement that was interrupted; returns whether there was one, and it is finished.

    Several programs may do this at once.

    Raises:
        OSError: the disk refuses.
    """
    if not pair.arriving.exists():
        return False
    if turn is Turn.HELD:
        return _settle(pair)
    try:
        # A program that was held up must not put an older pair in place of a newer one.
        with folder_lock(pair.arriving.parent, is_patient=turn is Turn.WAIT):
            return _settle(pair)
    except BlockingIOError:
        return False


def _settle(pair: KeyPair) -> bool:
    try:
        # Root, too, finishes this in folders of programs that an enemy may have taken over: a link would show them a
        # key that is none of theirs.
        both = read_regular(pair.arriving, _BYTES_MAX, may_be_link=False)
    except FileNotFoundError:
        return False
    except OSError as e:
        if not isinstance(e, NoFileError) and e.errno != errno.ELOOP:
            raise
        both = b""
    certificate_pem = _KEY.sub(b"", both)
    key_pem = both[: len(both) - len(certificate_pem)]
    try:
        check_pair(certificate_pem, key_pem)
    except PairError:
        pair.arriving.unlink(missing_ok=True)  # Not ours: we only ever put a whole pair there.
        return False
    write_atomic(pair.key_file, key_pem, PRIVATE)
    write_atomic(pair.certificate_file, certificate_pem, PUBLIC)
    pair.arriving.unlink(missing_ok=True)
    sync_folder(pair.arriving.parent)
    return True
