from __future__ import annotations

import pytest

from tests.support.central_town import Town, radio_town
from tests.support.remembered_signatures import signatures_once

__all__ = ["signatures_once"]


@pytest.fixture
def town() -> Town:
    return Town()


@pytest.fixture
def air() -> Town:
    """A town with radios and a gateway."""
    return radio_town()
