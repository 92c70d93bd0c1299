"""A busy machine is no gallery that hangs."""

from __future__ import annotations

import pytest

from gallery import panel_visits
from gallery.pictures import marking
from tests.support.fleet_broker import DEADLINE_S


@pytest.fixture(autouse=True)
def _gallery_takes_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the five seconds that a person waits a busy machine may not even have started the child for pictures."""
    monkeypatch.setattr(marking, "DEADLINE_S", DEADLINE_S)
    monkeypatch.setattr(panel_visits, "_STOP_WAIT_S", DEADLINE_S)
