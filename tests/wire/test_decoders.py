"""What wire reads is known to msgspec before there are threads."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Final

import pytest

WIRE: Final = Path(__file__).parents[2] / "wire"


@pytest.mark.parametrize("file", sorted(WIRE.rglob("*.py")), ids=lambda path: str(path.relative_to(WIRE)))
def test_types_are_read_by_decoders_that_are_made_at_import(file: Path) -> None:
    """Two threads that are the first to read a type end the program with a segmentation fault (msgspec 0.22)."""
    calls = [node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call)]
    named = [call for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr == "decode"]

    assert [] == [call.lineno for call in named if any(word.arg == "type" for word in call.keywords)]
