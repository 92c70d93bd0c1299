from __future__ import annotations

import pytest

from tests.support.central_town import Town


@pytest.fixture
def town() -> Town:
    return Town()
