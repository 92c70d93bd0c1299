"""Writes a backup's file, and proves it as it lies there before it gets its name."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from pyrage import x25519

from runtime.atomic import PRIVATE, put_in_place
from runtime.backup_file import (
    BackupError,
    Manifest,
    Origin,
    encrypt,
    new_identity,
    pack,
    recipient_of,
    unpack,
)
from wire.signing import SigningKey

_PART: Final = ".part"
Prove = Callable[[Path], None]
"""Is given the folder with all files of the backup as they were read back; raises :class:`BackupError`."""


def recipients_of(texts: Sequence[str], configuration: Path, key: str, command: str) -> list[x25519.Recipient]:
    """Public keys, as the configuration gives them.

    Args:
        texts: of the configuration.
        configuration: its file.
        key: its name there, such as ``[backup] names no recipients``, for people.
        command: makes a pair.

    Raises:
        BackupError: there are none, or one cannot be used.
    """
    if not texts:
        raise BackupError(
            f"{configuration}: {key}. Make a pair of keys on another machine with '{command}', and write the public"
            " one there"
        )
    return [recipient_of(text) for text in texts]


def check_target(target: Path) -> None:
    """Clear up what a killed run left there.

    Raises:
        BackupError: the folder is not there, or the file is.
    """
    to = target.parent
    if not to.is_dir():
        raise BackupError(f"{to} is no folder: make it, or connect the disk on which it lies")
    for left in to.glob(f".{target.name.rpartition('-')[0]}-*{_PART}"):
        left.unlink()
    if target.exists():
        raise BackupError(f"{target} exists, and is not overwritten: wait a second, or check the machine's clock")


def write_proven(
    target: Path,
    work: Path,
    manifest: Manifest,
    *,
    files: Mapping[str, Path],
    key: SigningKey,
    recipients: Sequence[x25519.Recipient],
    prove: Prove,
) -> None:
    """Write, encrypt, read back from the disk, prove, and only then give it its name.

    Args:
        target: the file.
        work: a folder for its owner alone.
        manifest: lists ``files``.
        files: where each is, by its name; those in ``work`` are removed once they are packed.
        key: of the program.
        recipients: who can open it.
        prove: that the state could begin with what was read.

    Raises:
        BackupError: it is not as it was written, or of no use; there is no file.
    """
    part, archive = target.with_name(f".{target.name}{_PART}"), work / "archive"
    pack(archive, manifest, files, key)
    for file in files.values():
        if file.is_relative_to(work):
            file.unlink()
    try:
        # The machine cannot open what it encrypts to others. So that it can prove the file as it lies there, a
        # key of its own is among the recipients; it is never written anywhere and ends with this process.
        own = new_identity()
        _seal(archive, part, [*recipients, own.to_public()])
        archive.unlink()
        _prove(part, work / "opened", own, manifest, Origin(manifest.program, manifest.town, key.public))
        prove(work / "opened")
        put_in_place(part, target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _prove(part: Path, opened: Path, own: x25519.Identity, manifest: Manifest, origin: Origin) -> None:
    """Every byte as it was."""
    opened.mkdir(mode=0o700)
    if unpack(part, opened, [own], origin) != manifest:
        raise BackupError(f"{part} says something else than was written: check the disk on which it lies")


def _seal(archive: Path, part: Path, recipients: Sequence[x25519.Recipient]) -> None:
    with part.open("xb") as out:
        part.chmod(PRIVATE)
        encrypt(archive, out, recipients)
        out.flush()
        os.fsync(out.fileno())
        # It is to be read from the disk next, not from memory.
        os.posix_fadvise(out.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
