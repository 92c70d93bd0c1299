"""Pieces of a demo without the town."""

from __future__ import annotations

import time

import pytest

from demo.chronicle import Chronicle
from demo.notice import Notice


@pytest.fixture
def chronicle() -> Chronicle:
    return Chronicle(time.monotonic_ns() / 1e6, Notice())
