"""The command ``watchlink gallery --config FILE``."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import Final

from runtime.config import ConfigError
from runtime.loading import loading

STATUS_FAILED: Final = 1
STATUS_CONFIG: Final = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Keep and show this unit's gallery until SIGTERM or SIGINT.

    Returns 0; 1 if it cannot go on; 2 for an unusable configuration.
    """
    parser = argparse.ArgumentParser(
        prog="watchlink gallery",
        description="Keep and show who is excluded here, beside the node. It needs no network to show what it holds.",
    )
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="gallery.toml")
    given = parser.parse_args(arguments)
    stopping: list[Callable[[], None]] = []
    is_stopped = False

    def ask_to_stop(_signal: int, _frame: FrameType | None) -> None:
        nonlocal is_stopped
        is_stopped = True
        for stop in stopping:
            stop()

    signal.signal(signal.SIGTERM, ask_to_stop)
    signal.signal(signal.SIGINT, ask_to_stop)
    # Imported late, so that a signal during these slow imports is not lost.
    with loading():
        from gallery.app import GalleryApp  # noqa: PLC0415
        from gallery.config import load_configuration  # noqa: PLC0415
        from runtime.handed_over import handed_over  # noqa: PLC0415
        from runtime.logs import FactLog, set_up_logging  # noqa: PLC0415
        from runtime.service import Service  # noqa: PLC0415

    set_up_logging()
    try:
        app = GalleryApp(load_configuration(given.config), FactLog(), Service(), handed=handed_over())
    except ConfigError as e:
        return _refuse(e, STATUS_CONFIG)
    except OSError as e:
        return _refuse(f"its folder cannot be used: {e}", STATUS_FAILED)
    stopping.append(app.stop)
    return 0 if is_stopped else app.run()


def _refuse(why: object, status: int) -> int:
    sys.stderr.write(f"watchlink gallery: {why}\n")
    return status
