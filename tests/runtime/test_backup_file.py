"""One file from which state is believed: every way in which it can be wrong is told, and none is laid out."""

from __future__ import annotations

import gzip
import tarfile
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from runtime.backup_file import (
    BackupError,
    Entry,
    Manifest,
    Origin,
    encrypt,
    entry_of,
    new_identity,
    pack,
    read_identities,
    recipient_of,
    unpack,
)
from wire.signing import SigningKey

KEY: Final = SigningKey(b"k" * 32)
IDENTITY: Final = new_identity()
ORIGIN: Final = Origin("central", "aa", KEY.public)
MANIFEST: Final = Manifest(
    program="central", town="aa", made_at=datetime(2026, 11, 27, tzinfo=UTC), version="0.1.0", schema="0009", files=()
)
DATA: Final = bytes(range(256)) * 1_000


class Sealing:
    """Makes backups in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.data.write_bytes(DATA)
        self.sealed = folder / "sealed.age"
        self.manifest = msgspec.structs.replace(MANIFEST, files=(entry_of("state.db", self.data),))

    def seal(self, manifest: Manifest | None = None, key: SigningKey = KEY) -> None:
        told = manifest or self.manifest
        archive = self.folder / "archive"
        pack(archive, told, {entry.name: self.data for entry in told.files}, key)
        with self.sealed.open("wb") as out:
            encrypt(archive, out, [IDENTITY.to_public()])
        archive.unlink()

    def unseal(self) -> Path:
        target = self.folder / "opened"
        target.mkdir()
        try:
            unpack(self.sealed, target, [IDENTITY], ORIGIN)
        except BackupError:
            for path in target.rglob("*"):
                path.unlink()
            target.rmdir()
            raise
        return target


@pytest.fixture
def sealing(tmp_path: Path) -> Sealing:
    return Sealing(tmp_path)


def test_backup_gives_back_what_was_put_in(sealing: Sealing) -> None:
    sealing.seal()

    opened = sealing.unseal()

    assert [("state.db", DATA)] == [(path.name, path.read_bytes()) for path in opened.iterdir()]


def test_backup_cut_anywhere_is_refused(sealing: Sealing) -> None:
    sealing.seal()
    whole = sealing.sealed.read_bytes()

    for length in (*range(0, 400, 7), *range(400, len(whole), 997), len(whole) - 1):
        sealing.sealed.write_bytes(whole[:length])
        with pytest.raises(BackupError, match="Take another copy"):
            sealing.unseal()


def test_backup_altered_anywhere_is_refused(sealing: Sealing) -> None:
    sealing.seal()
    whole = sealing.sealed.read_bytes()

    for place in (*range(0, 400, 7), *range(400, len(whole), 997), len(whole) - 1):
        sealing.sealed.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(BackupError):
            sealing.unseal()


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 a zip", b"SQLite format 3\x00"])
def test_other_file_is_no_backup(sealing: Sealing, data: bytes) -> None:
    sealing.sealed.write_bytes(data)

    with pytest.raises(BackupError, match=r"is no backup of Watchlink|is damaged"):
        sealing.unseal()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"town": "bb"}, "another town"),
        ({"program": "office"}, "another program, 'office'"),
        ({"format": 2, "version": "3.0.0"}, "newer version of Watchlink, '3.0.0'. Install that version first"),
    ],
)
def test_backup_for_others_is_refused_with_what_to_do(sealing: Sealing, change: dict[str, Any], said: str) -> None:
    sealing.seal(msgspec.structs.replace(MANIFEST, **change))

    with pytest.raises(BackupError, match=said):
        sealing.unseal()


def test_backup_signed_by_somebody_else_is_refused(sealing: Sealing) -> None:
    sealing.seal(key=SigningKey(b"x" * 32))

    with pytest.raises(BackupError, match="was not made by this town's central"):
        sealing.unseal()


@pytest.mark.parametrize("name", ["../state.db", "/state.db", "a/b/c", "manifest/../x", ".archive"])
def test_file_never_leaves_its_folder(sealing: Sealing, name: str) -> None:
    """Not even if it is signed."""
    sealing.seal(msgspec.structs.replace(MANIFEST, files=(entry_of(name, sealing.data),)))

    with pytest.raises(BackupError, match="is damaged"):
        sealing.unseal()


def test_small_file_of_a_stranger_takes_no_gigabyte_of_memory(sealing: Sealing) -> None:
    """Anybody can encrypt to a public key: until the signature is known, a header's word is worth nothing."""
    header = tarfile.TarInfo("manifest")
    header.type, header.size = tarfile.XHDTYPE, 64 << 20
    archive = sealing.folder / "archive"
    with gzip.open(archive, "wb", compresslevel=1) as out:
        out.write(header.tobuf(tarfile.USTAR_FORMAT))
        for _ in range(64):
            out.write(bytes(1 << 20))
    with sealing.sealed.open("wb") as sealed:
        encrypt(archive, sealed, [IDENTITY.to_public()])

    tracemalloc.start()
    with pytest.raises(BackupError, match="is damaged or was cut short"):
        sealing.unseal()
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak_bytes < 1 << 24


def test_file_that_is_not_as_the_manifest_says_is_refused(sealing: Sealing) -> None:
    """The state was altered between the digest and the archive: a disk that gives back something else."""
    sealing.seal(msgspec.structs.replace(MANIFEST, files=(Entry("state.db", len(DATA), "0" * 64),)))

    with pytest.raises(BackupError, match="is damaged"):
        sealing.unseal()


def test_key_is_read_as_age_writes_it(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(f"# created: 2026-11-27\n# public key: {IDENTITY.to_public()}\n{IDENTITY}\n")

    (found,) = read_identities(file)

    assert str(IDENTITY) == str(found)
    assert str(IDENTITY.to_public()) == str(recipient_of(f" {IDENTITY.to_public()}\n"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "holds no secret key"),
        (f"{IDENTITY.to_public()}\n", "holds no secret key"),
        ("-----BEGIN AGE ENCRYPTED FILE-----\n", "passphrase"),
        ("é", "holds no secret key"),
        (str(IDENTITY)[:-3], "is not whole"),
    ],
    # The key is another in each process, and the test's name must not be.
    ids=["nothing", "the public half", "what it encrypts", "no key", "a key cut short"],
)
def test_key_that_cannot_be_used_is_told(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "key"
    file.write_text(text)

    with pytest.raises(BackupError, match=said):
        read_identities(file)


def test_key_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="cannot be read: No such file"):
        read_identities(tmp_path / "key")
