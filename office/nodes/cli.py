"""The command ``watchlink office nodes --config FILE``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from runtime.config import ConfigError
from runtime.loading import loading
from runtime.logs import FactLog, set_up_logging
from runtime.service import Service
from runtime.stop_request import stop_request

STATUS_FAILED: Final = 1
STATUS_CONFIG: Final = 2
STATUS_BEHIND: Final = 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Answer nodes until SIGTERM or SIGINT, or list them.

    Returns 0; 1 if it cannot go on; 2 for an unusable configuration; 3 if a listed node
    is behind, or has an alarm.
    """
    parser = argparse.ArgumentParser(
        prog="watchlink office nodes", description="Answer nodes what their galleries hold."
    )
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="nodes.toml")
    parser.add_argument(
        "--list", action="store_true", help="print what each node holds, and end; status 3 if one is behind"
    )
    given = parser.parse_args(arguments)
    if given.list:
        return _list(given.config)
    set_up_logging()
    should_stop = stop_request()
    # Imported late, so that a signal during these slow imports is not lost.
    with loading():
        from office.nodes.app import MachinePort  # noqa: PLC0415
        from office.nodes.config import load_configuration  # noqa: PLC0415
        from office.nodes.store import StoreError  # noqa: PLC0415

    try:
        MachinePort(load_configuration(given.config), FactLog(), Service()).run(should_stop)
    except ConfigError as e:
        return _refuse(e, STATUS_CONFIG)
    except (StoreError, OSError, RuntimeError) as e:
        return _refuse(e, STATUS_FAILED)
    return 0


def _list(config: Path) -> int:
    with loading():
        from office.nodes.config import load_configuration  # noqa: PLC0415
        from office.nodes.listing import list_nodes  # noqa: PLC0415
        from office.nodes.store import StoreError  # noqa: PLC0415

    try:
        table, is_well = list_nodes(load_configuration(config))
    except ConfigError as e:
        return _refuse(e, STATUS_CONFIG)
    except StoreError as e:
        return _refuse(e, STATUS_FAILED)
    print(table)  # noqa: T201 - a command's answer
    return 0 if is_well else STATUS_BEHIND


def _refuse(why: object, status: int) -> int:
    sys.stderr.write(f"watchlink office nodes: {why}\n")
    return status
