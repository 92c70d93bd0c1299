"""A second disk, as the kernel sees it: files cannot be renamed to it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def other_disk(than: Path) -> Iterator[Path]:
    """A new folder on another disk than the folder ``than``; skips the test if this machine has one disk only."""
    for candidate in (Path("/dev/shm"), Path(tempfile.gettempdir()), Path("/var/tmp"), Path.cwd()):
        if candidate.is_dir() and candidate.stat().st_dev != than.stat().st_dev:
            with tempfile.TemporaryDirectory(dir=candidate) as folder:
                yield Path(folder)
                return
    pytest.skip("this machine has one disk only")
