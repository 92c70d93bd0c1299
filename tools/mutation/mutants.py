"""Every mutant of a file: mutmut's mistakes, wherever one would mean something."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Final

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider
from msgspec import Struct
from msgspec.structs import replace
from mutmut.mutation.mutators import mutation_operators

_FAMILIES: Final = {
    "operator_number": "value",
    "operator_string": "value",
    "operator_name": "value",
    "operator_lambda": "value",
    "operator_assignment": "assignment",
    "operator_augmented_assignment": "assignment",
    "operator_dict_arguments": "call",
    "operator_arg_removal": "call",
    "operator_symmetric_string_methods_swap": "call",
    "operator_unsymmetrical_string_methods_swap": "call",
    "operator_remove_unary_ops": "condition",
    "operator_keywords": "condition",
    "operator_swap_op": "condition",
    "operator_match": "condition",
    "operator_if_exp": "condition",
}
"""Half of all mutants leave out an argument. The sample draws a family before a mutant, so the others get a chance."""

# Left alone, each for the reason beside it. Nothing else is.
_LOGS: Final = frozenset({"logger", "logging", "log"})  # a log line is for people; tests/project checks its form
_OF_TYPES: Final = frozenset({"TypeVar", "ParamSpec", "NewType"})  # for mypy; so are aliases: CamelCase = no call
_ANY_ARGUMENT_BREAKS: Final = frozenset({"len", "isinstance"})  # as mutmut: a TypeError each, which flatters the tests
_WORDING: Final = frozenset({"help", "description", "metavar", "epilog", "usage"})  # what a command says about itself
_PROMISES: Final = frozenset(
    {
        *("frozen", "kw_only"),  # mypy keeps them
        "gc",  # saves memory, changes nothing
        "strict",  # of zip: states what cannot happen
        "encoding",  # UTF-8 is the default wherever this runs
    }
)

_LARGE: Final = 100


class Mutant(Struct, frozen=True):
    """One mistake.

    Attributes:
        path: of the file, from the top of the repository.
        scope: the function or class it is in, dotted; empty at the top of a module.
        lines: first and last line of the statement.
        is_at_import: outside any function's body, so it runs when its module is loaded.
        binds: the name that the statement defines then, to find its users.
        family: of the mistake: value, assignment, call or condition.
        index: its place among all mutants of this version of the file.
        text: the line on which the change begins.
        was: the code it changes, on one line.
        becomes: the code after the change, on one line.
        occurrence: how many equal ones precede it in the same scope.
    """

    path: str
    scope: str
    lines: tuple[int, int]
    is_at_import: bool
    binds: str
    family: str
    index: int
    text: str
    was: str
    becomes: str
    occurrence: int = 0

    @property
    def key(self) -> str:
        """Identifies the mutant, even when its place in the file moves."""
        return _digest(self.path, self.scope, self.was, self.becomes, str(self.occurrence))


def mutants_of(path: str, source: str) -> list[Mutant]:
    """Every mutant of one file, in order of place."""
    finder = _visit(path, source)
    seen: Counter[tuple[str, str, str]] = Counter()
    numbered: list[Mutant] = []
    for mutant, _, _ in finder.found:
        same = (mutant.scope, mutant.was, mutant.becomes)
        numbered.append(replace(mutant, occurrence=seen[same]))
        seen[same] += 1
    return numbered


def mutated(path: str, source: str, indexes: Collection[int]) -> dict[int, str]:
    """The whole text of the file with each of these mutants, by index."""
    finder = _visit(path, source)
    found = {mutant.index: (node, changed) for mutant, node, changed in finder.found if mutant.index in indexes}
    return {
        index: cst.ensure_type(finder.module.deep_replace(node, changed), cst.Module).code
        for index, (node, changed) in found.items()
    }


def files_of(packages: Iterable[str], root: Path) -> list[str]:
    """The Python files of these packages, sorted by path from ``root``."""
    return sorted(str(path.relative_to(root)) for package in packages for path in (root / package).rglob("*.py"))


def _visit(path: str, source: str) -> _Finder:
    wrapper = MetadataWrapper(cst.parse_module(source), unsafe_skip_copy=True)
    finder = _Finder(path, wrapper.module)
    wrapper.visit(finder)
    return finder


class _Finder(cst.CSTVisitor):
    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(self, path: str, module: cst.Module) -> None:
        super().__init__()
        self.module = module
        self.found: list[tuple[Mutant, cst.CSTNode, cst.CSTNode]] = []
        self._path = path
        self._text = module.code.splitlines()
        self._scopes: list[str] = []
        self._statements: list[cst.SimpleStatementLine] = []
        self._raises = 0
        self._bodies: set[cst.CSTNode] = set()
        self._depth = 0

    def on_visit(self, node: cst.CSTNode) -> bool:
        if _is_left_alone(node) or (self._raises and _is_text(node)):
            return False
        if isinstance(node, cst.FunctionDef | cst.ClassDef):
            self._scopes.append(node.name.value)
            if isinstance(node, cst.FunctionDef):
                self._bodies.add(node.body)
        elif isinstance(node, cst.SimpleStatementLine):
            self._statements.append(node)
        elif isinstance(node, cst.Raise):
            self._raises += 1
        self._depth += node in self._bodies
        self._mutate(node)
        return True

    def on_leave(self, original_node: cst.CSTNode) -> None:
        if _is_left_alone(original_node):
            return
        if isinstance(original_node, cst.FunctionDef | cst.ClassDef):
            self._scopes.pop()
        elif isinstance(original_node, cst.SimpleStatementLine):
            self._statements.pop()
        elif isinstance(original_node, cst.Raise):
            self._raises -= 1
        self._depth -= original_node in self._bodies

    def _mutate(self, node: cst.CSTNode) -> None:
        was = None
        for kind, operator in mutation_operators:
            if not isinstance(node, kind):
                continue
            changes = [c for c in operator(node) if not self._is_wording(node, c)]
            if isinstance(node, cst.SimpleString):
                # Only the first is sure to differ: another case means the same (SQL, hex), or is its weaker twin.
                changes = changes[:1]
            elif changes and isinstance(node, cst.Integer) and node.evaluated_value >= _LARGE:
                # No rule depends on 2,000 or 2,001 ms; 4,000 would matter.
                changes = [cst.Integer(str(2 * node.evaluated_value))]
            elif isinstance(node, cst.Assign | cst.AnnAssign):
                changes = [changed for changed in changes if not self._is_for_mypy(node, changed)]
            for changed in changes:
                was = _one_line(self.module.code_for_node(node)) if was is None else was
                becomes = _one_line(self.module.code_for_node(changed))
                family = _FAMILIES[operator.__name__]
                mutant = Mutant(
                    path=self._path,
                    scope=".".join(self._scopes),
                    lines=self._lines(node),
                    is_at_import=not self._depth,
                    binds=self._binds(),
                    family=family,
                    index=len(self.found),
                    text=self._text[self.get_metadata(PositionProvider, node).start.line - 1].strip(),
                    was=was,
                    becomes=becomes,
                )
                self.found.append((mutant, node, changed))

    def _lines(self, node: cst.CSTNode) -> tuple[int, int]:
        place = self.get_metadata(PositionProvider, self._statements[-1] if self._statements else node)
        return place.start.line, place.end.line

    def _binds(self) -> str:
        statement = self._statements[-1].body[0] if self._statements else None
        if isinstance(statement, cst.Assign) and isinstance(statement.targets[0].target, cst.Name):
            return statement.targets[0].target.value
        if isinstance(statement, cst.AnnAssign) and isinstance(statement.target, cst.Name):
            return statement.target.value
        return self._scopes[-1] if self._scopes else ""

    def _is_for_mypy(self, node: cst.Assign | cst.AnnAssign, changed: cst.CSTNode) -> bool:
        """Whether the value gets a type that the annotation forbids, or stays falsy: ``None`` for ``False``."""
        if node.value is not None and self.module.code_for_node(node.value) in {"None", "False"}:
            return True
        if not isinstance(node, cst.AnnAssign) or not isinstance(changed, cst.AnnAssign):
            return False
        annotation = self.module.code_for_node(node.annotation.annotation)
        return not any(word in annotation for word in ("None", "Any", "Final", "ClassVar", "object"))

    def _is_wording(self, node: cst.CSTNode, changed: cst.CSTNode) -> bool:
        """Whether only the words of an error change."""
        if not self._raises or not isinstance(node, cst.Call):
            return False
        kept = {id(argument.value) for argument in cst.ensure_type(changed, cst.Call).args}
        return all(_is_text(argument.value) for argument in node.args if id(argument.value) not in kept)


def _is_left_alone(node: cst.CSTNode) -> bool:
    """Annotations are for mypy, docstrings for people; a wrong import or decorator stops the module from loading."""
    match node:
        case cst.BaseParenthesizableWhitespace() | cst.TrailingWhitespace() | cst.EmptyLine() | cst.Comma():
            is_left_alone = True
        case cst.Annotation() | cst.Decorator() | cst.Import() | cst.ImportFrom():
            is_left_alone = True
        case cst.Expr(value=cst.SimpleString() | cst.ConcatenatedString()):
            is_left_alone = True
        case cst.Call(func=cst.Name(name)):
            is_left_alone = name in _OF_TYPES | _ANY_ARGUMENT_BREAKS
        case cst.Call(func=cst.Attribute(value=cst.Name(name))):
            is_left_alone = name in _LOGS
        case cst.Arg(keyword=cst.Name(name)):
            is_left_alone = name in _WORDING | _PROMISES
        case cst.Assign(value=cst.Call(func=cst.Name(name))):
            is_left_alone = name in _OF_TYPES
        case cst.Assign(targets=[cst.AssignTarget(target=cst.Name(name))], value=value):
            is_camel_case = name.lstrip("_")[:1].isupper() and not name.isupper()
            is_left_alone = is_camel_case and not isinstance(value, cst.Call)
        case _:
            is_left_alone = False
    return is_left_alone


def _is_text(node: cst.CSTNode) -> bool:
    return isinstance(node, cst.SimpleString | cst.FormattedString | cst.ConcatenatedString)


def _one_line(code: str) -> str:
    return " ".join(code.split())


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]
