"""What the demo can play and say is written down, where somebody looks who wants to build on it."""

from __future__ import annotations

from pathlib import Path

from demo.scripts.registry import SCRIPTS
from demo.story import TOLD

ROOT = Path(__file__).parents[2]


def test_every_script_is_named_to_whoever_reads() -> None:
    front, page = ((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "docs/demo.md"))

    assert [] == [name for name in SCRIPTS if name not in front]
    assert [] == [name for name, script in SCRIPTS.items() if script.plan.has_radio and f"| `{name}` |" not in page]


def test_every_fact_that_is_told_is_documented() -> None:
    pages = "".join((ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("facts.md", "demo.md"))

    assert [] == sorted(fact for fact in TOLD if f"`{fact}`" not in pages)
