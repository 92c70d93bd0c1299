from __future__ import annotations

from pathlib import Path

import pytest

from office.accounts.models import Scheme
from tests.office.exclusions.conftest import Town
from tests.office.publisher.gallery_world import World


@pytest.fixture
def town(schemes: dict[int, Scheme]) -> Town:
    return Town(schemes)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)
