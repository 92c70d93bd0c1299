"""Loads modules without looking for garbage among them: there is none, and it takes up to a third of the time."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def loading() -> Iterator[None]:
    """What is imported within stays: no garbage is looked for in it later either, while alerts come in."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
