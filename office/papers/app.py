"""``watchlink office papers``: makes the PDFs. It reads no configuration, key or database, and stores nothing.

The pages send an order over a local socket and get the PDF. Each is drawn by a child of its own, with bounds on time
and memory: one that hangs or grows is ended, its page is told so, and the next one is made.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import multiprocessing
import os
import resource
import select
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from office.papers.line import ORDER, PDF, PDF_BYTES_MAX, REFUSAL, LineError, receive, send
from office.papers.orders import ORDER_BYTES_MAX, Order, UnreadablePaperError
from runtime.loading import loading
from runtime.logs import FactLog, set_up_logging
from runtime.service import Service

logger = logging.getLogger(__name__)

Draw = Callable[[Order], bytes]
STATUS_FAILED: Final = 1
LOOK_S: Final = 0.5
ORDER_S: Final = 3.0
"""How long an order may take to arrive, and an answer to leave."""
WAITING_MAX: Final = 32
FONTS: Final = Path(__file__).with_name("fonts.conf")
"""Of the machine's fonts those that a PDF can use (fontconfig's fonts-conf(5))."""
_MEGABYTE: Final = 1 << 20
_PDF_START: Final = b"%PDF-"
_TOO_LONG: Final = "It took too long to make this PDF."
_DIED: Final = "The program that draws PDFs ran out of memory or was ended."
_FAILED: Final = "This PDF could not be made. The log of watchlink-office-papers says why."


class Bounds(Struct, frozen=True):
    """Of the child that draws one PDF.

    Attributes:
        seconds: of the clock and of the processor; the first that is over ends it.
        megabytes: of memory of its own.
    """

    seconds: int = 20
    megabytes: int = 256


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT. Returns 0; 1 if the socket cannot be made."""
    parser = argparse.ArgumentParser(prog="watchlink office papers", description="Make the PDFs that pages order.")
    parser.add_argument("--socket", type=Path, required=True, metavar="FILE", help="where the pages order")
    given = parser.parse_args(arguments)
    set_up_logging()
    # Their messages can quote the paper.
    for library in ("weasyprint", "pikepdf", "fontTools"):
        logging.getLogger(library).setLevel(logging.CRITICAL)
    should_stop: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: should_stop.append(number))
    signal.signal(signal.SIGINT, lambda number, _: should_stop.append(number))
    os.environ["FONTCONFIG_FILE"] = str(FONTS)  # Read anew for each PDF.
    # Imported late, so that a signal meanwhile is not lost; once for all children.
    with loading():
        from office.papers.drawing import draw  # noqa: PLC0415

    try:
        papers = Papers(given.socket, draw)
    except OSError as e:
        sys.stderr.write(f"watchlink office papers: {given.socket}: {e.strerror or e}\n")
        return STATUS_FAILED
    FactLog().write("listening", socket=str(given.socket))
    papers.run(lambda: bool(should_stop), Service())
    return 0


class Papers:
    """Takes orders, one at a time.

    Raises:
        OSError: the socket cannot be made.
    """

    def __init__(self, socket_file: Path, draw: Draw, bounds: Bounds | None = None) -> None:
        self._draw = draw
        self._bounds = bounds or Bounds()
        self._socket_file = socket_file
        self._listener = socket.socket(socket.AF_UNIX)
        socket_file.unlink(missing_ok=True)
        self._listener.bind(str(socket_file))
        # Who may order is decided by the folder that the socket is in.
        socket_file.chmod(0o660)
        self._listener.listen(WAITING_MAX)

    def run(self, should_stop: Callable[[], bool], service: Service) -> None:
        """Take orders until told to stop. A signal is heard within :data:`LOOK_S`."""
        service.ready()
        with self._listener:
            while not should_stop():
                service.watchdog()
                if select.select([self._listener], [], [], LOOK_S)[0]:
                    line, _ = self._listener.accept()
                    with line:
                        self._serve(line)
        service.stopping()
        self._socket_file.unlink(missing_ok=True)

    def _serve(self, line: socket.socket) -> None:
        try:
            _, data = receive(line, ORDER, ORDER_BYTES_MAX, time.monotonic() + ORDER_S)
            kind, answer = self._answer(data)
            send(line, kind, answer, time.monotonic() + ORDER_S)
        except LineError as e:
            logger.warning("an order came to nothing: %s", e)

    def _answer(self, data: bytes) -> tuple[bytes, bytes]:
        try:
            order = msgspec.json.decode(data, type=Order)
        except msgspec.DecodeError as e:
            logger.warning("not an order: %s", e)
            return REFUSAL, _FAILED.encode()
        drawn = drawn_apart(order, self._draw, self._bounds)
        return (PDF, drawn) if isinstance(drawn, bytes) else (REFUSAL, drawn.encode())


def drawn_apart(order: Order, draw: Draw, bounds: Bounds) -> bytes | str:
    """The PDF, drawn by a child; or a sentence that says why there is none. The child is gone in any case."""
    process_context = multiprocessing.get_context("fork")
    ours, theirs = process_context.Pipe(duplex=False)
    child = process_context.Process(target=_child, args=(order, draw, bounds, theirs), daemon=True)
    child.start()
    theirs.close()
    try:
        answer = ours.recv_bytes(PDF_BYTES_MAX) if ours.poll(bounds.seconds) else None
    except (EOFError, OSError) as e:
        logger.error("the child that drew a PDF ended without one: %r", e)  # noqa: TRY400 - a trace says no more
        return _DIED
    finally:
        ours.close()
        child.kill()
        child.join()
        child.close()
    if answer is None:
        logger.error("a PDF was not made in %s seconds", bounds.seconds)
        return _TOO_LONG
    if not answer.startswith(_PDF_START):
        logger.error("a PDF could not be made: %s", answer.decode(errors="replace"))
        return _FAILED
    return answer


def _child(order: Order, draw: Draw, bounds: Bounds, answer: Connection) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for kind, limit in (
        (resource.RLIMIT_CPU, bounds.seconds),
        (resource.RLIMIT_DATA, bounds.megabytes * _MEGABYTE),
        # It writes no file: a full disk is nothing to it.
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (limit, limit))
    try:
        drawn = draw(order)
    except Exception as e:  # noqa: BLE001 - whatever it is, the parent tells of it
        drawn = _fault_of(e).encode()
    with contextlib.suppress(BrokenPipeError):
        answer.send_bytes(drawn)


def _fault_of(e: Exception) -> str:
    """What went wrong and where. Of messages only our own: others could quote the paper."""
    where = "".join(traceback.format_tb(e.__traceback__))
    return f"{type(e).__name__}: {e if isinstance(e, UnreadablePaperError) else '(…)'}\n{where}"
