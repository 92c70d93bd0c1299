"""Errors on the way to and from the air. None of them ends the program."""

from __future__ import annotations


class RadioError(Exception):
    """Base of every error of the radio drivers."""


class KissDecodeError(RadioError, ValueError):
    """A KISS frame that no TNC sends, or one for another port. ``args[0]`` is usable as a counter's label."""


class Ax25DecodeError(RadioError, ValueError):
    """Not one of our UI frames. ``args[0]`` is usable as a counter's label."""


class CodecError(RadioError, OSError):
    """The modem's program failed."""


class EncodeStopped(CodecError):  # noqa: N818 - nothing went wrong: the burst is no longer wanted
    """The burst is no longer wanted."""

    def __init__(self) -> None:
        super().__init__("no longer wanted")
