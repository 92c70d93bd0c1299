"""Draws the tables of :mod:`node.core.table` into docs/node-machine.md: ``python -m tools.node_machine``."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Final, TypeVar

from node.core.table import BUTTON, INCIDENT, PATH, ButtonPhase, PathPhase, Phase, Table

_S = TypeVar("_S", bound=StrEnum)
_I = TypeVar("_I", bound=StrEnum)

DOCUMENT: Final = Path("docs/node-machine.md")
BEGIN: Final = "<!-- drawn from node/core/table.py: begin -->"
END: Final = "<!-- drawn from node/core/table.py: end -->"


def mermaid(table: Table[_S, _I], initial: _S) -> str:
    """One table as a diagram; arrows between the same two phases share a label."""
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {_name(initial)}"]
    for phase, row in table.items():
        labels: dict[_S, list[str]] = {}
        for happening, following in row.items():
            labels.setdefault(following, []).append(happening.value)
        lines += [f"    {_name(phase)} --> {_name(to)}: {', '.join(why)}" for to, why in labels.items()]
    return "\n".join([*lines, "```"])


def page() -> str:
    """The text from :data:`BEGIN` to :data:`END`, both included."""
    parts = (
        ("An incident of ours, as its presser is told of it", mermaid(INCIDENT, Phase.DRAFTED)),
        ("A button", mermaid(BUTTON, ButtonPhase.UP)),
        ("The path to central", mermaid(PATH, PathPhase.DOWN)),
    )
    return "\n\n".join([BEGIN, *(f"### {title}\n\n{drawing}" for title, drawing in parts), END])


def _name(phase: StrEnum) -> str:
    return phase.value.replace(" ", "_")


if __name__ == "__main__":
    before, rest = DOCUMENT.read_text(encoding="utf-8").split(BEGIN)
    DOCUMENT.write_text(before + page() + rest.split(END)[1], encoding="utf-8")
