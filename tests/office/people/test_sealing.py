from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pytest_django import Settings

from office.people.sealing import KINDS, Kind, SealedError, Sealing, is_older, sealing
from runtime.config import ConfigError

NAME, OTHER = "0" * 32, "1" * 32
PICTURE = b"a face" * 1_000


@pytest.fixture
def vault(tmp_path: Path) -> Sealing:
    return Sealing(tmp_path / "data" / "photographs", bytes(32))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data" / "photographs"


def test_a_picture_comes_back_as_it_was(vault: Sealing) -> None:
    key = vault.new_key(NAME)
    vault.write(NAME, key, "whole", PICTURE)

    assert PICTURE == vault.read(NAME, key, "whole")


def test_nothing_of_a_picture_is_in_its_file(vault: Sealing, folder: Path) -> None:
    key = vault.new_key(NAME)
    vault.write(NAME, key, "original", PICTURE)
    vault.write(NAME, key, "small", PICTURE)
    sealed, also = (folder / f"{NAME}.original").read_bytes(), (folder / f"{NAME}.small").read_bytes()

    assert b"a face" not in sealed
    assert sealed[:12] != also[:12]
    assert sealed[12:] != also[12:]


def test_files_are_no_strangers_to_read(vault: Sealing, folder: Path) -> None:
    vault.write(NAME, vault.new_key(NAME), "whole", PICTURE)

    assert 0o2750 == folder.stat().st_mode & 0o7777
    assert [0o640] == [file.stat().st_mode & 0o7777 for file in folder.iterdir()]


def test_a_file_does_not_pass_for_another_size_or_photograph(vault: Sealing, folder: Path) -> None:
    key = vault.new_key(NAME)
    vault.write(NAME, key, "whole", PICTURE)
    for other in (f"{NAME}.small", f"{OTHER}.whole"):
        (folder / other).write_bytes((folder / f"{NAME}.whole").read_bytes())

    with pytest.raises(SealedError):
        vault.read(NAME, key, "small")
    with pytest.raises(SealedError):
        vault.read(OTHER, key, "whole")


@pytest.mark.parametrize("at", [0, 12, 600, -1])
def test_a_changed_byte_shows(vault: Sealing, folder: Path, at: int) -> None:
    key = vault.new_key(NAME)
    vault.write(NAME, key, "whole", PICTURE)
    file = folder / f"{NAME}.whole"
    changed = bytearray(file.read_bytes())
    changed[at] ^= 1
    file.write_bytes(changed)

    with pytest.raises(SealedError):
        vault.read(NAME, key, "whole")


@pytest.mark.parametrize("left", [b"", b"short", None])
def test_a_file_that_is_cut_off_or_gone_is_told(vault: Sealing, folder: Path, left: bytes | None) -> None:
    key = vault.new_key(NAME)
    vault.write(NAME, key, "whole", PICTURE)
    file = folder / f"{NAME}.whole"
    file.unlink() if left is None else file.write_bytes(left)

    with pytest.raises(SealedError):
        vault.read(NAME, key, "whole")


def test_another_offices_key_opens_nothing(vault: Sealing, folder: Path) -> None:
    key = vault.new_key(NAME)
    vault.write(NAME, key, "whole", PICTURE)

    with pytest.raises(SealedError):
        Sealing(folder, bytes([1]) * 32).read(NAME, key, "whole")
    with pytest.raises(SealedError):
        vault.read(NAME, vault.new_key(OTHER), "whole")


def test_removing_leaves_nothing_of_one_and_all_of_others(vault: Sealing) -> None:
    kinds: tuple[Kind, ...] = ("original", "whole", "portrait", "small")
    assert set(kinds) == set(KINDS)
    keys = {name: vault.new_key(name) for name in (NAME, OTHER)}
    for name, key in keys.items():
        for kind in kinds:
            vault.write(name, key, kind, PICTURE)
    vault.remove(NAME)
    vault.remove(NAME)

    assert {OTHER} == {found.photograph for found in vault.files()}
    assert all(vault.has(OTHER, kind) and not vault.has(NAME, kind) for kind in kinds)


def test_what_is_not_ours_in_the_folder_has_no_photograph(vault: Sealing, folder: Path) -> None:
    vault.write(NAME, vault.new_key(NAME), "whole", PICTURE)
    (folder / f".{NAME}.whole.0badcafe").write_bytes(b"never finished")
    now = datetime.now(UTC)

    assert ["", NAME] == sorted(found.photograph for found in vault.files())
    assert not any(is_older(found, now - timedelta(days=1)) for found in vault.files())
    assert all(is_older(found, now + timedelta(days=1)) for found in vault.files())


def test_without_a_key_nothing_is_sealed(settings: Settings, tmp_path: Path) -> None:
    settings.PHOTOGRAPHS_KEY_FILE = None
    with pytest.raises(ConfigError):
        sealing()
    settings.PHOTOGRAPHS_KEY_FILE = tmp_path / "nowhere.key"
    with pytest.raises(ConfigError):
        sealing()
