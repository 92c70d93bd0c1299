"""Lends the inspected code the names that today's tests ask for, so that tests run there and fail by what it does.

A lent class can be made and matched, and nothing there makes one; a lent function can be imported and not called;
a lent constant has today's value. Whatever is made there drops values that it does not know, and what it
lacks reads as empty as today's default. Nothing that is there already is changed.

Each time a test leans on what is lent, that is noted in :data:`unknown` or :data:`dropped`: what it sees then may
say only that the inspected code does not know a name, which is no flaw.
"""

from __future__ import annotations

import ast
import enum
import importlib.abc
import importlib.machinery
import importlib.util
import inspect
import sys
from collections.abc import Callable, Collection, Sequence
from functools import cache, wraps
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

import msgspec

if TYPE_CHECKING:
    from _frozen_importlib_external import _LoaderBasics

HERE: Final = Path(__file__).resolve().parents[1]
OURS: Final = frozenset(path.parent.name for path in HERE.glob("*/__init__.py")) - {"tests", "tools"}
PLAYERS: Final = ("bench", "demo")
"""What plays on the code and is not part of it: whole modules that are not there are today's."""
ANSWERS: Final = {
    "node.core.proof.is_strict": False,
    "node.core.proof.is_waiting": False,
    "wire.signing.sign_message": "",
}
"""What lent functions say that may be called: nobody signs JSON there, and no node asks central anything."""
BELIEVED_WITHOUT: Final = frozenset({"is_signed", "nonce", "secret", "sequence", "signature", "signs"})
"""Values that may be dropped in silence: the inspected code believes what is said without them."""
OF_THE_BENCH: Final = frozenset(
    {
        "Started.told",
        "StoreFrame.signed",
        "ScreenShown’s last values",
        "any KeepAirtime",
        "any KeepTold",
        "Board.has_alerts_lane",
        "Board.has_reserve",
        "Card.key",
        "Change.has_reserve",
        "OnDuty",
        "any CloseRevoked",
    }
)
"""What benches hand over and look for by themselves, whatever is tested: disk, panel and page there know less."""

unknown: Final[set[str]] = set()
"""What was handed over or called although the inspected code has no such thing."""
dropped: Final[set[str]] = set()
"""Values that were dropped or read as empty, and classes of which nothing there makes one."""


def _note(where: set[str], what: str) -> None:
    if what not in OF_THE_BENCH:
        where.add(what)


class LackingError(AttributeError):
    """The inspected code was asked to do what it cannot."""


class _LentClass(type):
    """It can be asked for anything that is called later."""

    def __instancecheck__(cls, instance: object) -> bool:
        _note(dropped, f"any {cls.__name__}")
        return super().__instancecheck__(instance)

    def __getattr__(cls, name: str) -> Callable[..., None]:
        if name.startswith("_"):
            raise AttributeError(name)
        return _lacking(f"{cls.__module__}.{cls.__name__}.{name}")


class _Lent(metaclass=_LentClass):
    """An instance of a class that the inspected code does not have."""

    def __init__(self, *values: object, **named: object) -> None:
        _note(unknown, type(self).__name__)
        self.__dict__.update(named, values=values)

    def __eq__(self, other: object) -> bool:
        raise LackingError(f"no {type(self).__name__} to compare")

    __hash__ = object.__hash__


class _Lenient(type(msgspec.Struct)):  # type: ignore[misc]
    """Of records that drop unknown fields."""

    is_lent = False

    def __call__(cls, *values: object, **named: object) -> Any:  # noqa: ANN401
        if cls.is_lent:
            _note(unknown, cls.__name__)
        return super().__call__(*values, **_known(cls, named, cls.__struct_fields__))

    def __instancecheck__(cls, instance: object) -> bool:
        if cls.is_lent:
            _note(dropped, f"any {cls.__name__}")
        return bool(super().__instancecheck__(instance))


class _Struct(msgspec.Struct, metaclass=_Lenient):
    pass


class _Lender(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Modules that the inspected code does not have."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        del path, target
        source = _source(name) if name.partition(".")[0] in OURS else None
        if source is None:
            return None
        if name.partition(".")[0] in PLAYERS:
            return importlib.util.spec_from_file_location(name, source)
        return importlib.machinery.ModuleSpec(name, self, is_package=source.name == "__init__.py")

    def exec_module(self, module: ModuleType) -> None:
        _lend(module)


class _Reach(dict[str, Any]):
    """A module's names, lent ones included."""

    def __init__(self, module: ModuleType) -> None:
        super().__init__(vars(module))
        self._module = module

    def __missing__(self, name: str) -> Any:  # noqa: ANN401
        try:
            return getattr(self._module, name)
        except AttributeError:
            raise KeyError(name) from None


def install() -> None:
    """From now on, for every module of ours that is imported."""
    msgspec.Struct = _Struct  # type: ignore[misc]
    replace = msgspec.structs.replace
    msgspec.structs.replace = lambda record, **named: replace(
        record, **_known(type(record), named, record.__struct_fields__)
    )
    loader = importlib.machinery.SourceFileLoader
    execute = loader.exec_module

    def exec_module(self: _LoaderBasics, module: ModuleType) -> None:
        execute(self, module)
        if module.__name__.partition(".")[0] in OURS:
            _lend(module)

    loader.exec_module = exec_module  # type: ignore[method-assign]
    sys.meta_path.append(_Lender())


def _lend(module: ModuleType) -> None:
    for thing in list(vars(module).values()):
        if not isinstance(thing, type) or thing.__module__ != module.__name__:
            continue
        _default(thing)
        if "__init__" in vars(thing):
            thing.__init__ = _dropping(thing, thing.__init__)  # type: ignore[misc]
    module.__getattr__ = lambda name: _lent(module, name)  # type: ignore[method-assign]


class _Empty:
    """A field that the inspected record lacks: it says what today's says by default, which is nothing."""

    def __init__(self, name: str, default: object) -> None:
        self._name, self._default = name, default

    def __get__(self, record: object, kind: type) -> object:
        if record is not None:
            _note(dropped, f"{kind.__name__}.{self._name}")
        return self._default


def _default(record: type) -> None:
    """Fields that it lacks can be read."""
    for name, default in _defaults(record).items():
        if not hasattr(record, name):
            setattr(record, name, _Empty(name, default))


@cache
def _defaults(record: type) -> dict[str, object]:
    """What the fields of today's record say by default, those that say one plain thing."""
    today = _names(record.__module__).get(record.__name__)
    return {
        node.target.id: node.value.value
        for node in (today.body if isinstance(today, ast.ClassDef) else ())
        if isinstance(node, ast.AnnAssign)
        and isinstance(node.target, ast.Name)
        and isinstance(node.value, ast.Constant)
    }


def _known(record: type, named: dict[str, object], names: Collection[str]) -> dict[str, object]:
    """Those values that it has a name for. What another one says, unless it is nothing, is noted as dropped."""
    for name in named.keys() - names:
        value = named[name]
        if name in BELIEVED_WITHOUT:
            continue
        if isinstance(type(value), _LentClass) or (value and value != _defaults(record).get(name)):
            _note(dropped, f"{record.__name__}.{name}")
    return {name: value for name, value in named.items() if name in names}


def _dropping(record: type, init: Callable[..., None]) -> Callable[..., None]:
    """The same, that takes what it knows."""
    known = inspect.signature(init).parameters
    kinds = {parameter.kind for parameter in known.values()}
    if kinds & {inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL}:
        return init
    places = sum(parameter.kind is not inspect.Parameter.KEYWORD_ONLY for parameter in known.values())

    @wraps(init)
    def __init__(*values: object, **named: object) -> None:  # noqa: N807
        if any(values[places:]):
            _note(dropped, f"{record.__name__}’s last values")
        init(*values[:places], **_known(record, named, known))

    return __init__


def _source(name: str) -> Path | None:
    """Today's file of a module."""
    stem = HERE.joinpath(*name.split("."))
    return next((path for path in (stem.with_suffix(".py"), stem / "__init__.py") if path.exists()), None)


@cache
def _names(module: str) -> dict[str, ast.stmt]:
    """What today's module defines at its top."""
    found: dict[str, ast.stmt] = {}
    path = _source(module)
    for node in ast.parse(path.read_text(encoding="utf-8")).body if path else ():
        match node:
            case ast.ClassDef(name) | ast.FunctionDef(name) | ast.AnnAssign(ast.Name(name)):
                found[name] = node
            case ast.Assign([ast.Name(name)]):
                found[name] = node
            case ast.ImportFrom(str(source), names) if source.partition(".")[0] in OURS:
                found.update((alias.asname or alias.name, _names(source).get(alias.name, node)) for alias in names)
            case _:
                pass
    return found


def _lacking(name: str) -> Callable[..., Any]:
    def lacking(*_: object, **__: object) -> Any:  # noqa: ANN401
        if name in ANSWERS:
            return ANSWERS[name]
        _note(unknown, name)
        raise LackingError(f"no {name} to call")

    return lacking


def _record(node: ast.ClassDef, module: ModuleType) -> type:
    """Today's, if it is of those that JSON is made of; else one that does nothing."""
    space = _Reach(module)
    try:
        bases = [eval(ast.unparse(base), {}, space) for base in node.bases]  # noqa: S307
    except NameError:
        bases = []
    if not any(issubclass(base, msgspec.Struct) for base in bases):
        return _LentClass(node.name, (_Lent,), {"__module__": module.__name__})
    exec(ast.unparse(node), dict(vars(module)), space)  # noqa: S102
    record: type = space[node.name]
    record.is_lent = True  # type: ignore[attr-defined]
    return record


def _enumeration(node: ast.ClassDef, module: ModuleType) -> type[enum.Enum]:
    """Of today's names."""
    names = [n.targets[0].id for n in node.body if isinstance(n, ast.Assign) and isinstance(n.targets[0], ast.Name)]
    return enum.EnumMeta.__call__(enum.Enum, node.name, names, module=module.__name__)


def _lent(module: ModuleType, name: str) -> Any:  # noqa: ANN401
    node = _names(module.__name__).get(name)
    if node is None:
        raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")
    match node:
        case ast.ClassDef() if any("Enum" in ast.unparse(base) for base in node.bases):
            lent: Any = _enumeration(node, module)
        case ast.ClassDef():
            lent = _record(node, module)
        case ast.FunctionDef():
            lent = _lacking(f"{module.__name__}.{name}")
        case ast.AnnAssign() | ast.Assign():
            try:
                lent = eval(ast.unparse(node.value), {}, _Reach(module))  # type: ignore[arg-type]  # noqa: S307
            except NameError:
                lent = _lacking(f"{module.__name__}.{name}")
    setattr(module, name, lent)
    return lent
