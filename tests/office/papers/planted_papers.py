"""The program that makes PDFs, with drawing replaced by what the title of the order says. Run: ``-m … SOCKET``."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from unittest import mock

from office.papers import app
from office.papers.app import Bounds, Papers
from office.papers.orders import NoticePaper, Order, UnreadablePaperError
from runtime.logs import set_up_logging
from runtime.service import Service


def draw(order: Order) -> bytes:
    """As planted."""
    assert isinstance(order, NoticePaper)
    match order.title:
        case "hang":
            signal.pause()
        case "grow":
            return bytes(1 << 30)
        case "die":
            os.kill(os.getpid(), signal.SIGKILL)
        case "spin":
            while True:
                pass
        case "fault":
            raise UnreadablePaperError("a picture without words for it")
        case "quote":
            raise ValueError(order.name)
        case "write":
            Path(sys.argv[1] + ".written").write_text("x")
        case "huge":
            return b"%PDF-" + bytes(20_000_000)
    return b"%PDF-" + order.reference.encode()


class Planted(Papers):
    """Impatient where it is to be: a busy machine must not end what is made at once."""

    def _answer(self, data: bytes) -> tuple[bytes, bytes]:
        is_endless = any(title in data for title in (b'"hang"', b'"spin"'))
        self._bounds = Bounds(seconds=1 if is_endless else 120, megabytes=256)
        return super()._answer(data)


if __name__ == "__main__":
    set_up_logging()
    stopped: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: stopped.append(number))
    with mock.patch.object(app, "ORDER_S", 120.0):  # a page that is slow to say what it wants is none that hangs
        Planted(Path(sys.argv[1]), draw).run(lambda: bool(stopped), Service())
