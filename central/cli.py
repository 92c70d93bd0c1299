"""The command ``watchlink central --config FILE`` runs central. Those of :data:`COMMANDS` are imported late."""

from __future__ import annotations

import argparse
import importlib
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from runtime.config import ConfigError
from runtime.loading import loading
from runtime.logs import FactLog, set_up_logging
from runtime.service import Service
from runtime.stop_request import stop_request

logger = logging.getLogger(__name__)

STATUS_FAILED: Final = 1
STATUS_CONFIG: Final = 2
COMMANDS: Final = {
    "backup": ("central.backup.cli", "copy central's state into one encrypted file"),
    "restore": ("central.backup.cli", "put central's state back from such a file"),
    "backup-key": ("central.backup.cli", "make the key that opens backups"),
}
"""Name → module, whose ``main`` takes the name too, and what the command does."""
OF_ITS_MACHINE: Final = {
    "install": "put broker, central and the office in place, or bring them up to date",
    "check": "say what is missing, wrong or about to expire, and what to do",
    "take-bundle": "put a release's bundle where units fetch it; 'watchlink fleet release' runs it",
}
"""Commands of another program; ``watchlink`` starts that."""


TURN_S: Final = 0.000_5
"""How long a thread that computes may keep Python's one lock while an alert waits for it. Python's own 5 ms is a
press's whole way to its receipt."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command, or central until SIGTERM or SIGINT. Returns 0, 1 if it cannot go on, 2 for a bad configuration."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words and words[0] in COMMANDS:
        with loading():
            program = importlib.import_module(COMMANDS[words[0]][0])
        done: int = program.main(words)
        return done
    if not words or words[0] in ("-h", "--help") or not words[0].startswith("-"):
        return _say_commands(words)
    parser = argparse.ArgumentParser(prog="watchlink central", add_help=False)
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="central.toml")
    given = parser.parse_args(words)
    set_up_logging()
    should_stop = stop_request()
    # Imported late, so that a signal during these slow imports is not lost.
    with loading():
        from central.app import Central  # noqa: PLC0415
        from central.config import load_configuration  # noqa: PLC0415
        from central.store.errors import StoreConfigError, StoreError  # noqa: PLC0415

    try:
        central = Central(load_configuration(given.config), FactLog(), Service())
    except (ConfigError, StoreConfigError) as e:
        print(f"watchlink central: {e}", file=sys.stderr)  # noqa: T201 - one sentence for the person who started it
        return STATUS_CONFIG
    except (StoreError, OSError) as e:
        print(f"watchlink central: {e}", file=sys.stderr)  # noqa: T201
        return STATUS_FAILED
    sys.setswitchinterval(TURN_S)
    central.start()
    central.wait(should_stop)
    return 0 if central.stop() else STATUS_FAILED


def _say_commands(words: Sequence[str]) -> int:
    told = {name: what for name, (_, what) in COMMANDS.items()} | OF_ITS_MACHINE
    listing = "\n".join(f"  {name:10} {what}" for name, what in told.items())
    usage = (
        "usage: watchlink central --config FILE\n       watchlink central COMMAND …\n\n"
        f"Run central, which answers alerts and shows the control room's page; or run a command:\n\n{listing}\n\n"
        "For more: watchlink central COMMAND --help"
    )
    if words and words[0].startswith("-"):
        print(usage)  # noqa: T201 - a command's answer
        return 0
    problem = f"watchlink central: there is no command '{words[0]}'\n\n" if words else ""
    sys.stderr.write(f"{problem}{usage}\n")
    return STATUS_CONFIG
