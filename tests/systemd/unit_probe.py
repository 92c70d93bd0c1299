"""Runs inside the booted root, as a user of the office or in the place of one of its units, and says what it can do.

``notice`` orders ``/order.json`` and writes the PDF; ``photographs FILE…`` reads each, and looks at the cage; ``reach
WHAT…`` tries files, and ports as ``:8090``.
"""

from __future__ import annotations

import errno
import os
import socket
import sys
from pathlib import Path

import msgspec

from office.papers.asking import NoPdfError, pdf_of
from office.papers.orders import Order
from office.people.intake_process import PhotographRefusedError, _Child, read_photograph
from office.people.intake_terms import Job

SOCKET = Path("/run/watchlink-office-papers/papers.sock")


def notice() -> None:
    """The PDF, or the sentence that says why not."""
    try:
        sys.stdout.buffer.write(pdf_of(msgspec.json.decode(Path("/order.json").read_bytes(), type=Order), SOCKET))
    except NoPdfError as e:
        sys.stdout.write(f"{e}\n")


def photographs(*files: str) -> None:
    """A line of each: its size once it is read, or the sentence that says why not; then of the cage."""
    for file in files:
        try:
            picture = read_photograph(Path(file).read_bytes())
            sys.stdout.write(f"{picture.width} x {picture.height}\n")
        except PhotographRefusedError as e:
            sys.stdout.write(f"{e}\n")
    child = _Child("serve")
    child.do(Job("mark", len(picture.data), text="Cora"), picture.data, 60.0)
    sys.stdout.write(f"filters of its own: {_filters(child._process.pid) - _filters(os.getpid())}\n")
    child.close()


def _filters(pid: int) -> int:
    """Of system calls, that a process has."""
    fields = dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(fields["Seccomp_filters"])


def reach(*wanted: str) -> None:
    """A line of each: ``ok``, or the error's name."""
    for one in wanted:
        try:
            if one.startswith(":"):
                socket.create_connection(("127.0.0.1", int(one[1:])), 5).close()
            else:
                Path(one).read_bytes()
            said = "ok"
        except OSError as e:
            said = errno.errorcode[e.errno or 0]
        sys.stdout.write(f"{said} {one}\n")


if __name__ == "__main__":
    {"notice": notice, "photographs": photographs, "reach": reach}[sys.argv[1]](*sys.argv[2:])
