"""The tables of :mod:`node.core.table` as Mermaid state diagrams, for ``docs/node-machine.md``."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, TypeVar

from node.core.table import BUTTON, INCIDENT, PATH, ButtonPhase, PathPhase, Phase, Table

_S = TypeVar("_S", bound=StrEnum)
_I = TypeVar("_I", bound=StrEnum)

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
    """Everything between :data:`BEGIN` and :data:`END`, both included."""
    parts = (
        ("An incident of ours, as its presser is told of it", mermaid(INCIDENT, Phase.DRAFTED)),
        ("A button", mermaid(BUTTON, ButtonPhase.UP)),
        ("The path to central", mermaid(PATH, PathPhase.DOWN)),
    )
    return "\n\n".join([BEGIN, *(f"### {title}\n\n{drawing}" for title, drawing in parts), END])


def _name(phase: StrEnum) -> str:
    return phase.value.replace(" ", "_")
