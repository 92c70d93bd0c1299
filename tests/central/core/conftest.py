from __future__ import annotations

import pytest

from tests.support.central_town import Town
from tests.support.remembered_signatures import signatures_once

__all__ = ["signatures_once"]


@pytest.fixture
def town() -> Town:
    return Town()
