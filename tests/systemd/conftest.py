"""The Debian that these tests boot."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support import debian_root as debian


@pytest.fixture(scope="session")
def debian_root() -> Path:
    """Made on the first use."""
    if os.geteuid() != 0:
        pytest.skip("only root can build a root file system and boot it under systemd-nspawn")
    return debian.debian_root()
