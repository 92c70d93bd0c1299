"""The nodes that most tests of the core begin with."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tests.support.node_world import World
from tests.support.remembered_signatures import signatures_once

__all__ = ["signatures_once"]


@pytest.fixture
def world() -> World:
    """A node that is up, with central on duty."""
    made = World()
    made.start()
    made.online()
    return made


@pytest.fixture
def offline() -> World:
    """A node that is up, with no network."""
    made = World()
    made.start()
    return made


@pytest.fixture
def silent() -> World:
    """A node whose attack button is silent, with central on duty."""
    made = World(replace(World().settings, is_attack_silent=True))
    made.start()
    made.online()
    return made
