# ruff: noqa: INP001
"""Redraws the diagrams of ``node-machine.md`` from the tables: ``python docs/draw_node_machine.py``."""

from __future__ import annotations

from pathlib import Path

from node.core.diagram import BEGIN, END, page

PAGE = Path(__file__).with_name("node-machine.md")

if __name__ == "__main__":
    text = PAGE.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    PAGE.write_text(before + page() + rest.split(END)[1], encoding="utf-8")
