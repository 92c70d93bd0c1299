"""The page has the colours, sizes and font of central's page, whose contrasts are computed there."""

from __future__ import annotations

import pytest

from central.web.page import STATIC_DIR as CENTRAL
from gallery.page.drawing import STATIC_DIR


@pytest.mark.parametrize("name", ["css/tokens.css", "css/inter.css", "icon.svg"])
def test_page_looks_as_the_others_do(name: str) -> None:
    assert (CENTRAL / name).read_bytes() == (STATIC_DIR / name).read_bytes()
