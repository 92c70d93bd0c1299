"""The child's side of :mod:`runtime.caged_child`: jobs come by standard input, answers leave by standard output.

A job is one line of JSON that says how many bytes follow; so is an answer. None of it needs more than the cage allows.
"""

from __future__ import annotations

import os
import select
from typing import Final, Protocol, TypeVar

import msgspec

_STDIN, _STDOUT = 0, 1
IDLE_S: Final = 60.0
"""Whom nobody asks for so long may end."""


class _Counted(Protocol):
    @property
    def bytes_count(self) -> int:
        """That follow."""


J = TypeVar("J", bound=_Counted)


def is_asked() -> bool:
    """Wait for a job; whether there is one, or the end of them, within :data:`IDLE_S`."""
    return bool(select.select([_STDIN], [], [], IDLE_S)[0])


def next_job(of: type[J], *, head_bytes_max: int, data_bytes_max: int) -> tuple[J, bytes] | None:
    """The next job and its bytes; ``None`` = there is none any more.

    Args:
        of: what a job is.
        head_bytes_max: of its line.
        data_bytes_max: more than that is not read.
    """
    head = bytearray()
    while not head.endswith(b"\n"):
        byte = os.read(_STDIN, 1)
        if not byte or len(head) > head_bytes_max:
            return None
        head += byte
    job = msgspec.json.decode(head, type=of)
    data = bytearray()
    while len(data) < min(job.bytes_count, data_bytes_max):
        piece = os.read(_STDIN, job.bytes_count - len(data))
        if not piece:
            return None
        data += piece
    return job, bytes(data)


def give(answer: object, *files: bytes) -> None:
    """Write the answer, and what follows it."""
    out = memoryview(b"".join([msgspec.json.encode(answer), b"\n", *files]))
    while out:
        out = out[os.write(_STDOUT, out) :]
