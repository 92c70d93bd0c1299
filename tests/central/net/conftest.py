from __future__ import annotations

import pytest

from tests.support.central_town import Town


@pytest.fixture
def town_of_one_press() -> Town:
    town = Town()
    town.press(7)
    return town
