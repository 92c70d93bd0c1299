"""What people have judged of this tree's mutants is of code that is there."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from collections.abc import Set as AbstractSet

from tests.project.repository import REPOSITORY
from tools.mutation.judgement import read, stale
from tools.mutation.mutants import mutants_of


def test_judgements_are_of_code_that_is_there() -> None:
    judged = read()
    sources = {path: (REPOSITORY / path).read_text() for path in {judgement.path for judgement in judged}}
    parts = {
        path: with_functions_of(source, {judgement.text for judgement in judged if judgement.path == path})
        for path, source in sources.items()
    }

    assert [] == stale(judged, [mutant for path, source in parts.items() for mutant in mutants_of(path, source)])


def with_functions_of(source: str, texts: AbstractSet[str]) -> str:
    """The source without the functions and classes that hold none of these lines: their mutants take ten seconds."""
    lines = source.splitlines()
    for first, last in _definitions(ast.parse(source)):
        if texts.isdisjoint(line.strip() for line in lines[first - 1 : last]):
            lines[first - 1 : last] = [""] * (last - first + 1)
    return "\n".join(lines) + "\n"


def _definitions(tree: ast.Module | ast.ClassDef) -> Iterator[tuple[int, int]]:
    """First and last line of each function and class; of a class's functions only where something else stays in it."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)]), node.end_lineno or 0
        if isinstance(node, ast.ClassDef) and ast.get_docstring(node):
            yield from _definitions(node)
