"""A town whose nodes ask, and its port."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from office.nodes.handlers import contact
from tests.support.asking_town import AskingTown, PortThread, port_thread
from tests.support.fleet_broker import DEADLINE_S


@pytest.fixture(autouse=True)
def _questions_stay_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine gets round late to what they wait for, and to the next one."""
    monkeypatch.setattr(contact, "WAIT_S", 2 * DEADLINE_S)
    monkeypatch.setattr(contact, "SILENT_S", 4 * DEADLINE_S)


@pytest.fixture
def town(tmp_path: Path) -> AskingTown:
    return AskingTown(tmp_path)


@pytest.fixture
def port(town: AskingTown) -> Iterator[PortThread]:
    with port_thread(town) as running:
        yield running
