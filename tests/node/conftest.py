"""A busy machine is no node that hangs."""

from __future__ import annotations

import pytest

from node import app


@pytest.fixture(autouse=True)
def _node_may_take_its_time_to_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A part that hangs must not hold up its end, so it ends its process: in a test, all others of that process."""
    monkeypatch.setattr(app, "END_WITHIN_S", 600.0)
