"""Radios that most tests of their rules begin with."""

from __future__ import annotations

import pytest

from tests.support.radio_set import Set, radio_set


@pytest.fixture
def radio() -> Set:
    """A node with a radio that may transmit, up, with no network."""
    return radio_set()
