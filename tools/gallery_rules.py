"""Draws the rules of :mod:`gallery.core.readable` into docs/gallery.md: ``python -m tools.gallery_rules``."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from gallery.core.readable import DESTROYS, WHOLE, Why
from gallery.core.words import WORDS

DOCUMENT: Final = Path("docs/gallery.md")
BEGIN: Final = "<!-- drawn from gallery/core/readable.py and words.py: begin -->"
END: Final = "<!-- drawn from gallery/core/readable.py and words.py: end -->"


def page() -> str:
    """The text from :data:`BEGIN` to :data:`END`, both included."""
    hides = [why for why in Why if why not in DESTROYS]
    destroys = ", ".join(why for why in Why if why in DESTROYS)
    diagram = [
        "```mermaid",
        "stateDiagram-v2",
        "    [*] --> hidden: issued",
        "    hidden --> readable: no rule applies",
        f"    readable --> hidden: {', '.join(hides)}",
        f"    readable --> destroyed: {destroys}",
        f"    hidden --> destroyed: {destroys}",
        "    destroyed --> hidden: issued anew by the office, with another key",
        "```",
    ]
    rows = ["| rule | then | the shop reads | what to do |", "|---|---|---|---|", *map(_row, Why)]
    return "\n".join([BEGIN, "", *diagram, "", *rows, "", END])


def _row(why: Why) -> str:
    words = WORDS[why]
    then = "destroyed" if why in DESTROYS else "hidden"
    scope = ", the whole gallery" if why in WHOLE else ""
    call = f" Call {words.call}." if words.call else ""
    return f"| {why} | {then}{scope} | {words.what} {words.why} | {words.to_do}{call} |"


if __name__ == "__main__":
    before, rest = DOCUMENT.read_text(encoding="utf-8").split(BEGIN)
    DOCUMENT.write_text(before + page() + rest.split(END)[1], encoding="utf-8")
