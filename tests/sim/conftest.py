"""Towns say the same from test to test."""

from __future__ import annotations

from tests.support.remembered_signatures import signatures_once

__all__ = ["signatures_once"]
