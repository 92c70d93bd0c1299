"""The page over a running gallery."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.gallery_page import PageUnderTest


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[PageUnderTest]:
    """Eight people, and Alice has a PIN."""
    page = PageUnderTest(tmp_path / "card")
    try:
        yield page.hear().with_pin()
    finally:
        page.end()
