"""What comes of asking the office in vain."""

from __future__ import annotations


class OfficeError(Exception):
    """No answer that can be used: one sentence without a full stop.

    Attributes:
        status: of HTTP, if the office refused; 0 = there was no answer.
        retry_s: how long the office asks to be left alone.
    """

    def __init__(self, reason: str, status: int = 0, retry_s: int = 0) -> None:
        self.status = status
        self.retry_s = retry_s
        super().__init__(reason)


class EndedError(Exception):
    """Nobody wants the answer any more."""
