"""A town whose nodes ask, and its port."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.asking_town import AskingTown, PortThread, port_thread


@pytest.fixture
def town(tmp_path: Path) -> AskingTown:
    return AskingTown(tmp_path)


@pytest.fixture
def port(town: AskingTown) -> Iterator[PortThread]:
    with port_thread(town) as running:
        yield running
