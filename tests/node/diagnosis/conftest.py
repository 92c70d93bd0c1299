"""A fitted unit for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.fitted_unit import FittedUnit, fitted_unit


@pytest.fixture
def fitted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FittedUnit:
    return fitted_unit(tmp_path, monkeypatch)
