"""A step of a check: what was found, and what to do, in words for the person at the unit and for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from msgspec import Struct, field


class Outcome(StrEnum):
    """Outcome of a step."""

    OK = "ok"
    BAD = "bad"
    NOT_DONE = "not done"
    """There was nothing to look at, or it would have disturbed something."""
    UNSEEN = "cannot look"
    """Who asks has no right to look."""


class Step(Struct, frozen=True):
    """The result of one step of the check.

    Attributes:
        name: short, for programs and people.
        outcome: whether it is good.
        text: what was found, one line.
        advice: what to do, in one line; empty = nothing.
        figures: what was measured.
    """

    name: str
    outcome: Outcome
    text: str
    advice: str = ""
    figures: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def as_text(self) -> str:
        """As printed: a line, and below it what to do."""
        advice = f"\n       {self.advice}" if self.advice else ""
        return f"{_MARKS[self.outcome]} {self.name}: {self.text}{advice}\n"

    @property
    def as_json(self) -> str:
        """One JSON object on a line."""
        said = {"step": self.name, "outcome": self.outcome, "text": self.text, "advice": self.advice}
        return json.dumps({**said, "figures": dict(self.figures)}, ensure_ascii=False) + "\n"


_MARKS: Final = {Outcome.OK: "ok  ", Outcome.BAD: "BAD ", Outcome.NOT_DONE: "--  ", Outcome.UNSEEN: "??  "}


def ok(name: str, text: str, **figures: float) -> Step:
    """All right."""
    return Step(name, Outcome.OK, text, figures=MappingProxyType(figures))


def bad(name: str, text: str, advice: str, **figures: float) -> Step:
    """Wrong, and what to do."""
    return Step(name, Outcome.BAD, text, advice, MappingProxyType(figures))


def not_done(name: str, text: str, advice: str = "") -> Step:
    """Not looked at, and why."""
    return Step(name, Outcome.NOT_DONE, text, advice)
