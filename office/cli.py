"""The command ``watchlink office``: dispatches, and imports each program late."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from typing import Final

from runtime.loading import loading

COMMANDS: Final = {
    "init": ("office.founding", "make database, keys and the first sign-in link"),
    "migrate": ("office.founding", "bring the database up to date after an update"),
    "recover": ("office.founding", "make a recovery link, when no co-ordinator can"),
    "serve": ("office.app", "run the pages"),
    "publish": ("office.publisher.cli", "sign and publish snapshots"),
    "nodes": ("office.nodes.cli", "answer nodes what their galleries hold"),
    "papers": ("office.papers.app", "make the PDFs that pages order"),
    "backup": ("office.backup.cli", "copy the state into one encrypted file"),
    "backup-keys": ("office.backup.cli", "copy the keys into another"),
    "backup-key": ("office.backup.cli", "make a key that opens backups"),
    "restore": ("office.backup.cli", "put the state back"),
    "restore-keys": ("office.backup.cli", "put the keys back"),
    "audit": ("office.audit.cli", "verify the record of who did what"),
}
"""Name → module with ``main(arguments) -> int``."""
SEVERAL: Final = frozenset(
    name for name, (module, _) in COMMANDS.items() if module in {"office.founding", "office.backup.cli"}
)
"""Of one module, which is told which it is."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status; 2 = unknown command."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    match given:
        case [name, *rest] if name in COMMANDS:
            own = [name, *rest] if name in SEVERAL else rest
            with loading():
                program = importlib.import_module(COMMANDS[name][0])
            status: int = program.main(own)
            return status
        case _:
            listing = "\n".join(f"  {name:12} {what}" for name, (_, what) in COMMANDS.items())
            usage = f"usage: watchlink office COMMAND …\n\n{listing}\n\nFor more: watchlink office COMMAND --help"
            if given[:1] in (["-h"], ["--help"]):
                print(usage)  # noqa: T201 - a command's answer
                return 0
            problem = f"watchlink office: there is no command '{given[0]}'\n\n" if given else ""
            sys.stderr.write(f"{problem}{usage}\n")
            return 2
