"""``scripts/types``: what one clone has found out is the next one's beginning, unless it failed."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "scripts/types"
MYPY = """#!/bin/sh
mkdir -p .mypy_cache
echo "$NAME" >>.mypy_cache/found
exit "$STATUS"
"""


def found(folder: Path, name: str, status: int = 0) -> str:
    """What a clone of that name knows once its types are checked, by a mypy that only notes who asked."""
    clone = folder / name
    for inner in ("scripts", ".venv/bin"):
        (clone / inner).mkdir(parents=True, exist_ok=True)
    shutil.copy(SCRIPT, clone / "scripts")
    mypy = clone / ".venv/bin/mypy"
    mypy.write_text(MYPY)
    mypy.chmod(0o755)
    environment = {"WATCHLINK_TESTS_CACHE": str(folder / "kept"), "NAME": name, "STATUS": str(status)}
    ended = subprocess.run(["scripts/types"], cwd=clone, env={**os.environ, **environment}, check=False)
    assert status == ended.returncode
    return (clone / ".mypy_cache/found").read_text()


def test_fresh_clone_begins_with_what_the_last_fresh_one_has_found(tmp_path: Path) -> None:
    assert "one\n" == found(tmp_path, "one")
    assert "one\ntwo\n" == found(tmp_path, "two")
    assert "one\ntwo\ntwo\n" == found(tmp_path, "two")

    assert "one\ntwo\nthree\n" == found(tmp_path, "three")
    assert 1 == len(list((tmp_path / "kept").iterdir()))


def test_clone_with_a_fault_fails_and_leaves_nothing(tmp_path: Path) -> None:
    assert "one\n" == found(tmp_path, "one", status=1)
    assert "two\n" == found(tmp_path, "two")


def test_what_cannot_be_read_or_left_is_done_without(tmp_path: Path) -> None:
    found(tmp_path, "one")
    (kept,) = (tmp_path / "kept").iterdir()
    kept.write_bytes(kept.read_bytes()[:1_536] + bytes(range(256)) * 40)  # the first file, then none
    assert "two\n" == found(tmp_path, "two")

    shutil.rmtree(tmp_path / "kept")
    (tmp_path / "kept").write_text("no folder")
    assert "three\n" == found(tmp_path, "three")
