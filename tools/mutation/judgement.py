"""Survivors that a person has looked at, each with a reason: ``judged.toml``."""

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
        was: what the mutant changes, as the campaign prints it.
        becomes: what into.
        reason: why no test need notice.
    """

    path: str
    was: str
    becomes: str
    reason: str
    scope: str = ""

    def concerns(self, mutant: Mutant) -> bool:
        """Every like change in the same scope is judged alike."""
        return (self.path, self.scope, self.was, self.becomes) == (
            mutant.path,
            mutant.scope,
            mutant.was,
            mutant.becomes,
        )


class _Page(Struct, forbid_unknown_fields=True):
    judged: list[Judgement] = []


def read(file: Path = FILE) -> list[Judgement]:
    """All judgements.

    Raises:
        msgspec.ValidationError: something is missing, or has a name that is not known.
        ValueError: a reason is empty.
    """
    judged = msgspec.toml.decode(file.read_bytes(), type=_Page).judged
    for judgement in judged:
        if not judgement.reason.strip():
            raise ValueError(f"{judgement.path}: {judgement.was!r}: no reason")
    return judged


def stale(judged: Collection[Judgement], mutants: Collection[Mutant]) -> list[Judgement]:
    """Judgements of code that is no longer there."""
    there = {(m.path, m.scope, m.was, m.becomes) for m in mutants}
    return [j for j in judged if (j.path, j.scope, j.was, j.becomes) not in there]
