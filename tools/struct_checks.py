"""A plugin of mypy: ``msgspec.structs.replace`` is checked like ``dataclasses.replace``, by the fields of its subject.

msgspec declares it with ``**changes: Any``, and the cores' states are changed by nothing else.
"""

from __future__ import annotations

from collections.abc import Callable

from mypy.plugin import FunctionSigContext, Plugin
from mypy.plugins.dataclasses import replace_function_sig_callback
from mypy.types import FunctionLike


class TypedReplace(Plugin):
    """The one hook."""

    def get_function_signature_hook(self, fullname: str) -> Callable[[FunctionSigContext], FunctionLike] | None:
        """Mypy's own, for one function more."""
        return replace_function_sig_callback if fullname == "msgspec.structs.replace" else None


def plugin(_version: str) -> type[Plugin]:
    """What mypy asks for."""
    return TypedReplace
