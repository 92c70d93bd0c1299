"""How pages and the program that makes PDFs speak over a local socket: one order, one answer, then both hang up.

| offset | bytes | meaning |
|---|---|---|
| 0 | 1 | order ``O``; answer ``P`` (a PDF) or ``R`` (refused: a sentence, UTF-8) |
| 1 | 4 | length n of what follows, most significant byte first |
| 5 | n | the order as JSON, the PDF or the sentence |

``multiprocessing.connection`` would be shorter, but waits for ever for the rest of a message: no end holds for it all.
"""

from __future__ import annotations

import socket
import time
from typing import Final

ORDER, PDF, REFUSAL = b"O", b"P", b"R"
PDF_BYTES_MAX: Final = 16_000_000
_LENGTH_BYTES: Final = 4


class LineError(Exception):
    """The other side hung up too early, took too long, or said what cannot be."""


def send(line: socket.socket, kind: bytes, data: bytes, ends_s: float) -> None:
    """Say something before ``ends_s`` of the monotonic clock.

    Raises:
        LineError: it could not be said in time.
    """
    try:
        line.settimeout(_left(ends_s))
        line.sendall(kind + len(data).to_bytes(_LENGTH_BYTES) + data)
    except OSError as e:
        raise LineError(f"could not be sent: {e}") from e


def receive(line: socket.socket, kinds: bytes, bytes_max: int, ends_s: float) -> tuple[bytes, bytes]:
    """What the other side says: its kind, one of ``kinds``, and its bytes.

    Raises:
        LineError: nothing whole of at most ``bytes_max`` bytes came before ``ends_s`` of the monotonic clock.
    """
    head = _exactly(line, 1 + _LENGTH_BYTES, ends_s)
    kind, length = head[:1], int.from_bytes(head[1:])
    if kind not in kinds or length > bytes_max:
        raise LineError("said what cannot be")
    return kind, _exactly(line, length, ends_s)


def _exactly(line: socket.socket, count: int, ends_s: float) -> bytes:
    got = bytearray()
    while len(got) < count:
        try:
            line.settimeout(_left(ends_s))
            part = line.recv(min(count - len(got), 65_536))
        except OSError as e:
            raise LineError(f"nothing came: {e}") from e
        if not part:
            raise LineError("hung up too early")
        got += part
    return bytes(got)


def _left(ends_s: float) -> float:
    left = ends_s - time.monotonic()
    if left <= 0:
        raise LineError("took too long")
    return left
