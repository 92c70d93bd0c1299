"""Pages of one process compile their templates once: a test makes a page of its own, and each took 0.2 s."""

from __future__ import annotations

from functools import partialmethod
from types import CodeType

import jinja2
from jinja2.bccache import Bucket


class _Compiled(jinja2.BytecodeCache):
    """In memory; what is compiled holds for the text it was made from."""

    def __init__(self) -> None:
        self._codes: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._codes.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        assert bucket.code is not None
        self._codes[bucket.key, bucket.checksum] = bucket.code


def keep_compiled_templates() -> None:
    """From now on, in this process. Every page of ours is made with the same options, on which the code depends."""
    made = partialmethod(jinja2.Environment.__init__, bytecode_cache=_Compiled())
    jinja2.Environment.__init__ = made  # type: ignore[method-assign,assignment]
