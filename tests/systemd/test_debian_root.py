"""The roots that tests boot are made once for all clones of a machine, and anew when they are out of date."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from images.errors import BuildError
from tests.support import debian_root as debian
from tests.support.debian_root import KEPT_S, built_once

Build = Callable[[Path], None]


@pytest.fixture
def built() -> list[str]:
    """Names of those built, in order."""
    return []


@pytest.fixture
def build(built: list[str]) -> Build:
    def make(folder: Path) -> None:
        folder.mkdir()
        built.append(folder.name)
        (folder / "bin").mkdir()

    return make


def test_root_is_built_once_for_the_same_packages_and_the_same_code(
    tmp_path: Path, build: Build, built: list[str]
) -> None:
    roots = {built_once("debian", ("udev", "code"), build, tmp_path) for _ in range(3)}

    assert (1, 1) == (len(roots), len(built))
    assert (roots.pop() / "bin").is_dir()


def test_another_root_is_built_for_other_packages_and_for_other_code(
    tmp_path: Path, build: Build, built: list[str]
) -> None:
    roots = {built_once("debian", made_of, build, tmp_path) for made_of in (("udev",), ("udev", "code"), ("dbus",))}

    assert (3, 3) == (len(roots), len(built))


def test_root_is_built_anew_in_another_week_and_what_nobody_boots_any_more_is_removed(
    tmp_path: Path, build: Build, built: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    next_week = datetime.now(UTC) + timedelta(days=7)
    old, young = (built_once("debian", (name,), build, tmp_path) for name in ("old", "young"))
    os.utime(old, times=(0, time.time() - KEPT_S - 60))

    monkeypatch.setattr(debian, "datetime", SimpleNamespace(now=lambda _zone: next_week))
    again = built_once("debian", ("young",), build, tmp_path)

    assert 3 == len(built)
    assert again != young
    assert [False, True, True] == [one.exists() for one in (old, young, again)]


@pytest.mark.parametrize("error", [subprocess.CalledProcessError(25, "mmdebstrap"), BuildError("no mirror")])
def test_root_of_another_week_has_to_do_while_debian_cannot_be_reached(
    tmp_path: Path, build: Build, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fails(_folder: Path) -> None:
        raise error

    next_week = datetime.now(UTC) + timedelta(days=7)
    old = built_once("debian", ("udev",), build, tmp_path)
    monkeypatch.setattr(debian, "datetime", SimpleNamespace(now=lambda _zone: next_week))

    assert old == built_once("debian", ("udev",), fails, tmp_path)
    with pytest.raises(type(error)):
        built_once("debian", ("dbus",), fails, tmp_path)
    assert old != built_once("debian", ("udev",), build, tmp_path)


def test_root_that_was_cut_short_is_built_again(tmp_path: Path, build: Build) -> None:
    def cut_short(folder: Path) -> None:
        folder.mkdir()
        (folder / "half").touch()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        built_once("debian", ("udev",), cut_short, tmp_path)

    assert ["bin"] == [one.name for one in built_once("debian", ("udev",), build, tmp_path).iterdir()]
