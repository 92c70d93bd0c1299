"""A backup as one file: signed by the program whose state it holds, then encrypted to people's keys by age (v1).

=============== ==================================================
inside age      a tar archive, compressed with gzip
``manifest``    :class:`Manifest` as JSON, the first member
``signature``   64 bytes of Ed25519 over the manifest, the second
the rest        the files that the manifest lists, in its order
=============== ==================================================

Anybody can encrypt to a public key. What is restored becomes the truth, so it must be signed too.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import re
import tarfile
import zlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import IO, Annotated, Final

import msgspec
import pyrage
from msgspec import Struct
from pyrage import x25519

from runtime.atomic import PRIVATE
from wire.errors import SignatureInvalidError
from wire.signing import BACKUP_DOMAIN, PublicKey, SigningKey

FORMAT: Final = 1
MANIFEST: Final = "manifest"
SIGNATURE: Final = "signature"
MANIFEST_BYTES_MAX: Final = 1 << 24
"""Of a hundred thousand photographs' files."""
_BLOCK_BYTES: Final = 1 << 20
_FIRST_BYTES: Final = b"age-encryption.org/v1\n"
_IDENTITY_BEGINS: Final = "AGE-SECRET-KEY-"
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]*(/[a-z0-9][a-z0-9._-]*)?")
_OTHER_COPY: Final = "Take another copy of it, or an older backup"


class BackupError(Exception):
    """A backup that cannot be made, opened or believed. The message is a sentence that says what to do."""


class Entry(Struct, frozen=True):
    """One file: its name in the archive, its bytes and their SHA-256 in hexadecimal digits."""

    name: str
    size_bytes: Annotated[int, msgspec.Meta(ge=0)]
    digest: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]


class Manifest(Struct, frozen=True, kw_only=True):
    """What a backup says of itself.

    Attributes:
        format: of the file; a program opens its own and older ones.
        program: whose state it is, such as ``central``.
        town: the authority's public key in hexadecimal digits.
        made_at: when the state was copied, aware UTC.
        version: of the program.
        schema: of its database.
        files: all of them.
    """

    format: int = FORMAT
    program: str
    town: str
    made_at: datetime
    version: str
    schema: str
    files: tuple[Entry, ...]


class _Format(Struct):
    """Read first: a newer manifest may hold anything else."""

    format: int
    version: str = ""


class Origin(Struct, frozen=True):
    """Whose backups are believed.

    Attributes:
        program: as in the manifest.
        town: the authority's public key in hexadecimal digits.
        signer: the program's public key.
        others: further keys that are trusted as much.
    """

    program: str
    town: str
    signer: PublicKey
    others: tuple[PublicKey, ...] = ()


def town_mark(town: str) -> str:
    """Eight digits by which people tell towns apart."""
    return hashlib.sha256(town.encode()).hexdigest()[:8]


def new_identity() -> x25519.Identity:
    """A new secret key; its ``to_public()`` is the recipient."""
    return x25519.Identity.generate()


def recipient_of(text: str) -> x25519.Recipient:
    """A public key as age writes it.

    Raises:
        BackupError: it is none.
    """
    if text.strip().upper().startswith(_IDENTITY_BEGINS):
        raise BackupError(
            "a secret key stands among the recipients of [backup]. It must never be on this machine: make a new pair"
            " elsewhere, and write the public half here, which begins with age1"
        )
    try:
        return x25519.Recipient.from_str(text.strip())
    except pyrage.RecipientError as e:
        raise BackupError(f"recipient {text!r} is no public key of age: it begins with age1, copied in full") from e


def read_identities(file: Path) -> list[x25519.Identity]:
    """The secret keys in a file, as ``age-keygen`` writes it.

    Raises:
        BackupError: it cannot be read or holds none.
    """
    try:
        lines = file.read_text(encoding="ascii").split()
    except OSError as e:
        raise BackupError(f"{file} cannot be read: {e.strerror}") from e
    except UnicodeDecodeError:
        lines = []
    try:
        found = [x25519.Identity.from_str(line) for line in lines if line.startswith(_IDENTITY_BEGINS)]
    except pyrage.IdentityError as e:
        raise BackupError(f"the key in {file} is not whole: take another copy of it") from e
    if not found:
        raise BackupError(
            f"{file} holds no secret key, a line that begins with {_IDENTITY_BEGINS}1. If a passphrase protects it,"
            " open it with 'age --decrypt' first"
        )
    return found


def entry_of(name: str, file: Path) -> Entry:
    """The entry of a file as it is now."""
    with file.open("rb") as source:
        digest = hashlib.file_digest(source, "sha256").hexdigest()
    return Entry(name, file.stat().st_size, digest)


def pack(archive: Path, manifest: Manifest, files: Mapping[str, Path], key: SigningKey) -> None:
    """Write the archive, not encrypted yet.

    Args:
        archive: made anew, in a folder for its owner alone.
        manifest: lists ``files``.
        files: where each of them is, by its name.
        key: of the program.
    """
    told = msgspec.json.encode(manifest)
    with tarfile.open(archive, mode="x:gz", compresslevel=6, format=tarfile.PAX_FORMAT) as tar:
        for name, data in ((MANIFEST, told), (SIGNATURE, key.sign(BACKUP_DOMAIN, told))):
            tar.addfile(_member(name, len(data)), io.BytesIO(data))
        for entry in manifest.files:
            with files[entry.name].open("rb") as source:
                tar.addfile(_member(entry.name, entry.size_bytes), source)


def encrypt(archive: Path, sealed: IO[bytes], recipients: Sequence[x25519.Recipient]) -> None:
    """Encrypt the archive to all ``recipients``.

    Raises:
        BackupError: the disk refused.
    """
    try:
        with archive.open("rb") as source:
            pyrage.encrypt_io(source, sealed, list(recipients))
    except pyrage.EncryptError as e:
        raise BackupError(f"the backup cannot be written: {e}") from e


def unpack(sealed: Path, folder: Path, identities: Sequence[x25519.Identity], origin: Origin) -> Manifest:
    """Open a backup, verify all of it, and lay its files out in ``folder`` under their names.

    Args:
        sealed: the file.
        folder: empty, for its owner alone; what was written before an error stays in it.
        identities: any one of them suffices.
        origin: whose it must be.

    Raises:
        BackupError: not a backup, another key's, damaged, another town's, not signed by its program, or newer.
        OSError: the disk refused.
    """
    archive = folder / ".archive"
    _decrypt(sealed, archive, identities)
    try:
        with _Unpacked(archive) as inside, tarfile.open(fileobj=inside, mode="r:") as tar:
            manifest = _believed(_read(tar, MANIFEST), _read(tar, SIGNATURE), sealed, origin)
            for entry in manifest.files:
                _lay_out(tar, entry, folder)
            is_all = tar.next() is None
    except (_Damaged, tarfile.TarError, zlib.error, EOFError) as e:
        raise _damaged(sealed) from e
    except OSError as e:
        if e.errno is not None:
            raise
        raise _damaged(sealed) from e  # gzip's
    if not is_all:
        raise _damaged(sealed)
    archive.unlink()
    return manifest


class _Damaged(Exception):  # noqa: N818 - never leaves this module
    pass


class _Unpacked(gzip.GzipFile):
    """Never more at once than a manifest may be long: anybody can encrypt, and a header may ask for any number."""

    def read(self, size: int | None = -1) -> bytes:
        """As of any file.

        Raises:
            _Damaged: nothing of ours asks for so much.
        """
        if size is None or not 0 <= size <= MANIFEST_BYTES_MAX:
            raise _Damaged
        return super().read(size)


def _member(name: str, size_bytes: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size_bytes, PRIVATE
    return member


def _decrypt(sealed: Path, archive: Path, identities: Sequence[x25519.Identity]) -> None:
    try:
        with sealed.open("rb") as source, archive.open("xb") as out:
            first = source.read(len(_FIRST_BYTES))
            if not _FIRST_BYTES.startswith(first):
                raise BackupError(f"{sealed} is no backup of Watchlink. Choose a file that 'backup' made")
            source.seek(0)
            pyrage.decrypt_io(source, out, list(identities))
    except pyrage.DecryptError as e:
        if "matching keys" not in str(e):
            raise _damaged(sealed) from e
        raise BackupError(
            f"the key does not open {sealed}, or its beginning is damaged. Take the key whose public half stood under"
            f" [backup] when the backup was made. {_OTHER_COPY}"
        ) from e
    except OSError as e:
        if e.errno is not None:
            raise BackupError(f"{sealed} cannot be opened here: {e.strerror}") from e
        raise _damaged(sealed) from e


def _damaged(sealed: Path) -> BackupError:
    return BackupError(f"{sealed} is damaged or was cut short. {_OTHER_COPY}")


def _read(tar: tarfile.TarFile, name: str) -> bytes:
    return _open(tar, name, MANIFEST_BYTES_MAX).read()


def _open(tar: tarfile.TarFile, name: str, bytes_max: int) -> IO[bytes]:
    member = tar.next()
    if member is None or member.name != name or not member.isreg() or not 0 <= member.size <= bytes_max:
        raise _Damaged
    source = tar.extractfile(member)
    assert source is not None, "a regular file"
    return source


def _believed(told: bytes, signature: bytes, sealed: Path, origin: Origin) -> Manifest:
    try:
        head = msgspec.json.decode(told, type=_Format)
        if head.format > FORMAT:
            raise BackupError(
                f"{sealed} was made by a newer version of Watchlink, {head.version[:20]!r}. Install that version first"
            )
        manifest = msgspec.json.decode(told, type=Manifest)
    except msgspec.DecodeError as e:
        raise _Damaged from e
    if manifest.program != origin.program:
        raise BackupError(
            f"{sealed} is a backup of another program, {manifest.program[:20]!r}: use that one's 'restore'"
        )
    if manifest.town != origin.town:
        raise BackupError(
            f"{sealed} is a backup of another town, {town_mark(manifest.town)}; this one is {town_mark(origin.town)}."
            " Take one of this town, or give the configuration of the other"
        )
    if not any(_is_signed(told, signature, key) for key in (origin.signer, *origin.others)):
        raise BackupError(
            f"{sealed} was not made by this town's {origin.program}, whose key signs each backup. Do not use it: take"
            f" one from a place that nobody else can write to. If {origin.program}'s signing.key was replaced since,"
            " give the configuration with the old one"
        )
    return manifest


def _is_signed(told: bytes, signature: bytes, key: PublicKey) -> bool:
    try:
        key.verify(BACKUP_DOMAIN, told, signature)
    except SignatureInvalidError:
        return False
    return True


def _lay_out(tar: tarfile.TarFile, entry: Entry, folder: Path) -> None:
    if not _NAME.fullmatch(entry.name):
        raise _Damaged
    source, target = _open(tar, entry.name, entry.size_bytes), folder / entry.name
    target.parent.mkdir(mode=0o700, exist_ok=True)
    digest, size_bytes = hashlib.sha256(), 0
    with target.open("xb") as out:
        target.chmod(PRIVATE)
        while block := source.read(_BLOCK_BYTES):
            out.write(block)
            digest.update(block)
            size_bytes += len(block)
    if (size_bytes, digest.hexdigest()) != (entry.size_bytes, entry.digest):
        raise _Damaged
