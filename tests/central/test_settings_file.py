"""The file with nodes' settings: read once per change, and whatever is wrong with it changes nothing (ADR 0032)."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from central.core.events import InputRejected, SettingsChanged
from central.settings_file import SettingsWatcher
from runtime.atomic import PUBLIC, write_atomic
from wire.node_settings import NodeSettings, SealedSettings, SettingsFile, seal_settings
from wire.signing import SigningKey

AUTHORITY = SigningKey(b"a" * 32)


def sealed(serial: int, key: SigningKey = AUTHORITY) -> SealedSettings:
    settings = NodeSettings(node="00000010", serial=serial, made_at=datetime(2026, 11, 27, tzinfo=UTC), licence="LG 1")
    return msgspec.json.decode(seal_settings(settings, key), type=SealedSettings)


def file_of(*entries: SealedSettings) -> bytes:
    return msgspec.json.encode(SettingsFile(nodes=entries))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "settings.json"


@pytest.fixture
def watcher(path: Path) -> SettingsWatcher:
    return SettingsWatcher(path, AUTHORITY.public, lambda _: None)


def test_file_that_is_not_there_is_no_fault(watcher: SettingsWatcher) -> None:
    assert watcher.look() is None


def test_settings_are_read_once_for_each_change(watcher: SettingsWatcher, path: Path) -> None:
    for serial in (5, 6):
        write_atomic(path, file_of(sealed(serial)), PUBLIC)
        found = watcher.look()
        assert isinstance(found, SettingsChanged)
        assert [serial] == [one.serial for one in found.settings]
        assert watcher.look() is None


@pytest.mark.parametrize(
    ("data", "reason"),
    [(b"{", "settings"), (file_of(sealed(5), sealed(6, SigningKey(b"x" * 32))), "settings signature")],
    ids=["damaged", "one of them is not the authority's"],
)
def test_file_that_cannot_be_used_is_told_once(watcher: SettingsWatcher, path: Path, data: bytes, reason: str) -> None:
    write_atomic(path, data, PUBLIC)

    assert InputRejected(reason, None) == watcher.look()
    assert watcher.look() is None
