"""Errors of the hardware, and the translation of libraries' exceptions into them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from wire.text import display_text

DETAIL_CHARS_MAX: Final = 120


class HardwareError(Exception):
    """Base of all errors that this package raises."""


class UnknownProfileError(HardwareError, ValueError):
    """No hardware profile of that name; the message lists the profiles."""


class FakeBoardError(HardwareError, OSError):
    """The fake board's socket cannot be served or reached."""


class PartError(HardwareError):
    """A part does not work; the message is one line for :class:`node.core.events.PartFailed`."""


@contextmanager
def translated(what: str = "") -> Iterator[None]:
    """Turn any exception of a driver into :class:`PartError`.

    Args:
        what: prefix of the reason, such as ``"GPIO 5"``.

    Raises:
        PartError: on any exception inside.
    """
    try:
        yield
    except PartError:
        raise
    except Exception as error:
        # Drivers raise what their C libraries and kernels hand them (lgpio.error, OSError, ImportError,
        # AssertionError, …): a board without one part must go on with the others, so all of it stops here.
        raise PartError(one_line(f"{what}: {_reason(error)}" if what else _reason(error))) from error


def one_line(text: str) -> str:
    """``text`` fit for ``PartFailed.detail``: one line, at most 120 characters."""
    return display_text(text, DETAIL_CHARS_MAX)


def _reason(error: Exception) -> str:
    """The library's own words; if it has none, or only a module name, with the kind of error."""
    text = str(error).strip("'\" ")
    if isinstance(error, ModuleNotFoundError):
        return f"library {error.name} is not installed"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror if error.filename is None else f"{error.strerror}: {error.filename}"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
