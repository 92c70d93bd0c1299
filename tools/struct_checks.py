"""A mypy plugin: structs are checked as strictly as dataclasses with slots.

- ``msgspec.structs.replace``, by the fields of its subject: msgspec declares it with ``**changes: Any``.
- Assignments, by the fields of the struct: mypy takes ``self.cuont = 1`` in a method for another field, and only a
  running program would refuse it.

``tests/project/test_types.py`` shows both at work.
"""

from __future__ import annotations

from collections.abc import Callable

from mypy.nodes import Var
from mypy.plugin import ClassDefContext, FunctionSigContext, Plugin
from mypy.plugins.dataclasses import replace_function_sig_callback
from mypy.types import FunctionLike


class StructChecks(Plugin):
    """The two hooks."""

    def get_function_signature_hook(self, fullname: str) -> Callable[[FunctionSigContext], FunctionLike] | None:
        """Mypy's own hook for dataclasses, for one more function."""
        return replace_function_sig_callback if fullname == "msgspec.structs.replace" else None

    def get_base_class_hook(self, fullname: str) -> Callable[[ClassDefContext], None] | None:  # noqa: ARG002
        """A hook for every class: the name of its base does not say whether it is a struct."""
        return _close


def _close(context: ClassDefContext) -> None:
    info = context.cls.info
    if info.has_base("msgspec.Struct"):
        info.slots = {
            name
            for base in info.mro
            for name, symbol in base.names.items()
            if isinstance(symbol.node, Var) and not symbol.implicit and not symbol.node.is_classvar
        }


def plugin(_version: str) -> type[Plugin]:
    """The class that mypy asks for."""
    return StructChecks
