"""How a step happens wholly or not at all: every change first notes how to take it back (ADR 0012).

The core is one :class:`Machine` of some twenty parts with state. Only two kinds of thing in them may change:

- a :class:`Record`, a struct whose fields are set;
- a :class:`Table`, a ``dict`` whose keys come and go.

Everything else is a value: numbers, tuples, frozen structs. During a step (:class:`Step`) both note each old value; a
step that raises restores them, last change first. So rules need not think of failure, a step costs what it changes and
not what there is, and state added later is guarded from its first day: ``tests/central/test_whole_steps.py`` refuses
anything else that could change.

A key put back into a long table stands last there: order is a matter of turns, never of truth.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeVar

from msgspec import Struct

K = TypeVar("K")
V = TypeVar("V")

_Back = tuple[Callable[..., Any], tuple[Any, ...]]
_NOTES: ContextVar[list[_Back] | None] = ContextVar("notes of the step that runs", default=None)
_NEW: Final = object()
_ORDERED_MAX: Final = 64
"""Keys. A table no longer than this is noted whole, so it gets its order back too."""
_set_field: Final = Struct.__setattr__
_set_key: Final = dict.__setitem__
_del_key: Final = dict.__delitem__


class Step:
    """``with Step():`` takes back all changes of records and tables if it raises. Steps nest."""

    __slots__ = ("_notes", "_token")

    def __enter__(self) -> None:
        self._notes: list[_Back] = []
        self._token = _NOTES.set(self._notes)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        _NOTES.reset(self._token)
        if kind is not None:
            for undo, arguments in reversed(self._notes):
                undo(*arguments)
        elif (around := _NOTES.get()) is not None:
            around += self._notes


class Record(Struct, eq=False):
    """Base of everything whose fields change. Equal only to itself, whatever it holds."""

    # If the type checker saw it, it would let any name be set.
    if not TYPE_CHECKING:

        def __setattr__(self, name: str, value: object) -> None:
            notes = _NOTES.get()
            if notes is not None:
                notes.append((_set_field, (self, name, getattr(self, name))))
            _set_field(self, name, value)


class Machine:
    """Holds all records. Its own fields change as theirs do, but its parts know it, so it has an ``__init__``."""

    if not TYPE_CHECKING:

        def __setattr__(self, name: str, value: object) -> None:
            notes = _NOTES.get()
            if notes is not None:
                notes.append((super().__setattr__, (name, getattr(self, name))))
            super().__setattr__(name, value)


class Table(dict[K, V]):
    """A ``dict`` whose changes can be taken back. Reads as fast as any; with ``None`` for values, a set."""

    __slots__ = ()

    def __setitem__(self, key: K, value: V) -> None:
        notes = _NOTES.get()
        if notes is not None:
            before = self.get(key, _NEW)
            notes.append((_del_key, (self, key)) if before is _NEW else (_set_key, (self, key, before)))
        _set_key(self, key, value)

    def __delitem__(self, key: K) -> None:
        notes = _NOTES.get()
        if notes is not None and key in self:
            is_small = len(self) <= _ORDERED_MAX
            notes.append((_refill, (self, dict(self))) if is_small else (_set_key, (self, key, self[key])))
        _del_key(self, key)

    # The type checker knows dict's own signatures better than they could be written here.
    if not TYPE_CHECKING:

        def pop(self, key: K, *default: Any) -> Any:  # noqa: ANN401, D102
            if default and key not in self:
                return default[0]
            value = self[key]
            del self[key]
            return value

        def setdefault(self, key: K, default: V) -> V:  # noqa: D102
            if key not in self:
                self[key] = default
            return self[key]

        def update(self, more: Mapping[K, V] | Iterable[tuple[K, V]]) -> None:  # noqa: D102
            for key, value in more.items() if isinstance(more, Mapping) else more:
                self[key] = value

        def clear(self) -> None:  # noqa: D102
            notes = _NOTES.get()
            if notes is not None and self:
                notes.append((_refill, (self, dict(self))))
            dict.clear(self)

        def popitem(self) -> NoReturn:  # noqa: D102
            raise NotImplementedError

        def __ior__(self, _other: object) -> NoReturn:
            raise NotImplementedError


def _refill(table: Table[K, V], before: dict[K, V]) -> None:
    dict.clear(table)
    dict.update(table, before)
