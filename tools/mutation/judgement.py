"""Survivors that a person has judged, each with a reason: ``judged.toml``."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from tools.mutation.mutants import Mutant

FILE: Final = Path(__file__).with_name("judged.toml")


class Judgement(Struct, frozen=True, forbid_unknown_fields=True):
    """One or several survivors.

    Attributes:
        path: the file.
        scope: the function or class in it; empty at the top of the module.
        text: the line on which the change begins.
        was: the code that the mutant changes, as the campaign prints it.
        becomes: the code after the change.
        reason: why no test need notice.
    """

    path: str
    text: str
    was: str
    becomes: str
    reason: str
    scope: str = ""

    def concerns(self, mutant: Mutant) -> bool:
        """Whether it is the same change, of an equal line in the same scope."""
        return _place(self) == _place(mutant)


class _Page(Struct, forbid_unknown_fields=True):
    judged: list[Judgement] = []


def read(file: Path = FILE) -> list[Judgement]:
    """Read all judgements.

    Raises:
        msgspec.ValidationError: a field is missing or unknown.
        ValueError: a reason is empty.
    """
    judged = msgspec.toml.decode(file.read_bytes(), type=_Page).judged
    for judgement in judged:
        if not judgement.reason.strip():
            raise ValueError(f"{judgement.path}: {judgement.was!r}: no reason")
    return judged


def stale(judged: Collection[Judgement], mutants: Collection[Mutant]) -> list[Judgement]:
    """Judgements whose code no longer exists."""
    there = set(map(_place, mutants))
    return [judgement for judgement in judged if _place(judgement) not in there]


def _place(one: Judgement | Mutant) -> tuple[str, ...]:
    return one.path, one.scope, one.text, one.was, one.becomes
