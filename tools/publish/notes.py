"""Docstrings of definitions as text for documents, so that one text serves the reader of code and of documents."""

from __future__ import annotations

import ast
import inspect
import re
import sys
from functools import cache
from types import ModuleType

_REFERENCE = re.compile(r":\w+:`~?(?:[\w.]+\.)?(\w+)`")


def plain(text: str) -> str:
    """A docstring's first paragraph as one line of Markdown."""
    paragraph = " ".join(inspect.cleandoc(text).split("\n\n")[0].split())
    return _REFERENCE.sub(r"`\1`", paragraph).replace("``", "`")


@cache
def _notes_of(module: ModuleType) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for item in ast.parse(inspect.getsource(module)).body:
        if not isinstance(item, ast.ClassDef):
            continue
        found[item.name] = {"": plain(ast.get_docstring(item) or "")}
        for definition, note in zip(item.body, item.body[1:], strict=False):
            match definition, note:
                case (
                    ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]),
                    ast.Expr(value=ast.Constant(value=str(text))),
                ):
                    found[item.name][name] = plain(text)
    return found


def notes(cls: type) -> dict[str, str]:
    """Notes on a class (under ``""``) and on each of its fields or members that has a docstring."""
    return _notes_of(sys.modules[cls.__module__])[cls.__name__]
