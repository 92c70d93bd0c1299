"""The command ``watchlink notifier --config FILE``."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from runtime.config import ConfigError
from runtime.loading import loading

STATUS_FAILED: Final = 1
STATUS_CONFIG: Final = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Tell people what central orders, until SIGTERM or SIGINT.

    Returns 0; 1 if it cannot go on; 2 for an unusable configuration.
    """
    parser = argparse.ArgumentParser(
        prog="watchlink notifier",
        description="Tell people on their phones that an alert waits, by order of central. Alerts do without it.",
    )
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="notifier.toml")
    given = parser.parse_args(arguments)
    # Imported late: they are slow, and not needed to refuse an argument.
    with loading():
        from notifier.app import NotifierApp  # noqa: PLC0415
        from notifier.config import load_configuration  # noqa: PLC0415
        from runtime.logs import FactLog, set_up_logging  # noqa: PLC0415
        from runtime.service import Service  # noqa: PLC0415

    set_up_logging()

    async def run() -> None:
        app = NotifierApp(load_configuration(given.config), FactLog(), Service())
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, app.stop)
        await app.run()

    try:
        asyncio.run(run())
    except ConfigError as e:
        return _refuse(e, STATUS_CONFIG)
    except OSError as e:
        return _refuse(f"it cannot listen: {e}", STATUS_FAILED)
    return 0


def _refuse(why: object, status: int) -> int:
    sys.stderr.write(f"watchlink notifier: {why}\n")
    return status
