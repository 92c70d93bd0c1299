"""The list of planted bugs: ``bugs.toml``."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Struct

Text = Annotated[str, msgspec.Meta(min_length=1)]


class Bug(Struct, frozen=True, forbid_unknown_fields=True):
    """One mistake.

    Attributes:
        kind: what sort of bug it is; bugs of a kind stand together.
        name: of this one.
        means: what would happen to somebody.
        file: from the top of the repository.
        was: a text that occurs in it exactly once.
        becomes: what stands there with the bug; may be empty.
        tests: ids of pytest. With the bug one of their cases fails or more, without it none.
    """

    kind: Text
    name: Text
    means: Text
    file: Text
    was: Text
    becomes: str
    tests: Annotated[tuple[Text, ...], msgspec.Meta(min_length=1)]

    def planted(self, text: str) -> str:
        """The file's text with the bug in it.

        Raises:
            ValueError: what to look for is not there exactly once, or what comes out is no Python or no other text.
        """
        if text.count(self.was) != 1:
            raise ValueError(f"the text to take out occurs {text.count(self.was)} times in {self.file}")
        planted = text.replace(self.was, self.becomes)
        if planted == text:
            raise ValueError("nothing is planted")
        if self.file.endswith(".py"):
            try:
                ast.parse(planted)
            except SyntaxError as e:
                raise ValueError(f"the planted text is no Python: {e}") from e
        return planted


class _Page(Struct, forbid_unknown_fields=True):
    bug: list[Bug]


def read(file: Path) -> list[Bug]:
    """Read the list.

    Raises:
        msgspec.ValidationError: a field is missing, empty or unknown.
        ValueError: two bugs have one name.
    """
    bugs = msgspec.toml.decode(file.read_bytes(), type=_Page).bug
    names = [bug.name for bug in bugs]
    if len(set(names)) < len(names):
        raise ValueError(f"two bugs have one name: {sorted(name for name in set(names) if names.count(name) > 1)}")
    return bugs


def rotten(bugs: Iterable[Bug], root: Path) -> Iterable[str]:
    """What of the list no longer fits the tree, in sentences: texts that are gone, tests that are gone."""
    tests_in = cache(_tests_in)  # many bugs name the same file
    for bug in bugs:
        try:
            bug.planted((root / bug.file).read_text(encoding="utf-8"))
        except (OSError, ValueError) as e:
            yield f"{bug.name}: {e}"
        for test in bug.tests:
            file, _, name = test.partition("::")
            if name.partition("[")[0] not in tests_in(root / file):
                yield f"{bug.name}: there is no test {test}"


def _tests_in(file: Path) -> set[str]:
    if not file.is_file():
        return set()
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def outcome(bug: Bug, before: Mapping[str, str], planted: Mapping[str, str]) -> str:
    """What came of a bug.

    Args:
        bug: the bug.
        before: outcomes by the whole id of each test, without it. See :class:`tools.planted.trial.Word`.
        planted: the same with it.

    Returns:
        ``"caught"``, or why not.
    """
    for test in bug.tests:
        cases = cases_of(test, before)
        if not cases:
            return f"there is no test {test}"
        for case in cases:
            if before[case] != "passed":
                return f"without it: {before[case]}: {case}"
            if planted.get(case) not in {"passed", "failed"}:
                return f"with it: {planted.get(case, 'not played')}: {case}"
        if all(planted[case] == "passed" for case in cases):
            return f"MISSED by {test}"
    return "caught"


def cases_of(test: str, ids: Iterable[str]) -> list[str]:
    """Those ids that are the test, or its cases if it names none."""
    return [one for one in ids if one == test or one.startswith(f"{test}[")]
