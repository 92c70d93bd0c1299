"""Draws :data:`office.exclusions.rules.life.MOVES` into docs/exclusions.md: ``python -m tools.case_life``."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from office.exclusions.rules.life import MOVES, TITLES, Move, State

DOCUMENT: Final = Path("docs/exclusions.md")
BEGIN: Final = "<!-- drawn from office/exclusions/rules/life.py: begin -->"
END: Final = "<!-- drawn from office/exclusions/rules/life.py: end -->"
_WHO: Final = {
    "co-ordinator": "co-ordinator",
    "members-contact": "member's contact",
    "pcso": "PCSO",
    "watchlink": "Watchlink itself",
}


def page() -> str:
    """The text from :data:`BEGIN` to :data:`END`, both included."""
    diagram = ["```mermaid", "stateDiagram-v2", "    [*] --> nominated"]
    diagram += [f'    state "{title}" as {state}' for state, title in TITLES.items()]
    diagram += [
        f"    {state} --> {move.after}: {move.name}"
        for move in MOVES.values()
        for state in TITLES
        if state in move.before and move.after is not None
    ]
    table = [
        "| Move | Who | In which state | What follows | Reason |",
        "|---|---|---|---|---|",
        *map(_row, MOVES.values()),
    ]
    return "\n".join([BEGIN, "", *diagram, "```", "", *table, "", END])


def _row(move: Move) -> str:
    who = ", ".join(_WHO[actor] for actor in _WHO if actor in move.by)
    after = TITLES[move.after] if move.after else "the same"
    reason = "needed" if move.wants_reason else "–"
    return f"| {move.button or move.told} | {who} | {_titles(move.before)} | {after} | {reason} |"


def _titles(states: frozenset[State]) -> str:
    return ", ".join(title for state, title in TITLES.items() if state in states)


if __name__ == "__main__":
    before, rest = DOCUMENT.read_text(encoding="utf-8").split(BEGIN)
    DOCUMENT.write_text(before + page() + rest.split(END)[1], encoding="utf-8")
