"""How hard Hypothesis works: the same examples at every ordinary run, far more and new ones when fuzzing."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

# No deadline and no complaint about slowness: a loaded machine is no reason to fail.
_PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ordinary", _PATIENT, derandomize=True, database=None)
settings.register_profile("fuzz", _PATIENT, max_examples=5_000, print_blob=True)
settings.load_profile("fuzz" if os.environ.get("WATCHLINK_FUZZ") == "1" else "ordinary")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes minutes begins first; begun last it would keep every other process waiting."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)
