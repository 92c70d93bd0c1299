"""Asks the program that makes PDFs for one. The pages import this, and never the library that draws."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import Final

import msgspec

from office.papers.line import ORDER, PDF, PDF_BYTES_MAX, REFUSAL, LineError, receive, send
from office.papers.orders import Order

WAIT_S: Final = 30.0
"""For the PDF, and for those ordered before it. Longer than the child that draws may live."""


class NoPdfError(Exception):
    """There is no PDF; the message is a sentence for whoever wanted it."""


def pdf_of(order: Order, socket_file: Path, wait_s: float = WAIT_S) -> bytes:
    """The PDF.

    Raises:
        NoPdfError: it was refused, or the program does not answer in time.
    """
    ends_s = time.monotonic() + wait_s
    with socket.socket(socket.AF_UNIX) as line:
        try:
            line.settimeout(wait_s)
            line.connect(str(socket_file))
            send(line, ORDER, msgspec.json.encode(order), ends_s)
            kind, answer = receive(line, PDF + REFUSAL, PDF_BYTES_MAX, ends_s)
        except (OSError, LineError) as e:
            raise NoPdfError("The program that makes PDFs does not answer.") from e
    if kind == REFUSAL:
        raise NoPdfError(answer.decode(errors="replace"))
    return answer
